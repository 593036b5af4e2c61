/**
 * Which backend a runtime gets, and the sentence that says why. Backends are imported when they are wanted: a page
 * downloads the one that it uses.
 */
import type { Backend } from "../backends/backend.ts";
import { isSoftware } from "../backends/webgpu/software-adapter.ts";
import type { TuningStore } from "../backends/webgpu/tuning-store.ts";
import { ConfigError, DivflowError, UnsupportedError } from "../errors.ts";
import { booleanOption, choiceOption, integerOption } from "../graph/options.ts";
import type { RuntimeOptions } from "./api.ts";

export interface ChosenBackend {
  readonly backend: Backend;
  readonly reason: string;
  /** Makes another one when this is lost; absent when that cannot be done. */
  readonly renew?: () => Promise<Backend>;
}

/** More would be a mistake in a number, not a wish. */
const MOST_THREADS = 64;

export async function chooseBackend(options: RuntimeOptions): Promise<ChosenBackend> {
  const asked = choiceOption("backend", options.backend ?? "auto", ["auto", "webgpu", "wasm", "reference"] as const);
  if (options.threads !== undefined) integerOption("threads", options.threads, 1, MOST_THREADS);
  const storage = choiceOption("storage", options.storage ?? "f32", ["f32", "f16"] as const);
  if (storage === "f16" && asked !== "webgpu") {
    throw new ConfigError({
      subject: "storage",
      given: `"f16" with backend "${asked}"`,
      expected: '"f16" with backend "webgpu" only',
      remedy: 'Ask for backend "webgpu", or leave out `storage`.',
    });
  }
  if (options.tune !== undefined && !isStore(options.tune)) booleanOption("tune", options.tune);
  switch (asked) {
    case "reference": {
      const { createReferenceBackend } = await import("../backends/reference/backend.ts");
      return { backend: createReferenceBackend(), reason: "The f64 reference, as asked: slow and exact." };
    }
    case "wasm":
      return wasm(options, "WebAssembly, as asked.");
    case "webgpu":
      return webgpu(options, "WebGPU, as asked.");
    case "auto":
      return automatic(options);
  }
}

async function automatic(options: RuntimeOptions): Promise<ChosenBackend> {
  let found: string;
  try {
    const chosen = await webgpu(options);
    const { device } = chosen.backend; // our WebAssembly is faster than a CPU's shaders
    if (options.device || !isSoftware(device)) return chosen;
    chosen.backend.dispose();
    found = `an adapter that runs on the CPU (${device})`;
  } catch (error) {
    found =
      error instanceof DivflowError ? `${error.facts.given}` : `${error instanceof Error ? error.message : error}`;
  }
  return wasm(options, `WebAssembly on the CPU, as WebGPU has no GPU here: ${found.replace(/\.$/, "")}.`);
}

/** Threads that cannot be had are left out, and the reason says so. */
async function wasm({ relaxedSimd, threads = 1 }: RuntimeOptions, reason: string): Promise<ChosenBackend> {
  const { createWasmBackend } = await import("../backends/wasm/backend.ts");
  const backend = await createWasmBackend({ threads, ...(relaxedSimd === undefined ? {} : { relaxed: relaxedSimd }) });
  return { backend, reason: backend.refusal ? `${reason} One thread, because ${backend.refusal}.` : reason };
}

/** Without a `reason` it is the device. */
async function webgpu({ gpu, device, storage, tune }: RuntimeOptions, reason?: string): Promise<ChosenBackend> {
  const source = gpu ?? (globalThis.navigator as Navigator | undefined)?.gpu;
  if (!device && !source) {
    throw new UnsupportedError({
      subject: "WebGPU",
      given: "no navigator.gpu",
      expected: "a platform with WebGPU",
      remedy: 'Use backend "wasm", or hand in `gpu` from the npm package "webgpu".',
    });
  }
  const { createWebGPUBackend } = await import("../backends/webgpu/backend.ts");
  const where = device ? { device } : { gpu: source as GPU };
  const create = () => createWebGPUBackend({ ...where, storage, tune });
  const backend = await create();
  const tuned = (tune ?? !isSoftware(backend.device)) ? " Products run by the kernels that are fastest here." : "";
  return {
    backend,
    reason: (reason ?? `WebGPU, on ${backend.device}.`) + tuned,
    ...(device ? {} : { renew: create }),
  };
}

function isStore(tune: boolean | TuningStore): boolean {
  const { get, set } = Object(tune) as Partial<TuningStore>;
  return typeof get === "function" && typeof set === "function";
}
