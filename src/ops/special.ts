/** Special functions in f64: the references of the activations and of the tests. */

/** 1 / (1 + exp(-x)), accurate to rounding for every x: exp never overflows. */
export function sigmoid(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  const e = Math.exp(x);
  return e / (1 + e);
}

/** exp(-x^2 / 2) / sqrt(2 pi). */
export function normalDensity(x: number): number {
  return Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
}

/** The standard normal CDF; relative error below 1e-14 down to x = -6, below 1e-13 down to -37. */
export function normalCdf(x: number): number {
  return 0.5 * erfc(-x * Math.SQRT1_2);
}

/** Where the power series hands over to the continued fraction. */
const SERIES_END = 1.5;

/** The error function; absolute error below 1e-15. */
export function erf(x: number): number {
  return Math.abs(x) < SERIES_END ? erfSeries(x) : Math.sign(x) * (1 - erfcFraction(Math.abs(x)));
}

/** 1 - erf(x), without cancellation for large x. */
export function erfc(x: number): number {
  return Math.abs(x) < SERIES_END ? 1 - erfSeries(x) : x > 0 ? erfcFraction(x) : 2 - erfcFraction(-x);
}

/**
 * erf(x) = 2/sqrt(pi) exp(-x^2) sum over n of 2^n x^(2n+1) / (1 3 5 ... (2n+1)): all terms of one sign.
 * Abramowitz and Stegun 7.1.6.
 */
function erfSeries(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/**
 * erfc(x) for x >= SERIES_END by the continued fraction exp(-x^2)/sqrt(pi) / (x + (1/2)/(x + 1/(x + (3/2)/(x + ...)))),
 * from its tail up. Abramowitz and Stegun 7.1.14. The nearer 0, the more terms it takes.
 */
function erfcFraction(x: number): number {
  const terms = Math.ceil(20 + 400 / (x * x));
  let tail = x;
  for (let k = terms; k >= 1; k--) tail = x + k / 2 / tail;
  return expOfNegativeSquare(x) / (Math.sqrt(Math.PI) * tail);
}

/** exp(-x^2) for x > 0; the square is split, because rounding it would cost x^2 units in the last place. */
function expOfNegativeSquare(x: number): number {
  if (x > 28) return 0; // below the smallest f64; far out, the second factor would overflow
  const high = Math.round(x * 16) / 16; // its square is exact
  return Math.exp(-high * high) * Math.exp(-(x - high) * (x + high));
}
