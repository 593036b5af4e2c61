/** What a worker talks to its page by. */
import type { Port } from "./serve.ts";

/** What is used of node:worker_threads. */
interface WorkerThreads {
  readonly parentPort: Port | null;
}

/** The port of the worker that this module runs in: of a page's kind, or of Node's. */
export function ownPort(): Port {
  const { process } = globalThis as {
    process?: { getBuiltinModule?: (name: string) => WorkerThreads | undefined };
  };
  return process?.getBuiltinModule?.("node:worker_threads")?.parentPort ?? (globalThis as unknown as Port);
}
