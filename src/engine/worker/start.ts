/** Starts the engine in a worker, where a page should have it. */

import { onDemand } from "../../backends/on-demand.ts";
import { ConfigError, type ErrorFacts, UnsupportedError } from "../../errors.ts";
import { booleanOption, optionsObject, partOption, textOption } from "../../graph/options.ts";
import type { Runtime, RuntimeOptions } from "../api.ts";
import { clause, NO_GPU, startSecondsOf, whyNoGPU } from "../choose-backend.ts";
import { prepareToSave } from "../save.ts";
import { Connection } from "./connection.ts";
import type { RuntimeFacts } from "./messages.ts";
import { openWorker } from "./open.ts";
import { RemoteRuntime } from "./remote.ts";

/**
 * The files of our workers, beside ours: each holds one backend, whole, so that a page loads no other. Written as
 * bundlers know them: they then put the file, as it is, beside theirs.
 */
const files = {
  webgpu: () => new URL("./worker-webgpu.js", import.meta.url),
  wasm: () => new URL("./worker-wasm.js", import.meta.url),
};

/** The one with every backend, beside ours too. Named so that bundlers do not know it: few apps want it. */
const everything = () => new URL(["./worker", "js"].join("."), import.meta.url);

/**
 * A runtime in a worker or on this thread, as the options and the platform have it: see {@link RuntimeOptions.worker}.
 *
 * @throws {@link ConfigError} when a worker is asked for together with a GPU, device or store, which cannot be sent to it.
 * @throws {@link UnsupportedError} when `worker` is true and cannot be started.
 */
export async function createAnyRuntime(options: RuntimeOptions): Promise<Runtime> {
  checkRuntimeOptions(options);
  prepareToSave();
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
  let noWasm: ErrorFacts | undefined;
  let noGPU = address || backend !== "auto" ? undefined : await whyNoGPU(seconds);
  for (;;) {
    const takesGPU = backend === "auto" ? noGPU === undefined || noWasm : backend === "webgpu";
    const own = options.fallback ? everything : takesGPU ? files.webgpu : files.wasm;
    let connection: Connection;
    try {
      connection = new Connection(await openWorker(address ?? own, seconds));
    } catch (cause) {
      if (asked === true) throw cause;
      const { facts } = cause as UnsupportedError;
      warnOnce(facts);
      return onThisThread(local, `The engine runs on ${ownThread()}: ${clause(facts.given)}.`, noGPU);
    }
    try {
      const sent = tune === undefined ? sendable : { ...sendable, tune };
      return new RemoteRuntime(
        connection,
        await connection.ask<RuntimeFacts>({ ask: "createRuntime", options: sent, noGPU, noWasm }),
      );
    } catch (error) {
      connection.close();
      // The other file is for what its worker has, which the page could not know.
      if (address || backend !== "auto" || !(error instanceof UnsupportedError) || noWasm) throw error;
      if (own === files.wasm) noWasm = error.facts;
      else if (error.facts.subject === NO_GPU) noGPU = String(error.facts.given);
      else throw error;
    }
  }
}

/** @throws {@link ConfigError} for an option that there is none of, and for objects that are not what they should be. */
function checkRuntimeOptions(options: RuntimeOptions): void {
  optionsObject("options of createRuntime", options, [
    ...(["backend", "gpu", "device", "relaxedSimd", "worker", "threads", "storage", "tune", "startSeconds"] as const),
    "fallback",
  ]);
  const { gpu, device, worker, relaxedSimd } = options;
  if (gpu !== undefined) {
    partOption("gpu of createRuntime", gpu, "requestAdapter", 'create([]) of the npm package "webgpu"');
  }
  if (device !== undefined) {
    partOption("device of createRuntime", device, "createBuffer", "adapter.requestDevice()");
  }
  if (relaxedSimd !== undefined) booleanOption("relaxedSimd of createRuntime", relaxedSimd);
  if (typeof worker === "string") textOption("worker of createRuntime", worker, "the worker's address, true or false");
  else if (worker !== undefined && !(worker instanceof URL)) booleanOption("worker of createRuntime", worker);
}

const ownThread = () => (typeof document === "undefined" ? "the calling thread" : "the page's own thread");

/** With the engine imported now: a page whose engine is in a worker has no use for another. */
async function onThisThread(options: RuntimeOptions, remark?: string, noGPU?: string): Promise<Runtime> {
  const { createLocalRuntime } = await onDemand(import("../runtime.ts"), options.startSeconds);
  return createLocalRuntime(options, remark, noGPU);
}

/** Whether it was told; a runtime after the other would say the same. */
let warned = false;

function warnOnce({ given, remedy }: ErrorFacts): void {
  if (warned) return;
  warned = true;
  console.warn(
    `divflow: training and sampling run on ${ownThread()}, which they make slow, because the engine's worker did not start: ${clause(given)}. ${remedy} createRuntime({ worker: false }) takes this thread without this message.`,
  );
}
