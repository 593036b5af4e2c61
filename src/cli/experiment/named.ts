/** An experiment by its name, with the contender that many have. */
import { ConfigError } from "../../index.ts";
import { closest } from "../arguments.ts";
import { withEqualSeconds } from "./equal-seconds.ts";
import type { Experiment } from "./experiment.ts";
import { experiments } from "./registry.ts";

export async function experimentNamed(name: string): Promise<Experiment> {
  const found = Object.hasOwn(experiments, name) ? experiments[name] : undefined;
  if (found) return withEqualSeconds(await found());
  const names = Object.keys(experiments);
  throw new ConfigError({
    subject: "experiment",
    given: name,
    expected: `one of ${names.join(", ")}`,
    remedy: closest(name, names),
  });
}
