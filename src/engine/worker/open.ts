/** Opens the engine's worker at an address, on a page, in Deno and in Node. */
import { within } from "../../backends/in-time.ts";
import { UnsupportedError } from "../../errors.ts";
import type { EngineWorker } from "./connection.ts";
import type { FromEngine } from "./messages.ts";
import { openThread, type WorkerThreads } from "./thread.ts";

/**
 * The worker, once its module has loaded.
 *
 * @param given - its address, or what makes it.
 * @param seconds - it may take: a module that has not said a word by then is none of ours, or nobody serves it.
 * @throws {@link UnsupportedError} when it cannot be started, with the reason.
 */
export async function openWorker(given: string | URL | (() => URL), seconds: number): Promise<EngineWorker> {
  let worker: EngineWorker | undefined;
  let address: string | URL | undefined;
  try {
    address = typeof given === "function" ? sourceOf(given()) : given;
    const opened = open(address);
    worker = opened;
    await within(seconds, loaded(opened), () => new Error(`its module has not answered in ${seconds} s`));
    return opened;
  } catch (cause) {
    worker?.terminate();
    throw new UnsupportedError(
      {
        subject: "the engine's worker",
        given: cause instanceof Error ? cause.message : String(cause),
        expected: `the module ${address ?? "beside divflow's own"}`,
        remedy:
          "Copy worker-webgpu.js and worker-wasm.js from divflow's dist/ to where the bundle lies; or serve dist/worker.js, both in one, by createRuntime({ worker: address }).",
      },
      { cause },
    );
  }
}

function open(address: string | URL): EngineWorker {
  // Deno has both kinds: its web workers would keep a program that is done from ending.
  const { process } = globalThis as { process?: { getBuiltinModule?: (name: string) => WorkerThreads | undefined } };
  const threads = typeof document === "undefined" && process?.getBuiltinModule?.("node:worker_threads");
  if (threads) return openThread(threads, address);
  if (typeof Worker === "undefined") throw new Error("this platform has no workers");
  const { location } = globalThis as { location?: Location };
  const { href, origin, protocol } = new URL(address, location?.href);
  if (!location || origin === location.origin || !protocol.startsWith("http")) {
    return new Worker(address, { type: "module" });
  }
  // A page may start no worker of another origin, but one of its own that imports such a module.
  const text = `import ${JSON.stringify(href)};`;
  return new Worker(URL.createObjectURL(new Blob([text], { type: "text/javascript" })), { type: "module" });
}

/**
 * Where a file of ours really is. Vite's dev server (5 to 7) joins a package's modules in a folder of its own and leaves
 * other files where they were, beside that folder.
 */
function sourceOf(address: URL): URL {
  const moved = /\/\.vite\/deps\/(worker(?:-\w+)?\.js)/.exec(address.pathname);
  return moved ? new URL(`../../divflow/dist/${moved[1]}`, address) : address;
}

/** Resolves when the worker says that it has loaded. */
function loaded(worker: EngineWorker): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (failure?: string) => {
      if (failure === undefined) resolve();
      else reject(new Error(failure));
    };
    worker.onmessage = ({ data }: MessageEvent<FromEngine | undefined>) =>
      settle(data?.kind === "loaded" ? undefined : "its module is not divflow's");
    // Neither a file that is missing nor a refusal by policy comes with a message.
    worker.onerror = ({ message }) =>
      settle(message || "its module could not be loaded, or the worker-src of the page's policy forbids it");
  });
}
