import { expect, test } from "vitest";
import { add, multiply, negate } from "../../src/ops/arithmetic.ts";
import { random } from "../../src/ops/random.ts";
import { slice } from "../../src/ops/shape.ts";
import { constant, state } from "../../src/ops/sources.ts";
import { mergeEqualNodes } from "../../src/schedule/merge-equal-nodes.ts";
import { countOps, graphOf, largestDifference, nodesOf, trainStep } from "./graphs.ts";

const x = () => state({ name: "x", shape: [4], dtype: "f32" });
const source = (counter: string) => ({
  seed: state({ name: "seed", shape: [2], dtype: "u32" }),
  counter: state({ name: counter, shape: [1], dtype: "u32" }),
});

test("equal trees become one, unequal attributes stay apart", () => {
  const graph = graphOf(
    multiply(negate(x()), negate(x())),
    add(slice(x(), 0, 0, 2), slice(x(), 0, 0, 2)),
    slice(x(), 0, 2, 4),
  );
  const merged = mergeEqualNodes(graph);
  expect(countOps(merged)).toEqual({ state: 1, negate: 1, multiply: 1, slice: 2, add: 1 });
  expect(largestDifference(graph, merged)).toBe(0);
});

test("random numbers of one stream and counter are drawn once, others each", () => {
  const draw = (stream: number, counter: string) => random("normal", [4], { ...source(counter), stream });
  const graph = graphOf(draw(1, "step"), draw(1, "step"), draw(2, "step"), draw(1, "chunk"));
  const merged = mergeEqualNodes(graph);
  expect(countOps(merged)).toEqual({ state: 3, random: 3 });
  expect(largestDifference(graph, merged)).toBe(0);
});

test("0 and -0, NaN and the infinities stay apart", () => {
  const values = [0, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const graph = graphOf(...values.map((value) => constant(value)), constant(Number.NaN));
  expect(countOps(mergeEqualNodes(graph))).toEqual({ constant: 5 });
});

test("of a training step nothing is left to merge", () => {
  const merged = mergeEqualNodes(trainStep());
  expect(mergeEqualNodes(merged)).toEqual(merged);
  expect(nodesOf(merged).length).toBeLessThan(nodesOf(trainStep()).length);
});
