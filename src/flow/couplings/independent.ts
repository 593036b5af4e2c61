import { optionsObject } from "../../graph/options.ts";
import type { Coupling } from "./coupling.ts";

/** Starts and data that know nothing of each other: what is trained where no coupling is given. */
export function independent(options: Record<never, never> = {}): Coupling {
  optionsObject("options of independent", options, []);
  return { name: "independent", options: {}, seesConditions: true };
}
