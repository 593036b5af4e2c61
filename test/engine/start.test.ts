// Parts of a start that never come: each has a time, after which the next choice is taken, and said. No clock is read
// here: what waits, waits for ever.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { onDemand } from "../../src/backends/on-demand.ts";
import { createWasmBackend } from "../../src/backends/wasm/backend.ts";
import { chooseBackend, everyBackend } from "../../src/engine/choose-backend.ts";
import { ConfigError, createRuntime, UnsupportedError } from "../../src/index.ts";

const never = () => new Promise<never>(() => {});
const soon = { startSeconds: 0.05 } as const;
const info = { description: "A GPU of the test" };

describe("a platform that does not answer", () => {
  const silent = { requestAdapter: never };

  test("requestAdapter: WebAssembly, with the reason", async () => {
    using runtime = await createRuntime({ gpu: silent, ...soon });
    expect(runtime.backend).toBe("wasm");
    expect(runtime.reason).toContain("no answer to requestAdapter in 0.05 s");
  });

  test("requestAdapter, with WebGPU asked for: an error that says so", async () => {
    const asked = createRuntime({ gpu: silent, backend: "webgpu", ...soon });
    await expect(asked).rejects.toThrow(UnsupportedError);
    await expect(asked).rejects.toThrow(/no answer to requestAdapter in 0\.05 s.*"wasm"/);
  });

  test("requestDevice: WebAssembly, with the reason; a device that comes later is destroyed", async () => {
    let come: (device: object) => void = () => {};
    const device = new Promise<object>((resolve) => {
      come = resolve;
    });
    const adapter = { info, features: new Set(), limits: {}, requestDevice: () => device };
    using runtime = await createRuntime({ gpu: { requestAdapter: async () => adapter }, ...soon });
    expect(runtime.backend).toBe("wasm");
    expect(runtime.reason).toContain("no answer to requestDevice in 0.05 s");
    await new Promise<void>((resolve) => come({ destroy: resolve }));
  });
});

describe("a platform that refuses", () => {
  const refusals = {
    "by a rejection": () => Promise.reject(new DOMException("GPU access is forbidden here", "SecurityError")),
    "by an exception": () => {
      throw new TypeError("GPU access is forbidden here");
    },
  };

  test.each(Object.entries(refusals))("%s", async (_name, requestAdapter) => {
    using runtime = await createRuntime({ gpu: { requestAdapter } });
    expect(runtime.backend).toBe("wasm");
    expect(runtime.reason).toContain("GPU access is forbidden here");
    await expect(createRuntime({ gpu: { requestAdapter }, backend: "webgpu" })).rejects.toThrow(UnsupportedError);
  });
});

describe("a worker's address that is none", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "divflow-workers-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  afterEach(() => vi.restoreAllMocks());

  test.each([
    ["a module that never says a word", "setInterval(() => {}, 1000);", "has not answered in 1.5 s"],
    [
      "a module that says something else",
      `import("node:worker_threads").then((at) => at.parentPort.postMessage(7));`,
      "not divflow's",
    ],
    ["a module that fails", `throw new Error("no engine here");`, "no engine here"],
    ["a module that ends", "export {};", "it ended with code 0"],
    ["a file that is not there", undefined, /not found|cannot find|ENOENT/i],
  ])("%s: the engine runs on this thread, and reason and console say why", async (name, text, why) => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const file = join(folder, `${name.replaceAll(" ", "-")}.mjs`);
    if (text !== undefined) await writeFile(file, text);
    using runtime = await createRuntime({ backend: "wasm", worker: pathToFileURL(file), startSeconds: 1.5 });
    expect(runtime.reason).toMatch(/WebAssembly, as asked\. The engine runs on the calling thread: /);
    expect(runtime.reason).toMatch(why);
    expect((await runtime.memory()).buffers).toBeGreaterThan(0);
    for (const [words] of warn.mock.calls) expect(words).toMatch(/calling thread.*did not start.*worker: address/);
  });

  test("is waited for no longer than it is said", async () => {
    const file = join(folder, "silent.mjs");
    await writeFile(file, "setInterval(() => {}, 1000);");
    vi.spyOn(console, "warn").mockImplementation(() => {});
    using runtime = await createRuntime({ backend: "reference", worker: pathToFileURL(file), startSeconds: 0.01 });
    expect(runtime.reason).toContain("has not answered in 0.01 s");
  });
});

describe("without WebAssembly", () => {
  const forbidden = new UnsupportedError({
    ...{ subject: "WebAssembly on this page", given: "a policy that forbids it" },
    ...{ expected: "one with 'wasm-unsafe-eval' in its script-src", remedy: "Add it." },
  });
  const wasm = async () => ({ createWasmBackend: () => Promise.reject(forbidden) }) as never;
  const modules = { ...everyBackend, wasm };

  test("and without a GPU: the error names both", async () => {
    const chosen = chooseBackend({}, { modules });
    await expect(chosen).rejects.toThrow(UnsupportedError);
    await expect(chosen).rejects.toThrow(/policy that forbids it; nor is there WebGPU: .*'wasm-unsafe-eval'/);
  });

  test("a file without WebGPU says so, and leaves it to the page to start the other", async () => {
    const chosen = chooseBackend({}, { modules: { wasm }, noGPU: "an adapter that runs on the CPU" });
    await expect(chosen).rejects.toBe(forbidden);
  });
});

test("a file that is imported on demand and never comes is an error, after no less than 30 s", async () => {
  vi.useFakeTimers();
  try {
    const imported = onDemand(never(), 1);
    let outcome: unknown;
    imported.catch((error) => {
      outcome = error;
    });
    await vi.advanceTimersByTimeAsync(29_000);
    expect(outcome).toBeUndefined();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(outcome).toBeInstanceOf(UnsupportedError);
    expect(outcome).toHaveProperty("facts.given", "no answer in 30 s");
  } finally {
    vi.useRealTimers();
  }
});

test("threads that do not start are done without, and said", async () => {
  const backend = await createWasmBackend({ threads: 2, startSeconds: 1e-9 });
  expect(backend.threads).toBe(1);
  expect(backend.refusal).toContain("did not start within 1e-9 s");
  backend.dispose();
});

test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, 3601, "5", null])(
  "startSeconds: %s is refused",
  async (given) => {
    const asked = createRuntime({ backend: "reference", startSeconds: given as number });
    await expect(asked).rejects.toThrow(ConfigError);
    await expect(asked).rejects.toThrow(/startSeconds.*\(0, 3600\]/);
  },
);
