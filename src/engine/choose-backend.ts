/** Which backend a runtime gets, and the sentence that says why. */
import type { Backend } from "../backends/backend.ts";
import { createReferenceBackend } from "../backends/reference/backend.ts";
import { createWasmBackend } from "../backends/wasm/backend.ts";
import { createWebGPUBackend } from "../backends/webgpu/backend.ts";
import { softwareAdapter } from "../backends/webgpu/device.ts";
import { UnsupportedError } from "../errors.ts";
import { choiceOption } from "../graph/options.ts";
import type { RuntimeOptions } from "./api.ts";

export interface ChosenBackend {
  readonly backend: Backend;
  readonly reason: string;
  /** Makes another one when this is lost; absent when that cannot be done. */
  readonly renew?: () => Promise<Backend>;
}

export async function chooseBackend(options: RuntimeOptions): Promise<ChosenBackend> {
  const asked = choiceOption("backend", options.backend ?? "auto", ["auto", "webgpu", "wasm", "reference"] as const);
  switch (asked) {
    case "reference":
      return { backend: createReferenceBackend(), reason: "The f64 reference, as asked: slow and exact." };
    case "wasm":
      return { backend: await wasm(options), reason: "WebAssembly, as asked." };
    case "webgpu":
      return { ...(await webgpu(options)), reason: "WebGPU, as asked." };
    case "auto":
      return automatic(options);
  }
}

async function automatic(options: RuntimeOptions): Promise<ChosenBackend> {
  let refusal: string;
  try {
    const chosen = await webgpu(options);
    const { device } = chosen.backend; // our WebAssembly is faster than a CPU's shaders
    if (options.device || !softwareAdapter.test(device)) {
      return { ...chosen, reason: `WebGPU, on ${device}.` };
    }
    chosen.backend.dispose();
    refusal = `the WebGPU adapter found runs on the CPU (${device})`;
  } catch (error) {
    refusal = error instanceof Error ? error.message : String(error);
  }
  return { backend: await wasm(options), reason: `WebAssembly on the CPU, because ${uncapitalised(refusal)}` };
}

function wasm({ relaxedSimd }: RuntimeOptions): Promise<Backend> {
  return createWasmBackend(relaxedSimd === undefined ? {} : { relaxed: relaxedSimd });
}

async function webgpu({ gpu, device }: RuntimeOptions): Promise<Omit<ChosenBackend, "reason">> {
  if (device) return { backend: await createWebGPUBackend({ device }) };
  const source = gpu ?? (globalThis.navigator as Navigator | undefined)?.gpu;
  if (!source) {
    throw new UnsupportedError({
      subject: "WebGPU",
      given: "no navigator.gpu",
      expected: "a platform with WebGPU",
      remedy: 'Use backend "wasm", or hand in `gpu` from the npm package "webgpu".',
    });
  }
  const create = () => createWebGPUBackend({ gpu: source });
  return { backend: await create(), renew: create };
}

function uncapitalised(sentence: string): string {
  return `${sentence.replace(/^[A-Z](?=[a-z ])/, (letter) => letter.toLowerCase()).replace(/\.$/, "")}.`;
}
