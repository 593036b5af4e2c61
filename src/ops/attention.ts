/** Products of several matrices at once, and attention, which is two of them. */
import { ConfigError } from "../errors.ts";
import { type Node, sameShape } from "../graph/node.ts";
import { multiply } from "./arithmetic.ts";
import { type MatmulAttributes, matmul } from "./matmul.ts";
import { concat, reshape, slice } from "./shape.ts";
import { softmax } from "./softmax.ts";

/**
 * {@link matmul} of each of N pairs of matrices.
 *
 * @param a - [N, rows, depth], or [N, depth, rows] with `transposeLeft`.
 * @param b - [N, depth, columns], or [N, columns, depth] with `transposeRight`.
 * @returns [N, rows, columns].
 * @throws {@link ConfigError} when the counts or depths differ.
 */
export function matmulEach(a: Node, b: Node, transpose: Partial<MatmulAttributes> = {}): Node {
  const count = a.shape[0] as number;
  if (a.shape.length !== 3 || b.shape.length !== 3 || b.shape[0] !== count) {
    throw new ConfigError({
      subject: "operands of matmulEach",
      given: [a.shape, b.shape],
      expected: "as many matrices in both, [N, rows, depth] and [N, depth, columns]",
      remedy: "Reshape them first.",
    });
  }
  const matrix = (x: Node, n: number) => reshape(slice(x, 0, n, n + 1), x.shape.slice(1));
  const products = Array.from({ length: count }, (_, n) => matmul(matrix(a, n), matrix(b, n), transpose));
  return concat(
    products.map((each) => reshape(each, [1, ...each.shape])),
    0,
  );
}

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
  const [batch, heads, length, width] = q.shape as readonly [number, number, number, number];
  const [queries, keys, values] = [q, k, v].map((x) => reshape(x, [batch * heads, length, width])) as [
    Node,
    Node,
    Node,
  ];
  const scores = multiply(matmulEach(queries, keys, { transposeRight: true }), 1 / Math.sqrt(width));
  return reshape(matmulEach(softmax(scores), values), q.shape);
}
