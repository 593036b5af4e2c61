/**
 * Ops that only a plan uses: what passes turn nodes into so that each is one kernel call. They have no derivatives;
 * their f64 references let tests evaluate a graph after any pass.
 */

import type { DType, Node, Shape } from "../graph/node.ts";
import { defineOp, type HostTensor } from "../graph/op.ts";
import { type ActivationKind, activation } from "../ops/activation.ts";
import { type MatmulAttributes, multiplyMatrices, productSizes } from "../ops/matmul.ts";

export interface LinearCallAttributes extends MatmulAttributes {
  /** Rows the bias is added to; 0: the call has no bias. */
  readonly biasRows: number;
  readonly hasAddend: boolean;
  readonly activation: ActivationKind | undefined;
}

/** activation(left right + bias + addend): the `linear` kernel. Inputs: left, right, bias if any, addend if any. */
export const linearCall = defineOp<LinearCallAttributes>({
  name: "linearCall",
  shape: (shapes, attributes) => {
    const { rows, columns } = productSizes("linearCall", shapes.slice(0, 2), attributes);
    return [rows, columns];
  },
  reference: (inputs, attributes, shape) => {
    const { data } = multiplyMatrices(inputs[0] as HostTensor, inputs[1] as HostTensor, attributes, shape);
    const columns = shape[1] as number;
    const bias = attributes.biasRows > 0 ? (inputs[2] as HostTensor).data : undefined;
    const addend = attributes.hasAddend ? (inputs[inputs.length - 1] as HostTensor).data : undefined;
    for (let i = 0; i < data.length; i++) {
      if (bias && i < attributes.biasRows * columns) data[i] = (data[i] as number) + (bias[i % columns] as number);
      if (addend) data[i] = (data[i] as number) + (addend[i] as number);
    }
    const kind = attributes.activation;
    return kind ? activation.op.reference([{ shape, data }], { kind, order: 0 }, shape) : { shape, data };
  },
});

export interface ReduceCallAttributes {
  readonly kind: "sum" | "max";
  readonly scale: number;
}

/** scale times the sum or maximum over the middle axis of [outer, reduced, inner]: the `reduce` kernel. */
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
        let total = kind === "sum" ? 0 : -Infinity;
        for (let r = 0; r < reduced; r++) {
          const value = from[(o * reduced + r) * inner + i] as number;
          total = kind === "sum" ? total + value : Math.max(total, value);
        }
        data[o * inner + i] = scale * total;
      }
    }
    return { shape, data };
  },
});

const identity = {
  shape: ([shape]: readonly Shape[]) => shape as Shape,
  dtype: ([dtype]: readonly DType[]) => dtype as DType,
  reference: ([x]: readonly HostTensor[]) => x as HostTensor,
};

/** The input in a place of its own, written by an elementwise chain: a fill, a broadcast, a second copy. */
export const storedOp = defineOp<null>({ name: "stored", ...identity });

/** The input in a place of its own, written by the `copy` kernel: what a chain cannot read in order. */
export const copiedOp = defineOp<null>({ name: "copied", ...identity });

export const stored = (x: Node) => storedOp([x], null);
export const copied = (x: Node) => copiedOp([x], null);

/** Whether a chain computes this node. */
export function isElementwise(node: Node): boolean {
  return node.op.elementwise !== undefined || (node.op as unknown) === storedOp.op;
}
