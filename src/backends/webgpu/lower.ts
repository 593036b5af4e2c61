/** Kernel calls -> dispatches: the parts that only WebGPU has. Which kernel, which specialisation, how many dispatches. */
import { LimitError } from "../../errors.ts";
import { shaders } from "../../generated/shaders.ts";
import { MAX_WORKGROUPS } from "../../kernels/kernel.ts";
import type { KernelCall, Program } from "../../schedule/program.ts";
import type { attentionDispatches } from "./attention-source.ts";
import { declarationsFor } from "./declarations.ts";
import { type Dispatch, isHalf } from "./dispatch.ts";
import { elementwiseDispatch, type Quads } from "./elementwise-source.ts";
import { type KernelForm, kernelDispatch } from "./kernel-dispatch.ts";
import { chooseLinear, type DeviceTraits, type LinearChoice, productShape } from "./linear-choice.ts";
import type { panelDispatches } from "./linear-panel.ts";
import { linearDispatches, linearScratch } from "./linear-source.ts";
import type { networkForms } from "./network-forms.ts";
import { chooseReduce, type ReduceShader, reduceDispatches } from "./reduce-dispatches.ts";

export interface LoweredProgram {
  readonly dispatches: readonly Dispatch[];
  /** By dispatch: the position of the program's call that it is of. */
  readonly calls: readonly number[];
  /** Elements of the scratch region; 0 when no call needs it. */
  readonly scratch: number;
}

/** What only software adapters run. */
export interface SoftwareForms {
  /** Kernels of products, by the names of their files. */
  readonly shaders: Readonly<Record<string, string>>;
  readonly panelDispatches: typeof panelDispatches;
  readonly quads: Quads;
}

/** What programs of some kinds need: each is there once one came. */
export interface Forms {
  /** For convolutions and products of many pairs. */
  networks?: typeof networkForms;
  attention?: typeof attentionDispatches;
  /** For calls that run a whole network. */
  wholeNetwork?: KernelForm;
}

export interface LowerOptions {
  readonly traits: DeviceTraits;
  /** There when the traits say that it is a software adapter, or `linear` names a kernel for these. */
  readonly software?: SoftwareForms | undefined;
  readonly forms?: Forms | undefined;
  /** These take the place of what the traits decide: how the tuner has its say, and tests try every kernel. */
  readonly linear?: ((call: KernelCall) => LinearChoice) | undefined;
  readonly reduce?: ReduceShader | undefined;
  readonly attentionBy?: "tiles" | "rows" | undefined;
}

/** @throws {@link LimitError} when a call needs more workgroups along an axis than a dispatch may have. */
export function lower(program: Pick<Program, "calls">, options: LowerOptions): LoweredProgram {
  const together = options.forms?.networks?.reductionsTogether(program.calls, options);
  const byCall = program.calls.map((call, i) => together?.[i] ?? lowerCall(call, options));
  const dispatches = byCall.flatMap((each) => each.dispatches);
  dispatches.forEach(checkWorkgroups);
  return {
    dispatches,
    calls: byCall.flatMap((each, call) => each.dispatches.map(() => call)),
    scratch: byCall.reduce((most, each) => Math.max(most, each.scratch), 0),
  };
}

function lowerCall(call: KernelCall, options: LowerOptions) {
  const { traits, software, forms, linear, reduce, attentionBy = traits.software ? "rows" : "tiles" } = options;
  const { kind = 0 } = call.parameters;
  switch (call.kernel) {
    case "linear":
    case "convolve":
      return lowerProduct(call, linear?.(call) ?? chooseProduct(call, traits), options);
    case "attention":
    case "attentionReverse":
      return forms!.attention!(
        call,
        (own, file) => declarationsFor(own, [shaders[file]!]).join("\n"),
        attentionBy === "rows" ? software?.shaders : undefined,
      );
    case "matmulEach":
      return { dispatches: [forms!.networks!.matmulEachDispatch(call, traits, software?.shaders)], scratch: 0 };
    case "reduce":
      return reduceDispatches(call, reduce ?? chooseReduce(traits));
    case "elementwise":
      return {
        dispatches: [elementwiseDispatch(call.label, call.chain!, traits.software ? software?.quads : undefined)],
        scratch: 0,
      };
    case "mlpFlow":
      return { dispatches: [flowDispatch(call, forms?.wholeNetwork)], scratch: 0 };
    default: {
      const constants: Record<string, number> = call.kernel === "random" ? { kind } : {};
      return { dispatches: [kernelDispatch(call, call.bindings, constants)], scratch: 0 };
    }
  }
}

function flowDispatch(call: KernelCall, form: KernelForm | undefined): Dispatch {
  const { activation = 0, tangents = 0 } = call.parameters;
  const used = [shaders["elementwise"], shaders["activation"], form?.code].join("\n");
  return kernelDispatch(call, call.bindings, { activation, tangents }, { declaration: form?.declaration, code: used });
}

/** A call of `linear` by this kernel. */
export function lowerProduct(call: KernelCall, choice: LinearChoice, { software, forms }: LowerOptions) {
  if (software && choice.kernel === "panel") return software.panelDispatches(call, forms?.networks);
  const name = `linear-${choice.kernel}`;
  const text = (shaders[name] ?? software?.shaders[name] ?? forms?.networks?.shaders[name]) as string;
  return {
    dispatches: linearDispatches(call, choice, text, forms?.networks, software?.shaders["linear-shared"]),
    scratch: linearScratch(call, choice.segments),
  };
}

/** What the traits decide for a call of `linear`. */
export function chooseProduct(call: KernelCall, traits: DeviceTraits): LinearChoice {
  return chooseLinear(productShape(call), hasHalves(call) ? { ...traits, subgroupSize: undefined } : traits);
}

/** Whether an operand lies in f16, which `panel` does not read. */
function hasHalves({ bindings, chain }: KernelCall): boolean {
  const operands = [...(chain?.loads ?? []), ...(chain?.stores ?? [])].map(({ placement }) => placement);
  return [...Object.values(bindings), ...operands].some(({ region }) => isHalf(region));
}

function checkWorkgroups({ label, workgroups }: Dispatch): void {
  if (workgroups.every((count) => count <= MAX_WORKGROUPS)) return;
  throw new LimitError({
    subject: `"${label}" on WebGPU`,
    given: workgroups,
    expected: `at most ${MAX_WORKGROUPS} workgroups along an axis`,
    remedy: "Use a smaller batch, or sample fewer points at once.",
  });
}
