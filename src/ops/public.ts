/**
 * The ops that users write with, as the namespace `ops` of `divflow/networks`: docs/ops.md has the shapes of each. They
 * build nodes and compute nothing; all can be differentiated to second order, and run on every backend.
 */
import type { Node } from "../graph/node.ts";
import { type ActivationKind, activation as activationOp } from "./activation.ts";

export {
  abs,
  add,
  cos,
  divide,
  equal,
  exp,
  expm1,
  finite,
  floor,
  less,
  lessEqual,
  log,
  log1p,
  maximum,
  minimum,
  multiply,
  negate,
  select,
  sign,
  sin,
  sqrt,
  square,
  subtract,
  toFloat,
} from "./arithmetic.ts";
export { attention, selfAttention } from "./attention.ts";
export { stopGradient } from "./control.ts";
export { conv1d, conv2d } from "./convolve.ts";
export { embedding, film, fixedTimeEmbedding, timeEmbedding } from "./embed.ts";
export { linear } from "./linear.ts";
export { matmul } from "./matmul.ts";
export { matmulEach } from "./matmul-each.ts";
export { groupNorm, layerNorm, rmsNorm } from "./normalize.ts";
export { max, mean, meanAll, sum, sumAll } from "./reduce.ts";
export { enlargeTwice, shrinkTwice, spaceFromChannels } from "./resample.ts";
export { gather, scatterAdd } from "./rows.ts";
export { broadcast, concat, pad, reshape, slice, transpose } from "./shape.ts";
export { crossEntropy, logSoftmax, softmax } from "./softmax.ts";
export { constant, table } from "./sources.ts";

/**
 * f(x), elementwise.
 *
 * @param x - any shape.
 * @param kind - one of `activationKinds`, such as "silu".
 */
export function activation(x: Node, kind: ActivationKind): Node {
  return activationOp([x], { kind, order: 0 });
}
