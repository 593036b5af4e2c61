/**
 * linear: out = activation(left right + bias + addend), matrices row-major and dense.
 *   left  [rows, depth], or [depth, rows] when transposeLeft; right [depth, columns], or [columns, depth] when
 *   transposeRight; bias [columns], added on rows below biasRows; addend [rows, columns]; out [rows, columns].
 */
import * as d from "typegpu/data";
import type { KernelDeclaration } from "./kernel.ts";

export const LinearParameters = d.struct({
  rows: d.u32,
  columns: d.u32,
  depth: d.u32,
  transposeLeft: d.u32, // 0 or 1
  transposeRight: d.u32,
  biasRows: d.u32, // 0: no bias
  hasAddend: d.u32,
  activation: d.u32, // 0: none, else 1 + index into activationKinds
  leftOffset: d.u32,
  rightOffset: d.u32,
  biasOffset: d.u32,
  addendOffset: d.u32,
  outOffset: d.u32,
});

/** Rows and columns of the tile of `out` that one workgroup computes. */
export const TILE = 64;

export const linear: KernelDeclaration = {
  name: "linear",
  parameters: LinearParameters,
  bindings: {
    left: { access: "read", element: "f32" },
    right: { access: "read", element: "f32" },
    bias: { access: "read", element: "f32", optional: true },
    addend: { access: "read", element: "f32", optional: true },
    out: { access: "write", element: "f32" },
  },
  workgroups: ({ rows, columns }) => [Math.ceil((columns ?? 1) / TILE), Math.ceil((rows ?? 1) / TILE), 1],
};
