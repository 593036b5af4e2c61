/** Attention of places to each other, and its derivatives: composites, which one kernel computes for all tangents. */
import { ConfigError } from "../errors.ts";
import { type Node, type Shape, sameShape } from "../graph/node.ts";
import type { OpCases } from "../graph/op.ts";
import { attentionKernel, attentionReverseKernel } from "./attention-calls.ts";
import {
  type AttentionAttributes,
  attended,
  attendedReverse,
  attendedTangent,
  attendedTangentReverse,
  weights,
} from "./attention-rules.ts";
import { defineComposite } from "./composite.ts";
import { matmulEach } from "./matmul-each.ts";
import { reshape, slice } from "./shape.ts";

/** The inputs are [joined]: q, k and v, [B, L, 3 D]. Gives [B, L, D], head by head. */
export const attentionOp = defineComposite<AttentionAttributes>({
  name: "attention",
  expand: attended,
  kernel: attentionKernel,
  jvp: ({ inputs, attributes }, [tangent]) => tangent && attentionTangentOp([...inputs, tangent], attributes),
  vjp: ({ inputs, attributes }, cotangent) => [attentionReverseOp([...inputs, cotangent], attributes)],
});

/** The inputs are [joined, tangent], [B, L, 3 D] both. Gives the tangent of attention, [B, L, D]. */
export const attentionTangentOp = defineComposite<AttentionAttributes>({
  name: "attentionTangent",
  expand: attendedTangent,
  kernel: attentionKernel,
  vjp: ({ inputs, attributes }, cotangent) => {
    const both = attentionTangentReverseOp([...inputs, cotangent], attributes);
    return inputs.map((input, i) => reshape(slice(both, 0, i, i + 1), input.shape));
  },
});

/** The inputs are [joined, cotangent of attention], [B, L, 3 D] and [B, L, D]. Gives joined's cotangent. */
export const attentionReverseOp = defineComposite<AttentionAttributes>({
  name: "attentionReverse",
  expand: attendedReverse,
  kernel: attentionReverseKernel,
});

/** The inputs are [joined, tangent, cotangent of attention's tangent]. Gives those of joined and tangent, [2, B, L, 3 D]. */
export const attentionTangentReverseOp = defineComposite<AttentionAttributes>({
  name: "attentionTangentReverse",
  expand: attendedTangentReverse,
  kernel: attentionReverseKernel,
});

const variants: readonly AttentionAttributes[] = [
  { heads: 1, order: "kinds" },
  { heads: 2, order: "kinds" },
  { heads: 3, order: "heads" },
];
const wide: Shape = [2, 3, 18];
const narrow: Shape = [2, 3, 6];
const casesOf = (...shapes: Shape[]) => variants.map((attributes) => ({ shapes, attributes }));

export const attentionCases: OpCases<AttentionAttributes> = () => [
  ...casesOf(wide),
  { shapes: [[1, 1, 3]], attributes: { heads: 1, order: "kinds" } },
];
export const attentionTangentCases: OpCases<AttentionAttributes> = () => casesOf(wide, wide);
export const attentionReverseCases: OpCases<AttentionAttributes> = () => casesOf(wide, narrow);
export const attentionTangentReverseCases: OpCases<AttentionAttributes> = () => casesOf(wide, wide, narrow);

/**
 * softmax(q k^T / sqrt(d)) v of each head, every place beside every place.
 *
 * @param joined - queries, keys and values side by side, [B, L, 3 D], in heads of d = D / heads.
 * @returns [B, L, D], head by head.
 * @throws {@link ConfigError} when it does not have that shape.
 */
export function selfAttention(joined: Node, heads: number, order: AttentionAttributes["order"] = "kinds"): Node {
  return attentionOp([joined], { heads, order });
}

/**
 * softmax(q k^T / sqrt(d)) v, every place beside every place.
 *
 * @param q - [B, H, L, d]; k and v likewise.
 * @returns [B, H, L, d].
 * @throws {@link ConfigError} when the shapes differ.
 */
export function attention(q: Node, k: Node, v: Node): Node {
  if (q.shape.length !== 4 || !sameShape(q.shape, k.shape) || !sameShape(q.shape, v.shape)) {
    throw new ConfigError({
      subject: "inputs of attention",
      given: [q.shape, k.shape, v.shape],
      expected: "one shape [B, H, L, d]",
      remedy: "Split queries, keys and values into the same heads.",
    });
  }
  return matmulEach(weights(q, k), v);
}
