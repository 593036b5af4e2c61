/** Tails of the distributions that tests compare with, in f64. */
import { erfc } from "../ops/special.ts";

/** ln Gamma(x), x > 0: Lanczos' approximation with 9 terms, 1e-14 relative. */
export function logGamma(x: number): number {
  const terms = [
    ...[676.5203681218851, -1259.1392167224028, 771.3234287776531, -176.6150291621406, 12.507343278686905],
    ...[-0.13857109526572012, 9.984369578019572e-6, 1.5056327351493116e-7],
  ];
  const y = x - 1;
  const sum = terms.reduce((total, term, i) => total + term / (y + i + 1), 0.9999999999998099);
  const t = y + 7.5;
  return 0.5 * Math.log(2 * Math.PI) + (y + 0.5) * Math.log(t) - t + Math.log(sum);
}

/** P(X > x) of a chi-square of so many degrees of freedom: the regularised incomplete gamma function Q(degrees / 2, x / 2). */
export function chiSquareTail(x: number, degrees: number): number {
  if (!(x > 0)) return 1;
  const [a, z] = [degrees / 2, x / 2];
  const scale = Math.exp(a * Math.log(z) - z - logGamma(a));
  if (z < a + 1) {
    let term = 1 / a;
    let sum = term;
    for (let n = 1; Math.abs(term) > 1e-16 * sum; n++) {
      term *= z / (a + n);
      sum += term;
    }
    return Math.max(0, 1 - scale * sum);
  }
  // Its continued fraction, by Lentz's method.
  let b = z + 1 - a;
  let c = 1e300;
  let d = 1 / b;
  let fraction = d;
  for (let n = 1; n < 10_000; n++) {
    const numerator = -n * (n - a);
    b += 2;
    d = 1 / (numerator * d + b);
    c = b + numerator / c;
    fraction *= c * d;
    if (Math.abs(c * d - 1) < 1e-15) break;
  }
  return scale * fraction;
}

/** P(|difference| > distance) of the empirical distribution of so many uniform numbers, to some 1e-3: Stephens' correction. */
export function kolmogorovTail(distance: number, count: number): number {
  const root = Math.sqrt(count);
  const x = (root + 0.12 + 0.11 / root) * distance;
  if (x < 0.2) return 1;
  let sum = 0;
  for (let k = 1; k <= 100; k++) sum += (k % 2 === 1 ? 2 : -2) * Math.exp(-2 * k * k * x * x);
  return Math.min(1, Math.max(0, sum));
}

/** P(Z > z) of a standard normal. */
export function normalTail(z: number): number {
  return 0.5 * erfc(z / Math.SQRT2);
}
