/**
 * Which backend a runtime gets, and the sentence that says why. Backends are imported when they are wanted: a page
 * downloads the one that it uses.
 */
import type { Backend } from "../backends/backend.ts";
import { START_SECONDS } from "../backends/in-time.ts";
import { onDemand } from "../backends/on-demand.ts";
import { describe, findAdapter } from "../backends/webgpu/adapter.ts";
import { isSoftware } from "../backends/webgpu/software-adapter.ts";
import type { TuningStore } from "../backends/webgpu/tuning-store.ts";
import { ConfigError, type ErrorFacts, UnsupportedError } from "../errors.ts";
import { booleanOption, choiceOption, integerOption, numberOption } from "../graph/options.ts";
import type { BackendName, RuntimeOptions } from "./api.ts";
import { reasonOf } from "./renewal.ts";

interface Modules {
  readonly webgpu: typeof import("../backends/webgpu/backend.ts");
  readonly wasm: typeof import("../backends/wasm/backend.ts");
  readonly reference: typeof import("../backends/reference/backend.ts");
}

/** Where backends' code comes from. The file of a worker holds some of them. */
export type BackendModules = { readonly [Name in BackendName]?: () => Promise<Modules[Name]> };

/** On a thread that imports on demand. */
export const everyBackend: BackendModules = {
  webgpu: () => import("../backends/webgpu/backend.ts"),
  wasm: () => import("../backends/wasm/backend.ts"),
  reference: () => import("../backends/reference/backend.ts"),
};

/** What a choice goes by beside the options. */
export interface Surroundings {
  readonly modules: BackendModules;
  /** Why there is no GPU, where somebody has looked already. */
  readonly noGPU?: string | undefined;
  /** What the error said by which there is no WebAssembly: WebGPU is then taken on any adapter. */
  readonly noWasm?: ErrorFacts | undefined;
}

/** Subject of the error by which a file without WebAssembly says that there is no GPU: `given` is why. */
export const NO_GPU = "WebGPU, in a file without WebAssembly";

export interface ChosenBackend {
  readonly backend: Backend;
  readonly reason: string;
  /** Makes another one when this is lost; absent when that cannot be done. */
  readonly renew?: (() => Promise<Backend>) | undefined;
  /** Seconds in which another one is looked for; default 30. */
  readonly renewSeconds?: number;
  /** What is taken where there is none, and may fail too. `why` goes into its reason. */
  readonly fallback?: (why: string) => Promise<ChosenBackend>;
}

/** More would be a mistake in a number, not a wish. */
const MOST_THREADS = 64;

/**
 * @throws {@link UnsupportedError} when the backend is not to be had: on this platform, or in these modules. Its
 * subject is {@link NO_GPU} where WebAssembly is wanted instead of it.
 */
export async function chooseBackend(options: RuntimeOptions, surroundings: Surroundings): Promise<ChosenBackend> {
  const { modules } = surroundings;
  const asked = choiceOption("backend", options.backend ?? "auto", ["auto", "webgpu", "wasm", "reference"] as const);
  if (options.threads !== undefined) integerOption("threads", options.threads, 1, MOST_THREADS);
  const ofWasm = (["threads", "relaxedSimd"] as const).find((name) => options[name] !== undefined);
  if (ofWasm && (asked === "reference" || (asked === "webgpu" && options.fallback === undefined))) {
    throw new ConfigError({
      subject: ofWasm,
      given: `${options[ofWasm]} with backend "${asked}"`,
      expected: 'no such option there: it is for backend "wasm" and "auto"',
      remedy: "Leave it out.",
    });
  }
  const storage = choiceOption("storage", options.storage ?? "f32", ["f32", "f16"] as const);
  if (storage === "f16" && asked !== "webgpu") {
    throw new ConfigError({
      subject: "storage",
      given: `"f16" with backend "${asked}"`,
      expected: '"f16" with backend "webgpu" only',
      remedy: 'Ask for backend "webgpu", or leave out `storage`.',
    });
  }
  startSecondsOf(options);
  if (options.fallback !== undefined) choiceOption("fallback", options.fallback, ["wasm"] as const);
  if (options.tune !== undefined && !isStore(options.tune)) booleanOption("tune", options.tune);
  switch (asked) {
    case "reference": {
      const { createReferenceBackend } = await held(modules, "reference");
      return { backend: createReferenceBackend(), reason: "The f64 reference, as asked: slow and exact." };
    }
    case "wasm":
      return wasm(modules, options, "WebAssembly, as asked.");
    case "webgpu":
      return webgpu(modules, options, () => "WebGPU, as asked.");
    case "auto":
      return automatic(surroundings, options);
  }
}

async function automatic({ modules, noGPU, noWasm }: Surroundings, options: RuntimeOptions): Promise<ChosenBackend> {
  if (noWasm) return withoutWasm(modules, options, noWasm);
  let found = noGPU;
  if (found === undefined) {
    try {
      const chosen = await webgpu(modules, options);
      const { device } = chosen.backend; // our WebAssembly is faster than a CPU's shaders
      if (options.device || !isSoftware(device)) return chosen;
      chosen.backend.dispose();
      found = softwareAlone(device);
    } catch (error) {
      found = reasonOf(error);
    }
  }
  if (!modules.wasm) {
    throw new UnsupportedError({
      ...{ subject: NO_GPU, given: found, expected: "a GPU" },
      remedy: 'Give the address of dist/worker.js, which holds every backend, or use backend "wasm".',
    });
  }
  try {
    return await wasm(modules, options, `WebAssembly on the CPU, as WebGPU has no GPU here: ${clause(found)}.`);
  } catch (error) {
    if (!(error instanceof UnsupportedError && modules.webgpu)) throw error;
    return withoutWasm(modules, options, error.facts);
  }
}

