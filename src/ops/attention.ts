/** Attention: what each place reads of all places, weighed by how its query meets their keys. */
import { ConfigError } from "../errors.ts";
import { type Node, sameShape } from "../graph/node.ts";
import { multiply } from "./arithmetic.ts";
import { matmulEach } from "./matmul-each.ts";
import { softmax } from "./softmax.ts";

/**
 * softmax(q k^T / sqrt(d)) v, every place beside every place: no mask (Vaswani et al., Attention Is All You Need, 2017).
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
  const scores = multiply(matmulEach(q, k, { transposeRight: true }), 1 / Math.sqrt(q.shape[3] as number));
  return matmulEach(softmax(scores), v);
}
