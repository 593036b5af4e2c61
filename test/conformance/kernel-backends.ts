/** The backends of a platform, for checks that need no more than the interface. */
import type { Backend } from "../../src/backends/backend.ts";
import { createWasmBackend } from "../../src/backends/wasm/backend.ts";
import { createWebGPUBackend } from "../../src/backends/webgpu/backend.ts";
import type { Context } from "./check.ts";

/** Runs `work` on the platform's GPU; or on plain WebAssembly and, where the platform has it, on relaxed SIMD. */
export async function onEachBackend({ backend, gpu }: Context, work: (backend: Backend) => Promise<void>) {
  if (backend === "webgpu") {
    return using(await createWebGPUBackend({ ...(gpu && { gpu }), wholeNetworks: true, tune: false }), work);
  }
  const plain = await createWasmBackend({ relaxed: false });
  const { device } = plain;
  await using(plain, work);
  const best = await createWasmBackend({});
  if (best.device === device) best.dispose();
  else await using(best, work);
}

async function using(backend: Backend, work: (backend: Backend) => Promise<void>): Promise<void> {
  try {
    await work(backend);
  } finally {
    backend.dispose();
  }
}
