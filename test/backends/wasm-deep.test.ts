// Gradients of weights over many rows, which nothing is packed for: which products they are, values, and the same bits on threads.
import { describe, expect, test } from "vitest";
import { createWasmBackend } from "../../src/backends/wasm/backend.ts";
import { withDeepProducts } from "../../src/backends/wasm/deep-products.ts";
import type { KernelCall } from "../../src/schedule/program.ts";
import { builds, callKernel, numbers, programOf } from "./wasm-calls.ts";
import { relativeError } from "./wasm-convolutions.ts";

const deep = { rows: 12, columns: 24, depth: 2048, transposeLeft: 1, transposeRight: 0, biasRows: 0 };

function formOf(parameters: Readonly<Record<string, number>>): KernelCall {
  const call = { kernel: "linear", label: "product", parameters, bindings: {}, flops: 0, bytes: 0 };
  return withDeepProducts(programOf([call], new Map())).calls[0] as KernelCall;
}

test.each<[string, Readonly<Record<string, number>>]>([
  ["fewer rows", { ...deep, depth: 2047 }],
  ["fewer for a column", { ...deep, columns: 72 }],
  ["10 rows", { ...deep, rows: 10 }],
  ["20 columns", { ...deep, columns: 20 }],
  ["left as it is", { ...deep, transposeLeft: 0 }],
  ["right transposed", { ...deep, transposeRight: 1 }],
  ["a bias", { ...deep, biasRows: 12 }],
])("a product with %s stays", (_, parameters) => {
  expect(formOf(parameters).kernel).toBe("linear");
});

describe.each(builds)("relaxed $relaxed", (options) => {
  test.each([
    { ...deep },
    { ...deep, rows: 64, columns: 8, depth: 2051 },
    { ...deep, rows: 36, columns: 40, depth: 3000, sumsDepth: 0 },
  ])("$rows x $columns of $depth rows: f64's, the same on three threads", async (given) => {
    const { kernel, parameters } = formOf(given);
    expect(kernel).toBe("convolve");
    const { rows, columns, depth } = given;
    const inputs = { left: numbers(depth * rows, 1), right: numbers(depth * columns, 2) };
    const product = new Float64Array(rows * columns);
    for (let k = 0; k < depth; k++) {
      for (let i = 0; i < product.length; i++) {
        const [row, column] = [Math.floor(i / columns), i % columns];
        product[i]! += inputs.left[k * rows + row]! * inputs.right[k * columns + column]!;
      }
    }
    const found = [];
    for (const threads of [1, 3]) {
      const backend = await createWasmBackend({ ...options, threads });
      found.push(await callKernel(backend, kernel, parameters, inputs, { name: "out", length: rows * columns }));
      backend.dispose();
    }
    expect(relativeError(found[0]!, product)).toBeLessThan(2e-6);
    expect(found[1]).toEqual(found[0]);
  });
});
