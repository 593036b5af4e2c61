/** Starts the engine in a worker, where a page should have it. */
import { ConfigError, UnsupportedError } from "../../errors.ts";
import type { Runtime, RuntimeOptions } from "../api.ts";
import { createLocalRuntime } from "../runtime.ts";
import { Connection } from "./connection.ts";
import type { FromEngine } from "./messages.ts";
import { RemoteRuntime, type RuntimeFacts } from "./remote.ts";

/**
 * A runtime in a worker or on this thread, as the options and the platform have it: see {@link RuntimeOptions.worker}.
 *
 * @throws {@link ConfigError} when a worker is asked for together with a GPU, device or store, which cannot be sent to it.
 * @throws {@link UnsupportedError} when a worker is asked for and cannot be started.
 */
export async function createAnyRuntime(options: RuntimeOptions): Promise<Runtime> {
  const { worker: asked, ...local } = options;
  const { gpu, device, tune, ...sendable } = local;
  const store = typeof tune === "object";
  if (asked && (gpu || device || store)) {
    throw new ConfigError({
      subject: "worker of createRuntime",
      given: `a worker together with a ${gpu ? "gpu" : device ? "device" : "store for tuning"}`,
      expected: "one of them: such objects cannot be sent to a worker",
      remedy: "Leave out worker.",
    });
  }
  if (asked === false || gpu || device || store || (asked === undefined && typeof document === "undefined")) {
    return createLocalRuntime(local);
  }
  let connection: Connection;
  try {
    connection = new Connection(await startWorker(asked === true ? undefined : asked));
  } catch (cause) {
    if (asked) throw cause;
    return createLocalRuntime(local, `The engine runs on the page's own thread: ${(cause as Error).message}`);
  }
  try {
    return new RemoteRuntime(
      connection,
      await connection.ask<RuntimeFacts>({
        ask: "createRuntime",
        options: tune === undefined ? sendable : { ...sendable, tune },
      }),
    );
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** The worker, once its module has loaded. */
async function startWorker(address: string | URL | undefined): Promise<Worker> {
  let worker: Worker | undefined;
  try {
    // Written so that bundlers see it: they then put the worker's module beside theirs.
    worker = address
      ? new Worker(address, { type: "module" })
      : new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    const started = worker;
    await new Promise<void>((resolve, reject) => {
      started.onmessage = ({ data }: MessageEvent<FromEngine>) => {
        if (data.kind === "loaded") resolve();
      };
      // Neither a file that is missing nor a refusal by policy comes with a message.
      started.onerror = ({ message }) =>
        reject(
          new Error(message || "its module could not be loaded, or the worker-src of the page's policy forbids it"),
        );
    });
    return started;
  } catch (cause) {
    worker?.terminate();
    throw new UnsupportedError(
      {
        subject: "the engine's worker",
        given: cause instanceof Error ? cause.message : String(cause),
        expected: `the module ${address ?? "worker.js beside divflow's own"}`,
        remedy: "Serve dist/worker.js and its chunks, and give its address: createRuntime({ worker: address }).",
      },
      { cause },
    );
  }
}
