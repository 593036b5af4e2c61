/** The runtime of a command: --backend, --threads, --storage, and a word on standard error about what was taken and why. */
import { availableParallelism } from "node:os";
import { createRuntime, type Runtime, type RuntimeOptions } from "../index.ts";
import { oneOf, positiveInteger } from "./arguments.ts";
import { remark } from "./output.ts";
import { findGPU } from "./webgpu.ts";

export const backendArgument = {
  type: "string",
  description: "auto (WebGPU on a real GPU, else WASM), webgpu, wasm or reference (f64)",
  default: "auto",
} as const;

export const threadsArgument = {
  type: "string",
  description: "threads of WASM, at most 64 (default: all cores); results do not depend on it",
} as const;

/** More than the library takes would be no help either. */
const MOST_THREADS = 64;

/** The cores there are for this process. */
const cores = () => Math.min(availableParallelism(), MOST_THREADS);

export const storageArgument = {
  type: "string",
  description: "f32, or f16 for a training step's large matrices (with --backend webgpu)",
  default: "f32",
} as const;

/** Checks --backend, --threads and --storage, before a command writes anything. */
export function readRuntime({
  backend,
  threads,
  storage = "f32",
}: {
  backend: string;
  threads?: string | undefined;
  storage?: string;
}) {
  return {
    storage: oneOf("--storage", storage, ["f32", "f16"] as const),
    backend: oneOf("--backend", backend, ["auto", "webgpu", "wasm", "reference"] as const),
    threads: threads === undefined ? cores() : positiveInteger("--threads", threads, MOST_THREADS),
  };
}

/** Opens the runtime and says on standard error what was taken and why. */
export async function openRuntime({ backend, threads, storage }: ReturnType<typeof readRuntime>): Promise<Runtime> {
  const gpu = backend === "auto" || backend === "webgpu" ? await findGPU() : undefined;
  const mayBeWasm = backend === "wasm" || backend === "auto"; // threads are its own
  const options: RuntimeOptions = { backend, storage, ...(mayBeWasm && { threads }), ...(gpu ? { gpu } : {}) };
  const runtime = await createRuntime(options);
  remark(shortly(runtime.reason));
  return runtime;
}

/** Why there is no GPU stays the same from command to command: `info` says it in full. */
export function shortly(reason: string): string {
  const why = /, as WebGPU has no GPU here: .*?\.(?= One thread, because |$)/s;
  return reason.replace(why, ": no GPU here (divflow info says why).");
}
