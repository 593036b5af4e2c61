/** Finds a WebGPU adapter: small enough for a page that wants to know which engine to start. */
import { UnsupportedError } from "../../errors.ts";

/**
 * The fastest adapter of `gpu`.
 *
 * @throws {@link UnsupportedError} when there is no WebGPU, or it has no adapter for us.
 */
export async function findAdapter(gpu = (globalThis.navigator as Navigator | undefined)?.gpu): Promise<GPUAdapter> {
  if (!gpu) {
    throw new UnsupportedError({
      subject: "WebGPU",
      given: "no navigator.gpu",
      expected: "a platform with WebGPU",
      remedy: 'Use backend "wasm", or hand in `gpu` from the npm package "webgpu".',
    });
  }
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (adapter) return adapter;
  throw new UnsupportedError({
    subject: "WebGPU",
    given: "no adapter",
    expected: "a GPU that the platform lets pages use",
    remedy: 'Update the browser or the graphics driver, or use backend "wasm".',
  });
}

/** An adapter or device in words: every word the platform gives, each once; most give only some. */
export function describe(info: GPUAdapterInfo | undefined): string {
  const words = [info?.description || info?.device, [info?.vendor, info?.architecture].filter(Boolean).join(" ")];
  return [...new Set(words.filter(Boolean))].join(", ") || "a WebGPU device that does not say its name";
}
