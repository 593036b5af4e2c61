// The WASM backend apart from its kernels: features, life and death of buffers and programs.
import { describe, expect, test } from "vitest";
import { createWasmBackend } from "../../src/backends/wasm/backend.ts";
import { wasmFeatures } from "../../src/backends/wasm/features.ts";
import { DisposedError, LimitError, UnsupportedError } from "../../src/errors.ts";
import { chainCall, placement, programOf, type Values } from "./wasm-calls.ts";

describe("features", () => {
  test("each is what compiling says", () => {
    const features = wasmFeatures();
    expect(features.simd).toBe(true); // every Node that divflow supports
    expect(features.threads).toBe(true);
  });

  test("relaxed SIMD asked for where there is none is refused; the default takes what there is", async () => {
    const { relaxedSimd } = wasmFeatures();
    const backend = await createWasmBackend();
    expect(backend.device).toContain(relaxedSimd ? "relaxed SIMD" : "plain SIMD");
    backend.dispose();
    if (relaxedSimd) (await createWasmBackend({ relaxed: true })).dispose();
    else await expect(createWasmBackend({ relaxed: true })).rejects.toBeInstanceOf(UnsupportedError);
  });
});

describe("buffers and programs", () => {
  const double = chainCall({
    count: 3,
    loads: [{ placement: placement("x", 3), divisor: 1, modulus: 3, dtype: "f32" }],
    steps: [{ function: "add", operands: [0, 0].map(() => ({ from: "load", index: 0 }) as const), dtype: "f32" }],
    stores: [{ placement: placement("x", 3), source: { from: "step", index: 0 }, dtype: "f32" }],
  });
  const contents = new Map<string, Values>([["x", Float32Array.of(1, -2, 3)]]);

  test("a program runs n times in order; growth of the memory in between does not matter", async () => {
    const backend = await createWasmBackend();
    const x = backend.createState("x", 3);
    backend.write(x, 0, Float64Array.of(1, -2, 3));
    const executable = await backend.load(programOf([double], contents), new Map([["x", x]]));
    executable.run(2);
    backend.createState("large", 3_000_000);
    executable.run(1);
    expect([...(await backend.read(x, 0, 3, "f32"))]).toEqual([8, -16, 24]);
    const y = backend.createState("y", 3);
    backend.copy(x, y);
    expect([...(await backend.read(y, 1, 2, "f32"))]).toEqual([-16, 24]);
    backend.dispose();
  });

  test("everything disposed leaves what was there before; twice does nothing; use after it is refused", async () => {
    const backend = await createWasmBackend();
    const before = backend.memory();
    const x = backend.createState("x", 3);
    const executable = await backend.load(programOf([double], contents), new Map([["x", x]]));
    expect(backend.memory().buffers).toBeGreaterThan(before.buffers + 1);
    executable.run(1);
    const between = backend.memory();
    executable.run(100);
    expect(backend.memory()).toEqual(between);
    x.dispose();
    x.dispose();
    expect(() => executable.run(1)).toThrow(DisposedError);
    executable.dispose();
    executable.dispose();
    expect(() => executable.run(1)).toThrow(DisposedError);
    await expect(backend.read(x, 0, 1, "f32")).rejects.toBeInstanceOf(DisposedError);
    expect(backend.memory()).toEqual(before);
    backend.dispose();
    backend.dispose();
    expect(backend.memory()).toEqual({ buffers: 0, bytes: 0 });
    expect(() => backend.createState("x", 1)).toThrow(DisposedError);
  });

  test("reading or writing past a state is refused", async () => {
    const backend = await createWasmBackend();
    const x = backend.createState("x", 3);
    expect(() => backend.write(x, 2, Float32Array.of(1, 2))).toThrow(LimitError);
    await expect(backend.read(x, -1, 2, "f32")).rejects.toBeInstanceOf(LimitError);
    backend.dispose();
  });
});
