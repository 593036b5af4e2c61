/** A call's parameters as the bytes that both backends hand to their kernels. */
import type { KernelDeclaration } from "./kernel.ts";

/**
 * The fields of the kernel's parameter struct in order: u32 as they are, f32 by their bits. A WGSL uniform and WASM
 * memory hold the same.
 *
 * @throws Error when a field has no value: the plan and the declaration disagree.
 */
export function packParameters(
  { name, parameters, defaults }: KernelDeclaration,
  values: Readonly<Record<string, number>>,
): Uint32Array {
  const fields = Object.entries(parameters);
  const words = new Uint32Array(fields.length);
  const floats = new Float32Array(words.buffer);
  fields.forEach(([field, type], i) => {
    const value = values[field] ?? defaults?.[field];
    if (value === undefined) throw new Error(`A call of kernel "${name}" has no parameter "${field}".`);
    if (type === "f32") floats[i] = value;
    else words[i] = value;
  });
  return words;
}
