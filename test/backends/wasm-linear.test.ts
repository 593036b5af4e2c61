// linear on WASM against f64: every transposition, with the bias on no, some and all rows, on sizes that are 1, primes,
// multiples of the tiles, and beyond one block in each direction (rows 128, columns 512, depth 256).
import { beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { createWasmBackend } from "../../src/backends/wasm/backend.ts";
import { builds, callKernel, numbers } from "./wasm-calls.ts";

// Sums of up to 600 products of size 1 in f32, 256 at a time: rounding is about sqrt(600) 2^-24 = 1.5e-6 relative to
// the largest result. 5e-6 leaves room; the promise is 2e-5.
const tolerance = 5e-6;

const sizes = [
  [1, 1, 1],
  [1, 7, 3],
  [5, 1, 9],
  [3, 2, 1],
  [4, 8, 4],
  [13, 17, 19],
  [64, 64, 64],
  [65, 31, 67],
  [131, 10, 257],
  [9, 521, 5],
  [40, 256, 8],
  [130, 515, 300],
  [2, 3, 600],
] as const;
const transpositions = [0, 1].flatMap((left) => [0, 1].map((right) => ({ left, right })));

interface Case {
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  readonly transposeLeft: number;
  readonly transposeRight: number;
  readonly biasRows: number;
}

describe.each(builds)("linear, relaxed $relaxed", (options) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await createWasmBackend(options);
  });

  describe.each(sizes)("%i x %i, depth %i", (rows, columns, depth) => {
    test.each(transpositions)("transposed: left $left, right $right", async ({ left, right }) => {
      const plain = { rows, columns, depth, transposeLeft: left, transposeRight: right };
      for (const biasRows of [0, Math.ceil(rows / 2), rows]) await agrees(backend, { ...plain, biasRows });
    });
  });

  test("a row's result does not depend on the rows around it, bit for bit", async () => {
    const [columns, depth] = [37, 300];
    const left = numbers(150 * depth, 1);
    const right = numbers(depth * columns, 2);
    const product = (rows: number, part: Float32Array) =>
      callKernel(
        backend,
        "linear",
        { rows, columns, depth, transposeLeft: 0, transposeRight: 0, biasRows: 0 },
        { left: part, right },
        { name: "out", length: rows * columns },
      );
    const all = await product(150, left);
    const some = await product(9, left.slice(141 * depth));
    expect(all.slice(141 * columns)).toEqual(some);
  });
});

async function agrees(backend: Backend, parameters: Case): Promise<void> {
  const { rows, columns, depth, biasRows } = parameters;
  const left = numbers(rows * depth, 1);
  const right = numbers(depth * columns, 2);
  const bias = numbers(columns, 3);
  const out = await callKernel(
    backend,
    "linear",
    { ...parameters },
    { left, right, ...(biasRows > 0 && { bias }) },
    { name: "out", length: rows * columns },
  );
  const expected = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      let sum = i < biasRows ? bias[j]! : 0;
      for (let k = 0; k < depth; k++) {
        const a = left[parameters.transposeLeft ? k * rows + i : i * depth + k]!;
        sum += a * right[parameters.transposeRight ? j * depth + k : k * columns + j]!;
      }
      expected[i * columns + j] = sum;
    }
  }
  const scale = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const worst = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - out[i]!) / scale), 0);
  expect(out.every(Number.isFinite)).toBe(true);
  expect(worst).toBeLessThan(tolerance);
}
