/** The WebAssembly modules in files that are whole: both builds of wasm/ with all kernels, compressed together. */
import { bytes, deflated, pieces } from "../../generated/wasm.ts";
import { decoded, inflated } from "./module-bytes.ts";
import type { Build } from "./modules.ts";

/** Whether there is a module without what many pages never need. */
export const inParts = false;

/** The bytes of a build. All are unpacked for it, in about a millisecond. */
export async function moduleBytes(build: Build): Promise<Uint8Array<ArrayBuffer>> {
  const all = await inflated(decoded(deflated));
  const module = new Uint8Array(bytes[build]);
  let from = 0;
  for (let piece = 0; piece < pieces; piece++) {
    for (const [name, length] of Object.entries(bytes)) {
      const [start, end] = [piece, piece + 1].map((i) => Math.floor((length * i) / pieces)) as [number, number];
      if (name === build) module.set(all.subarray(from, from + end - start), start);
      from += end - start;
    }
  }
  return module;
}
