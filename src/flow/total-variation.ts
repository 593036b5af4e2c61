/**
 * The bound on the total variation between a learned density and the true p_t, of velocities v and u:
 *   TV(t) <= 1/2 integral from 0 to t of E_p |div(v - u) + (v - u) . score| ds.
 * Since the error e of the learned density obeys d/dt e + div(e v) = -div(p (v - u)), it is carried along and grows by that
 * alone.
 */
import type { Node } from "../graph/node.ts";
import { abs, add, exp, multiply } from "../ops/arithmetic.ts";
import { sum } from "../ops/reduce.ts";

/**
 * div(p w) / p = div w + w . score [B, 1]: how fast the field w [B, D] carries a density p away, relative to it. The true
 * velocity's is -d/dt log p_t; that of v - u is the residual.
 */
export function relativeOutflow(w: Node, divergence: Node, score: Node): Node {
  return add(divergence, sum(multiply(w, score), [1]));
}

/** p |div(p w) / p| [B, 1] at points of known log-density [B, 1]: what the bound integrates over x and, halved, over t. */
export function boundDensity(w: Node, divergence: Node, score: Node, logDensity: Node): Node {
  return multiply(exp(logDensity), abs(relativeOutflow(w, divergence, score)));
}
