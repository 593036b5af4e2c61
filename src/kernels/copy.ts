/**
 * copy: target[targetStart + sum_k i_k targetStride_k] = source[sourceStart + sum_k i_k sourceStride_k] for all
 * i_k < size_k, k = 0..3 (outermost first): transpositions, broadcasts (stride 0), parts of concatenations, slices.
 * Moves bits: f32 and u32 alike.
 */
import * as d from "typegpu/data";
import { type KernelDeclaration, linearWorkgroups } from "./kernel.ts";

export const CopyParameters = d.struct({
  size0: d.u32,
  size1: d.u32,
  size2: d.u32,
  size3: d.u32,
  sourceStart: d.u32,
  sourceStride0: d.u32,
  sourceStride1: d.u32,
  sourceStride2: d.u32,
  sourceStride3: d.u32,
  targetStart: d.u32,
  targetStride0: d.u32,
  targetStride1: d.u32,
  targetStride2: d.u32,
  targetStride3: d.u32,
  sourceOffset: d.u32,
  targetOffset: d.u32,
});

export const copy: KernelDeclaration = {
  name: "copy",
  parameters: CopyParameters,
  bindings: { source: { access: "read", element: "u32" }, target: { access: "write", element: "u32" } },
  workgroups: ({ size0 = 1, size1 = 1, size2 = 1, size3 = 1 }) => linearWorkgroups(size0 * size1 * size2 * size3, 64),
};
