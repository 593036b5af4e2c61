/** Finds a WebGPU adapter: small enough for a page that wants to know which engine to start. */
import { DivflowError, UnsupportedError } from "../../errors.ts";
import { START_SECONDS, within } from "../in-time.ts";

/**
 * The fastest adapter of `gpu`.
 *
 * @param seconds - it may take to answer.
 * @throws {@link UnsupportedError} when there is no WebGPU, it has no adapter for us, or it does not answer.
 */
export async function findAdapter(
  gpu = (globalThis.navigator as Navigator | undefined)?.gpu,
  seconds = START_SECONDS,
): Promise<GPUAdapter> {
  if (!gpu) {
    throw new UnsupportedError({
      subject: "WebGPU",
      given: "no navigator.gpu",
      expected: "a platform with WebGPU",
      remedy: 'Use backend "wasm", or hand in `gpu` from the npm package "webgpu".',
    });
  }
  const asked = async () => gpu.requestAdapter({ powerPreference: "high-performance" });
  const adapter = await answered("WebGPU", "requestAdapter", seconds, asked());
  if (adapter) return adapter;
  throw new UnsupportedError({
    subject: "WebGPU",
    given: "no adapter",
    expected: "a GPU that the platform lets pages use",
    remedy: 'Update the browser or the graphics driver, or use backend "wasm".',
  });
}

/**
 * What the platform answers to a request.
 *
 * @throws {@link UnsupportedError} when it refuses, or has not answered after so many seconds.
 */
export async function answered<Value>(
  subject: string,
  request: "requestAdapter" | "requestDevice",
  seconds: number,
  answer: Promise<Value>,
): Promise<Value> {
  const refused = (given: string, cause?: unknown) =>
    new UnsupportedError(
      {
        subject,
        given,
        expected: request === "requestAdapter" ? "an adapter" : "a device",
        remedy: 'Update the browser or the graphics driver, or use backend "wasm".',
      },
      { cause },
    );
  try {
    return await within(seconds, answer, () => refused(`no answer to ${request} in ${seconds} s`));
  } catch (cause) {
    if (cause instanceof DivflowError) throw cause;
    throw refused(cause instanceof Error ? cause.message : String(cause), cause);
  }
}

/** An adapter or device in words: every word the platform gives, each once; most give only some. */
export function describe(info: GPUAdapterInfo | undefined): string {
  const words = [info?.description || info?.device, [info?.vendor, info?.architecture].filter(Boolean).join(" ")];
  return [...new Set(words.filter(Boolean))].join(", ") || "a WebGPU device that does not say its name";
}
