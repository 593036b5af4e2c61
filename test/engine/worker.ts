/** An engine in a "worker" on this thread: messages are cloned and take their time, as between threads. */
import type { Runtime, RuntimeOptions } from "../../src/engine/api.ts";
import { type BackendModules, everyBackend } from "../../src/engine/choose-backend.ts";
import { Connection, type EngineWorker } from "../../src/engine/worker/connection.ts";
import type { FromEngine, RuntimeFacts, ToEngine } from "../../src/engine/worker/messages.ts";
import { RemoteRuntime } from "../../src/engine/worker/remote.ts";
import { type Port, serve } from "../../src/engine/worker/serve.ts";

export interface RemoteEngine extends Disposable {
  readonly runtime: Runtime;
  /** As when the worker runs into an error of its own. */
  die(message: string): void;
  /** Whether the page has ended it. */
  readonly terminated: boolean;
}

export async function remoteEngine(
  backend: "webgpu" | "wasm" | "reference",
  options: Pick<RuntimeOptions, "storage" | "fallback" | "startSeconds"> = {},
  /** Told the bytes of the buffers that a message to the worker has. */
  sent: (bytes: number) => void = () => {},
  modules: BackendModules = everyBackend,
  /** Told the bytes of the buffers in a message to the page that are copied, not moved. */
  copied: (bytes: number) => void = () => {},
): Promise<RemoteEngine> {
  let terminated = false;
  const later = (work: () => void) => void setTimeout(() => terminated || work());
  const port: Port = {
    onmessage: null,
    postMessage: (message, transfer = []) => {
      const data: FromEngine = structuredClone(message, { transfer });
      copied(bufferBytes(message)); // what was moved is empty here
      later(() => worker.onmessage?.call(worker as Worker, new MessageEvent("message", { data })));
    },
  };
  const worker: EngineWorker = {
    onmessage: null,
    onerror: null,
    postMessage(message: unknown, transfer?: unknown) {
      sent(bufferBytes(message));
      const data = structuredClone(message, { transfer: transfer as Transferable[] }) as ToEngine;
      later(() => port.onmessage?.(new MessageEvent("message", { data })));
    },
    terminate() {
      terminated = true;
    },
  };
  serve(port, modules);
  const connection = new Connection(worker);
  const facts = await connection.ask<RuntimeFacts>({ ask: "createRuntime", options: { backend, ...options } });
  const runtime = new RemoteRuntime(connection, facts);
  return {
    runtime,
    die: (message) => worker.onerror?.call(worker as Worker, { message } as ErrorEvent),
    get terminated() {
      return terminated;
    },
    [Symbol.dispose]: () => runtime.dispose(),
  };
}

/** Bytes of all buffers in plain data, whole ones: so much is cloned. */
function bufferBytes(message: unknown): number {
  if (ArrayBuffer.isView(message)) return message.buffer.byteLength;
  if (message instanceof ArrayBuffer) return message.byteLength;
  if (typeof message !== "object" || message === null) return 0;
  return Object.values(message).reduce((sum: number, part) => sum + bufferBytes(part), 0);
}
