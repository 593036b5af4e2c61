/** Sums and maxima over axes; the axes stay, with size 1. */
import { ConfigError } from "../errors.ts";
import { type Node, type Shape, sizeOf } from "../graph/node.ts";
import { defineOp, type HostTensor, type OpCases } from "../graph/op.ts";
import { divide, equal, multiply } from "./arithmetic.ts";
import { expectDTypes } from "./elementwise.ts";
import { broadcast, reshape } from "./shape.ts";
import { stridesOf, walk } from "./strides.ts";

export interface ReduceAttributes {
  /** Distinct, ascending. */
  readonly axes: readonly number[];
}

export const reduceCases: OpCases<ReduceAttributes> = () => [
  { shapes: [[2, 3]], attributes: { axes: [0] } },
  { shapes: [[2, 3]], attributes: { axes: [1] } },
  { shapes: [[2, 3]], attributes: { axes: [0, 1] } },
  { shapes: [[2, 3, 4]], attributes: { axes: [1] } },
  { shapes: [[2, 3, 4]], attributes: { axes: [0, 2] } },
  { shapes: [[1, 5, 1]], attributes: { axes: [0, 2] } },
];

export const sumOp = defineOp<ReduceAttributes>({
  name: "sum",
  shape: ([shape], attributes) => reducedShape("sum", shape as Shape, attributes),
  dtype: (given) => expectDTypes("sum", given, ["f32"], "f32"),
  jvp: ({ attributes: { axes } }, [dx]) => dx && sum(dx, axes),
  vjp: ({ inputs: [x] }, cotangent) => [broadcast(cotangent, (x as Node).shape)],
  reference: ([x], _attributes, shape) => accumulate(x as HostTensor, shape, 0, (total, value) => total + value),
});

/** Where several elements are the largest, the derivative is the mean of theirs. */
export const maxOp = defineOp<ReduceAttributes>({
  name: "max",
  shape: ([shape], attributes) => reducedShape("max", shape as Shape, attributes),
  dtype: (given) => expectDTypes("max", given, ["f32"], "f32"),
  jvp: (node, [dx]) => dx && sum(multiply(shareOfMaximum(node), dx), node.attributes.axes),
  vjp: (node, cotangent) => [multiply(shareOfMaximum(node), cotangent)],
  reference: ([x], _attributes, shape) => accumulate(x as HostTensor, shape, -Infinity, Math.max),
});

/** Of the shape of the input: 1/n at each of the n elements that are the largest, else 0. */
function shareOfMaximum(node: Node<ReduceAttributes>): Node {
  const largest = equal(node.inputs[0] as Node, node);
  return divide(largest, sum(largest, node.attributes.axes));
}

/**
 * The sum over these axes, which stay with size 1.
 *
 * @throws {@link ConfigError} for an axis that `x` does not have, or one named twice.
 */
export function sum(x: Node, axes: readonly number[]): Node {
  if (axes.length === 0) return x;
  return sumOp([x], { axes: sorted(axes) });
}

/** The mean over these axes, which stay with size 1. */
export function mean(x: Node, axes: readonly number[]): Node {
  const total = sum(x, axes);
  return multiply(total, sizeOf(total.shape) / sizeOf(x.shape));
}

/** The largest over these axes, which stay with size 1. */
export function max(x: Node, axes: readonly number[]): Node {
  if (axes.length === 0) return x;
  return maxOp([x], { axes: sorted(axes) });
}

/** The sum of all elements, shape []. */
export function sumAll(x: Node): Node {
  return reshape(sum(x, [...x.shape.keys()]), []);
}

/** The mean of all elements, shape []. */
export function meanAll(x: Node): Node {
  return multiply(sumAll(x), 1 / sizeOf(x.shape));
}

function sorted(axes: readonly number[]): number[] {
  return [...axes].sort((a, b) => a - b);
}

function reducedShape(name: string, shape: Shape, { axes }: ReduceAttributes): Shape {
  const valid = axes.every((axis, i) => axis in shape && (i === 0 || axis > (axes[i - 1] as number)));
  if (valid && axes.length > 0) return shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  throw new ConfigError({
    subject: `axes of ${name}`,
    given: axes,
    expected: `distinct axes of shape [${shape.join(", ")}], ascending`,
    remedy: "Axes count from 0, outermost first.",
  });
}

/** Folds each element of `x` into the element of the result that it reduces to. */
function accumulate(x: HostTensor, shape: Shape, start: number, fold: (total: number, value: number) => number) {
  const data = new Float64Array(sizeOf(shape)).fill(start);
  const strides = stridesOf(shape).map((stride, axis) => (shape[axis] === 1 ? 0 : stride));
  walk(x.shape, strides, (from, to) => {
    data[to] = fold(data[to] as number, x.data[from] as number);
  });
  return { shape, data };
}
