/**
 * linear: out = left right + bias, matrices row-major and dense.
 *   left  [rows, depth], or [depth, rows] when transposeLeft; right [depth, columns], or [columns, depth] when
 *   transposeRight; bias [columns], added on rows below biasRows; out [rows, columns].
 *   sums [columns], when sumsDepth > 0: the sums over k < sumsDepth of row k of right, which then is not transposed.
 *
 * A call with a chain (`KernelCall.chain`) has no `out`: the product's rows, `groups` times as many as the chain's,
 * are the chain's operands, and only what it stores is kept.
 */
import { layouts } from "../generated/layouts.ts";
import type { KernelDeclaration } from "./kernel.ts";

/** Rows and columns of the tile of `out` that one workgroup computes. */
export const TILE = 64;

export const linear: KernelDeclaration = {
  name: "linear",
  isProduct: true,
  parameters: layouts.LinearParameters,
  defaults: { groups: 1, sumsDepth: 0 },
  bindings: {
    left: { access: "read", element: "f32" },
    right: { access: "read", element: "f32" },
    bias: { access: "read", element: "f32", optional: true },
    out: { access: "write", element: "f32", optional: true },
    sums: { access: "write", element: "f32", optional: true },
  },
  workgroups: ({ rows, columns }) => [Math.ceil((columns ?? 1) / TILE), Math.ceil((rows ?? 1) / TILE), 1],
};
