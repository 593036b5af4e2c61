import { expect, test } from "vitest";
import type { Node, Shape } from "../../src/graph/node.ts";
import { negate } from "../../src/ops/arithmetic.ts";
import { matmul } from "../../src/ops/matmul.ts";
import { concat, slice } from "../../src/ops/shape.ts";
import { state } from "../../src/ops/sources.ts";
import { nestJoints } from "../../src/schedule/nest-joints.ts";
import { countOps, graphOf, largestDifference } from "./graphs.ts";

const named = (name: string, ...shape: Shape) => state({ name, shape, dtype: "f32" });
const [a, b, c] = [named("a", 2, 3), named("b", 3, 3), named("c", 1, 3)];

function nested(...outputs: Node[]) {
  const graph = graphOf(...outputs);
  const result = nestJoints(graph);
  expect(largestDifference(graph, result)).toBe(0);
  return countOps(result);
}

test("parts that follow each other in a longer joint are rows of it", () => {
  expect(nested(concat([a, b, c], 0), concat([b, c], 0))).toMatchObject({ concat: 1, slice: 1 });
  expect(nested(negate(concat([a, b], 0)), concat([c, b], 0), concat([c, a, b], 0))).toMatchObject({
    concat: 2,
    slice: 1,
  });
});

test("a joint within a joint within a joint", () => {
  expect(nested(concat([a, b], 0), concat([a, b, c], 0), concat([c, a, b, c], 0))["concat"]).toBeLessThanOrEqual(2);
});

test("a longer joint that waits for the shorter one stays apart", () => {
  const short = concat([a, c], 0);
  const later = matmul(short, named("w", 3, 3));
  expect(nested(concat([a, c, later], 0))).toMatchObject({ concat: 2 });
});

test("parts in another order, and along another axis, stay", () => {
  expect(nested(concat([a, b, c], 0), concat([c, b], 0), concat([a, c], 0))["concat"]).toBe(3);
  const square = named("square", 3, 3);
  expect(nested(concat([b, square, b], 0), concat([b, square], 1), slice(b, 0, 0, 1))["concat"]).toBe(2);
});
