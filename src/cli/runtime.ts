/** The runtime of a command: --backend, --threads, --storage, and a word on standard error about what was taken and why. */
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
  description: "threads of WASM; results do not depend on it",
  default: "1",
} as const;

export const storageArgument = {
  type: "string",
  description: "f32, or f16 for a training step's large matrices (with --backend webgpu)",
  default: "f32",
} as const;

/** Checks --backend, --threads and --storage, before a command writes anything. */
export function readRuntime({
  backend,
  threads = "1",
  storage = "f32",
}: {
  backend: string;
  threads?: string;
  storage?: string;
}) {
  return {
    storage: oneOf("--storage", storage, ["f32", "f16"] as const),
    backend: oneOf("--backend", backend, ["auto", "webgpu", "wasm", "reference"] as const),
    threads: positiveInteger("--threads", threads),
  };
}

/** Opens the runtime and says on standard error what was taken and why. */
export async function openRuntime({ backend, threads, storage }: ReturnType<typeof readRuntime>): Promise<Runtime> {
  const gpu = backend === "auto" || backend === "webgpu" ? await findGPU() : undefined;
  const options: RuntimeOptions = { backend, threads, storage, ...(gpu ? { gpu } : {}) };
  const runtime = await createRuntime(options);
  remark(runtime.reason);
  return runtime;
}
