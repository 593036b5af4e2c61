/**
 * The WebAssembly modules beside the package's code: two builds of wasm/, a file each, without what many pages never need
 * (wasm/variant.ts); and what makes the module with all of it. In files that are whole, modules-whole.ts takes the place of
 * this one.
 */
import { onDemand } from "../on-demand.ts";
import { decoded, inflated } from "./module-bytes.ts";

const files = {
  plain: {
    part: () => import("../../generated/wasm-plain.ts"),
    more: () => import("../../generated/wasm-plain-more.ts"),
  },
  relaxed: {
    part: () => import("../../generated/wasm-relaxed.ts"),
    more: () => import("../../generated/wasm-relaxed-more.ts"),
  },
};

export type Build = keyof typeof files;

/** Whether there is a module without what many pages never need. */
export const inParts = true;

/**
 * The bytes of a build.
 *
 * @param all - with what many pages never need.
 * @throws {@link UnsupportedError} when its file cannot be had.
 */
export async function moduleBytes(build: Build, all: boolean, seconds?: number): Promise<Uint8Array<ArrayBuffer>> {
  const { part, more } = files[build];
  const begun = decoded((await onDemand(part(), seconds)).deflated);
  if (!all) return inflated(begun);
  const { deflated, first, end } = await onDemand(more(), seconds);
  return (await inflated(begun.subarray(0, -end), decoded(deflated))).slice(first);
}
