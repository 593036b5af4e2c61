/**
 * The true marginal field of Gaussian mixtures on an affine path: data x1 ~ sum_k w_k N(m_k, diag c_k), noise N(0, I),
 * x_t = alpha x1 + sigma x0. Component k of x_t is N(alpha m_k, V_k), V_k = alpha^2 c_k + sigma^2; with the
 * responsibilities g_k of these at x and r_k = x - alpha m_k,
 *   score = -sum g_k r_k / V_k,   E[x1 | x] = sum g_k (m_k + alpha c_k r_k / V_k),   E[x0 | x] = sum g_k sigma r_k / V_k,
 *   velocity = alpha' E[x1 | x] + sigma' E[x0 | x].
 * What learned fields, guidance and log-densities are held to where nothing is learned.
 */
import type { Node } from "../graph/node.ts";
import { add, divide, exp, log, multiply, negate, square, subtract } from "../ops/arithmetic.ts";
import { sum } from "../ops/reduce.ts";
import { reshape } from "../ops/shape.ts";
import { logSoftmax, logSumExp } from "../ops/softmax.ts";
import { table } from "../ops/sources.ts";
import type { VelocityField } from "./losses/loss.ts";
import type { PathScheduler, PathValues } from "./paths/path.ts";

/** The components of x1, K of them in D dimensions. */
export interface MixtureComponents {
  /** Positive, of sum 1 [K]. */
  readonly weights: Node;
  /** [K, D]. */
  readonly means: Node;
  /** Positive [K, D]. */
  readonly variances: Node;
}

/** The same as plain numbers. */
export interface MixtureParts {
  readonly weights: readonly number[];
  readonly means: readonly (readonly number[])[];
  readonly variances: readonly (readonly number[])[];
}

/** The components of these numbers. */
export function componentsOf({ weights, means, variances }: MixtureParts): MixtureComponents {
  const shape = [weights.length, (means[0] as readonly number[]).length];
  const total = weights.reduce((a, b) => a + b, 0);
  return {
    weights: table(
      weights.map((weight) => weight / total),
      [weights.length],
    ),
    means: table(means.flat(), shape),
    variances: table(variances.flat(), shape),
  };
}

/** What is known of B points x_t. */
export interface MixtureMarginal {
  /** E[alpha' x1 + sigma' x0 | x] [B, D]. */
  readonly velocity: Node;
  /** grad log p_t(x) [B, D]. */
  readonly score: Node;
  /** E[x1 | x] [B, D]. */
  readonly denoised: Node;
  /** E[x0 | x] [B, D]. */
  readonly noise: Node;
  /** log p_t(x) [B, 1]. */
  readonly logDensity: Node;
  /** log p(k | x): of which component x is [B, K]. */
  readonly logResponsibilities: Node;
}

/**
 * The marginal of a mixture's path at points.
 *
 * @param path - the scheduler's values at the times of x.
 * @param x - [B, D].
 */
export function mixtureMarginal(components: MixtureComponents, path: PathValues, x: Node): MixtureMarginal {
  const [rows, dimension] = x.shape as readonly [number, number];
  const [count] = components.weights.shape as readonly [number];
  // [B, K, D] of every component at every point.
  const perRow = (values: Node) => reshape(values, [rows, 1, 1]);
  const [alpha, sigma] = [perRow(path.alpha), perRow(path.sigma)];
  const means = reshape(components.means, [1, count, dimension]);
  const own = reshape(components.variances, [1, count, dimension]);
  const variance = add(multiply(square(alpha), own), square(sigma));
  const apart = subtract(reshape(x, [rows, 1, dimension]), multiply(alpha, means));
  const scaled = divide(apart, variance);

  const exponents = multiply(sum(add(multiply(apart, scaled), log(multiply(variance, 2 * Math.PI))), [2]), -0.5);
  const joint = add(reshape(exponents, [rows, count]), reshape(log(components.weights), [1, count]));
  const logDensity = logSumExp(joint);
  // Not the difference of the two: far from all components that cancels.
  const logResponsibilities = logSoftmax(joint);

  const responsibility = reshape(exp(logResponsibilities), [rows, count, 1]);
  const expected = (values: Node) => reshape(sum(multiply(responsibility, values), [1]), [rows, dimension]);
  const score = negate(expected(scaled));
  const noise = negate(multiply(path.sigma, score));
  const denoised = expected(add(means, multiply(multiply(alpha, own), scaled)));
  const velocity = add(multiply(path.alphaRate, denoised), multiply(path.sigmaRate, noise));
  return { velocity, score, denoised, noise, logDensity, logResponsibilities };
}

/** The true velocity of a mixture's path, at points [B, D] and times [B, 1]. */
export function mixtureField(components: MixtureComponents, path: PathScheduler): VelocityField {
  return (x, t) => mixtureMarginal(components, path.at(t), x).velocity;
}
