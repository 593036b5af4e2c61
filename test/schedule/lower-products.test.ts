import { expect, test } from "vitest";
import { isNodeOf, type Node, type Shape } from "../../src/graph/node.ts";
import { activation } from "../../src/ops/activation.ts";
import { add, multiply } from "../../src/ops/arithmetic.ts";
import { linear, linearOp } from "../../src/ops/linear.ts";
import { matmul } from "../../src/ops/matmul.ts";
import { broadcast, reshape } from "../../src/ops/shape.ts";
import { state } from "../../src/ops/sources.ts";
import { linearCall } from "../../src/schedule/calls.ts";
import { lowerProducts } from "../../src/schedule/lower-products.ts";
import { countOps, graphOf, largestDifference, nodesOf } from "./graphs.ts";

const named = (name: string, ...shape: Shape) => state({ name, shape, dtype: "f32" });
const [x, w, b, y] = [named("x", 3, 4), named("w", 4, 2), named("b", 2), named("y", 3, 2)];

function lowered(...outputs: Node[]) {
  const graph = graphOf(...outputs);
  const result = lowerProducts(graph);
  expect(largestDifference(graph, result)).toBeLessThan(1e-15);
  const calls = nodesOf(result).filter((node) => isNodeOf(node, linearCall.op));
  return { counts: countOps(result), calls: calls.map(({ attributes }) => attributes) };
}

const plain = { transposeLeft: false, transposeRight: false, biasRows: 0 };

test.each([
  ["a product", matmul(x, w), plain],
  [
    "a transposed product",
    matmul(w, x, { transposeLeft: true, transposeRight: true }),
    { transposeLeft: true, transposeRight: true, biasRows: 0 },
  ],
  ["a layer", linear(x, w, b), { ...plain, biasRows: 3 }],
  ["a layer with the bias on some rows", linearOp([x, w, b], { biasRows: 2 }), { ...plain, biasRows: 2 }],
  ["a layer with the bias on none", linearOp([x, w, b], { biasRows: 0 }), plain],
  ["an added row", add(matmul(x, w), broadcast(b, [3, 2])), { ...plain, biasRows: 3 }],
  ["an added row [1, columns]", add(broadcast(reshape(b, [1, 2]), [3, 2]), matmul(x, w)), { ...plain, biasRows: 3 }],
])("one call: %s", (_name, node, attributes) => {
  const { counts, calls } = lowered(node);
  expect(calls).toEqual([attributes]);
  for (const name of ["matmul", "linear", "add", "broadcast"]) expect(counts[name]).toBeUndefined();
});

test.each([
  ["a matrix", add(matmul(x, w), y)],
  ["what a chain computes", add(matmul(x, w), multiply(y, y))],
  ["a column", add(matmul(x, w), broadcast(named("column", 3, 1), [3, 2]))],
  ["another product", add(matmul(x, w), matmul(x, named("v", 4, 2)))],
])("%s that is added is no bias", (_name, node) => {
  const { counts, calls } = lowered(node);
  expect(counts["add"]).toBe(1);
  for (const call of calls) expect(call).toEqual(plain);
});

test("a second row is no bias", () => {
  const { counts, calls } = lowered(add(linear(x, w, b), broadcast(named("c", 2), [3, 2])));
  expect(counts["add"]).toBe(1);
  expect(calls).toEqual([{ ...plain, biasRows: 3 }]);
});

test("a row added to a product that something else reads is no bias", () => {
  const product = matmul(x, w);
  const { counts, calls } = lowered(add(product, broadcast(b, [3, 2])), product);
  expect(counts["add"]).toBe(1);
  expect(calls).toEqual([plain]);
});

test("activations stay: they follow the product as its epilogue", () => {
  const { counts, calls } = lowered(activation([linear(x, w, b)], { kind: "silu", order: 0 }));
  expect(counts["activation"]).toBe(1);
  expect(calls).toEqual([{ ...plain, biasRows: 3 }]);
});
