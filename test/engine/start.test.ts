// Parts of a start that never come: each has a time, after which the next choice is taken, and said. No clock is read
// here: what waits, waits for ever.
import { describe, expect, test } from "vitest";
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

test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, 3601, "5", null])(
  "startSeconds: %s is refused",
  async (given) => {
    const asked = createRuntime({ backend: "reference", startSeconds: given as number });
    await expect(asked).rejects.toThrow(ConfigError);
    await expect(asked).rejects.toThrow(/startSeconds.*\(0, 3600\]/);
  },
);
