// Gradients by some of a layer's inputs: the numbers of the whole, out of narrower products.
import { expect, test } from "vitest";
import { withoutUnreadColumns } from "../../src/autodiff/unread-columns.ts";
import { vjp } from "../../src/autodiff/vjp.ts";
import { topologicalOrder } from "../../src/graph/graph.ts";
import { isNodeOf, type Node } from "../../src/graph/node.ts";
import { activation } from "../../src/ops/activation.ts";
import { add, multiply } from "../../src/ops/arithmetic.ts";
import { matmul, matmulOp } from "../../src/ops/matmul.ts";
import { concat, slice } from "../../src/ops/shape.ts";
import { numbers, valuesOf } from "../flow/evaluate.ts";
import { normals } from "../transport/clouds.ts";

const random = (seed: number, shape: [number, number]) => {
  const normal = normals(seed);
  return numbers(
    Array.from({ length: shape[0] * shape[1] }, () => normal()),
    shape,
  );
};

/** Columns of the products that a value is made of. */
const widths = (value: Node) =>
  topologicalOrder([value])
    .filter((node) => isNodeOf(node, matmulOp.op))
    .map((node) => node.shape[1]);

test("the gradient by points that a layer reads beside times is of their columns alone", () => {
  const [x, t] = [random(1, [5, 2]), random(2, [5, 3])];
  const [first, second] = [random(3, [5, 7]), random(4, [7, 4])];
  const hidden = activation([matmul(concat([t, x], 1), first)], { kind: "silu", order: 0 });
  const [gradient] = vjp([matmul(hidden, second)], [random(5, [5, 4])], [x]) as [Node];
  const value = add(gradient, multiply(x, 2));
  const narrow = withoutUnreadColumns(value);
  expect(widths(value)).toContain(5);
  expect(widths(narrow)).not.toContain(5);
  expect(widths(narrow)).toContain(2);
  expect(valuesOf([narrow])).toEqual(valuesOf([value]));
});

test("what is no slice of such a product's columns stays the very node", () => {
  const [a, b] = [random(1, [4, 6]), random(2, [5, 6])];
  const across = matmul(a, b, { transposeRight: true });
  for (const value of [
    across,
    slice(across, 0, 1, 3),
    slice(matmul(a, random(3, [6, 5])), 1, 0, 2),
    slice(add(across, 1), 1, 0, 2),
  ]) {
    expect(withoutUnreadColumns(value)).toBe(value);
  }
});

test("of slices at any place, and of a left operand that is transposed", () => {
  const [a, b] = [random(1, [6, 4]), random(2, [5, 6])];
  const whole = matmul(a, b, { transposeLeft: true, transposeRight: true });
  for (const [start, end] of [
    [0, 1],
    [1, 4],
    [3, 5],
  ] as const) {
    const value = slice(whole, 1, start, end);
    const narrow = withoutUnreadColumns(value);
    expect(widths(narrow)).toEqual([end - start]);
    expect(valuesOf([narrow])).toEqual(valuesOf([value]));
  }
});
