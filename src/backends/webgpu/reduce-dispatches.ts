/** Reductions: which shader computes them, and long ones cut into segments that a second dispatch joins. */
import { linearWorkgroups } from "../../kernels/kernel.ts";
import { reduceLanes, reduceWorkgroups, reductions } from "../../kernels/reduce.ts";
import type { KernelCall } from "../../schedule/program.ts";
import { subgroupDirectives } from "./declarations.ts";
import type { Dispatch, Operand } from "./dispatch.ts";
import { formOf, kernelDispatch } from "./kernel-dispatch.ts";
import type { DeviceTraits } from "./linear-choice.ts";

/** A file shaders/reduce[-...].wgsl each: through workgroup memory, by shuffles in subgroups, by lone invocations. */
export const reduceShaders = ["reduce", "reduce-subgroups", "reduce-serial"] as const;
export type ReduceShader = (typeof reduceShaders)[number];

type Parameters = Readonly<Record<string, number>>;

/** Elements of a segment of a long reduction, for each lane. */
const SEGMENT_PER_LANE = 16;

/** A reduction that fills this many workgroups is not cut: the device has enough to do. */
const ENOUGH_WORKGROUPS = 256;

/** Of reduce-serial: elements that an invocation adds up, and invocations beyond which nothing is cut. */
const SERIAL_SEGMENT = 64;
const ENOUGH_INVOCATIONS = 256;

export function chooseReduce({ software, subgroups }: DeviceTraits): ReduceShader {
  if (software) return "reduce-serial";
  return subgroups ? "reduce-subgroups" : "reduce";
}

/** The dispatches of a call, and the elements of scratch that they need. */
export function reduceDispatches(call: KernelCall, shader: ReduceShader): { dispatches: Dispatch[]; scratch: number } {
  const { outer = 1, inner = 1 } = call.parameters;
  const segments = segmentsOf(call.parameters, shader);
  if (segments === 1) return { dispatches: [dispatchOf(call, shader, 1)], scratch: 0 };
  // Every segment by itself, [outer, segments, inner] in scratch; then these. Squares are then summed as they are.
  const partial: Operand = { region: { kind: "scratch" }, offset: 0 };
  const { parameters, bindings } = call;
  const kind = reductions[parameters["kind"] ?? 0] === "max" ? "max" : "sum";
  const joined = { ...parameters, reduced: segments, kind: reductions.indexOf(kind) };
  return {
    dispatches: [
      dispatchOf({ ...call, parameters: { ...parameters, scale: 1 } }, shader, segments, { ...bindings, out: partial }),
      dispatchOf({ ...call, parameters: joined }, shader, 1, { ...bindings, in: partial }),
    ],
    scratch: segments * outer * inner,
  };
}

/** The same for a shape in every run on a device, so that results are. */
function segmentsOf(parameters: Parameters, shader: ReduceShader): number {
  const { outer = 1, reduced = 1, inner = 1 } = parameters;
  if (shader === "reduce-serial") {
    const most = Math.ceil(ENOUGH_INVOCATIONS / (outer * inner));
    return Math.min(most, Math.ceil(reduced / SERIAL_SEGMENT));
  }
  const lanes = reduceLanes(parameters);
  if (lanes === 1) return 1;
  const wanted = Math.ceil(reduced / (lanes * SEGMENT_PER_LANE));
  return Math.min(wanted, Math.ceil(ENOUGH_WORKGROUPS / reduceWorkgroups(parameters)));
}

function dispatchOf(
  call: KernelCall,
  shader: ReduceShader,
  segments: number,
  operands: Readonly<Record<string, Operand>> = call.bindings,
): Dispatch {
  const { parameters } = call;
  const { outer = 1, inner = 1 } = parameters;
  const kind = reductions[parameters["kind"] ?? 0];
  const kinds = { maximum: Number(kind === "max"), squares: Number(kind === "sumOfSquares") };
  const lanes = reduceLanes(parameters);
  if (shader === "reduce-serial") {
    const workgroups = linearWorkgroups(outer * inner * segments, 64);
    return { ...kernelDispatch(call, operands, { ...kinds, segments }, formOf("reduce", shader)), workgroups };
  }
  const shuffles = shader === "reduce-subgroups" && inner === 1 && lanes > 1;
  const constants = shuffles ? { ...kinds, lanes } : { ...kinds, lanes, neighboursAreLanes: Number(inner === 1) };
  const dispatch = kernelDispatch(
    call,
    operands,
    constants,
    formOf("reduce", shuffles ? "reduce-subgroups" : "reduce"),
  );
  const [x, y] = dispatch.workgroups;
  const code = shuffles ? `${subgroupDirectives}${dispatch.code}` : dispatch.code;
  return { ...dispatch, code, workgroups: [x, y, segments] };
}
