/** The WebAssembly modules inside the package: several builds of wasm/, compressed together. */
import { bytes, deflated, pieces } from "../../generated/wasm.ts";

export type Build = keyof typeof bytes;

/** The bytes of a build, for a shared memory or one that is not. All are unpacked for it, in about a millisecond. */
export async function moduleBytes(build: Build, shared: boolean): Promise<Uint8Array<ArrayBuffer>> {
  const compressed = Uint8Array.from(atob(deflated), (character) => character.charCodeAt(0));
  const unpacked = new Blob([compressed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const all = new Uint8Array(await new Response(unpacked).arrayBuffer());
  const module = new Uint8Array(bytes[build]);
  let from = 0;
  for (let piece = 0; piece < pieces; piece++) {
    for (const [name, length] of Object.entries(bytes)) {
      const [start, end] = [piece, piece + 1].map((i) => Math.floor((length * i) / pieces)) as [number, number];
      if (name === build) module.set(all.subarray(from, from + end - start), start);
      from += end - start;
    }
  }
  if (!shared) module[sharedFlagOf(module)] = LIMITED;
  return module;
}

/** Flags of a memory's limits: it has a maximum; it has one and is shared. Atomics are valid on either. */
const LIMITED = 1;
const LIMITED_AND_SHARED = 3;

/** Where an import of a shared memory, { "memory", kind 2, flags }, has its flags. */
function sharedFlagOf(module: Uint8Array): number {
  const wanted = [..."memory"].map((letter) => letter.charCodeAt(0)).concat(2, LIMITED_AND_SHARED);
  const start = module.findIndex((_, i) => wanted.every((byte, k) => module[i + k] === byte));
  if (start < 0) throw new Error("The WebAssembly module imports no shared memory: .build/wasm.mjs makes it so.");
  return start + wanted.length - 1;
}
