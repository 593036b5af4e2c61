/** Products of several pairs of matrices at once. */
import { ConfigError } from "../errors.ts";
import { type Node, type Shape, sizeOf } from "../graph/node.ts";
import { defineOp, type HostTensor, type OpCases } from "../graph/op.ts";
import { sumOf } from "./arithmetic.ts";
import { expectDTypes } from "./elementwise.ts";
import { type MatmulAttributes, multiplyMatrices } from "./matmul.ts";
import { transpose } from "./shape.ts";

const plain: MatmulAttributes = { transposeLeft: false, transposeRight: false };

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

/** Each matrix transposed. */
export function turned(x: Node): Node {
  const axes = [...x.shape.keys()];
  return transpose(x, [...axes.slice(0, -2), ...axes.slice(-2).reverse()]);
}

function productShape(left: Shape, right: Shape): Shape {
  const batch = left.slice(0, -2);
  const fits =
    left.length === right.length &&
    (batch.length === 1 || batch.length === 2) &&
    batch.every((size, axis) => size === right[axis]) &&
    left.at(-1) === right.at(-2);
  if (fits) return [...batch, left.at(-2) as number, right.at(-1) as number];
  throw new ConfigError({
    subject: "operands of matmulEach",
    given: [left, right],
    expected: "as many matrices in both, [N, rows, depth] and [N, depth, columns], or so with [N, M]",
    remedy: "Reshape them first.",
  });
}

/** The products in f64. */
export function multiplyEach(a: HostTensor, b: HostTensor, shape: Shape): HostTensor {
  const [rows, columns] = shape.slice(-2) as [number, number];
  const count = sizeOf(shape) / (rows * columns);
  const matrix = ({ data, shape: from }: HostTensor, n: number): HostTensor => {
    const size = data.length / count;
    return { shape: from.slice(-2), data: data.subarray(n * size, (n + 1) * size) };
  };
  const data = new Float64Array(sizeOf(shape));
  for (let n = 0; n < count; n++) {
    const product = multiplyMatrices(matrix(a, n), matrix(b, n), plain, [rows, columns]);
    data.set(product.data, n * rows * columns);
  }
  return { shape, data };
}
