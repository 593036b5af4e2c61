/** The runtime of a command: --backend, and a word on standard error about what was taken and why. */
import { createRuntime, type Runtime } from "../index.ts";
import { oneOf } from "./arguments.ts";
import { remark } from "./output.ts";
import { findGPU } from "./webgpu.ts";

export const backendArgument = {
  type: "string",
  description: "auto (WebGPU on a real GPU, else WASM), webgpu, wasm or reference (f64)",
  default: "auto",
} as const;

const backendChoices = ["auto", "webgpu", "wasm", "reference"] as const;
export type BackendChoice = (typeof backendChoices)[number];

export function readBackend(given: string): BackendChoice {
  return oneOf("--backend", given, backendChoices);
}

/** Opens the runtime and says on standard error what was taken and why. */
export async function openRuntime(backend: BackendChoice): Promise<Runtime> {
  const gpu = backend === "auto" || backend === "webgpu" ? await findGPU() : undefined;
  const runtime = await createRuntime({ backend, ...(gpu ? { gpu } : {}) });
  remark(runtime.reason);
  return runtime;
}
