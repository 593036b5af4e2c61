/** The shaders of whole FDM steps, as GPUs run them: with the epilogues that the planner gives their products. */
import { attentionDispatches, attentionParts } from "../src/backends/webgpu/attention-source.ts";
import type { Dispatch } from "../src/backends/webgpu/dispatch.ts";
import { joinReductions } from "../src/backends/webgpu/join-reductions.ts";
import { chooseProduct, lower } from "../src/backends/webgpu/lower.ts";
import { networkForms } from "../src/backends/webgpu/network-forms.ts";
import { leastLimits, planLimitsOf } from "../src/backends/webgpu/plan-limits.ts";
import { chooseReduce } from "../src/backends/webgpu/reduce-dispatches.ts";
import type { Graph } from "../src/graph/graph.ts";
import { adam, checkerboard, condOT, fdm } from "../src/index.ts";
import { compile } from "../src/schedule/compile.ts";
import type { KernelCall, PlanLimits } from "../src/schedule/program.ts";
import { buildTrainStep } from "../src/train/step.ts";
import { workloadNetwork } from "./divflow/training.ts";
import type { Work } from "./gpu-report-calls.ts";
import { cases, stepOf } from "./planning-cases.ts";
import { adamOptions, batchOf, divergenceWeight } from "./workload.mjs";

/** A shader of a step, and what all its dispatches do together: bytes are those of operands, each once a call. */
export interface StepKernel extends Work {
  readonly name: string;
  /** Its first call, as `describe()` has it. */
  readonly label: string;
  readonly dispatch: Dispatch;
  readonly dispatches: number;
}

export interface ReportedStep {
  readonly title: string;
  /** Whether each shader has its row: of networks there are too many, and one line stands for all of a kernel. */
  readonly each: boolean;
  readonly kernels: readonly StepKernel[];
}

/** A GPU's, with subgroups of any size. */
const traits = { software: false, subgroups: true };

/** What Dawn offers on the GPUs of the report. Within the least that a device may have, `unet2d` is in nine buffers. */
const limitsOfCards = {
  maxBufferSize: 2 ** 32 - 4,
  maxStorageBufferBindingSize: 2 ** 32 - 4,
  maxStorageBuffersPerShaderStage: 16,
};

export function stepsToReport(): ReportedStep[] {
  return [
    ...[128, 512].flatMap((width) => (["f32", "f16"] as const).map((storage) => mlpStep(width, storage))),
    ...["unet1d", "unet2d", "sit"].map(networkStep),
  ];
}

function mlpStep(width: number, storage: "f32" | "f16"): ReportedStep {
  const batch = batchOf(width);
  const graph = buildTrainStep({
    network: workloadNetwork(width),
    path: condOT(),
    loss: fdm({ divergence: divergenceWeight }),
    optimizer: adam(adamOptions),
    data: checkerboard(),
    batchSize: batch,
  });
  const title = `FDM, 4 x ${width}, batch ${batch}, ${storage} storage`;
  const limits = planLimitsOf(leastLimits, { wholeNetworks: true, storage });
  return { title, each: true, kernels: kernelsOf(graph, limits) };
}

/** Of the size that the networks are compared at (docs/speed.md). */
function networkStep(name: string): ReportedStep {
  const title = `FDM, ${name}, batch ${cases[name]?.batch}`;
  return {
    title,
    each: false,
    kernels: kernelsOf(stepOf(name, "fdm"), planLimitsOf(limitsOfCards, { wholeNetworks: true })),
  };
}

function kernelsOf(graph: Graph, limits: PlanLimits): StepKernel[] {
  const program = compile(graph, limits);
  const { dispatches, calls } = lower(program, {
    traits,
    forms: { networks: networkForms, attention: attentionDispatches },
  });
  const kernels = new Map<string, StepKernel>();
  const together = new Map(joinReductions(program.calls).map(({ at, others }) => [at, others]));
  for (const [i, dispatch] of dispatches.entries()) {
    const at = calls[i] as number;
    const call = withOthers(program.calls, at, together.get(at));
    const place = i - calls.indexOf(at);
    const shader = JSON.stringify([dispatch.code, dispatch.kernel, dispatch.constants]);
    const before = kernels.get(shader) ?? {
      ...{
        name: together.has(at) ? `reduce-together${place > 0 ? ", their join" : ""}` : nameOf(call, place),
        label: call.label,
        dispatch,
        dispatches: 0,
        flops: 0,
        bytes: 0,
      },
    };
    const { flops, bytes } = shareOf(call, calls.filter((each) => each === calls[i]).length, place);
    kernels.set(shader, {
      ...before,
      ...{ dispatches: before.dispatches + 1, flops: before.flops + flops, bytes: before.bytes + bytes },
    });
  }
  return [...kernels.values()];
}

/** The call, with what those do that run together with it. */
function withOthers(calls: readonly KernelCall[], at: number, others: readonly number[] = []): KernelCall {
  const all = [at, ...others].map((position) => calls[position] as KernelCall);
  const sum = (field: "flops" | "bytes") => all.reduce((total, call) => total + call[field], 0);
  return { ...(calls[at] as KernelCall), flops: sum("flops"), bytes: sum("bytes") };
}

/** What a dispatch does of a call: of attention each as much, of what is joined behind segments the first all. */
function shareOf({ kernel, flops, bytes }: KernelCall, count: number, place: number): Work {
  if (kernel.startsWith("attention")) return { flops: flops / count, bytes: bytes / count };
  return place === 0 ? { flops, bytes } : { flops: 0, bytes: 0 };
}

/** The kernel, as the report names those that it has alone; `place`: among the dispatches of the call. */
function nameOf(call: KernelCall, place: number): string {
  const second = place > 0;
  switch (call.kernel) {
    case "linear":
      return second ? "linear-join" : `linear-${chooseProduct(call, traits).kernel}`;
    case "convolve":
      return second ? "linear-join" : `linear-${chooseProduct(call, traits).kernel} through windows`;
    case "attentionReverse":
      return `attentionReverse, ${attentionParts[place % attentionParts.length]}`;
    case "reduce":
      return `${chooseReduce(traits)}${second ? ", their join" : ""}`;
    default:
      return call.kernel;
  }
}
