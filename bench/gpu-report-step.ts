/** The shaders of whole FDM steps, as GPUs run them: with the epilogues that the planner gives their products. */
import type { Dispatch } from "../src/backends/webgpu/dispatch.ts";
import { lower } from "../src/backends/webgpu/lower.ts";
import { leastLimits, planLimitsOf } from "../src/backends/webgpu/plan-limits.ts";
import { adam, checkerboard, condOT, fdm } from "../src/index.ts";
import { compile } from "../src/schedule/compile.ts";
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
  const { dispatches, calls } = lower(program, { traits: { software: false, subgroups: true } });
  const kernels = new Map<string, StepKernel>();
  for (const [i, dispatch] of dispatches.entries()) {
    const shader = JSON.stringify([dispatch.code, dispatch.constants]);
    if (kernels.has(shader)) continue;
    const call = program.calls[calls[i] as number];
    const part = i > 0 && calls[i - 1] === calls[i] ? ", joined" : "";
    kernels.set(shader, { name: `${call?.kernel}${part}`, label: call?.label ?? "", dispatch });
  }
  return { width, batch, storage, kernels: [...kernels.values()] };
}
