import { expect, test } from "vitest";
import { isNodeOf, type Node, type Shape } from "../../src/graph/node.ts";
import { add, multiply, square, subtract } from "../../src/ops/arithmetic.ts";
import { matmul } from "../../src/ops/matmul.ts";
import { mean, sum } from "../../src/ops/reduce.ts";
import { gather } from "../../src/ops/rows.ts";
import { broadcast, concat, reshape, slice } from "../../src/ops/shape.ts";
import { constant, state } from "../../src/ops/sources.ts";
import { drawOp, isStep } from "../../src/schedule/calls.ts";
import { splitRows } from "../../src/schedule/split-rows.ts";
import { tidier } from "../../src/schedule/tidy.ts";
import { atOnce } from "../../src/turns.ts";
import { countOps, graphOf, largestDifference, nodesOf } from "./graphs.ts";

const named = (name: string, ...shape: Shape) => state({ name, shape, dtype: "f32" });
const [x, y, wide] = [named("x", 8, 1), named("y", 8, 1), named("wide", 8, 3)];
const [head, tail] = [named("head", 4, 1), named("tail", 4, 1)];
const seed = state({ name: "seed", shape: [2], dtype: "u32" });
const counter = state({ name: "counter", shape: [1], dtype: "u32" });
const firstHalf = (node: Node) => slice(node, 0, 0, 4);

/** Checks that values stay, up to the order in which f64 adds up 8 rows. */
function split(...outputs: Node[]) {
  const graph = graphOf(...outputs);
  const result = atOnce(tidier()(splitRows(graph)));
  expect(largestDifference(graph, result)).toBeLessThan(1e-15);
  return result;
}

const rowsOfSteps = (graph: ReturnType<typeof split>) => [
  ...new Set(nodesOf(graph).flatMap((node) => (isStep(node) ? [node.shape[0]] : []))),
];

const moved = add(x, y);
const spread = broadcast(moved, [8, 3]);
const cases: [string, Node, Record<string, number>][] = [
  ["elementwise work on all rows", multiply(moved, x), { add: 2, multiply: 3 }],
  ["a number for every row", multiply(moved, constant(3, [8, 1])), { add: 2, multiply: 3 }],
  ["a row for every row", multiply(spread, broadcast(named("row", 1, 3), [8, 3])), { add: 2, multiply: 3 }],
  ["a column for every column", multiply(wide, broadcast(moved, [8, 3])), { add: 2, multiply: 3 }],
  ["results of two products, one after another", subtract(concat([head, tail], 0), moved), { subtract: 2, add: 2 }],
  ["the mean of squares of all rows", mean(square(moved), [0, 1]), { sum: 1, add: 3 }],
  ["a sum of each row", sum(multiply(spread, wide), [1]), { add: 2, multiply: 3 }],
  ["columns side by side, and one of them", slice(concat([moved, x], 1), 1, 0, 1), { add: 2 }],
  ["rows under another shape", multiply(reshape(moved, [8]), 2), { add: 2, multiply: 3 }],
];

// Beside each stands what makes it worth splitting: a square of the first half of the rows of a step.
test.each(cases)("%s: runs of half the rows", (_name, node, expected) => {
  const result = split(node, square(firstHalf(moved)));
  expect(rowsOfSteps(result)).toContain(4);
  expect(rowsOfSteps(result)).not.toContain(8);
  expect(countOps(result)).toMatchObject(expected);
});

test("random numbers are drawn by run, the same ones", () => {
  const drawn = drawOp([seed, counter], { kind: "normal", shape: [8, 1], stream: 3, bound: 0, stride: 2, offset: 1 });
  const result = split(multiply(drawn, x), multiply(slice(drawn, 0, 6, 8), 2));
  const draws = nodesOf(result).filter((node) => isNodeOf(node, drawOp.op));
  expect(draws.map(({ attributes, shape }) => [attributes.stride, attributes.offset, shape[0]])).toEqual([
    [2, 1, 2],
    [2, 5, 2],
    [2, 9, 2],
    [2, 13, 2],
  ]);
});

test("what is read as one matrix is put together again, and summed as one", () => {
  const rows = concat([square(firstHalf(moved)), slice(moved, 0, 4, 8)], 0);
  const result = split(matmul(rows, named("w", 1, 3)), sum(rows, [0]));
  expect(countOps(result)).toMatchObject({ concat: 1, sum: 1, add: 2 });
});

test("other rows stay, of which there happen to be as many", () => {
  const [weights, biases] = [named("weights", 8, 3), named("biases", 8, 3)];
  const result = split(square(firstHalf(moved)), multiply(weights, biases), square(moved));
  expect(countOps(result)).toMatchObject({ add: 2, multiply: 3 });
  expect(rowsOfSteps(result).sort()).toEqual([4, 8]);
});

test("rows that indices choose and products make belong to those that they are made from", () => {
  const index = drawOp([seed, counter], { kind: "index", shape: [8], stream: 3, bound: 5, stride: 1, offset: 0 });
  const made = matmul(gather(named("table", 5, 3), index), named("w", 3, 1));
  const result = split(square(firstHalf(add(made, x))));
  expect(rowsOfSteps(result)).toEqual([4]);
});

test.each([
  ["no rows of a step are read apart", square(firstHalf(x))],
  ["a run would be a single row", square(slice(moved, 0, 1, 4))],
])("rows stay where %s", (_name, node) => {
  const graph = graphOf(multiply(moved, 3), node);
  expect(splitRows(graph)).toEqual(graph);
});
