/** Products of many pairs: one call each, which reads and writes parts of wider matrices where they lie. */
import { describe, expect, test } from "vitest";
import { gradient } from "../../src/autodiff/vjp.ts";
import type { Node, Shape } from "../../src/graph/node.ts";
import { multiply, square } from "../../src/ops/arithmetic.ts";
import { selfAttention } from "../../src/ops/attention.ts";
import { matmulEach } from "../../src/ops/matmul-each.ts";
import { sumAll } from "../../src/ops/reduce.ts";
import { reshape, slice, transpose } from "../../src/ops/shape.ts";
import { state } from "../../src/ops/sources.ts";
import { compile } from "../../src/schedule/compile.ts";
import { reshapedStrides } from "../../src/schedule/copies.ts";
import { lowerCalls } from "../../src/schedule/lower-calls.ts";
import { drawState, graphOf, largestDifference, nodesOf } from "./graphs.ts";
import { limitsByName } from "./limits.ts";
import { programError } from "./program-error.ts";

const named = (name: string, ...shape: Shape) => state({ name, shape, dtype: "f32" });
const [a, b] = [named("a", 2, 3, 4, 5), named("b", 2, 3, 5, 6)];
const product = matmulEach(a, b);

function callsOf(...outputs: Node[]) {
  const graph = graphOf(...outputs);
  const lowered = lowerCalls(graph);
  expect(largestDifference(graph, lowered)).toBeLessThan(1e-14);
  return nodesOf(lowered).flatMap((node) => (node.op.name === "matmulEachCall" ? [node.attributes] : []));
}

describe("a call has what alone reads its product", () => {
  const asItIs = [0, 1, 2, 3];
  test.each([
    ["nothing", [product], { scale: 1, permutation: asItIs }],
    ["a factor", [multiply(multiply(product, 2), 0.25)], { scale: 0.5, permutation: asItIs }],
    ["axes in another order", [transpose(product, [0, 2, 1, 3])], { scale: 1, permutation: [0, 2, 1, 3] }],
    [
      "both",
      [transpose(multiply(transpose(product, [2, 0, 1, 3]), 3), [1, 0, 2, 3])],
      { scale: 3, permutation: [0, 2, 1, 3] },
    ],
    ["matrices transposed", [transpose(product, [0, 1, 3, 2])], { scale: 1, permutation: asItIs }],
    ["rows last", [transpose(product, [3, 0, 1, 2])], { scale: 1, permutation: [2, 0, 1, 3] }],
    ["but not another axis last", [transpose(product, [3, 2, 1, 0])], { scale: 1, permutation: asItIs }],
    ["nor what others read", [multiply(product, 2), product], { scale: 1, permutation: asItIs }],
  ] as const)("%s", (_name, outputs, attributes) => {
    expect(callsOf(...outputs)).toEqual([attributes]);
  });
});

describe.each(Object.entries(limitsByName))("limits of %s", (_name, given) => {
  const limits = { ...given, optionalKernels: [] };
  const kernelsOf = (outputs: readonly Node[]) => {
    const graph = graphOf(...outputs);
    expect(programError(graph, drawState(graph), limits)).toBeLessThan(2e-5);
    const counts: Record<string, number> = {};
    for (const { kernel } of compile(graph, limits).calls) counts[kernel] = (counts[kernel] ?? 0) + 1;
    return counts;
  };

  test("heads of attention are read from one matrix and written to one, and so are their cotangents", () => {
    const joined = named("joined", 2, 7, 3 * 12);
    const result = selfAttention(joined, 3);
    expect(kernelsOf([result])).toMatchObject({ matmulEach: 2, reduce: 2 });
    expect(kernelsOf([result])).not.toHaveProperty("copy");
    const both = kernelsOf([result, ...gradient(sumAll(square(result)), [joined])]);
    expect(both["matmulEach"]).toBe(2 + 4);
    expect(both).not.toHaveProperty("copy");
  });

  test("operands that no strides give are copied first", () => {
    const x = named("x", 4, 6, 5);
    const odd = reshape(slice(x, 1, 1, 5), [2, 8, 5]); // rows of both come from two ranges
    expect(kernelsOf([matmulEach(odd, named("y", 2, 5, 3))])).toEqual({ copy: 1, matmulEach: 1 });
    const every = reshape(slice(reshape(x, [4, 3, 2, 5]), 2, 0, 1), [4, 3, 5]);
    expect(kernelsOf([matmulEach(every, named("y", 4, 5, 3))])).toEqual({ matmulEach: 1 });
    const scattered = reshape(slice(reshape(x, [4, 6, 5, 1]), 2, 0, 4), [4, 6, 2, 2]);
    const neither = reshape(slice(scattered, 3, 0, 1), [4, 6, 2]); // 5 from row to row, 2 from column to column
    expect(kernelsOf([matmulEach(neither, named("y", 4, 2, 3))])).toMatchObject({ copy: 1, matmulEach: 1 });
  });
});

test.each<[string, Shape, number[], Shape, number[] | undefined]>([
  ["an axis in two", [6, 4], [8, 1], [2, 3, 4], [24, 8, 1]],
  ["two axes in one, where they follow each other", [2, 3, 4], [24, 8, 1], [6, 4], [8, 1]],
  ["not where they do not", [2, 3, 4], [50, 8, 1], [6, 4], undefined],
  ["axes of size 1 come and go", [2, 1, 3], [7, 1, 2], [1, 2, 3, 1], [14, 7, 2, 6]],
  ["repeated elements", [2, 3], [0, 0], [6], [0]],
  ["ends that lie across", [2, 6], [10, 1], [4, 3], undefined],
])("strides of %s", (_name, from, strides, to, expected) => {
  const found = reshapedStrides(from, strides, to);
  const kept = (values: readonly number[] | undefined) => values?.filter((_, axis) => to[axis] !== 1);
  expect(kept(found)).toEqual(kept(expected));
});
