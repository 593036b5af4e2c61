/** Modified Bessel functions of the first kind, scaled so that they do not overflow: exp(-x) I_n(x), n = 0 or 1. */

/** From here on the asymptotic series reaches rounding before its terms grow again. */
const ASYMPTOTIC = 25;

/**
 * exp(-x) I_n(x) for x >= 0, to about 1e-14 relative.
 *
 * @see Abramowitz and Stegun, Handbook of Mathematical Functions, 9.6.10 and 9.7.1.
 */
export function scaledBesselI(order: 0 | 1, x: number): number {
  if (x < ASYMPTOTIC) {
    const quarter = (x * x) / 4;
    let term = order === 0 ? 1 : x / 2;
    let sum = term;
    for (let k = 1; term > 1e-17 * sum; k++) {
      term *= quarter / (k * (k + order));
      sum += term;
    }
    return sum * Math.exp(-x);
  }
  const mu = 4 * order * order;
  let term = 1;
  let sum = 1;
  for (let k = 1; Math.abs(term) > 1e-17 && k < 40; k++) {
    term *= ((2 * k - 1) ** 2 - mu) / (8 * k * x);
    sum += term;
  }
  return sum / Math.sqrt(2 * Math.PI * x);
}
