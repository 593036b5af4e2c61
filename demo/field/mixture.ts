/** The marginal field of a mixture of round Gaussians: sums over its components, all in closed form. */
import { DIVERGENCE, LOG, SX, SY, type Truth, UX, UY } from "./truth.ts";

/** Row-major [count, 2] means, and by component a weight and a variance; weights sum to 1. */
export interface Components {
  readonly means: ArrayLike<number>;
  readonly weights: ArrayLike<number>;
  readonly variances: ArrayLike<number>;
}

/** Components of equal weight and variance about points [count, 2]. */
export function evenly(means: ArrayLike<number>, variance: number): Components {
  const count = means.length / 2;
  return {
    means,
    weights: new Float64Array(count).fill(1 / count),
    variances: new Float64Array(count).fill(variance),
  };
}

/** Shares below exp(-NEGLIGIBLE) of the largest leave no digit in a sum. */
const NEGLIGIBLE = 36;

/**
 * Component k is N(t m_k, S_k I) at time t, S_k = t^2 v_k + (1 - t)^2, and moves by u_k = m_k + c_k (x - t m_k),
 * c_k = (t v_k - (1 - t)) / S_k. With shares r_k = w_k N_k / p and scores s_k:
 *   u = sum r_k u_k,   s = sum r_k s_k,   div u = sum r_k (2 c_k + (s_k - s) . u_k).
 */
export function mixtureTruth({ means, weights, variances }: Components, caveat?: string): Truth {
  const count = weights.length;
  const logs = new Float64Array(count);
  /** By component at time `prepared`: log(w_k / S_k), S_k, c_k, which all points at one time share. */
  const levels = new Float64Array(count);
  const spreads = new Float64Array(count);
  const rates = new Float64Array(count);
  let prepared = Number.NaN;
  const prepare = (t: number) => {
    prepared = t;
    const sigma = 1 - t;
    for (let k = 0; k < count; k++) {
      const variance = variances[k] as number;
      const spread = t * t * variance + sigma * sigma;
      spreads[k] = spread;
      rates[k] = (t * variance - sigma) / spread;
      levels[k] = Math.log((weights[k] as number) / spread);
    }
  };
  return {
    ...(caveat === undefined ? {} : { caveat }),
    at(x, y, t, out) {
      if (t !== prepared) prepare(t);
      let most = Number.NEGATIVE_INFINITY;
      for (let k = 0; k < count; k++) {
        const dx = x - t * (means[2 * k] as number);
        const dy = y - t * (means[2 * k + 1] as number);
        const log = (levels[k] as number) - (dx * dx + dy * dy) / (2 * (spreads[k] as number));
        logs[k] = log;
        if (log > most) most = log;
      }
      let [total, ux, uy, sx, sy, own, inner] = [0, 0, 0, 0, 0, 0, 0];
      for (let k = 0; k < count; k++) {
        const behind = (logs[k] as number) - most;
        if (behind < -NEGLIGIBLE) continue;
        const share = Math.exp(behind);
        const [mx, my] = [means[2 * k] as number, means[2 * k + 1] as number];
        const [dx, dy] = [x - t * mx, y - t * my];
        const [spread, rate] = [spreads[k] as number, rates[k] as number];
        const [vx, vy] = [mx + rate * dx, my + rate * dy];
        const [kx, ky] = [-dx / spread, -dy / spread];
        total += share;
        ux += share * vx;
        uy += share * vy;
        sx += share * kx;
        sy += share * ky;
        own += share * 2 * rate;
        inner += share * (kx * vx + ky * vy);
      }
      out[LOG] = most + Math.log(total) - Math.log(2 * Math.PI);
      out[UX] = ux / total;
      out[UY] = uy / total;
      out[SX] = sx / total;
      out[SY] = sy / total;
      out[DIVERGENCE] = (own + inner) / total - (out[SX] * out[UX] + out[SY] * out[UY]);
    },
  };
}
