/**
 * Where a parameter lives, and where its model does: each parameter x, in the user's units, is a monotone function of a coordinate z
 * on the whole line, so that no z whatsoever leads outside the prior's bounds. Densities differ by the Jacobian.
 *
 * | kind | x | for |
 * |---|---|---|
 * | "unbounded" | mean + deviation z | (-inf, inf) |
 * | "above" | low + exp(mean + deviation z) | (low, inf) |
 * | "below" | high - exp(mean + deviation z) | (-inf, high) |
 * | "between" | low + (high - low) Phi(z) | [low, high] |
 * | "logBetween" | low (high / low)^Phi(z) | [low, high], low > 0 |
 *
 * With Phi the normal CDF a uniform prior is N(0, 1) in z: what the flow starts from is the prior, and a posterior that learns nothing
 * from data needs no learning. A logit would leave the tails of a logistic distribution to be learned.
 */
import { ConfigError } from "../errors.ts";
import { isRecord } from "../graph/options.ts";
import { normalCdf, normalDensity } from "../ops/special.ts";

/** Plain data: files hold it. */
export type Transform =
  | { readonly kind: "unbounded"; readonly mean: number; readonly deviation: number }
  | { readonly kind: "above"; readonly low: number; readonly mean: number; readonly deviation: number }
  | { readonly kind: "below"; readonly high: number; readonly mean: number; readonly deviation: number }
  | { readonly kind: "between" | "logBetween"; readonly low: number; readonly high: number };

/** Least and greatest value; infinite where there is no bound. */
export type Bounds = readonly [low: number, high: number];

/** The transform for bounds alone. */
export function transformOf([low, high]: Bounds): Transform {
  if (low > Number.NEGATIVE_INFINITY && high < Number.POSITIVE_INFINITY) return { kind: "between", low, high };
  if (low > Number.NEGATIVE_INFINITY) return { kind: "above", low, mean: 0, deviation: 1 };
  if (high < Number.POSITIVE_INFINITY) return { kind: "below", high, mean: 0, deviation: 1 };
  return { kind: "unbounded", mean: 0, deviation: 1 };
}

export function boundsOf(transform: Transform): Bounds {
  const { low = Number.NEGATIVE_INFINITY, high = Number.POSITIVE_INFINITY } = transform as {
    low?: number;
    high?: number;
  };
  return [low, high];
}

/** Shares nearer to 0 or 1 than this are taken for it: f64 tells no smaller part of an interval from its end. */
const LEAST_SHARE = 2 ** -53;

/** x of z: within the bounds for every z; the bound itself where f64 has no number nearer to it. */
export function fromLine(transform: Transform, z: number): number {
  switch (transform.kind) {
    case "unbounded":
      return transform.mean + transform.deviation * z;
    case "above":
      return transform.low + Math.exp(transform.mean + transform.deviation * z);
    case "below":
      return transform.high - Math.exp(transform.mean + transform.deviation * z);
    default: {
      const { kind, low, high } = transform;
      const [share, other] = [normalCdf(z), normalCdf(-z)];
      // From the nearer end, where digits are; rounding must not step over it.
      const x =
        kind === "between"
          ? share < 0.5
            ? low + (high - low) * share
            : high - (high - low) * other
          : share < 0.5
            ? low * (high / low) ** share
            : high * (low / high) ** other;
      return Math.min(high, Math.max(low, x));
    }
  }
}

/** z of x within the bounds; infinite at an end of "above" and "below", finite at those of intervals. */
export function toLine(transform: Transform, x: number): number {
  switch (transform.kind) {
    case "unbounded":
      return (x - transform.mean) / transform.deviation;
    case "above":
      return (Math.log(x - transform.low) - transform.mean) / transform.deviation;
    case "below":
      return (Math.log(transform.high - x) - transform.mean) / transform.deviation;
    default: {
      const { kind, low, high } = transform;
      const range = kind === "between" ? high - low : Math.log(high / low);
      const share = (kind === "between" ? x - low : Math.log(x / low)) / range;
      if (share < 0.5) return normalQuantile(Math.max(LEAST_SHARE, share));
      const other = (kind === "between" ? high - x : Math.log(high / x)) / range;
      return -normalQuantile(Math.max(LEAST_SHARE, other));
    }
  }
}

