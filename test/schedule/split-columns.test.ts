import { expect, test } from "vitest";
import type { Node, Shape } from "../../src/graph/node.ts";
import { activation } from "../../src/ops/activation.ts";
import { add, multiply, subtract } from "../../src/ops/arithmetic.ts";
import { matmul } from "../../src/ops/matmul.ts";
import { random } from "../../src/ops/random.ts";
import { max, mean, sum } from "../../src/ops/reduce.ts";
import { broadcast, concat, reshape, slice, transpose } from "../../src/ops/shape.ts";
import { state, table } from "../../src/ops/sources.ts";
import { splitColumns } from "../../src/schedule/split-columns.ts";
import { tidier } from "../../src/schedule/tidy.ts";
import { atOnce } from "../../src/turns.ts";
import { countOps, graphOf, largestDifference, nodesOf } from "./graphs.ts";

const named = (name: string, ...shape: Shape) => state({ name, shape, dtype: "f32" });
const [points, other, times] = [named("points", 8, 2), named("other", 8, 2), named("times", 8, 1)];
const seed = state({ name: "seed", shape: [2], dtype: "u32" });
const counter = state({ name: "counter", shape: [1], dtype: "u32" });

/** Checks that values stay; additions of a row come in order, so nothing is rounded otherwise. */
function split(...outputs: Node[]) {
  const graph = graphOf(...outputs);
  const result = atOnce(tidier()(splitColumns(graph)));
  expect(largestDifference(graph, result)).toBeLessThan(1e-15);
  return result;
}

/** Whether every elementwise node has as many elements as the matrices have rows. */
const isByColumn = (graph: ReturnType<typeof split>) =>
  nodesOf(graph).every(({ op, shape }) => !op.elementwise || shape.join() === "8,1" || shape.join() === "1,1");

const cases: [string, Node, Record<string, number>][] = [
  ["elementwise work", multiply(points, other), { multiply: 2, slice: 4, concat: 1 }],
  ["a column for every row element", multiply(points, times), { multiply: 2, slice: 2, concat: 1 }],
  ["a row for every row", multiply(points, table([2, 3], [1, 2])), { multiply: 2, concat: 1 }],
  ["the sum of a row", sum(multiply(points, other), [1]), { multiply: 2, add: 1 }],
  ["the sum of a row of what lies in memory", sum(points, [1]), { add: 1, slice: 2 }],
  ["the mean of all", mean(multiply(points, other), [0, 1]), { sum: 1, add: 1 }],
  ["a column of a result", slice(add(points, other), 1, 1, 2), { add: 1, slice: 2 }],
  [
    "columns beside columns",
    multiply(concat([points, times], 1), concat([times, other], 1)),
    { multiply: 3, concat: 1 },
  ],
  ["rows of a result", multiply(slice(concat([add(points, 1), times], 1), 0, 1, 7), 2), { multiply: 3, slice: 5 }],
  ["a result under another shape", multiply(reshape(add(points, other), [4, 2, 2]), 2), { multiply: 2, reshape: 2 }],
];

test.each(cases)("%s", (_name, node, expected) => {
  const counts = countOps(split(node));
  expect(counts).toMatchObject(expected);
});

test("points, residuals and times are all columns of one length", () => {
  const difference = subtract(points, multiply(other, times));
  const residual = subtract(sum(multiply(difference, other), [1]), times);
  const result = split(concat([difference, residual], 1), mean(multiply(residual, residual), [0, 1]));
  expect(isByColumn(result)).toBe(true);
  expect(countOps(result)).toMatchObject({ sum: 1, concat: 1 });
});

test("random numbers are drawn by column, the same ones", () => {
  const noise = random("normal", [8, 2], { seed, counter, stream: 3 });
  const times = random("uniform", [8, 1], { seed, counter, stream: 4 });
  const result = split(multiply(noise, times), random("index", [8], { seed, counter, stream: 5, bound: 7 }));
  expect(countOps(result)).toMatchObject({ draw: 4, multiply: 2 });
  expect(countOps(result)["random"]).toBeUndefined();
  const draws = nodesOf(result).filter(({ op }) => op.name === "draw");
  expect(draws.map(({ attributes }) => attributes)).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ stream: 3, stride: 2, offset: 0 }),
      expect.objectContaining({ stream: 3, stride: 2, offset: 1 }),
      expect.objectContaining({ stream: 4, stride: 1, offset: 0 }),
      expect.objectContaining({ stream: 5, stride: 1, offset: 0, bound: 7 }),
    ]),
  );
});

test("what is read as a matrix is put together again, once", () => {
  const moved = add(points, other);
  const result = split(matmul(moved, named("w", 2, 3)), matmul(transpose(moved, [1, 0]), times), sum(moved, [0]));
  expect(countOps(result)).toMatchObject({ concat: 1, add: 2 });
  expect(isByColumn(result)).toBe(true);
});

test.each([
  ["wide matrices", add(named("wide", 8, 5), named("wide2", 8, 5))],
  ["matrices of few rows", add(named("flat", 3, 2), named("flat2", 3, 2))],
  ["vectors", activation([named("vector", 4)], { kind: "silu", order: 0 })],
  ["sums over rows", sum(points, [0])],
  ["maxima", max(points, [1])],
  ["broadcasts to wide matrices", broadcast(times, [8, 6])],
])("%s stay", (_name, node) => {
  const graph = graphOf(node);
  expect(splitColumns(graph)).toEqual(graph);
});
