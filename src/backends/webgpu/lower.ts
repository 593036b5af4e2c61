/**
 * Kernel calls -> dispatches: the parts that only WebGPU has. Specialisation constants from parameters, offsets filled
 * in, long sums cut into segments.
 */
import { LimitError } from "../../errors.ts";
import { shaders } from "../../generated/shaders.ts";
import { MAX_WORKGROUPS } from "../../kernels/kernel.ts";
import { packParameters } from "../../kernels/pack-parameters.ts";
import { reduceLanes, reduceWorkgroups, reductions } from "../../kernels/reduce.ts";
import { kernels } from "../../kernels/registry.ts";
import type { KernelCall, Program } from "../../schedule/program.ts";
import type { BoundRegion, Dispatch, Operand } from "./dispatch.ts";
import { elementwiseDispatch } from "./elementwise-source.ts";
import { chooseLinear, type DeviceTraits, type LinearChoice, type ProductShape } from "./linear-choice.ts";
import { linearDispatches, linearScratch } from "./linear-source.ts";

export interface LoweredProgram {
  readonly dispatches: readonly Dispatch[];
  /** By dispatch: the position of the program's call that it is of. */
  readonly calls: readonly number[];
  /** Elements of the scratch region; 0 when no call needs it. */
  readonly scratch: number;
}

/** Elements of a segment of a long reduction, for each lane. */
const SEGMENT_PER_LANE = 16;

/** A reduction that fills this many workgroups is not cut: the device has enough to do. */
const ENOUGH_WORKGROUPS = 256;

export interface LowerOptions {
  readonly traits: DeviceTraits;
  /** Takes the place of `chooseLinear`: how tests try every kernel. */
  readonly linear?: ((shape: ProductShape) => LinearChoice) | undefined;
}

/** @throws {@link LimitError} when a call needs more workgroups along an axis than a dispatch may have. */
export function lower(
  program: Program,
  { traits, linear = (shape) => chooseLinear(shape, traits) }: LowerOptions,
): LoweredProgram {
  let scratch = 0;
  const byCall = program.calls.map((call): Dispatch[] => {
    if (call.kernel === "linear") {
      const { rows = 1, columns = 1, depth = 1, groups = 1 } = call.parameters;
      const shape = { rows, columns, depth, groups };
      const choice = linear(shape);
      scratch = Math.max(scratch, linearScratch(call, choice.segments));
      return linearDispatches(call, choice);
    }
    if (call.chain) return [elementwiseDispatch(call.label, call.chain)];
    if (call.kernel !== "reduce") return [kernelDispatch(call, call.parameters, call.bindings)];
    const segments = segmentsOf(call.parameters);
    if (segments === 1) return [kernelDispatch(call, call.parameters, call.bindings)];
    scratch = Math.max(scratch, segments * call.parameters["outer"]! * call.parameters["inner"]!);
    return segmentedReduction(call, segments);
  });
  const dispatches = byCall.flat();
  dispatches.forEach(checkWorkgroups);
  return { dispatches, calls: byCall.flatMap((each, call) => each.map(() => call)), scratch };
}

/** The same for a shape on every device, so that results are. */
function segmentsOf(parameters: Readonly<Record<string, number>>): number {
  const lanes = reduceLanes(parameters);
  if (lanes === 1) return 1;
  const wanted = Math.ceil((parameters["reduced"] ?? 1) / (lanes * SEGMENT_PER_LANE));
  return Math.min(wanted, Math.ceil(ENOUGH_WORKGROUPS / reduceWorkgroups(parameters)));
}

/** Every segment by itself, [outer, segments, inner] in scratch; then these. */
function segmentedReduction(call: KernelCall, segments: number): Dispatch[] {
  const { parameters, bindings } = call;
  const partial: Operand = { region: { kind: "scratch" }, offset: 0 };
  const first = kernelDispatch(call, { ...parameters, scale: 1 }, { ...bindings, out: partial });
  const [x, y] = first.workgroups;
  const kind = reductions[parameters["kind"] ?? 0] === "max" ? "max" : "sum"; // squares are summed as they are
  const joined = { ...parameters, reduced: segments, kind: reductions.indexOf(kind) };
  return [{ ...first, workgroups: [x, y, segments] }, kernelDispatch(call, joined, { ...bindings, in: partial })];
}

function kernelDispatch(
  { kernel, label }: KernelCall,
  parameters: Readonly<Record<string, number>>,
  operands: Readonly<Record<string, Operand>>,
): Dispatch {
  const declaration = kernels[kernel];
  const code = shaders[kernel];
  if (!declaration || !code) throw new Error(`"${label}" calls kernel "${kernel}", which WebGPU does not have.`);
  const names = Object.keys(declaration.bindings);
  const offsets = Object.fromEntries(names.map((name) => [`${name}Offset`, operands[name]?.offset ?? 0]));
  const bindings = names.flatMap((name): BoundRegion[] => {
    const { access, optional } = declaration.bindings[name]!;
    if (!operands[name] && optional && access === "write") return [];
    // Something must be bound where an optional operand is absent: what else is read, for it may be bound twice.
    const operand = operands[name] ?? (optional ? operands[names[0] as string] : undefined);
    if (!operand) throw new Error(`"${label}": kernel "${kernel}" has no operand for "${name}".`);
    return [{ region: operand.region, access }];
  });
  return {
    label,
    kernel,
    code,
    constants: specialisations[kernel]?.(parameters) ?? {},
    parameters: packParameters(declaration, { ...parameters, ...offsets }),
    bindings,
    workgroups: declaration.workgroups(parameters),
  };
}

/** Values of a shader's `override` constants: what picks code rather than sizes. Booleans are 0 and 1. */
const specialisations: Readonly<
  Record<string, (parameters: Readonly<Record<string, number>>) => Record<string, number>>
> = {
  random: ({ kind = 0 }) => ({ kind }),
  reduce: (parameters) => ({
    maximum: Number(reductions[parameters["kind"] ?? 0] === "max"),
    squares: Number(reductions[parameters["kind"] ?? 0] === "sumOfSquares"),
    lanes: reduceLanes(parameters),
    neighboursAreLanes: Number(parameters["inner"] === 1),
  }),
};

function checkWorkgroups({ label, workgroups }: Dispatch): void {
  if (workgroups.every((count) => count <= MAX_WORKGROUPS)) return;
  throw new LimitError({
    subject: `"${label}" on WebGPU`,
    given: workgroups,
    expected: `at most ${MAX_WORKGROUPS} workgroups along an axis`,
    remedy: "Use a smaller batch, or sample fewer points at once.",
  });
}
