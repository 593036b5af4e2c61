/**
 * matmulEach: out[n, m] = scale left[n, m] right[n, m], a product of two matrices for each n < batch0, m < batch1.
 *   left [rows, depth], right [depth, columns], out [rows, columns]: element (n, m, row, k) of left lies at
 *   n left0 + m left1 + row leftRow + k leftDepth, the others likewise; columns of out lie side by side. Of row and depth,
 *   and of depth and column, one stride is 1.
 */
import { layouts } from "../generated/layouts.ts";
import type { KernelDeclaration } from "./kernel.ts";
import { TILE } from "./linear.ts";

export const matmulEach: KernelDeclaration = {
  name: "matmulEach",
  parameters: layouts.MatmulEachParameters,
  bindings: {
    left: { access: "read", element: "f32" },
    right: { access: "read", element: "f32" },
    out: { access: "write", element: "f32" },
  },
  workgroups: ({ batch0 = 1, batch1 = 1, rows = 1, columns = 1 }) => [
    Math.ceil(columns / TILE),
    Math.ceil(rows / TILE),
    batch0 * batch1,
  ],
};
