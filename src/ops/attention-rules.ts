/**
 * Attention of places to each other in other ops, and its derivatives to second order: with S = q k^T / sqrt(d) and
 * P = softmax(S), row by row, it is P v. Along (dq, dk, dv), with T = (dq k^T + q dk^T) / sqrt(d) and r = sum(P T), it moves
 * by W v + P dv, where W = P (T - r). A cotangent c of P v and one b of that give P v's part and the tangent's part of
 *   G = P (B - sum(P B)),  B = b v^T                                           the cotangent of T
 *   F = P (C - sum(P C)),  C = c v^T + b dv^T + (T - r) B - sum(P B) T         the cotangent of S
 *   q: (F k + G dk) / sqrt(d)    k: (F^T q + G^T dq) / sqrt(d)    v: P^T c + W^T b
 *   dq: G k / sqrt(d)            dk: G^T q / sqrt(d)              dv: P^T b
 * (Vaswani et al., Attention Is All You Need, 2017: no mask here.)
 */
import { ConfigError } from "../errors.ts";
import type { Node } from "../graph/node.ts";
import { add, multiply, subtract } from "./arithmetic.ts";
import { matmulEach } from "./matmul-each.ts";
import { sum } from "./reduce.ts";
import { concat, reshape, slice, transpose } from "./shape.ts";
import { softmax } from "./softmax.ts";

/** How queries, keys and values lie in a row of 3 D: all q, all k, all v, each head by head; or head by head its q, k, v. */
export const attentionOrders = ["kinds", "heads"] as const;

export interface AttentionAttributes {
  readonly heads: number;
  readonly order: (typeof attentionOrders)[number];
}

/** From [joined]: [B, L, D]. */
export function attended([joined]: readonly Node[], attributes: AttentionAttributes): Node {
  const { q, k, v } = split(joined as Node, attributes);
  return rows(matmulEach(weights(q, k), v));
}

/** From [joined, tangent]: the tangent of attention, [B, L, D]. */
export function attendedTangent(inputs: readonly Node[], attributes: AttentionAttributes): Node {
  const { v, dv, p, w } = moved(inputs, attributes);
  return rows(add(matmulEach(w, v), matmulEach(p, dv)));
}

/** From [joined, cotangent of attention]: joined's cotangent. */
export function attendedReverse([joined, cotangent]: readonly Node[], attributes: AttentionAttributes): Node {
  const { q, k, v } = split(joined as Node, attributes);
  const c = headsOf(cotangent as Node, attributes.heads);
  const p = weights(q, k);
  const f = multiply(centred(p, times(c, v)), scaleOf(q));
  return join([matmulEach(f, k), turnedTimes(f, q), turnedTimes(p, c)], attributes);
}

/** From [joined, tangent, cotangent of attention's tangent]: those of joined and tangent, [2, B, L, 3 D]. */
export function attendedTangentReverse(inputs: readonly Node[], attributes: AttentionAttributes): Node {
  const { q, k, v, dq, dk, dv, p, t, r, w } = moved(inputs, attributes);
  const b = headsOf(inputs[2] as Node, attributes.heads);
  const bv = times(b, v);
  const mean = overKeys(multiply(p, bv));
  const g = multiply(multiply(p, subtract(bv, mean)), scaleOf(q));
  const c = subtract(add(times(b, dv), multiply(subtract(t, r), bv)), multiply(mean, t));
  const f = multiply(centred(p, c), scaleOf(q));
  const ofQueries = add(matmulEach(f, k), matmulEach(g, dk));
  const ofKeys = add(turnedTimes(f, q), turnedTimes(g, dq));
  const primal = join([ofQueries, ofKeys, turnedTimes(w, b)], attributes);
  const along = join([matmulEach(g, k), turnedTimes(g, q), turnedTimes(p, b)], attributes);
  return concat(
    [primal, along].map((each) => reshape(each, [1, ...each.shape])),
    0,
  );
}

export function split(joined: Node, { heads, order }: AttentionAttributes): { q: Node; k: Node; v: Node } {
  const [batch, length, all] = joined.shape as readonly [number, number, number];
  if (joined.shape.length !== 3 || !Number.isInteger(heads) || heads < 1 || all % (3 * heads) !== 0) {
    throw new ConfigError({
      subject: "queries, keys and values of attention",
      given: joined.shape,
      expected: `[B, L, 3 D], D a multiple of ${heads} heads`,
      remedy: "Project to three times a width that the heads divide.",
    });
  }
  const [kinds, width] = [3, all / 3 / heads];
  const axis = order === "kinds" ? 2 : 3;
  const parts = reshape(joined, [batch, length, ...(axis === 2 ? [kinds, heads] : [heads, kinds]), width]);
  const [q, k, v] = [0, 1, 2].map((kind) =>
    transpose(reshape(slice(parts, axis, kind, kind + 1), [batch, length, heads, width]), [0, 2, 1, 3]),
  );
  return { q, k, v } as { q: Node; k: Node; v: Node };
}

/** [B, L, D] as [B, H, L, d]. */
function headsOf(x: Node, heads: number): Node {
  const [batch, length, width] = x.shape as readonly [number, number, number];
  return transpose(reshape(x, [batch, length, heads, width / heads]), [0, 2, 1, 3]);
}

/** [B, H, L, d] as [B, L, D]. */
function rows(x: Node): Node {
  const [batch, heads, length, width] = x.shape as readonly [number, number, number, number];
  return reshape(transpose(x, [0, 2, 1, 3]), [batch, length, heads * width]);
}

/** Queries, keys and values [B, H, L, d] side by side, as `split` takes them apart. */
function join(kinds: readonly Node[], { order }: AttentionAttributes): Node {
  const [batch, heads, length, width] = (kinds[0] as Node).shape as readonly [number, number, number, number];
  if (order === "kinds") return concat(kinds.map(rows), 2);
  const parts = kinds.map((kind) => reshape(transpose(kind, [0, 2, 1, 3]), [batch, length, heads, 1, width]));
  return reshape(concat(parts, 3), [batch, length, 3 * heads * width]);
}

const scaleOf = (q: Node) => 1 / Math.sqrt(q.shape.at(-1) as number);
const times = (x: Node, y: Node) => matmulEach(x, y, { transposeRight: true });
const turnedTimes = (x: Node, y: Node) => matmulEach(x, y, { transposeLeft: true });
const overKeys = (x: Node) => sum(x, [3]);

const scores = (q: Node, k: Node) => multiply(times(q, k), scaleOf(q));
/** Of each query for each key, [B, H, L, L]. */
export const weights = (q: Node, k: Node) => softmax(scores(q, k));

/** P (X - sum(P X)). */
const centred = (p: Node, x: Node) => multiply(p, subtract(x, overKeys(multiply(p, x))));

/** What the tangent is made of, from [joined, tangent]; names are the file's. */
function moved([joined, tangent]: readonly Node[], attributes: AttentionAttributes) {
  const { q, k, v } = split(joined as Node, attributes);
  const { q: dq, k: dk, v: dv } = split(tangent as Node, attributes);
  const p = weights(q, k);
  const t = add(scores(dq, k), scores(q, dk));
  const r = overKeys(multiply(p, t));
  return { q, k, v, dq, dk, dv, p, t, r, w: multiply(p, subtract(t, r)) };
}
