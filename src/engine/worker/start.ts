/** Starts the engine in a worker, where a page should have it. */
import { ConfigError, UnsupportedError } from "../../errors.ts";
import { booleanOption, optionsObject, partOption } from "../../graph/options.ts";
import type { Runtime, RuntimeOptions } from "../api.ts";
import { NO_GPU, startSecondsOf, whyNoGPU } from "../choose-backend.ts";
import { onDemand } from "../on-demand.ts";
import { Connection } from "./connection.ts";
import { openWorker } from "./open.ts";
import { RemoteRuntime, type RuntimeFacts } from "./remote.ts";

/**
 * The files of our workers, beside ours: each holds one backend, whole, so that a page loads no other. Written as
 * bundlers know them: they then put the file, as it is, beside theirs.
 */
const files = {
  webgpu: () => new URL("./worker-webgpu.js", import.meta.url),
  wasm: () => new URL("./worker-wasm.js", import.meta.url),
};

/**
 * A runtime in a worker or on this thread, as the options and the platform have it: see {@link RuntimeOptions.worker}.
 *
 * @throws {@link ConfigError} when a worker is asked for together with a GPU, device or store, which cannot be sent to it.
 * @throws {@link UnsupportedError} when a worker is asked for and cannot be started.
 */
export async function createAnyRuntime(options: RuntimeOptions): Promise<Runtime> {
  checkRuntimeOptions(options);
  const seconds = startSecondsOf(options);
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
    return onThisThread(local);
  }
  const address = asked === true ? undefined : asked;
  const { backend = "auto" } = options;
  let noGPU = address || backend !== "auto" ? undefined : await whyNoGPU(seconds);
  for (;;) {
    const own = backend === "webgpu" || (backend === "auto" && noGPU === undefined) ? files.webgpu : files.wasm;
    let connection: Connection;
    try {
      connection = new Connection(await openWorker(address ?? own));
    } catch (cause) {
      if (asked) throw cause;
      warnOnce(cause as UnsupportedError);
      return onThisThread(
        local,
        `The engine runs on the page's own thread: ${(cause as UnsupportedError).facts.given}.`,
      );
    }
    try {
      const sent = tune === undefined ? sendable : { ...sendable, tune };
      return new RemoteRuntime(
        connection,
        await connection.ask<RuntimeFacts>({ ask: "createRuntime", options: sent, noGPU }),
      );
    } catch (error) {
      connection.close();
      if (address || noGPU !== undefined || !isNoGPU(error)) throw error;
      noGPU = String(error.facts.given); // the page has a GPU, its workers have none: the file for that is the other
    }
  }
}

/** @throws {@link ConfigError} for an option that there is none of, and for objects that are not what they should be. */
function checkRuntimeOptions(options: RuntimeOptions): void {
  optionsObject("options of createRuntime", options, [
    ...(["backend", "gpu", "device", "relaxedSimd", "worker", "threads", "storage", "tune", "startSeconds"] as const),
  ]);
  const { gpu, device, worker, relaxedSimd } = options;
  if (gpu !== undefined) {
    partOption("gpu of createRuntime", gpu, "requestAdapter", 'create([]) of the npm package "webgpu"');
  }
  if (device !== undefined) {
    partOption("device of createRuntime", device, "createBuffer", "adapter.requestDevice()");
  }
  if (relaxedSimd !== undefined) booleanOption("relaxedSimd of createRuntime", relaxedSimd);
  if (worker !== undefined && typeof worker !== "string" && !(worker instanceof URL)) {
    booleanOption("worker of createRuntime", worker);
  }
}

const isNoGPU = (error: unknown): error is UnsupportedError =>
  error instanceof UnsupportedError && error.facts.subject === NO_GPU;

/** With the engine imported now: a page whose engine is in a worker has no use for another. */
async function onThisThread(options: RuntimeOptions, remark?: string): Promise<Runtime> {
  const { createLocalRuntime } = await onDemand(import("../runtime.ts"));
  return createLocalRuntime(options, remark);
}

/** Whether this page was told; a runtime after the other would say the same. */
let warned = false;

function warnOnce({ facts }: UnsupportedError): void {
  if (warned) return;
  warned = true;
  console.warn(
    `divflow: training and sampling run on the page's own thread, which they make slow, because the engine's worker did not start: ${facts.given}. ${facts.remedy} createRuntime({ worker: false }) takes the page's thread without this message.`,
  );
}
