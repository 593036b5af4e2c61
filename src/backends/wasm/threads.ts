/**
 * Threads of the WASM backend: workers that share its memory and are in wasm/index.ts's `work` until they are told to
 * leave. Started from text in this file, so that there is nothing to fetch.
 */

import { START_SECONDS, within } from "../in-time.ts";

/** What is used of a worker, of a page's kind or of Node's. */
interface Team {
  postMessage(message: unknown): void;
  terminate(): unknown;
}

/** What is used of node:worker_threads, which Deno has too. The core imports no module of any platform. */
interface WorkerThreads {
  readonly Worker: new (
    source: string,
    options: { eval: true },
  ) => Team & { unref(): void; once(event: string, listener: (value: unknown) => void): void };
}

export interface Threads {
  /** Workers beside the thread that called. */
  readonly workers: number;
  /** Whether the thread that called may sleep: a page's main thread may not. */
  readonly mayWait: boolean;
  dispose(): void;
}

/** Words of the control block that this file writes: as in wasm/threads.ts. */
const NUMBER = 1;
const STOP = 5;
const FAILED = 6;
const COMPLETE = 2;
/** Bytes of the control block: its words, then the description of the open job. */
export const CONTROL_BYTES = 256;

/** Runs in the worker. A failure is told through shared memory, since the other side may be waiting on that alone. */
const workerSource = `
const begin = ({ module, memory, control, thread }, reply) => {
  WebAssembly.instantiate(module, { env: { memory } }).then((instance) => {
    reply("ready");
    try {
      instance.exports.work(control, thread);
    } catch (error) {
      const words = new Int32Array(memory.buffer, control, 16);
      Atomics.store(words, ${FAILED}, 1);
      Atomics.notify(words, ${COMPLETE});
      throw error;
    }
  }, (error) => reply(String(error)));
};
`;
const nodeSource = `const { parentPort } = require("node:worker_threads");
${workerSource}
parentPort.once("message", (message) => begin(message, (answer) => parentPort.postMessage(answer)));`;
const webSource = `${workerSource}
onmessage = ({ data }) => begin(data, (answer) => postMessage(answer));`;

/**
 * Starts workers.
 *
 * @param control - the address of CONTROL_BYTES zeroed bytes.
 * @param seconds - each may take.
 * @throws Error when one cannot be started, with the reason; none is left then.
 */
export async function startThreads(
  workers: number,
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  control: number,
  seconds = START_SECONDS,
): Promise<Threads> {
  const team: Team[] = [];
  const end = () => {
    const words = new Int32Array(memory.buffer, control, CONTROL_BYTES / 4);
    Atomics.store(words, STOP, 1);
    Atomics.add(words, NUMBER, 1);
    Atomics.notify(words, NUMBER);
    for (const worker of team.splice(0)) worker.terminate();
  };
  try {
    await Promise.all(
      Array.from({ length: workers }, (_, i) =>
        within(
          seconds,
          started((worker) => team.push(worker), { module, memory, control, thread: i + 1 }),
          () => new Error(`a worker did not start within ${seconds} s`),
        ),
      ),
    );
  } catch (error) {
    end();
    throw error;
  }
  return { workers, mayWait: mayWait(), dispose: end };
}

/** Resolves once a worker is about to look for work. */
function started(keep: (worker: Team) => void, message: unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (answer: unknown) => {
      if (answer === "ready") resolve();
      else reject(answer instanceof Error ? answer : new Error(String(answer)));
    };
    try {
      const worker = startWorker(settle);
      keep(worker);
      worker.postMessage(message);
    } catch (error) {
      settle(error);
    }
  });
}

function startWorker(settle: (answer: unknown) => void): Team {
  const { process } = globalThis as {
    process?: { getBuiltinModule?: (name: string) => WorkerThreads | undefined };
  };
  const node = process?.getBuiltinModule?.("node:worker_threads");
  if (node) {
    const worker = new node.Worker(nodeSource, { eval: true });
    worker.unref(); // a program that has nothing else to do may end
    worker.once("message", settle);
    worker.once("error", settle);
    return worker;
  }
  const url = URL.createObjectURL(new Blob([webSource], { type: "text/javascript" }));
  const worker = webWorker(url);
  worker.onmessage = ({ data }) => {
    URL.revokeObjectURL(url);
    settle(data);
  };
  worker.onerror = ({ message }) => settle(message || refusedByPolicy);
  return worker;
}

/** Of a refusal by policy WebKit says only that it was one, others give no message at all. */
const refusedByPolicy = "a worker failed to start (a Content-Security-Policy must have blob: in its worker-src)";

function webWorker(url: string): Worker {
  if (typeof Worker === "undefined") throw new Error("this platform has no workers");
  try {
    return new Worker(url);
  } catch (cause) {
    throw cause instanceof DOMException && cause.name === "SecurityError"
      ? new Error(refusedByPolicy, { cause })
      : cause;
  }
}

/** Whether this thread may sleep on a word of shared memory. */
function mayWait(): boolean {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1); // 0 is not 1: returns at once
    return true;
  } catch {
    return false;
  }
}
