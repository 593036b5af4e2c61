/**
 * reduce: out[o, i] = scale * sum (or max, or sum of squares) over r of in[o, r, i]; in [outer, reduced, inner],
 * out [outer, inner].
 */
import { layouts } from "../generated/layouts.ts";
import { type KernelDeclaration, linearWorkgroups } from "./kernel.ts";

export const reductions = ["sum", "max", "sumOfSquares"] as const;

const WORKGROUP_SIZE = 256;

/**
 * How many invocations share an output on WebGPU: one where rows are short, else as many as leave each some elements
 * to add up. A power of two.
 */
export function reduceLanes({ reduced = 1, inner = 1 }: Readonly<Record<string, number>>): number {
  if (reduced <= 32) return 1;
  if (inner > 1) return 16; // 16 neighbouring columns are a cache line
  return reduced <= 1024 ? 32 : WORKGROUP_SIZE;
}

/** Workgroups of one segment: each takes WORKGROUP_SIZE / lanes outputs. */
export function reduceWorkgroups(parameters: Readonly<Record<string, number>>): number {
  const { outer = 1, inner = 1 } = parameters;
  return Math.ceil((outer * inner * reduceLanes(parameters)) / WORKGROUP_SIZE);
}

export const reduce: KernelDeclaration = {
  name: "reduce",
  parameters: layouts.ReduceParameters,
  bindings: { in: { access: "read", element: "f32" }, out: { access: "write", element: "f32" } },
  workgroups: (parameters) => linearWorkgroups(reduceWorkgroups(parameters), 1),
};
