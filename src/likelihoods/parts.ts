/** Log-densities with what is known of them beside their values: intervals, gradients, what each coordinate contributes. */
import { copiedNumbers, type Numbers } from "../data/numbers.ts";
import { studentQuantile } from "../diagnostics/student.ts";
import type { LogDensity, Model, SolveOptions } from "../engine/api.ts";
import { ask, solveOptionsAnd } from "../engine/asking.ts";
import { integerOption, numberOption } from "../graph/options.ts";

export interface LogDensityIntervalOptions extends SolveOptions {
  /** Independent Rademacher probes, 3 to 256; default 32. */
  readonly probes?: number;
  /** How often the interval is to hold the exact value; default 0.95. */
  readonly level?: number;
}

export interface LogDensityInterval extends LogDensity {
  /** Ends of the interval of each point [count], in nats. */
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  readonly level: number;
}

/**
 * Estimates of log-densities by independent probes, each with an interval that holds the exact one `level` of the time. It is
 * Student's of the probes' estimates with their skewness taken out (Hall's transformation): z.(J z) of a Jacobian with one
 * large direction is skewed like a chi-square, and Student's own interval of 12 such estimates holds 87 % in place of 95. What it
 * does not know of is the solver's error, which its tolerance says. In one dimension each probe is exact.
 *
 * @param points - as of `model.logDensity`, whose other options this takes: conditions, guidance.
 * @see Hall, On the removal of skewness by transformation (1992), Journal of the Royal Statistical Society B 54.
 */
export async function logDensityInterval(
  model: Model,
  points: Numbers,
  options: LogDensityIntervalOptions = {},
): Promise<LogDensityInterval> {
  const { probes = 32, level = 0.95, ...rest } = solveOptionsAnd("logDensityInterval", options, ["probes", "level"]);
  integerOption("probes of logDensityInterval", probes, 3, 256);
  numberOption("level of logDensityInterval", level, { minimum: 0, maximum: 1, open: "both" });
  const numbers = copiedNumbers("points", points);
  const estimates = await ask("logDensityInterval", model, numbers, { ...rest, probes, of: "estimates" });
  const count = estimates.length / probes;
  const quantile = studentQuantile((1 + level) / 2, probes - 1);
  const [values, standardError, lower, upper] = Array.from({ length: 4 }, () => new Float64Array(count)) as [
    ...[Float64Array, Float64Array, Float64Array, Float64Array],
  ];
  for (let row = 0; row < count; row++) {
    const own = intervalOf(estimates.subarray(row * probes, (row + 1) * probes), quantile);
    values[row] = own.mean;
    standardError[row] = own.standardError;
    lower[row] = own.lower;
    upper[row] = own.upper;
  }
  return { values, standardError, lower, upper, level };
}

/** Of the mean of what these estimates are drawn from. */
function intervalOf(estimates: Float64Array, quantile: number) {
  const count = estimates.length;
  const mean = estimates.reduce((sum, one) => sum + one, 0) / count;
  const moment = (power: number) => estimates.reduce((sum, one) => sum + (one - mean) ** power, 0) / count;
  const variance = moment(2);
  const deviation = Math.sqrt((variance * count) / (count - 1));
  const skewness = variance > 0 ? moment(3) / variance ** 1.5 : 0;
  // With S = (mean - truth) / deviation, S + g S^2 / 3 + g^2 S^3 / 27 + g / (6 n) is symmetric: this is its inverse.
  const inverse = (y: number) => {
    if (Math.abs(skewness) < 1e-6) return y;
    return (3 / skewness) * (Math.cbrt(1 + skewness * (y - skewness / (6 * count))) - 1);
  };
  const y = quantile / Math.sqrt(count);
  return {
    mean,
    standardError: deviation / Math.sqrt(count),
    lower: mean - deviation * inverse(y),
    upper: mean - deviation * inverse(-y),
  };
}

export interface LogDensityGradientOptions extends SolveOptions {
  /** "exact" (default), or "hutchinson": the gradient of the estimate by `probes` probes, itself without bias. */
  readonly divergence?: "exact" | "hutchinson";
  /** Rademacher probes, 1 to 256; default 8. */
  readonly probes?: number;
}

export interface LogDensityGradient extends LogDensity {
  /** Row-major [count, D], in nats and data units. */
  readonly gradient: Float64Array;
}

/**
 * Log-densities of points and their gradients by the points: the model's own score at t = 1. The flow is solved back to the
 * noise, and from there forth with the gradient beside the points, to the solver's tolerance; it takes a second derivative of
 * the network, as FDM training does, on every backend.
 *
 * @param points - as of `model.logDensity`, whose other options this takes.
 * @throws what `model.logDensity` throws.
 */
export async function logDensityGradient(
  model: Model,
  points: Numbers,
  options: LogDensityGradientOptions = {},
): Promise<LogDensityGradient> {
  const given = solveOptionsAnd("logDensityGradient", options, ["divergence", "probes"]);
  return ask("logDensityGradient", model, copiedNumbers("points", points), { ...given, of: "gradient" });
}

export interface LogDensityContributions {
  /** Log-densities [count], in nats and data units: `prior` and all contributions, summed. */
  readonly values: Float64Array;
  /** Log-density of the noise that each point comes from [count]. */
  readonly prior: Float64Array;
  /**
   * What the flow adds by each coordinate, row-major [count, D]: minus the integral of the Jacobian's diagonal element along the
   * way. Positive where the flow presses that coordinate together.
   */
  readonly contributions: Float64Array;
}

/**
 * Exact log-densities as sums over coordinates. Of up to 64 coordinates.
 *
 * @param points - as of `model.logDensity`, whose other options this takes, those of estimates left out.
 * @throws {@link LimitError} when the model has more coordinates.
 */
export async function logDensityContributions(
  model: Model,
  points: Numbers,
  options: SolveOptions = {},
): Promise<LogDensityContributions> {
  const given = solveOptionsAnd("logDensityContributions", options, []);
  const numbers = copiedNumbers("points", points);
  const { prior, contributions } = await ask("logDensityContributions", model, numbers, {
    ...given,
    of: "contributions",
  });
  const { dimension } = model;
  const values = prior.map((start, row) =>
    contributions.subarray(row * dimension, (row + 1) * dimension).reduce((sum, one) => sum + one, start),
  );
  return { values, prior, contributions };
}
