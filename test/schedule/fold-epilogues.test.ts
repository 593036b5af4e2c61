import { expect, test } from "vitest";
import { isNodeOf, type Node, type Shape } from "../../src/graph/node.ts";
import { activation } from "../../src/ops/activation.ts";
import { add, multiply, negate } from "../../src/ops/arithmetic.ts";
import { linear, linearOp } from "../../src/ops/linear.ts";
import { matmul } from "../../src/ops/matmul.ts";
import { broadcast, reshape } from "../../src/ops/shape.ts";
import { state } from "../../src/ops/sources.ts";
import { linearCall } from "../../src/schedule/calls.ts";
import { foldEpilogues } from "../../src/schedule/fold-epilogues.ts";
import { countOps, graphOf, largestDifference, nodesOf } from "./graphs.ts";

const named = (name: string, ...shape: Shape) => state({ name, shape, dtype: "f32" });
const [x, w, b, y] = [named("x", 3, 4), named("w", 4, 2), named("b", 2), named("y", 3, 2)];
const silu = (node: Node, order = 0) => activation([node], { kind: "silu", order });

function folded(...outputs: Node[]) {
  const graph = graphOf(...outputs);
  const result = foldEpilogues(graph);
  expect(largestDifference(graph, result)).toBeLessThan(1e-15);
  const calls = nodesOf(result).filter((node) => isNodeOf(node, linearCall.op));
  return { counts: countOps(result), epilogues: calls.map(({ attributes }) => attributes) };
}

test.each([
  ["a product", matmul(x, w), { biasRows: 0, hasAddend: false, activation: undefined }],
  ["a transposed product", matmul(w, x, { transposeLeft: true, transposeRight: true }), { transposeLeft: true }],
  ["a layer", linear(x, w, b), { biasRows: 3 }],
  ["a layer with the bias on some rows", linearOp([x, w, b], { biasRows: 2 }), { biasRows: 2 }],
  ["a layer with the bias on none", linearOp([x, w, b], { biasRows: 0 }), { biasRows: 0 }],
  ["a layer and its activation", silu(linear(x, w, b)), { biasRows: 3, activation: "silu" }],
  ["an added row", add(matmul(x, w), broadcast(b, [3, 2])), { biasRows: 3, hasAddend: false }],
  ["an added row [1, columns]", add(broadcast(reshape(b, [1, 2]), [3, 2]), matmul(x, w)), { biasRows: 3 }],
  ["an added matrix", add(y, matmul(x, w)), { biasRows: 0, hasAddend: true }],
  ["all three", silu(add(add(matmul(x, w), y), b)), { biasRows: 3, hasAddend: true, activation: "silu" }],
])("one call: %s", (_name, node, epilogue) => {
  const { counts, epilogues } = folded(node);
  expect(epilogues).toEqual([expect.objectContaining(epilogue)]);
  for (const name of ["matmul", "linear", "add", "activation", "broadcast"]) expect(counts[name]).toBeUndefined();
});

test("a sum of two products is two calls, one added to the other", () => {
  expect(folded(add(matmul(x, w), matmul(negate(x), w))).counts).toEqual({ state: 2, negate: 1, linearCall: 2 });
});

test("an activation stays outside when its derivative reads the product too", () => {
  const a = linear(x, w, b);
  const { counts, epilogues } = folded(silu(a), silu(a, 1));
  expect(counts["activation"]).toBe(2);
  expect(epilogues).toEqual([expect.objectContaining({ activation: undefined })]);
});

test("derivatives of activations stay outside: the kernel has none", () => {
  expect(folded(silu(matmul(x, w), 1)).counts["activation"]).toBe(1);
});

test("what comes after the activation stays outside", () => {
  const { counts, epilogues } = folded(add(silu(matmul(x, w)), y));
  expect(counts["add"]).toBe(1);
  expect(epilogues).toEqual([expect.objectContaining({ activation: "silu", hasAddend: false })]);
});

test("what a chain computes is added in the chain", () => {
  expect(folded(add(matmul(x, w), multiply(y, y))).counts).toMatchObject({ linearCall: 1, multiply: 1, add: 1 });
  expect(folded(add(matmul(x, w), broadcast(named("column", 3, 1), [3, 2]))).counts).toMatchObject({ add: 1 });
});

test("a second row and a second matrix are not folded", () => {
  const twice = folded(add(add(linear(x, w, b), broadcast(named("c", 2), [3, 2])), add(y, y)));
  expect(twice.counts["add"]).toBe(3);
  const matrices = folded(add(add(matmul(x, w), y), named("other", 3, 2)));
  expect(matrices.counts["add"]).toBe(1);
  expect(matrices.epilogues).toEqual([expect.objectContaining({ hasAddend: true })]);
});
