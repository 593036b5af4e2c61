/** The flow map between N(0, I) and N(mean, scale^2 I) on cond-ot, in closed form: what flow maps are held to. */
import type { Node } from "../graph/node.ts";

import { add, divide, equal, log1p, multiply, select, sqrt, square, subtract } from "../ops/arithmetic.ts";

export interface GaussianData {
  /** [D], or [1, D]. */
  readonly mean: Node;
  /** Standard deviation of each coordinate, a scalar. */
  readonly scale: Node | number;
}

/** Standard deviation of x_t, [B, 1]. */
export function gaussianDeviation({ scale }: GaussianData, t: Node): Node {
  return sqrt(add(square(multiply(t, scale)), square(subtract(1, t))));
}

/**
 * Averages from (x, s) to e. With r(t) the deviation and q = scale^2 (e + s) - (2 - s - e), r(e)^2 - r(s)^2 is (e - s) q: so
 * nothing cancels where e is near s, and at e = s they are the velocity and its divergence.
 */
export function gaussianAverages(
  data: GaussianData,
  x: Node,
  s: Node,
  e: Node,
): { readonly velocity: Node; readonly divergence: Node } {
  const { mean, scale } = data;
  const [from, to] = [gaussianDeviation(data, s), gaussianDeviation(data, e)];
  const sum = add(s, e);
  const q = subtract(multiply(multiply(sum, scale), scale), subtract(2, sum));
  const centred = subtract(x, multiply(s, mean));
  const velocity = add(mean, multiply(centred, divide(q, multiply(add(from, to), from))));
  const rate = divide(q, square(from));
  const growth = multiply(subtract(e, s), rate); // ln (r(e) / r(s)) is half of log1p of it
  const mean1 = select(equal(growth, 0), 1, divide(log1p(growth), select(equal(growth, 0), 1, growth)));
  return { velocity, divergence: multiply(multiply(rate, mean1), 0.5 * (x.shape[1] as number)) };
}
