/**
 * Kernels that move rows by index, all of row width `width`:
 *   gather      out[m] = table[indices[m]], m < count
 *   scatterAdd  out[n] = sum over m with indices[m] = n of values[m], in order of m; n < rows
 *   replaceRow  table[index mod rows] = row, in place
 */
import { layouts } from "../generated/layouts.ts";
import { type KernelDeclaration, linearWorkgroups } from "./kernel.ts";

export const gather: KernelDeclaration = {
  name: "gather",
  parameters: layouts.GatherParameters,
  bindings: {
    table: { access: "read", element: "u32" }, // bits: gathers f32 and u32 alike
    indices: { access: "read", element: "u32" },
    out: { access: "write", element: "u32" },
  },
  workgroups: ({ count = 1, width = 1 }) => linearWorkgroups(count * width, 64),
};

export const scatterAdd: KernelDeclaration = {
  name: "scatterAdd",
  parameters: layouts.ScatterAddParameters,
  bindings: {
    values: { access: "read", element: "f32" },
    indices: { access: "read", element: "u32" },
    out: { access: "write", element: "f32" },
  },
  workgroups: ({ rows = 1, width = 1 }) => linearWorkgroups(rows * width, 64),
};

export const replaceRow: KernelDeclaration = {
  name: "replaceRow",
  parameters: layouts.ReplaceRowParameters,
  bindings: {
    index: { access: "read", element: "u32" }, // [1]
    row: { access: "read", element: "f32" },
    table: { access: "write", element: "f32" }, // read too: it keeps its other rows
  },
  workgroups: ({ width = 1 }) => linearWorkgroups(width, 64),
};
