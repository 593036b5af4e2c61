import { expect, test } from "vitest";
import type { Node } from "../../src/graph/node.ts";
import { activation } from "../../src/ops/activation.ts";
import { add, divide, multiply, negate, select, subtract } from "../../src/ops/arithmetic.ts";
import { stopGradient } from "../../src/ops/control.ts";
import { linearOp } from "../../src/ops/linear.ts";
import { matmul } from "../../src/ops/matmul.ts";
import { max, sum } from "../../src/ops/reduce.ts";
import { broadcast, concat, pad, reshape, slice, transpose } from "../../src/ops/shape.ts";
import { constant, constantOp, state } from "../../src/ops/sources.ts";
import { simplify } from "../../src/schedule/simplify.ts";
import { countOps, graphOf, largestDifference } from "./graphs.ts";

const x = state({ name: "x", shape: [4, 6], dtype: "f32" });
const y = state({ name: "y", shape: [4, 6], dtype: "f32" });
const bits = state({ name: "bits", shape: [4], dtype: "u32" });
const row = state({ name: "row", shape: [6], dtype: "f32" });
/** Numbers that the wrappers, which fold constants themselves, cannot see through: as they appear after other passes. */
const hidden = (value: number, like: Node): Node =>
  stopGradient(constantOp([], { value, shape: like.shape, dtype: "f32" }));
const swapped = (node: Node) => transpose(node, [1, 0]);

const cases: [string, Node, Record<string, number>][] = [
  ["x + 0", add(x, hidden(0, x)), { state: 1 }],
  ["0 + x", add(hidden(0, x), x), { state: 1 }],
  ["x - 0", subtract(x, hidden(0, x)), { state: 1 }],
  ["x * 1", multiply(x, hidden(1, x)), { state: 1 }],
  ["x * -1", multiply(hidden(-1, x), x), { state: 1, negate: 1 }],
  ["x / 1", divide(x, hidden(1, x)), { state: 1 }],
  ["--x", negate(negate(x)), { state: 1 }],
  ["x * 0, where NaN and infinity stay", multiply(x, hidden(0, x)), { state: 1, constant: 1, multiply: 1 }],
  ["constants", activation([add(hidden(2, x), hidden(3, x))], { kind: "silu", order: 1 }), { constant: 1 }],
  ["select of equals", select(x, y, y), { state: 1 }],
  ["select by a constant", select(hidden(0, x), x, y), { state: 1 }],
  ["reshape of reshape", stopGradient(reshape(stopGradient(reshape(x, [24])), [2, 12])), { state: 1, reshape: 1 }],
  ["reshape back", reshape(stopGradient(reshape(x, [24])), [4, 6]), { state: 1 }],
  ["broadcast of broadcast", broadcast(broadcast(row, [4, 6]), [2, 4, 6]), { state: 1, broadcast: 1 }],
  ["broadcast along axes of size 1", broadcast(row, [1, 6]), { state: 1, reshape: 1 }],
  ["transpose of transpose", swapped(swapped(x)), { state: 1 }],
  ["transpose of axes of size 1", transpose(reshape(x, [4, 1, 6]), [1, 0, 2]), { state: 1, reshape: 1 }],
  ["slice of slice", slice(slice(x, 1, 1, 5), 1, 1, 3), { state: 1, slice: 1 }],
  ["slice of concat: a part", slice(concat([x, y], 0), 0, 4, 8), { state: 1 }],
  ["slice of concat: within a part", slice(concat([x, y], 0), 0, 5, 7), { state: 1, slice: 1 }],
  ["slice of concat: whole parts", slice(concat([x, y, x], 0), 0, 4, 12), { state: 2, concat: 1 }],
  ["slice of pad", slice(pad(x, 1, 2, 3), 1, 2, 8), { state: 1 }],
  ["slice across a cut stays", slice(concat([x, y], 0), 0, 2, 6), { state: 2, concat: 1, slice: 1 }],
  ["concat of neighbouring slices", concat([slice(x, 0, 0, 1), slice(x, 0, 1, 3)], 0), { state: 1, slice: 1 }],
  ["concat of all slices", concat([slice(x, 0, 0, 1), slice(x, 0, 1, 4)], 0), { state: 1 }],
  ["sum of one element", sum(reshape(x, [4, 1, 6]), [1]), { state: 1, reshape: 1 }],
  ["max of one element", max(reshape(x, [1, 24]), [0]), { state: 1, reshape: 1 }],
  ["matmul of transposed", matmul(swapped(x), swapped(y), { transposeRight: true }), { state: 2, matmul: 1 }],
  ["matmul transposed twice", matmul(x, swapped(y)), { state: 2, matmul: 1 }],
  [
    "sum of pads",
    add(pad(slice(x, 1, 0, 2), 1, 0, 4), pad(slice(y, 1, 2, 6), 1, 2, 0)),
    {
      state: 2,
      slice: 2,
      concat: 1,
    },
  ],
  [
    "sum of three pads",
    [0, 1, 2].map((i) => pad(slice(x, 1, 2 * i, 2 * i + 2), 1, 2 * i, 4 - 2 * i)).reduce(add),
    {
      state: 1,
    },
  ],
  [
    "sum of pads with a gap",
    add(pad(slice(x, 0, 0, 1), 0, 0, 3), pad(slice(y, 0, 2, 4), 0, 2, 0)),
    {
      state: 2,
      slice: 2,
      constant: 1,
      concat: 1,
    },
  ],
  [
    "sum of pads that overlap stays",
    add(pad(slice(x, 0, 0, 2), 0, 0, 2), pad(slice(y, 0, 1, 4), 0, 1, 0)),
    {
      state: 2,
      slice: 2,
      constant: 2,
      concat: 2,
      add: 1,
    },
  ],
  ["stopGradient", stopGradient(bits), { state: 1 }],
];

test.each(cases)("%s", (_name, node, expected) => {
  const graph = graphOf(node);
  const simplified = simplify(graph);
  expect(largestDifference(graph, simplified)).toBe(0);
  expect(countOps(simplified)).toEqual(expected);
});

test("a linear node stays as it is", () => {
  const w = state({ name: "w", shape: [6, 3], dtype: "f32" });
  const b = state({ name: "b", shape: [3], dtype: "f32" });
  const graph = graphOf(linearOp([x, w, b], { biasRows: 2 }));
  expect(simplify(graph)).toEqual(graph);
});

test("an update that leaves its state as it was goes, one from another state stays", () => {
  const name = (node: typeof x) => node.attributes;
  const updates = [
    { state: name(x), value: add(x, hidden(0, x)) },
    { state: name(y), value: stopGradient(x) },
  ];
  expect(simplify({ name: "test", updates }).updates).toEqual([{ state: name(y), value: x }]);
});

test("constants are combined by the ops' own rules, signs of zero and infinities included", () => {
  const quotient = divide(hidden(-1, row), hidden(0, row));
  expect(simplify(graphOf(quotient)).updates[0]?.value).toEqual(constant(Number.NEGATIVE_INFINITY, [6]));
  expect(simplify(graphOf(multiply(hidden(-1, row), hidden(0, row)))).updates[0]?.value).toEqual(constant(-0, [6]));
});
