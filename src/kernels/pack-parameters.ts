/** A call's parameters as the bytes that both backends hand to their kernels. */
import type { KernelDeclaration } from "./kernel.ts";

/**
 * The fields of the kernel's parameter struct in order, 4 bytes each: u32 as they are, f32 by their bits. All fields
 * are scalars, so the struct has no padding, in a WGSL uniform as in WASM memory.
 *
 * @throws Error when a field has no value: the plan and the declaration disagree.
 */
export function packParameters(
  { name, parameters, defaults }: KernelDeclaration,
  values: Readonly<Record<string, number>>,
): Uint32Array {
  const fields = Object.entries(parameters.propTypes);
  const words = new Uint32Array(fields.length);
  const floats = new Float32Array(words.buffer);
  fields.forEach(([field, { type }], i) => {
    const value = values[field] ?? defaults?.[field];
    if (value === undefined) throw new Error(`A call of kernel "${name}" has no parameter "${field}".`);
    if (type === "f32") floats[i] = value;
    else words[i] = value;
  });
  return words;
}
