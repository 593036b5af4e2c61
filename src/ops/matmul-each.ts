/** Products of several pairs of matrices at once. */
import type { Node, Shape } from "../graph/node.ts";
import { defineOp, type HostTensor, type OpCases } from "../graph/op.ts";
import { sumOf } from "./arithmetic.ts";
import { expectDTypes } from "./elementwise.ts";
import type { MatmulAttributes } from "./matmul.ts";
import { callForEach, multiplyEach, productShape, turned } from "./matmul-each-call.ts";

/** The inputs are [left, right]; plans read transposed ones, and parts of wider matrices, where they lie. */
export const matmulEachOp = defineOp<null>({
  name: "matmulEach",
  shape: ([left, right]) => productShape(left as Shape, right as Shape),
  dtype: (given) => expectDTypes("matmulEach", given, ["f32", "f32"], "f32"),
  jvp: ({ inputs }, [da, db]) => {
    const [a, b] = inputs as [Node, Node];
    return sumOf(da && matmulEach(da, b), db && matmulEach(a, db));
  },
  vjp: ({ inputs }, c) => {
    const [a, b] = inputs as [Node, Node];
    return [matmulEach(c, b, { transposeRight: true }), matmulEach(a, c, { transposeLeft: true })];
  },
  reference: ([a, b], _attributes, shape) => multiplyEach(a as HostTensor, b as HostTensor, shape),
  planned: ({ inputs, shape }) => callForEach(inputs, shape),
});

export const matmulEachCases: OpCases<null> = () => [
  {
    shapes: [
      [3, 2, 4],
      [3, 4, 5],
    ],
    attributes: null,
  },
  {
    shapes: [
      [2, 3, 1, 2],
      [2, 3, 2, 3],
    ],
    attributes: null,
  },
];

/**
 * The product of each of as many pairs of matrices.
 *
 * @param a - [N, rows, depth] or [N, M, rows, depth]; depth and rows change places with `transposeLeft`.
 * @param b - [N, depth, columns] or [N, M, depth, columns]; columns and depth change places with `transposeRight`.
 * @returns [N, rows, columns] or [N, M, rows, columns].
 * @throws {@link ConfigError} when the counts or depths differ.
 */
export function matmulEach(a: Node, b: Node, transposed: Partial<MatmulAttributes> = {}): Node {
  return matmulEachOp([transposed.transposeLeft ? turned(a) : a, transposed.transposeRight ? turned(b) : b], null);
}
