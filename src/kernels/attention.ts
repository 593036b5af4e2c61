/**
 * attention: out = softmax(q k^T scale) v of each head of each sample, and its tangents; with 1 + `tangents` = P + 1
 *   joined [P + 1, batch, length, 3 heads width]: q, k and v, then their tangents; in a row kind n of head h begins at
 *   n kindStride + h headStride
 *   out [P + 1, batch, length, heads width], in order of heads
 *
 * attentionReverse: from joined and cotangents of all that `attention` gives, those of joined:
 *   cotangents [P + 1, batch, length, heads width], out [P + 1, batch, length, 3 heads width]
 *
 * The formulas: src/ops/attention.ts.
 */
import { layouts } from "../generated/layouts.ts";
import { type KernelDeclaration, linearWorkgroups } from "./kernel.ts";

/** Queries of a workgroup on WebGPU, or keys. */
const ROWS = 16;

const workgroups: KernelDeclaration["workgroups"] = ({ batch = 1, heads = 1, length = 1 }) =>
  linearWorkgroups(batch * heads * Math.ceil(length / ROWS), 1);

export const attention: KernelDeclaration = {
  name: "attention",
  parameters: layouts.AttentionParameters,
  bindings: { joined: { access: "read", element: "f32" }, out: { access: "write", element: "f32" } },
  workgroups,
};

export const attentionReverse: KernelDeclaration = {
  name: "attentionReverse",
  parameters: layouts.AttentionReverseParameters,
  bindings: {
    joined: { access: "read", element: "f32" },
    cotangents: { access: "read", element: "f32" },
    out: { access: "write", element: "f32" },
  },
  workgroups,
};
