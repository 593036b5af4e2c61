/**
 * An experiment in jobs: each model of its plan, a seed's of a loss, by a command of its own, which runs alone anywhere and makes the
 * seed's data itself. `merge` puts the folders together.
 */
import { join } from "node:path";
import { ConfigError, VERSION } from "../../index.ts";
import { oneOf } from "../arguments.ts";
import { remark, report, shellCommand } from "../output.ts";
import type { Plan } from "./conduct.ts";
import { jobFile, writeJson } from "./places.ts";

/** One model of a plan. */
export interface Only {
  readonly seed: number;
  readonly loss: string;
}

/** What a job's folder says when it is done: of which plan it is one model. */
export interface JobDone {
  readonly divflow: string;
  readonly device: string;
  readonly seeds: readonly number[];
  readonly losses: readonly string[];
  readonly only: Only;
  /** Of the whole. */
  readonly command: string;
}

/** `0/fdm`: seed and loss. */
export function readOnly(given: string | undefined, { seeds, losses }: Pick<Plan, "seeds" | "losses">) {
  if (given === undefined) return undefined;
  const [, digits, loss = ""] = /^(\d{1,4})\/(.+)$/.exec(given) ?? [];
  const seed = Number(digits);
  if (!seeds.includes(seed)) {
    throw new ConfigError({
      subject: "--only",
      given,
      expected: `SEED/LOSS, the seed one of ${seeds.join(", ")}`,
      remedy: "--jobs lists them all.",
    });
  }
  return { seed, loss: oneOf("--only, its loss", loss, losses) };
}

/** The command of the whole, without what says where it goes and which part of it is asked for. */
export function wholeCommand(rawArguments: readonly string[]): string[] {
  const [switches, valued] = [
    ["--jobs", "--json", "--force", "--quiet"],
    ["--out", "--only"],
  ];
  return rawArguments.filter((one, i) => {
    const name = one.split("=", 1)[0] as string;
    return !switches?.includes(one) && !valued?.includes(name) && !valued?.includes(rawArguments[i - 1] ?? "");
  });
}

/** Prints a line of command for each model of a plan. */
export function listJobs({ seeds, losses, out }: Plan, rawArguments: readonly string[], isJson: boolean): void {
  const folder = join(out, "jobs");
  const jobs = seeds.flatMap((seed) =>
    losses.map((loss) => {
      const own = join(folder, `${seed}-${loss}`);
      const words = ["experiment", ...wholeCommand(rawArguments), "--only", `${seed}/${loss}`, "--out", own];
      return { seed, loss, out: own, arguments: words, command: shellCommand(["divflow", ...words]) };
    }),
  );
  report(
    isJson,
    jobs,
    jobs.map(({ command }) => command),
  );
  remark(`When all are done: ${shellCommand(["divflow", "merge", folder, "--out", out])}`);
}

/** Says in a job's folder that it is done. */
export async function endJob(
  { seeds, losses, out }: Plan,
  only: Only,
  { device, rawArguments }: { readonly device: string; readonly rawArguments: readonly string[] },
): Promise<void> {
  const command = shellCommand(["divflow", "experiment", ...wholeCommand(rawArguments)]);
  const done: JobDone = { divflow: VERSION, device, seeds, losses, only, command };
  await writeJson(join(out, jobFile), done);
}
