import { expect, test } from "vitest";
import { jvpProbes } from "../../src/autodiff/jvp.ts";
import { isNodeOf, type Node, type Shape } from "../../src/graph/node.ts";
import { activation } from "../../src/ops/activation.ts";
import { add, multiply } from "../../src/ops/arithmetic.ts";
import { linear, linearOp } from "../../src/ops/linear.ts";
import { matmul } from "../../src/ops/matmul.ts";
import { concat } from "../../src/ops/shape.ts";
import { state } from "../../src/ops/sources.ts";
import { mergeEqualNodes } from "../../src/schedule/merge-equal-nodes.ts";
import { simplify } from "../../src/schedule/simplify.ts";
import { stackMatmuls } from "../../src/schedule/stack-matmuls.ts";
import { countOps, graphOf, largestDifference, nodesOf } from "./graphs.ts";

const named = (name: string, ...shape: Shape) => state({ name, shape, dtype: "f32" });
const [x, z, w, b] = [named("x", 3, 4), named("z", 3, 4), named("w", 4, 4), named("b", 4)];

/** Checks that values stay, bit for bit: rows are summed in the same order. */
function stacked(...outputs: Node[]) {
  const graph = graphOf(...outputs);
  const result = simplify(stackMatmuls(graph, 0));
  expect(largestDifference(graph, result)).toBe(0);
  return result;
}

test("tangents go under their primal, which alone gets the bias", () => {
  const y = linear(x, w, b);
  const tangents = jvpProbes([y], [x], [[z], [multiply(z, 2)]]).map(([tangent]) => tangent as Node);
  const result = stacked(...tangents, y); // the primal comes last, yet goes first
  const calls = nodesOf(result).filter((node) => isNodeOf(node, linearOp.op));
  expect(calls.map(({ shape, attributes }) => ({ shape, attributes }))).toEqual([
    { shape: [9, 4], attributes: { biasRows: 3 } },
  ]);
  expect(calls[0]?.inputs[0]?.inputs[0]).toMatchObject({ attributes: { name: "x" } });
  expect(countOps(result)["matmul"]).toBeUndefined();
});

test("products by a transposed operand are stacked too, apart from those by the plain one", () => {
  const result = stacked(
    matmul(x, w, { transposeRight: true }),
    matmul(z, w, { transposeRight: true }),
    matmul(x, w),
    matmul(z, w),
  );
  expect(countOps(result)["matmul"]).toBe(2);
});

test("of two layers that differ in their bias each keeps its own call", () => {
  const result = stacked(linear(x, w, b), linear(z, w, named("c", 4)), matmul(z, w));
  expect(countOps(result)).toMatchObject({ linear: 2 });
  expect(countOps(result)["matmul"]).toBeUndefined();
});

test("what needs another product is not stacked with it, directly or through others", () => {
  expect(countOps(stacked(matmul(matmul(x, w), w)))["matmul"]).toBe(2);
  expect(countOps(stacked(matmul(add(matmul(x, w), z), w)))["matmul"]).toBe(2);
});

test("two stacks that would wait for each other are not both made", () => {
  const v = named("v", 4, 4);
  const [first, second] = [matmul(x, w), matmul(z, v)];
  const result = stacked(matmul(first, v), matmul(second, w)); // either pair alone could be stacked
  expect(countOps(result)["matmul"]).toBe(3);
});

test("products with the left operand transposed stay", () => {
  expect(
    countOps(stacked(matmul(x, z, { transposeLeft: true }), matmul(w, z, { transposeRight: true }))),
  ).toMatchObject({ matmul: 2 });
});

test("rows that a joint holds already are read there", () => {
  const joint = concat([multiply(z, 2), multiply(x, 3)], 0);
  const [second, first] = joint.inputs as [Node, Node];
  const result = mergeEqualNodes(stacked(joint, matmul(first, w), matmul(second, w)));
  expect(countOps(result)["concat"]).toBe(1);
});

test("what one epilogue cannot follow becomes several stacks, each of products that meet", () => {
  const [head, tail, wide] = [named("head", 3, 4), named("tail", 3, 4), named("wide", 4, 7)];
  const layer = (node: Node) => activation([node], { kind: "tanh", order: 0 });
  const a = linear(head, wide, named("b7", 7));
  const outputs = [
    layer(linear(tail, wide, named("b7", 7))),
    layer(a),
    multiply(matmul(z, wide), activation([a], { kind: "tanh", order: 1 })),
  ];
  const rowsWithin = (maxGroups: number) => {
    const result = simplify(stackMatmuls(mergeEqualNodes(graphOf(...outputs)), maxGroups));
    expect(largestDifference(graphOf(...outputs), result)).toBe(0);
    return nodesOf(result).flatMap((node) => (isNodeOf(node, linearOp.op) ? [node.shape[0]] : []));
  };
  expect(rowsWithin(0)).toEqual([9]);
  expect(rowsWithin(3)).toEqual([9]);
  expect(rowsWithin(2)).toEqual([3, 6]); // the tail alone, the head with its tangent
});
