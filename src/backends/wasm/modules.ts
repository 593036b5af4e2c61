/** The WebAssembly modules inside the package: several builds of wasm/, compressed together. */
import { bytes, deflated } from "../../generated/wasm.ts";

export type Build = keyof typeof bytes;

/** The bytes of a build. All are unpacked for one, which takes about a millisecond. */
export async function moduleBytes(build: Build): Promise<Uint8Array<ArrayBuffer>> {
  const compressed = Uint8Array.from(atob(deflated), (character) => character.charCodeAt(0));
  const unpacked = new Blob([compressed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const all = new Uint8Array(await new Response(unpacked).arrayBuffer());
  const builds = Object.keys(bytes) as Build[];
  const start = builds.slice(0, builds.indexOf(build)).reduce((sum, before) => sum + bytes[before], 0);
  return all.subarray(start, start + bytes[build]);
}
