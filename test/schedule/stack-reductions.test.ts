import { expect, test } from "vitest";
import type { Node, Shape } from "../../src/graph/node.ts";
import { add, multiply, negate } from "../../src/ops/arithmetic.ts";
import { mean, sum } from "../../src/ops/reduce.ts";
import { state } from "../../src/ops/sources.ts";
import { lowerReductions } from "../../src/schedule/lower-reductions.ts";
import { stackReductions } from "../../src/schedule/stack-reductions.ts";
import { tidier } from "../../src/schedule/tidy.ts";
import { atOnce } from "../../src/turns.ts";
import { countOps, graphOf, largestDifference } from "./graphs.ts";

const named = (name: string, ...shape: Shape) => state({ name, shape, dtype: "f32" });
const [x, y, z] = [named("x", 6, 1), named("y", 6, 1), named("z", 5, 1)];

function stacked(...outputs: Node[]) {
  const graph = graphOf(...outputs);
  const tidy = tidier();
  const result = atOnce(tidy(stackReductions(atOnce(tidy(lowerReductions(graph))))));
  expect(largestDifference(graph, result)).toBeLessThan(1e-14);
  return countOps(result);
}

test("sums over equally many elements are one call, whatever they are scaled by", () => {
  const [a, b] = [multiply(x, y), negate(x)];
  expect(stacked(sum(a, [0, 1]), sum(b, [0, 1]))).toMatchObject({ reduceCall: 1, concat: 1 });
  expect(stacked(mean(a, [0]), multiply(sum(b, [0]), 3))).toMatchObject({ reduceCall: 1, multiply: 3 });
});

test("a sum that waits for another one stays apart", () => {
  const first = sum(multiply(x, y), [0, 1]);
  expect(stacked(first, sum(multiply(add(x, first), y), [0, 1]))["reduceCall"]).toBe(2);
});

test("what lies in memory already is not moved together", () => {
  expect(stacked(sum(x, [0]), sum(y, [0]))).toMatchObject({ reduceCall: 2 });
});

test("sums over other lengths stay apart, and so do sums of squares, which read what lies in memory", () => {
  expect(stacked(sum(negate(x), [0]), sum(negate(z), [0]))["reduceCall"]).toBe(2);
  const squares = stacked(sum(multiply(x, x), [0]), sum(negate(y), [0]));
  expect(squares).toMatchObject({ reduceCall: 2 });
  expect(squares["multiply"]).toBeUndefined();
});
