import { expect, test } from "vitest";
import { isNodeOf, type Node } from "../../src/graph/node.ts";
import { multiply, negate } from "../../src/ops/arithmetic.ts";
import { max, mean, meanAll, sum, sumAll } from "../../src/ops/reduce.ts";
import { state } from "../../src/ops/sources.ts";
import { reduceCall } from "../../src/schedule/calls.ts";
import { lowerReductions } from "../../src/schedule/lower-reductions.ts";
import { countOps, graphOf, largestDifference, nodesOf } from "./graphs.ts";

const x = state({ name: "x", shape: [2, 3, 1, 4, 5], dtype: "f32" });
const axesAndCalls: [number[], number][] = [
  [[0], 1],
  [[1], 1],
  [[4], 1],
  [[0, 1], 1],
  [[1, 2], 1],
  [[1, 3], 1], // the axis between has size 1
  [[3, 4], 1],
  [[0, 3], 2],
  [[1, 4], 2],
  [[0, 2, 4], 2],
  [[0, 1, 3, 4], 1],
  [[0, 1, 2, 3, 4], 1],
  [[2], 0],
];

test.each(axesAndCalls)("sum, max and mean over axes %j take %i calls", (axes, calls) => {
  for (const reduce of [sum, max, mean]) {
    const graph = graphOf(reduce(x, axes));
    const lowered = lowerReductions(graph);
    expect(largestDifference(graph, lowered)).toBeLessThan(1e-14);
    expect(countOps(lowered)["reduceCall"] ?? 0).toBe(calls);
    for (const name of ["sum", "max", "multiply"]) expect(countOps(lowered)[name]).toBeUndefined();
  }
});

test("a factor goes into the call when nothing else reads the sum, through a reshape as well", () => {
  const folded = lowerReductions(graphOf(multiply(3, meanAll(x)), multiply(max(x, [0]), -2)));
  expect(countOps(folded)).toMatchObject({ reduceCall: 2 });
  expect(countOps(folded)["multiply"]).toBeUndefined();
  expect(largestDifference(graphOf(multiply(3, meanAll(x)), multiply(max(x, [0]), -2)), folded)).toBeLessThan(1e-14);

  const total = sumAll(x);
  const read = graphOf(multiply(total, 2), total);
  expect(countOps(lowerReductions(read))).toMatchObject({ reduceCall: 1, multiply: 1 });
  expect(largestDifference(read, lowerReductions(read))).toBeLessThan(1e-14);
});

test("a sum of squares of what lies in memory is one call; of what a chain computes, the chain squares", () => {
  const square = (node: Node) => multiply(node, node);
  const kindsOf = (node: Node) => {
    const graph = graphOf(node);
    const lowered = lowerReductions(graph);
    expect(largestDifference(graph, lowered)).toBeLessThan(1e-14);
    return nodesOf(lowered).flatMap((call) => (isNodeOf(call, reduceCall.op) ? call.attributes.kind : []));
  };
  expect(kindsOf(sumAll(square(x)))).toEqual(["sumOfSquares"]);
  expect(kindsOf(sum(square(x), [0, 3]))).toEqual(["sumOfSquares", "sum"]); // what is added up further are sums
  expect(kindsOf(sumAll(square(negate(x))))).toEqual(["sum"]);
  expect(kindsOf(sumAll(multiply(x, negate(x))))).toEqual(["sum"]);
});
