/**
 * Ops that only a plan uses: what passes turn nodes into so that each is one kernel call. They have no derivatives;
 * their f64 references let tests evaluate a graph after any pass.
 */

import { isNodeOf, type Node, sizeOf } from "../graph/node.ts";
import { defineOp, type HostTensor } from "../graph/op.ts";
import type { reductions } from "../kernels/reduce.ts";
import { type MatmulAttributes, multiplyMatrices, productSizes, withRow } from "../ops/matmul.ts";
import type { RandomAttributes } from "../ops/random.ts";
import { randomBits, randomNumber } from "../ops/threefry.ts";

export interface LinearCallAttributes extends MatmulAttributes {
  /** Rows the bias is added to; 0: the call has no bias. */
  readonly biasRows: number;
}

/** left right + bias: the kernel `linear`. Inputs: left, right, bias if any. */
export const linearCall = defineOp<LinearCallAttributes>({
  name: "linearCall",
  shape: (shapes, attributes) => {
    const { rows, columns } = productSizes("linearCall", shapes.slice(0, 2), attributes);
    return [rows, columns];
  },
  reference: (inputs, attributes, shape) => {
    const [left, right, bias] = inputs as [HostTensor, HostTensor, HostTensor | undefined];
    const product = multiplyMatrices(left, right, attributes, shape);
    return bias ? withRow(product, bias, attributes.biasRows) : product;
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
