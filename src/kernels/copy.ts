/**
 * copy: target[targetStart + sum_k i_k targetStride_k] = source[sourceStart + sum_k i_k sourceStride_k] for all
 * i_k < size_k, k = 0..3 (outermost first): transpositions, broadcasts (stride 0), parts of concatenations, slices.
 * Moves bits: f32 and u32 alike.
 */
import { layouts } from "../generated/layouts.ts";
import { type KernelDeclaration, linearWorkgroups } from "./kernel.ts";

export const copy: KernelDeclaration = {
  name: "copy",
  parameters: layouts.CopyParameters,
  bindings: { source: { access: "read", element: "u32" }, target: { access: "write", element: "u32" } },
  workgroups: ({ size0 = 1, size1 = 1, size2 = 1, size3 = 1 }) => linearWorkgroups(size0 * size1 * size2 * size3, 64),
};
