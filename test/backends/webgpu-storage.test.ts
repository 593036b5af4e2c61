/** Storage in f16 without a device: what is asked of one, and the shaders. */
import { describe, expect, test } from "vitest";
import { createWebGPUBackend } from "../../src/backends/webgpu/backend.ts";
import { lower } from "../../src/backends/webgpu/lower.ts";
import { softwareForms } from "../../src/backends/webgpu/software-forms.ts";
import { ConfigError, createRuntime, UnsupportedError } from "../../src/index.ts";
import { compile } from "../../src/schedule/compile.ts";
import type { PlanLimits } from "../../src/schedule/program.ts";
import { remoteEngine } from "../engine/worker.ts";
import { trainStep } from "../schedule/graphs.ts";
import { limitsByName } from "../schedule/limits.ts";

describe("what cannot have it", () => {
  const features = new Set<string>();
  const info = { description: "An adapter of old" };
  const gpu = { requestAdapter: async () => ({ features, info, limits: {} }) } as unknown as GPU;

  test("an adapter whose shaders know no f16", async () => {
    const asked = createWebGPUBackend({ gpu, storage: "f16" });
    await expect(asked).rejects.toThrow(UnsupportedError);
    await expect(asked).rejects.toThrow(/An adapter of old.*no shader-f16.*Leave out `storage`/);
  });

  test("a device handed in that was asked for without it", async () => {
    const device = { features, adapterInfo: info, createBuffer: () => {} } as unknown as GPUDevice;
    const asked = createRuntime({ backend: "webgpu", device, storage: "f16" });
    await expect(asked).rejects.toThrow(/no shader-f16.*requiredFeatures/);
  });

  test.each(["auto", "wasm", "reference"] as const)("backend %s", async (backend) => {
    const asked = createRuntime({ backend, storage: "f16" });
    await expect(asked).rejects.toThrow(ConfigError);
    await expect(asked).rejects.toThrow(/storage.*Ask for backend "webgpu"/);
  });

  test("a storage of another name", async () => {
    await expect(createRuntime({ backend: "wasm", storage: "f8" as "f16" })).rejects.toThrow(/f8.*f32.*f16/);
  });

  test("an engine in a worker is asked for it too", async () => {
    await expect(remoteEngine("wasm", { storage: "f16" })).rejects.toThrow(ConfigError);
  });
});

describe("shaders of a step", () => {
  const limits = { ...limitsByName["webgpu"], halvesFrom: 16384 } as PlanLimits;
  const dispatchesOf = (given: PlanLimits, kernel: "tile" | "strip" = "tile", segments = 1) => {
    const step = compile(trainStep({}, { hidden: [64, 66], batchSize: 256 }), given);
    const linear = () => ({ kernel, segments });
    return lower(step, { traits: { software: false }, software: softwareForms, linear }).dispatches;
  };

  test("enable f16 first where they touch it, and only there", () => {
    for (const { code } of dispatchesOf(limits)) {
      expect(code.startsWith("enable f16;\n")).toBe(/array<(f16|vec4h)>/.test(code));
    }
    // Three layers forward, two cotangents, three weights' gradients.
    expect(dispatchesOf(limits).filter(({ code }) => code.startsWith("enable")).length).toBe(8);
    expect(dispatchesOf(limitsByName["webgpu"] as PlanLimits).some(({ code }) => /f16|vec4h/.test(code))).toBe(false);
  });

  test("scale cotangents as they are stored, and undo it once for each element of a product and of its column sums", () => {
    const codes = dispatchesOf(limits).map(({ code }) => code);
    expect(codes.filter((code) => /region\d\[.*\] = f16\(inHalfRange\(step\d * \* 512\.0\)\);/.test(code)).length).toBe(
      2,
    );
    const gradients = codes.filter((code) => code.includes("const LEFT_TRANSPOSED = true"));
    const undone = gradients.filter((code) => /product0 = sum0 \* 0\.001953125;/.test(code));
    expect(undone.length).toBe(2);
    for (const code of undone) expect(code).toMatch(/bitcast<u32>\(sum \* 0\.001953125\)/);
  });

  test("read quads of f16 where rows are of quads, elements where they are not", () => {
    const codes = dispatchesOf(limits, "strip").map(({ code }) => code);
    expect(codes.some((code) => /left: array<vec4h>;/.test(code))).toBe(true);
    expect(codes.some((code) => /left: array<f16>;/.test(code))).toBe(true);
  });

  test("segments leave unscaled f32 sums, and their join undoes the scale", () => {
    const codes = dispatchesOf(limits, "tile", 3).map(({ code }) => code);
    const leaving = codes.filter(
      (code) => code.includes("partial: array<f32>;") && code.includes("read_write> partial"),
    );
    for (const code of leaving) expect(code).not.toMatch(/0\.001953125/);
    expect(codes.filter((code) => code.includes("read> partial") && /sum0 \* 0\.001953125;/.test(code)).length).toBe(3);
  });
});
