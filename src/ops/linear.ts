/**
 * linear: y = x w + b, the bias on rows below `biasRows` only. A composite with a kernel of its own: in primitives it
 * is matmul, broadcast and add (`linearInPrimitives`), with the same derivatives. Tangents get no bias, which is why a
 * plan can stack them under their primal in one call with biasRows = B.
 */
import { ConfigError } from "../errors.ts";
import type { Node } from "../graph/node.ts";
import { defineOp, type HostTensor, type OpCases } from "../graph/op.ts";
import { add, sumOf } from "./arithmetic.ts";
import { expectDTypes } from "./elementwise.ts";
import { matmul, multiplyMatrices, productSizes, withRow } from "./matmul.ts";
import { sum } from "./reduce.ts";
import { broadcast, pad, reshape, slice } from "./shape.ts";

export interface LinearAttributes {
  /** Rows, from the first, that the bias is added to; 0 to all. */
  readonly biasRows: number;
}

const plain = { transposeLeft: false, transposeRight: false };

/** The inputs are [x, w, b]: [rows, depth], [depth, columns], [columns]. */
export const linearOp = defineOp<LinearAttributes>({
  name: "linear",
  shape: (shapes, { biasRows }) => {
    const { rows, columns } = productSizes("linear", shapes, plain);
    const bias = shapes[2];
    if (bias?.length === 1 && bias[0] === columns && Number.isInteger(biasRows) && biasRows >= 0 && biasRows <= rows) {
      return [rows, columns];
    }
    throw new ConfigError({
      subject: "bias of linear",
      given: { shape: bias, biasRows },
      expected: `shape [${columns}] and biasRows from 0 to ${rows}`,
      remedy: "Give one bias for each column of w.",
    });
  },
  dtype: (given) => expectDTypes("linear", given, ["f32", "f32", "f32"], "f32"),
  jvp: ({ inputs, attributes: { biasRows }, shape }, [dx, dw, db]) => {
    const [x, w] = inputs as [Node, Node];
    return sumOf(dx && matmul(dx, w), dw && matmul(x, dw), db && biasInRows(db, biasRows, shape[0] as number));
  },
  vjp: ({ inputs, attributes: { biasRows } }, c) => {
    const [x, w, b] = inputs as [Node, Node, Node];
    return [
      matmul(c, w, { transposeRight: true }),
      matmul(x, c, { transposeLeft: true }),
      biasCotangent(b, c, biasRows),
    ];
  },
  reference: (inputs, { biasRows }, shape) => {
    const [x, w, b] = inputs as [HostTensor, HostTensor, HostTensor];
    return withRow(multiplyMatrices(x, w, plain, shape), b, biasRows);
  },
});

export const linearCases: OpCases<LinearAttributes> = () => [
  { shapes: [[3, 4], [4, 2], [2]], attributes: { biasRows: 3 } },
  { shapes: [[3, 4], [4, 2], [2]], attributes: { biasRows: 1 } },
  { shapes: [[3, 4], [4, 2], [2]], attributes: { biasRows: 0 } },
  { shapes: [[1, 1], [1, 5], [5]], attributes: { biasRows: 1 } },
];

/**
 * A linear layer: y = x w + b.
 *
 * @param x - [B, inputs].
 * @param w - [inputs, outputs].
 * @param b - [outputs].
 * @returns [B, outputs].
 * @throws {@link ConfigError} when the sizes do not fit.
 */
export function linear(x: Node, w: Node, b: Node): Node {
  return linearOp([x, w, b], { biasRows: x.shape[0] ?? 0 });
}

/** What `linear` computes, in ops that have no kernel for the whole. */
export function linearInPrimitives(x: Node, w: Node, b: Node, { biasRows }: LinearAttributes): Node {
  const product = matmul(x, w);
  const bias = biasInRows(b, biasRows, product.shape[0] as number);
  return bias ? add(product, bias) : product;
}

/** [rows, columns]: b in the rows below biasRows, 0 in the others; undefined when there are none. */
export function biasInRows(b: Node, biasRows: number, rows: number): Node | undefined {
  if (biasRows === 0) return undefined;
  return pad(broadcast(b, [biasRows, b.shape[0] as number]), 0, 0, rows - biasRows);
}

/** The cotangent of a bias on the rows below biasRows of a product with this cotangent; undefined when there are none. */
export function biasCotangent(b: Node, c: Node, biasRows: number): Node | undefined {
  return biasRows > 0 ? reshape(sum(slice(c, 0, 0, biasRows), [0]), b.shape) : undefined;
}