/** log |dz/dx| at z: what is added to log-densities of z to have those of x. */
export function logJacobianAt(transform: Transform, z: number): number {
  switch (transform.kind) {
    case "unbounded":
      return -Math.log(transform.deviation);
    case "above":
    case "below":
      return -Math.log(transform.deviation) - (transform.mean + transform.deviation * z);
    default: {
      const { kind, low, high } = transform;
      const ofShare = 0.5 * (z * z + Math.log(2 * Math.PI));
      if (kind === "between") return ofShare - Math.log(high - low);
      return ofShare - Math.log(Math.log(high / low)) - Math.log(fromLine(transform, z));
    }
  }
}

/** Derivative of {@link logJacobianAt} by z. */
export function logJacobianSlope(transform: Transform, z: number): number {
  switch (transform.kind) {
    case "unbounded":
      return 0;
    case "above":
    case "below":
      return -transform.deviation;
    case "between":
      return z;
    default:
      return z - Math.log(transform.high / transform.low) * normalDensity(z);
  }
}

/**
 * A transform from plain JSON, such as a file's, or undefined.
 */
export function parseTransform(json: unknown): Transform | undefined {
  if (!isRecord(json)) return undefined;
  const numbers = (...names: readonly string[]) => names.every((name) => Number.isFinite(json[name]));
  const { kind, low, high, mean, deviation } = json as Record<string, number> & { kind: unknown };
  const isScaled = numbers("mean", "deviation") && deviation > 0;
  if (kind === "unbounded" && isScaled) return { kind, mean, deviation };
  if (kind === "above" && isScaled && numbers("low")) return { kind, low, mean, deviation };
  if (kind === "below" && isScaled && numbers("high")) return { kind, high, mean, deviation };
  const isInterval = numbers("low", "high") && low < high;
  if (kind === "between" && isInterval) return { kind, low, high };
  if (kind === "logBetween" && isInterval && low > 0) return { kind, low, high };
  return undefined;
}

/**
 * Bounds as users give them.
 *
 * @throws {@link ConfigError} when one is no number, or the lower is not below the upper.
 */
export function boundsOption(subject: string, given: unknown): Bounds {
  const [low, high] = (Array.isArray(given) ? given : []) as readonly unknown[];
  if (typeof low === "number" && typeof high === "number" && low < high && Number.isFinite(high - low)) {
    return [low, high];
  }
  const isOpen = low === Number.NEGATIVE_INFINITY || high === Number.POSITIVE_INFINITY;
  if (typeof low === "number" && typeof high === "number" && low < high && isOpen) return [low, high];
  throw new ConfigError({
    subject,
    given: given ?? String(given),
    expected: "[low, high], low below high; -Infinity and Infinity where there is no bound",
    remedy: "Give the interval that the parameter cannot leave, such as [0, Infinity].",
  });
}

/** P(Z < x) = p of a standard normal, p in (0, 1): Acklam's rational approximation, then Halley's step on the f64 CDF. */
export function normalQuantile(p: number): number {
  if (p > 0.5) return -normalQuantile(1 - p);
  let x: number;
  if (p < 0.02425) {
    const q = Math.sqrt(-2 * Math.log(p));
    x = horner(TAIL_TOP, q) / (q * horner(TAIL_BOTTOM, q) + 1);
  } else {
    const q = p - 0.5;
    const r = q * q;
    x = (q * horner(MIDDLE_TOP, r)) / (r * horner(MIDDLE_BOTTOM, r) + 1);
  }
  const error = (normalCdf(x) - p) / normalDensity(x);
  return x - error / (1 + (x * error) / 2);
}

const MIDDLE_TOP = [
  -3.969683028665376e1, 2.209460984245205e2, -2.759285104469687e2, 1.38357751867269e2, -3.066479806614716e1,
  2.506628277459239,
];
const MIDDLE_BOTTOM = [
  -5.447609879822406e1, 1.615858368580409e2, -1.556989798598866e2, 6.680131188771972e1, -1.328068155288572e1,
];
const TAIL_TOP = [
  -7.784894002430293e-3, -3.223964580411365e-1, -2.400758277161838, -2.549732539343734, 4.374664141464968,
  2.938163982698783,
];
const TAIL_BOTTOM = [7.784695709041462e-3, 3.224671290700398e-1, 2.445134137142996, 3.754408661907416];

const horner = (coefficients: readonly number[], x: number) => coefficients.reduce((sum, each) => sum * x + each, 0);
