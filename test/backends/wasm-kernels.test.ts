// The smaller kernels on WASM: random numbers bit for bit, reductions, rows, copies.
import { beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { createWasmBackend } from "../../src/backends/wasm/backend.ts";
import { randomKinds } from "../../src/kernels/random.ts";
import { randomBits, randomNumber } from "../../src/ops/threefry.ts";
import { builds, callKernel, numbers, placement, runOn, type Values } from "./wasm-calls.ts";

describe.each(builds)("kernels, relaxed $relaxed", (options) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await createWasmBackend(options);
  });

  describe.each(randomKinds.map((kind, index) => ({ kind, index })))("random $kind", ({ kind, index }) => {
    test.each([1, 2, 7, 8, 9, 1001])("%i numbers are the reference's, bit for bit", async (count) => {
      const bound = kind === "index" ? 3_000_000_019 : 0;
      const isInteger = kind === "index" || kind === "bits";
      const drawn = await callKernel(
        backend,
        "random",
        { count, kind: index, stream: 5, bound },
        { seed: Uint32Array.of(0x9e3779b9, 3), counter: Uint32Array.of(4_000_000_000) },
        { name: "out", length: count, dtype: isInteger ? "u32" : "f32" },
      );
      const bits = randomBits([0x9e3779b9, 3], 5, 4_000_000_000, count);
      expect([...drawn]).toEqual(Array.from(bits, (word) => randomNumber(kind, word, bound)));
    });
  });

  describe("reduce", () => {
    test.each([
      [1, 1, 1],
      [1, 100_003, 1],
      [7, 13, 1],
      [1, 1009, 2],
      [3, 5, 7],
      [2, 3, 1030],
      [1, 200, 513],
    ])("[%i, %i, %i]", async (outer, reduced, inner) => {
      const x = numbers(outer * reduced * inner, 10);
      for (const kind of [0, 1]) {
        const parameters = { outer, reduced, inner, kind, scale: 0.375 };
        const output = { name: "out", length: outer * inner };
        const y = await callKernel(backend, "reduce", parameters, { in: x }, output);
        const expected = new Float64Array(outer * inner);
        for (let o = 0; o < outer; o++) {
          for (let i = 0; i < inner; i++) {
            let total = kind ? -Infinity : 0;
            for (let r = 0; r < reduced; r++) {
              const value = x[(o * reduced + r) * inner + i]!;
              total = kind ? Math.max(total, value) : total + value;
            }
            expected[o * inner + i] = 0.375 * total;
          }
        }
        // Sums are carried in f64 and rounded once.
        y.forEach((value: number, i: number) => {
          expect(Math.abs(value - expected[i]!)).toBeLessThanOrEqual(1e-7 * Math.abs(expected[i]!) + 1e-12);
        });
      }
    });
  });

  describe("rows and copies", () => {
    test.each([1, 3, 16, 65])("gather, scatterAdd, replaceRow with rows of %i", async (width) => {
      const indices = Uint32Array.of(4, 0, 4, 2, 4);
      const table = numbers(6 * width, 11);
      const gathered = await callKernel(
        backend,
        "gather",
        { count: 5, width, rows: 6 },
        { table, indices },
        { name: "out", length: 5 * width },
      );
      expect([...gathered]).toEqual([...indices].flatMap((row) => [...table.slice(row * width, (row + 1) * width)]));

      const values = numbers(5 * width, 12);
      const sums = new Float32Array(6 * width);
      indices.forEach((row, m) => {
        for (let i = 0; i < width; i++) sums[row * width + i] = sums[row * width + i]! + values[m * width + i]!;
      });
      const scattered = await callKernel(
        backend,
        "scatterAdd",
        { count: 5, width, rows: 6 },
        { values, indices },
        { name: "out", length: 6 * width },
      );
      expect(scattered).toEqual(sums);

      const row = numbers(width, 13);
      const call = {
        kernel: "replaceRow",
        label: "",
        parameters: { rows: 6, width },
        bindings: {
          index: placement("index", 1),
          row: placement("row", width),
          table: placement("table", 6 * width),
        },
        flops: 0,
        bytes: 0,
      };
      const state = new Map<string, Values>([
        ["index", Uint32Array.of(15)], // 15 mod 6 = 3
        ["row", row],
        ["table", table],
      ]);
      const expected = table.slice();
      expected.set(row, 3 * width);
      expect((await runOn(backend, [call], state)).get("table")).toEqual(expected);
    });

    test.each([
      { name: "a transposition", sizes: [1, 2, 37, 21], source: [0, 777, 1, 37], target: [0, 777, 21, 1] },
      { name: "a broadcast", sizes: [2, 3, 4, 5], source: [4, 0, 1, 0], target: [60, 20, 5, 1] },
      { name: "columns into wider rows", sizes: [1, 1, 9, 12], source: [0, 0, 12, 1], target: [0, 0, 30, 1] },
      { name: "an axis order of four", sizes: [3, 4, 5, 6], source: [1, 3, 12, 60], target: [120, 30, 6, 1] },
    ])("copy: $name", async ({ sizes, source, target }) => {
      const x = Uint32Array.from({ length: 3000 }, (_, i) => i + 1);
      const fields = (prefix: string, values: readonly number[]) =>
        Object.fromEntries(values.map((value, axis) => [`${prefix}${axis}`, value]));
      const copied = await callKernel(
        backend,
        "copy",
        {
          ...fields("size", sizes),
          ...fields("sourceStride", source),
          ...fields("targetStride", target),
          sourceStart: 4,
          targetStart: 2,
        },
        { source: x },
        { name: "target", length: 2000, dtype: "u32" },
      );
      const expected = new Uint32Array(2000).fill(77);
      const [s0, s1, s2, s3] = sizes as [number, number, number, number];
      const at = (strides: readonly number[], ...i: number[]) =>
        i.reduce((sum, n, axis) => sum + n * strides[axis]!, 0);
      for (let i = 0; i < s0; i++) {
        for (let j = 0; j < s1; j++) {
          for (let k = 0; k < s2; k++) {
            for (let l = 0; l < s3; l++) expected[2 + at(target, i, j, k, l)] = x[4 + at(source, i, j, k, l)]!;
          }
        }
      }
      expect([...copied]).toEqual([...expected]);
    });
  });
});
