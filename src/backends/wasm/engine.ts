/** What computes in the WASM backend: the module's functions, and threads that have them too. */
import { UnsupportedError } from "../../errors.ts";
import type { Allocation, WasmMemory } from "./memory.ts";
import { forOwnMemory } from "./module-bytes.ts";
import { type Build, moduleBytes } from "./modules.ts";
import type { Needs } from "./scratch.ts";
import { CONTROL_BYTES, startThreads, type Threads } from "./threads.ts";

/** What wasm/index.ts exports and the backend calls. */
interface Kernels extends Needs {
  run(
    calls: number,
    count: number,
    times: number,
    control: number,
    team: number,
    mayWait: number,
    scratch: number,
    shared: number,
    bytes: number,
    slots: number,
  ): number;
}

export interface EngineOptions {
  readonly build: Build;
  readonly threads: number;
  readonly seconds: number | undefined;
  /** With what many pages never need. */
  readonly all: boolean;
}

export interface Engine {
  readonly kernels: Kernels;
  /** Where threads meet. */
  readonly control: Allocation;
  readonly team?: Threads;
}

/**
 * An engine on this memory, which others may be on: modules have nothing in it.
 *
 * @throws {@link UnsupportedError} when the module cannot be downloaded; Error when a thread does not start.
 */
export async function startEngine(
  memory: WasmMemory,
  { build, threads, seconds, all }: EngineOptions,
): Promise<Engine> {
  const bytes = await moduleBytes(build, all, seconds);
  const { module, instance } = await instantiate(threads > 1 ? bytes : forOwnMemory(bytes), memory.memory);
  const kernels = instance.exports as unknown as Kernels;
  const control = memory.allocate("control of threads", CONTROL_BYTES);
  if (threads === 1) return { kernels, control };
  return { kernels, control, team: await startThreads(threads - 1, module, memory.memory, control.address, seconds) };
}

/** @throws {@link UnsupportedError} when a page's Content-Security-Policy forbids it. */
async function instantiate(bytes: Uint8Array<ArrayBuffer>, memory: WebAssembly.Memory) {
  try {
    return await WebAssembly.instantiate(bytes, { env: { memory } });
  } catch (cause) {
    // Each engine has its own words for it; that the platform can do it is known from its features.
    if (!/unsafe-eval|Content.Security|CSP/i.test((cause as Error).message)) throw cause;
    throw new UnsupportedError(
      {
        subject: "WebAssembly on this page",
        given: "a Content-Security-Policy that forbids it",
        expected: "one with 'wasm-unsafe-eval' in its script-src",
        remedy: "Add it to the policy of the page, and to that of worker.js where that is served with one.",
      },
      { cause },
    );
  }
}
