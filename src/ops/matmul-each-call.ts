/** How plans compute products of several pairs of matrices: calls of a kernel that finds operands and results by strides. */
import { ConfigError } from "../errors.ts";
import { isNodeOf, type Node, type Shape, sizeOf } from "../graph/node.ts";
import { defineOp, type HostTensor, type OpFunction, type Strides } from "../graph/op.ts";
import { multiply } from "./arithmetic.ts";
import { type MatmulAttributes, multiplyMatrices } from "./matmul.ts";
import { transpose, transposeOp } from "./shape.ts";
import { constantValue } from "./sources.ts";

const plain: MatmulAttributes = { transposeLeft: false, transposeRight: false };

interface MatmulEachCallAttributes {
  readonly scale: number;
  /** Axis k of the result is axis permutation[k] of the product; the last one stays. */
  readonly permutation: readonly number[];
}

/**
 * scale times the product of each pair of matrices, [N, M, rows, columns] or without M: the `matmulEach` kernel. What alone
 * reads a product, and multiplies it by a constant or changes axes so that rows or columns still come last, is part of its
 * call.
 */
const matmulEachCall: OpFunction<MatmulEachCallAttributes> = defineOp<MatmulEachCallAttributes>({
  name: "matmulEachCall",
  shape: ([left, right], { permutation }) => {
    const product = productShape(left as Shape, right as Shape);
    return permutation.map((axis) => product[axis] as number);
  },
  reference: ([a, b], { scale, permutation }, shape) => {
    const from = permutation.map((_, axis) => shape[permutation.indexOf(axis)] as number);
    const product = multiplyEach(a as HostTensor, b as HostTensor, from);
    const { data } = transposeOp.op.reference([product], { permutation }, shape);
    return { shape, data: data.map((value) => scale * value) };
  },
  taking: (call, reader) => {
    if (isNodeOf(reader, multiply.op)) {
      const factor = constantValue(reader.inputs[1 - reader.inputs.indexOf(call)] as Node);
      if (factor === undefined) return undefined;
      return matmulEachCall(call.inputs, { ...call.attributes, scale: call.attributes.scale * factor });
    }
    if (!isNodeOf(reader, transposeOp.op)) return undefined;
    return withAxes(
      call,
      reader.attributes.permutation.map((axis) => call.attributes.permutation[axis] as number),
    );
  },
  stridedCall: ({ inputs, attributes: { scale, permutation }, shape: result }, [left, right], out) => {
    const { shape } = inputs[0] as Node;
    const columns = (inputs[1] as Node).shape.at(-1) as number;
    const [rows, depth] = shape.slice(-2) as [number, number];
    const outStrides = permutation.map((_, axis) => out[permutation.indexOf(axis)] as number);
    const [outer, inner] = batchOf(shape.slice(0, -2), [left as Strides, right as Strides, outStrides]);
    const [batch0, left0, right0, out0] = outer;
    const [batch1, left1, right1, out1] = inner;
    const [leftRow, leftDepth] = (left as Strides).slice(-2) as [number, number];
    const [rightDepth, rightColumn] = (right as Strides).slice(-2) as [number, number];
    return {
      kernel: "matmulEach",
      parameters: {
        ...{ batch0, batch1, rows, columns, depth, scale },
        ...{ left0, left1, leftRow, leftDepth, right0, right1, rightDepth, rightColumn },
        ...{ out0, out1, outRow: outStrides.at(-2) as number },
      },
      reads: ["left", "right"],
      write: "out",
      flops: 2 * depth * sizeOf(result),
      label: ([a, b]) => `${scale === 1 ? "" : `${scale} `}${a} ${b}, ${batch0 * batch1} times`,
    };
  },
});

/** The call that multiplies each pair. */
export function callForEach(inputs: readonly Node[], { length }: Shape): Node {
  return matmulEachCall(inputs, { scale: 1, permutation: Array.from({ length }, (_, axis) => axis) });
}

/** The call with its product's axes in this order; undefined where neither rows nor columns come last. */
function withAxes(
  { inputs, attributes: { scale } }: Node<MatmulEachCallAttributes>,
  permutation: readonly number[],
): Node | undefined {
  const [rows, columns] = [permutation.length - 2, permutation.length - 1];
  if (permutation.at(-1) === columns) return matmulEachCall(inputs, { scale, permutation });
  if (permutation.at(-1) !== rows) return undefined;
  const swapped = permutation.map((axis) => (axis === rows ? columns : axis === columns ? rows : axis));
  const [left, right] = inputs as [Node, Node]; // (left right)^T = right^T left^T
  return matmulEachCall([turned(right), turned(left)], { scale, permutation: swapped });
}

type BatchAxis = readonly [size: number, left: number, right: number, out: number];

/** One axis or two as two, of which the first may be of size 1. */
function batchOf(sizes: Shape, strides: readonly Strides[]): readonly [BatchAxis, BatchAxis] {
  const axes = sizes.map((size, axis) => [size, ...strides.map((each) => each[axis])] as unknown as BatchAxis);
  const inner = axes.at(-1) as BatchAxis;
  return [axes.length > 1 ? (axes[0] as BatchAxis) : [1, 0, 0, 0], inner];
}

/** Each matrix transposed. */
export function turned(x: Node): Node {
  const axes = [...x.shape.keys()];
  return transpose(x, [...axes.slice(0, -2), ...axes.slice(-2).reverse()]);
}

/** Of the product of each pair. */
export function productShape(left: Shape, right: Shape): Shape {
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
