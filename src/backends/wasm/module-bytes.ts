/** The bytes of WebAssembly modules, out of what the package holds of them. */

/** Bytes in base64. */
export const decoded = (text: string) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

/** What a zlib stream holds. */
export async function inflated(...pieces: readonly Uint8Array<ArrayBuffer>[]): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([...pieces]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Flags of a memory's limits: it has a maximum; it has one and is shared. Atomics are valid on either. */
const LIMITED = 1;
const LIMITED_AND_SHARED = 3;

/** The module for a memory that is not shared: it imports a shared one otherwise. */
export function forOwnMemory(module: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const wanted = [..."memory"].map((letter) => letter.charCodeAt(0)).concat(2, LIMITED_AND_SHARED); // name, kind, flags
  const start = module.findIndex((_, i) => wanted.every((byte, k) => module[i + k] === byte));
  if (start < 0) throw new Error("The WebAssembly module imports no shared memory: .build/wasm.mjs makes it so.");
  module[start + wanted.length - 1] = LIMITED;
  return module;
}
