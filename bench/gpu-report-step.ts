/** The shaders of whole FDM steps, as GPUs run them: with the epilogues that the planner gives their products. */
import type { Dispatch } from "../src/backends/webgpu/dispatch.ts";
import { chooseProduct, lower } from "../src/backends/webgpu/lower.ts";
import { leastLimits, planLimitsOf } from "../src/backends/webgpu/plan-limits.ts";
import { chooseReduce } from "../src/backends/webgpu/reduce-dispatches.ts";
import { adam, checkerboard, condOT, fdm } from "../src/index.ts";
import { compile } from "../src/schedule/compile.ts";
import type { KernelCall } from "../src/schedule/program.ts";
import { buildTrainStep } from "../src/train/step.ts";
import { workloadNetwork } from "./divflow/training.ts";
import { adamOptions, batchOf, divergenceWeight } from "./workload.mjs";

/** A shader of a step, and what its first call does. */
export interface StepKernel {
  readonly name: string;
  /** The call as `describe()` has it. */
  readonly label: string;
  readonly dispatch: Dispatch;
}

export interface ReportedStep {
  readonly width: number;
  readonly batch: number;
  readonly storage: "f32" | "f16";
  readonly kernels: readonly StepKernel[];
}

/** A GPU's, with subgroups of any size. */
const traits = { software: false, subgroups: true };

export function stepsToReport(): ReportedStep[] {
  return [128, 512].flatMap((width) => (["f32", "f16"] as const).map((storage) => stepToReport(width, storage)));
}

function stepToReport(width: number, storage: "f32" | "f16"): ReportedStep {
  const batch = batchOf(width);
  const graph = buildTrainStep({
    network: workloadNetwork(width),
    path: condOT(),
    loss: fdm({ divergence: divergenceWeight }),
    optimizer: adam(adamOptions),
    data: checkerboard(),
    batchSize: batch,
  });
  const program = compile(graph, planLimitsOf(leastLimits, { wholeNetworks: true, storage }));
  const { dispatches, calls } = lower(program, { traits });
  const kernels = new Map<string, StepKernel>();
  for (const [i, dispatch] of dispatches.entries()) {
    const shader = JSON.stringify([dispatch.code, dispatch.constants]);
    if (kernels.has(shader)) continue;
    const call = program.calls[calls[i] as number] as KernelCall;
    kernels.set(shader, { name: nameOf(call, calls[i - 1] === calls[i]), label: call.label, dispatch });
  }
  return { width, batch, storage, kernels: [...kernels.values()] };
}

/** The kernel, as the report names those that it has alone; `second`: of the two dispatches of a call in segments. */
function nameOf(call: KernelCall, second: boolean): string {
  switch (call.kernel) {
    case "linear":
    case "convolve":
      return second ? "linear-join" : `linear-${chooseProduct(call, traits).kernel}`;
    case "reduce":
      return `${chooseReduce(traits)}${second ? ", their join" : ""}`;
    default:
      return call.kernel;
  }
}