/** WebGPU, on whichever adapter there is. */
async function withoutWasm(
  modules: BackendModules,
  options: RuntimeOptions,
  noWasm: ErrorFacts,
): Promise<ChosenBackend> {
  const { given, expected } = noWasm;
  try {
    const reason = `as WebAssembly is not to be had here: ${given}, not ${expected}`;
    return await webgpu(modules, { ...options, fallback: undefined }, (device) => `WebGPU, on ${device}, ${reason}.`);
  } catch (error) {
    if (!(error instanceof UnsupportedError)) throw error;
    throw new UnsupportedError(
      { ...noWasm, given: `${given}; nor is there WebGPU: ${reasonOf(error)}` },
      { cause: error },
    );
  }
}

/** What a platform says, as a part of a sentence. */
export const clause = (words: unknown) => String(words).replace(/\.$/, "");

/** @throws {@link ConfigError} when it is out of range. */
export function startSecondsOf({ startSeconds = START_SECONDS }: RuntimeOptions): number {
  return numberOption("startSeconds", startSeconds, { minimum: 0, open: "minimum", maximum: 3600 });
}

/**
 * Why this thread has no GPU to use, or undefined where it has one. The other question, whether a worker has one too,
 * is the worker's.
 */
export async function whyNoGPU(seconds: number): Promise<string | undefined> {
  try {
    const device = describe((await findAdapter(undefined, seconds)).info);
    return isSoftware(device) ? softwareAlone(device) : undefined;
  } catch (error) {
    return reasonOf(error);
  }
}

const softwareAlone = (device: string) => `an adapter that runs on the CPU (${device})`;

/** Threads that cannot be had are left out, and the reason says so. */
async function wasm(
  modules: BackendModules,
  { relaxedSimd, threads = 1, startSeconds }: RuntimeOptions,
  reason: string,
  all?: true,
): Promise<ChosenBackend> {
  const { createWasmBackend } = await held(modules, "wasm", startSeconds);
  const backend = await createWasmBackend({
    threads,
    startSeconds,
    ...(all && { all }),
    ...(relaxedSimd === undefined ? {} : { relaxed: relaxedSimd }),
  });
  return { backend, reason: backend.refusal ? `${reason} One thread, because ${clause(backend.refusal)}.` : reason };
}

async function webgpu(
  modules: BackendModules,
  options: RuntimeOptions,
  reason = (on: string) => `WebGPU, on ${on}.`,
): Promise<ChosenBackend> {
  const { gpu, device, storage, tune } = options;
  const startSeconds = startSecondsOf(options);
  const source = (gpu as GPU | undefined) ?? (globalThis.navigator as Navigator | undefined)?.gpu;
  if (!device && !source) {
    throw new UnsupportedError({
      subject: "WebGPU",
      given: "no navigator.gpu",
      expected: "a platform with WebGPU",
      remedy: 'Use backend "wasm", or hand in `gpu` from the npm package "webgpu".',
    });
  }
  const { createWebGPUBackend } = await held(modules, "webgpu", startSeconds);
  const where = device ? { device: device as GPUDevice } : { gpu: source as GPU };
  const create = (seconds: number) => createWebGPUBackend({ ...where, storage, tune, startSeconds: seconds });
  // Now: what cannot work, or not be downloaded, is found before there is something to lose.
  if (options.fallback) (await wasm(modules, { ...options, threads: 1 }, "", true)).backend.dispose();
  const backend = await create(startSeconds);
  const anew = backend.refusal ? `, tried anew in each runtime, as ${clause(backend.refusal)}` : "";
  const tuned =
    (tune ?? !isSoftware(backend.device)) ? ` Products run by the kernels that are fastest here${anew}.` : "";
  return {
    backend,
    reason: reason(backend.device) + tuned,
    ...(device ? {} : { renew: () => create(startSeconds / 3) }), // one that does not answer is asked again
    renewSeconds: startSeconds,
    ...(options.fallback && {
      fallback: (why) => wasm(modules, options, `WebAssembly on the CPU, as the GPU was lost: ${clause(why)}.`),
    }),
  };
}

/** A backend's code. */
async function held<Name extends BackendName>(
  modules: BackendModules,
  name: Name,
  seconds?: number,
): Promise<Modules[Name]> {
  const load = modules[name];
  if (load) return onDemand(load() as Promise<Modules[Name]>, seconds);
  throw new UnsupportedError({
    subject: "backend",
    given: name,
    expected: `one of ${Object.keys(modules).join(", ")}, which are in this worker's file`,
    remedy: "Give the address of dist/worker.js, which holds every backend.",
  });
}

function isStore(tune: boolean | TuningStore): boolean {
  const { get, set } = Object(tune) as Partial<TuningStore>;
  return typeof get === "function" && typeof set === "function";
}
