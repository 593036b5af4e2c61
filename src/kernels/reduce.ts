/** reduce: out[o, i] = scale * sum (or max) over r of in[o, r, i]; in [outer, reduced, inner], out [outer, inner]. */
import * as d from "typegpu/data";
import type { KernelDeclaration } from "./kernel.ts";

export const reductions = ["sum", "max"] as const;

export const ReduceParameters = d.struct({
  outer: d.u32,
  reduced: d.u32,
  inner: d.u32,
  kind: d.u32, // index into `reductions`
  scale: d.f32,
  inOffset: d.u32,
  outOffset: d.u32,
});

export const reduce: KernelDeclaration = {
  name: "reduce",
  parameters: ReduceParameters,
  bindings: { in: { access: "read", element: "f32" }, out: { access: "write", element: "f32" } },
  // One workgroup for each output row of up to 64 columns (inner > 1) or for each output (inner = 1); the shader's
  // owner may change this together with the shader.
  workgroups: ({ outer = 1, inner = 1 }) => {
    const groups = outer * Math.ceil(inner / 64);
    return [Math.min(groups, 65535), Math.ceil(groups / 65535), 1];
  },
};
