/** Products of matrices. */
import { ConfigError } from "../errors.ts";
import type { Node, Shape } from "../graph/node.ts";
import { defineOp, type HostTensor, type OpCases } from "../graph/op.ts";
import { sumOf } from "./arithmetic.ts";
import { expectDTypes } from "./elementwise.ts";

export interface MatmulAttributes {
  readonly transposeLeft: boolean;
  readonly transposeRight: boolean;
}

/** The inputs are [left, right]. */
export const matmulOp = defineOp<MatmulAttributes>({
  name: "matmul",
  shape: (shapes, attributes) => {
    const { rows, columns } = productSizes("matmul", shapes, attributes);
    return [rows, columns];
  },
  dtype: (given) => expectDTypes("matmul", given, ["f32", "f32"], "f32"),
  jvp: ({ inputs, attributes }, [da, db]) => {
    const [a, b] = inputs as [Node, Node];
    return sumOf(da && matmul(da, b, attributes), db && matmul(a, db, attributes));
  },
  // With A and B the operands as multiplied: dA = C B^T and dB = A^T C, transposed back where they were transposed.
  vjp: ({ inputs, attributes: { transposeLeft, transposeRight } }, c) => {
    const [a, b] = inputs as [Node, Node];
    return [
      transposeLeft
        ? matmul(b, c, { transposeLeft: transposeRight, transposeRight: true })
        : matmul(c, b, { transposeRight: !transposeRight }),
      transposeRight
        ? matmul(c, a, { transposeLeft: true, transposeRight: transposeLeft })
        : matmul(a, c, { transposeLeft: !transposeLeft }),
    ];
  },
  reference: ([a, b], attributes, shape) => multiplyMatrices(a as HostTensor, b as HostTensor, attributes, shape),
});

export const matmulCases: OpCases<MatmulAttributes> = () =>
  [false, true].flatMap((transposeLeft) =>
    [false, true].map((transposeRight) => ({
      shapes: [transposeLeft ? [4, 3] : [3, 4], transposeRight ? [2, 4] : [4, 2]],
      attributes: { transposeLeft, transposeRight },
    })),
  );

/**
 * The product of two matrices, either one transposed first.
 *
 * @param a - [rows, depth], or [depth, rows] with `transposeLeft`.
 * @param b - [depth, columns], or [columns, depth] with `transposeRight`.
 * @returns [rows, columns].
 * @throws {@link ConfigError} when the depths differ or an operand is no matrix.
 */
export function matmul(a: Node, b: Node, transpose: Partial<MatmulAttributes> = {}): Node {
  const { transposeLeft = false, transposeRight = false } = transpose;
  return matmulOp([a, b], { transposeLeft, transposeRight });
}

/** Rows, depth and columns of a product of two matrices. */
export function productSizes(
  name: string,
  shapes: readonly Shape[],
  { transposeLeft, transposeRight }: MatmulAttributes,
): { rows: number; depth: number; columns: number } {
  const [left, right] = shapes;
  if (left?.length === 2 && right?.length === 2) {
    const [rows, depth] = (transposeLeft ? [left[1], left[0]] : left) as [number, number];
    const [rightDepth, columns] = (transposeRight ? [right[1], right[0]] : right) as [number, number];
    if (depth === rightDepth) return { rows, depth, columns };
  }
  throw new ConfigError({
    subject: `operands of ${name}`,
    given: shapes,
    expected: `[rows, depth]${transposeLeft ? " transposed" : ""} and [depth, columns]${transposeRight ? " transposed" : ""}`,
    remedy: "Make the depths equal.",
  });
}

/** The product in f64. */
export function multiplyMatrices(
  a: HostTensor,
  b: HostTensor,
  { transposeLeft, transposeRight }: MatmulAttributes,
  shape: Shape,
): HostTensor {
  const [rows, columns] = shape as [number, number];
  const depth = a.data.length / rows;
  const [leftRow, leftStep] = transposeLeft ? [1, rows] : [depth, 1];
  const [rightColumn, rightStep] = transposeRight ? [depth, 1] : [1, columns];
  const data = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < depth; k++) {
      const factor = a.data[i * leftRow + k * leftStep] as number;
      const start = k * rightStep;
      for (let j = 0; j < columns; j++) {
        data[i * columns + j] =
          (data[i * columns + j] as number) + factor * (b.data[start + j * rightColumn] as number);
      }
    }
  }
  return { shape, data };
}

/** The matrix with `row` added to its first `count` rows, in place. */
export function withRow(matrix: HostTensor, row: HostTensor, count: number): HostTensor {
  const { data } = matrix;
  const columns = matrix.shape[1] as number;
  for (let i = 0; i < count * columns; i++) data[i] = (data[i] as number) + (row.data[i % columns] as number);
  return matrix;
}
