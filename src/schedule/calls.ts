/**
 * Ops that only a plan uses: what passes turn nodes into so that each is one kernel call. They have no derivatives;
 * their f64 references let tests evaluate a graph after any pass.
 */

import { isNodeOf, type Node, sizeOf } from "../graph/node.ts";
import { defineOp, type HostTensor } from "../graph/op.ts";
import type { reductions } from "../kernels/reduce.ts";
import { convolveInF64, convolveOp } from "../ops/convolve.ts";
import { type MatmulAttributes, multiplyMatrices, productSizes, withRow } from "../ops/matmul.ts";
import { matmulEachOp, multiplyEach } from "../ops/matmul-each.ts";
import type { RandomAttributes } from "../ops/random.ts";
import { transposeOp } from "../ops/shape.ts";
import { randomBits, randomNumber } from "../ops/threefry.ts";
import { type Window, windowNumbers } from "../ops/window.ts";

export interface LinearCallAttributes extends MatmulAttributes {
  /** Rows the bias is added to; 0: the call has no bias. */
  readonly biasRows: number;
  /** The left operand is seen through it, as `convolve` has it; left out: it is a matrix. */
  readonly window?: Window;
}

/** left right + bias: the kernel `linear`, or `convolve` with a window. Inputs: left, right, bias if any. */
export const linearCall = defineOp<LinearCallAttributes>({
  name: "linearCall",
  shape: (shapes, { window, ...attributes }) => {
    if (window) return convolveOp.op.shape(shapes, { ...windowNumbers(window), ...attributes });
    const { rows, columns } = productSizes("linearCall", shapes.slice(0, 2), attributes);
    return [rows, columns];
  },
  reference: (inputs, { window, ...attributes }, shape) => {
    const [left, right, bias] = inputs as [HostTensor, HostTensor, HostTensor | undefined];
    if (window) return convolveInF64(left, right, bias, { ...windowNumbers(window), ...attributes }, shape);
    const product = multiplyMatrices(left, right, attributes, shape);
    return bias ? withRow(product, bias, attributes.biasRows) : product;
  },
});

export interface MatmulEachCallAttributes {
  readonly scale: number;
  /** Axis k of the result is axis permutation[k] of the product; the last one stays. */
  readonly permutation: readonly number[];
}

/** scale times the product of each pair of matrices, [N, M, rows, columns] or without M: the `matmulEach` kernel. */
export const matmulEachCall = defineOp<MatmulEachCallAttributes>({
  name: "matmulEachCall",
  shape: (shapes, { permutation }) => {
    const product = matmulEachOp.op.shape(shapes, null);
    return permutation.map((axis) => product[axis] as number);
  },
  reference: ([a, b], { scale, permutation }, shape) => {
    const from = permutation.map((_, axis) => shape[permutation.indexOf(axis)] as number);
    const product = multiplyEach(a as HostTensor, b as HostTensor, from);
    const { data } = transposeOp.op.reference([product], { permutation }, shape);
    return { shape, data: data.map((value) => scale * value) };
  },
});

export type Reduction = (typeof reductions)[number];

export interface ReduceCallAttributes {
  readonly kind: Reduction;
  readonly scale: number;
}

/** scale times the sum, maximum or sum of squares over the middle axis of [outer, reduced, inner]: the `reduce` kernel. */
export const reduceCall = defineOp<ReduceCallAttributes>({
  name: "reduceCall",
  shape: ([from]) => {
    const [outer, , inner] = from as [number, number, number];
    return [outer, inner];
  },
  reference: ([x], { kind, scale }, shape) => {
    const { data: from, shape: sizes } = x as HostTensor;
    const [outer, reduced, inner] = sizes as [number, number, number];
    const data = new Float64Array(outer * inner);
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) {
        let total = kind === "max" ? -Infinity : 0;
        for (let r = 0; r < reduced; r++) {
          const value = from[(o * reduced + r) * inner + i] as number;
          if (kind === "max") total = Math.max(total, value);
          else total += kind === "sum" ? value : value * value;
        }
        data[o * inner + i] = scale * total;
      }
    }
    return { shape, data };
  },
});

export interface DrawAttributes extends RandomAttributes {
  /** Element i is element i stride + offset of the stream. */
  readonly stride: number;
  readonly offset: number;
}

/** Some of the numbers of a stream, drawn within a chain: a column of a `random` node, or all of a small one. */
export const drawOp = defineOp<DrawAttributes>({
  name: "draw",
  shape: (_inputs, { shape }) => shape,
  dtype: (_inputs, { kind }) => (kind === "bits" || kind === "index" ? "u32" : "f32"),
  reference: ([seed, counter], { kind, stream, bound, stride, offset }, shape) => {
    const [low, high] = (seed as HostTensor).data as unknown as [number, number];
    const [count] = (counter as HostTensor).data as unknown as [number];
    const data = new Float64Array(sizeOf(shape));
    const words = randomBits([low, high], stream, count, (data.length - 1) * stride + offset + 1);
    for (let i = 0; i < data.length; i++) data[i] = randomNumber(kind, words[i * stride + offset] as number, bound);
    return { shape, data };
  },
});

/** Whether a chain computes this node, as one of its steps. */
export function isStep(node: Node): boolean {
  return node.op.elementwise !== undefined || isNodeOf(node, drawOp.op);
}
