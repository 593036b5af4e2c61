// Threads of the WASM backend in Node: started, refused, ended; what they compute is in test/conformance/threads.ts.
import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import { build } from "esbuild";
import { describe, expect, test, vi } from "vitest";
import { cache, root } from "../../.build/files.mjs";
import { createWasmBackend } from "../../src/backends/wasm/backend.ts";
import { ConfigError, createRuntime } from "../../src/index.ts";
import { builds } from "./wasm-calls.ts";

describe.each(builds)("relaxed $relaxed", (options) => {
  test.each([1, 2, 3])("%i threads are had, and end twice without harm", async (threads) => {
    const backend = await createWasmBackend({ ...options, threads });
    expect(backend.threads).toBe(threads);
    expect(backend.refusal).toBeUndefined();
    expect(backend.device).toContain(threads === 1 ? "one thread" : `${threads} threads`);
    backend.dispose();
    backend.dispose();
    expect(backend.memory()).toEqual({ buffers: 0, bytes: 0 });
  });
});

test("workers that cannot start leave one thread and a reason", async () => {
  const postMessage = vi.spyOn(Worker.prototype, "postMessage").mockImplementation(() => {
    throw new Error("no workers today");
  });
  try {
    const backend = await createWasmBackend({ threads: 3 });
    expect(backend.threads).toBe(1);
    expect(backend.refusal).toContain("no workers today");
    backend.dispose();
  } finally {
    postMessage.mockRestore();
  }
});

test.each([0, -1, 1.5, 65, Number.NaN])("%d threads are refused", async (threads) => {
  await expect(createRuntime({ backend: "wasm", threads })).rejects.toBeInstanceOf(ConfigError);
});

test("a program that forgets to dispose ends all the same", async () => {
  const file = join(cache, `threads-${process.pid}.mjs`);
  const contents = `import { createRuntime } from "./src/index.ts";
    const runtime = await createRuntime({ backend: "wasm", threads: 2 });
    console.log(runtime.device);`;
  try {
    await build({ stdin: { contents, resolveDir: root, loader: "ts" }, bundle: true, format: "esm", outfile: file });
    const { stdout } = await promisify(execFile)(process.execPath, [file], { timeout: 30_000, killSignal: "SIGKILL" });
    expect(stdout).toContain("2 threads");
  } finally {
    await rm(file, { force: true });
  }
});
