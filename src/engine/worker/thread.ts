/** A worker of Node's kind behind the face of a page's. */
import type { EngineWorker } from "./connection.ts";
import type { FromEngine, ToEngine } from "./messages.ts";

/** What is used of node:worker_threads. */
export interface WorkerThreads {
  readonly Worker: new (
    address: string | URL,
  ) => {
    on(event: "message", listener: (message: FromEngine) => void): void;
    on(event: "error", listener: (error: Error) => void): void;
    on(event: "exit", listener: (code: number) => void): void;
    postMessage(message: unknown): void;
    terminate(): unknown;
    ref(): void;
    unref(): void;
  };
}

/** It keeps the program alive for as long as it owes an answer: one that has nothing else to do may then end. */
export function openThread({ Worker }: WorkerThreads, address: string | URL): EngineWorker {
  const thread = new Worker(/^file:/.test(String(address)) ? new URL(address) : address);
  let owed = 1; // "loaded"
  const owe = (change: number) => {
    owed += change;
    if (owed > 0) thread.ref();
    else thread.unref();
  };
  const face: EngineWorker = {
    onmessage: null,
    onerror: null,
    postMessage(message: unknown) {
      thread.postMessage(message);
      if ((message as ToEngine).kind === "ask") owe(1);
    },
    terminate() {
      face.onerror = null; // this end is no accident
      thread.terminate();
    },
  };
  const fail = (message: string) => face.onerror?.call(face as Worker, { message } as ErrorEvent);
  thread.on("message", (data) => {
    if (["loaded", "answer", "failure"].includes(data.kind)) owe(-1);
    face.onmessage?.call(face as Worker, { data } as MessageEvent<FromEngine>);
  });
  thread.on("error", (error) => fail(error.message));
  thread.on("exit", (code) => fail(`it ended with code ${code}`));
  return face;
}
