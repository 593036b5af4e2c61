import { afterAll, beforeAll } from "vitest";
import { createRuntime, type Runtime } from "../../src/index.ts";
import { type RemoteEngine, remoteEngine } from "../engine/worker.ts";

/** A runtime of this thread and one in a worker, for a file's tests. */
export function useEngines(): { readonly runtime: Runtime; readonly remote: RemoteEngine } {
  let [runtime, remote]: [Runtime | undefined, RemoteEngine | undefined] = [undefined, undefined];
  beforeAll(async () => {
    runtime = await createRuntime({ backend: "wasm" });
    remote = await remoteEngine("wasm");
  });
  afterAll(() => {
    runtime?.dispose();
    remote?.[Symbol.dispose]();
  });
  return {
    get runtime() {
      return runtime as Runtime;
    },
    get remote() {
      return remote as RemoteEngine;
    },
  };
}
