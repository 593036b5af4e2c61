/**
 * The factor of the Dirichlet path's velocity in f64, on the host: tables are made of it, and tests hold it to quadrature.
 *
 * A letter's path is Dirichlet(1, ..., a at the letter, ..., 1) over K letters; with x the letter's own coordinate,
 * x ~ Beta(a, b), b = K - 1, it moves by u = C(x, a) (e - x), where
 *   C(x, a) = -B(a, b) dI_x(a, b)/da / ((1 - x)^b x^(a-1)),   I the regularised incomplete beta function
 * (Stark et al., Dirichlet flow matching, ICML 2024, equation 13). With c0 = psi(a) - psi(a + b) and F(x) the integral of
 * s^(a-1) (1-s)^(b-1) (ln s - c0) from 0 to x, C = -F / ((1-x)^b x^(a-1)).
 *
 * F is 0 at both ends, so the end is taken from which nothing cancels:
 * - Up to the mean a/(a+b): put into dC/dx = -(ln x - c0)/(1-x) + C (b/(1-x) - (a-1)/x), powers of x give
 *     C = sum over n >= 1 of p_n x^n (-ln x - s_n),   p_1 = 1/a,  p_(n+1) = p_n (n+a+b-1)/(n+a),
 *     s_n = psi(n+a+b-1) - psi(n+a),
 *   and ln(a/(a+b)) <= -s_n: every term is positive.
 * - Above: with s = 1 - (1-x) e^-h, C is the integral over h >= 0 of e^(-b h) (s/x)^(a-1) (ln s - c0), whose integrand is positive.
 */

import { integerOption, numberOption } from "../../graph/options.ts";

/** psi(a + count) - psi(a), for a whole number `count`: the sum of 1/(a + i) below it. */
export function digammaDifference(a: number, count: number): number {
  let sum = 0;
  for (let i = count - 1; i >= 0; i--) sum += 1 / (a + i);
  return sum;
}

/** C(x, a), C/x and dC/dx. */
export interface FactorValues {
  readonly factor: number;
  readonly ratio: number;
  readonly slope: number;
}

/**
 * C, C/x and dC/dx at one point. At x = 0 the last two are infinite.
 *
 * @param x - in [0, 1].
 * @param a - at least 1.
 * @param letters - K, an integer from 2 to 256.
 * @throws {@link ConfigError} when one is outside its range.
 */
export function dirichletFactor(x: number, a: number, letters: number): FactorValues {
  numberOption("x of dirichletFactor", x, { minimum: 0, maximum: 1 });
  numberOption("a of dirichletFactor", a, { minimum: 1 });
  return factorValues(x, a, integerOption("letters of dirichletFactor", letters, 2, 256));
}

/** The same without a check: ends of tables may be rounded past the range. */
export function factorValues(x: number, a: number, letters: number): FactorValues {
  const b = letters - 1;
  if (x === 0) return { factor: 0, ratio: Number.POSITIVE_INFINITY, slope: Number.POSITIVE_INFINITY };
  return x < a / (a + b) ? belowMean(x, a, b) : aboveMean(x, a, b);
}

function belowMean(x: number, a: number, b: number): FactorValues {
  const series = factorSeries(x, a, b);
  const logarithm = -Math.log(x);
  const ratio = logarithm * series.ratio[0] + series.ratio[1];
  return { factor: x * ratio, ratio, slope: logarithm * series.slope[0] + series.slope[1] };
}

/** Coefficients of -ln x and of 1 in C/x and in dC/dx, power series in x. */
export interface FactorSeries {
  readonly ratio: readonly [number, number];
  readonly slope: readonly [number, number];
}

/** @param x - in [0, 1); terms shrink like x^n, and at once only below the mean. */
export function factorSeries(x: number, a: number, b: number): FactorSeries {
  const [ratio, slope]: [[number, number], [number, number]] = [
    [0, 0],
    [0, 0],
  ];
  let term = 1 / a; // p_n x^(n-1)
  let shift = digammaDifference(a, b) - 1 / a; // s_n
  for (let n = 1; ; n++) {
    ratio[0] += term;
    ratio[1] -= term * shift;
    slope[0] += n * term;
    slope[1] -= term * (n * shift + 1);
    const growth = ((n + a + b - 1) / (n + a)) * x;
    if (growth < 1 && n * term < 1e-18 * (1 - growth) ** 2 * ratio[0]) return { ratio, slope };
    shift += 1 / (n + a + b - 1) - 1 / (n + a);
    term *= growth;
  }
}

function aboveMean(x: number, a: number, b: number): FactorValues {
  const least = -digammaDifference(a, b); // c0
  const rest = 1 - x;
  // s after h, and the exponent there: concave in h, with no rise above the mean, so what is small stays so.
  const passedAt = (h: number) => -Math.expm1(-h); // 1 - e^-h
  const exponentAt = (h: number, s: number) => (a - 1) * Math.log(s / x) - b * h;
  let [factor, slope, start] = [0, 0, 0];
  // Where the integrand turns, which is nearest at h = 0: panels begin there and widen.
  let width = 0.5 * Math.min(1 / b, x);
  while (exponentAt(start, x + rest * passedAt(start)) > LEAST_EXPONENT) {
    for (let i = 0; i < NODES.length; i++) {
      const h = start + width * (NODES[i] as number);
      const passed = passedAt(h);
      const s = x + rest * passed;
      const above = Math.log(s) - least;
      const weight = width * (WEIGHTS[i] as number) * Math.exp(exponentAt(h, s));
      factor += weight * above;
      slope += weight * ((1 - passed) / s - ((a - 1) * passed * above) / (s * x));
    }
    start += width;
    width = Math.min(1.6 * width, 4 / b);
  }
  return { factor, ratio: factor / x, slope };
}

/** e^-42 is below what f64 keeps of 1. */
const LEAST_EXPONENT = -42;

/** Gauss and Legendre's rule of 20 points on [0, 1]. */
const [NODES, WEIGHTS] = gaussLegendre(20);

function gaussLegendre(count: number): readonly [readonly number[], readonly number[]] {
  const rule = Array.from({ length: count }, (_, i) => {
    let z = Math.cos((Math.PI * (i + 0.75)) / (count + 0.5));
    let slope = 1;
    for (let turn = 0; turn < 8; turn++) {
      let [last, before] = [1, 0];
      for (let j = 0; j < count; j++) [last, before] = [((2 * j + 1) * z * last - j * before) / (j + 1), last];
      slope = (count * (z * last - before)) / (z * z - 1);
      z -= last / slope;
    }
    return [(1 + z) / 2, 1 / ((1 - z * z) * slope * slope)] as const;
  });
  return [rule.map(([node]) => node), rule.map(([, weight]) => weight)];
}
