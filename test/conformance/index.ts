/**
 * Every check, in the order in which they run. A file of checks imports nothing but src/, ./assert.ts and JSON, and
 * is listed here; no further line is needed for it to run on all platforms.
 */
import { type Check, type Context, type Result, runChecks } from "./check.ts";
import { checks as composites } from "./composites.ts";
import { checks as disposal } from "./disposal.ts";
import { checks as flow } from "./flow.ts";
import { checks as guidance } from "./guidance.ts";
import { checks as halfStorage } from "./half-storage.ts";
import { checks as kernels } from "./kernels.ts";
import { checks as longPrograms } from "./long-programs.ts";
import { checks as losses } from "./losses.ts";
import { checks as moreSolvers } from "./more-solvers.ts";
import { checks as ops } from "./ops.ts";
import { checks as platform } from "./platform.ts";
import { checks as reductionsTogether } from "./reductions-together.ts";
import { checks as simplex } from "./simplex.ts";
import { checks as threads } from "./threads.ts";
import { checks as training } from "./training.ts";
import { checks as tuning } from "./tuning.ts";
import { checks as validation } from "./validation.ts";
import { checks as wholeNetwork } from "./whole-network.ts";

export const checks: readonly Check[] = [
  ...platform,
  ...kernels,
  ...longPrograms,
  ...reductionsTogether,
  ...ops,
  ...composites,
  ...simplex,
  ...flow,
  ...guidance,
  ...moreSolvers,
  ...training,
  ...disposal,
  ...losses,
  ...validation,
  ...threads,
  ...tuning,
  ...wholeNetwork,
  ...halfStorage,
];

/** The checks that a backend must pass. */
export function checksFor(backend: "webgpu" | "wasm"): Check[] {
  return checks.filter((check) => check.backend === undefined || check.backend === backend);
}

/** What .build/platforms/run.mjs calls on a platform: runs the checks that `input.names` lists. */
export async function run(
  context: Context & { input: { names: string[] } },
  report: (result: Result) => void | Promise<void>,
): Promise<void> {
  const { names } = context.input;
  await runChecks(
    checksFor(context.backend).filter(({ name }) => names.includes(name)),
    context,
    report,
  );
}
