/**
 * Guidance by what a function says of the finished sample: at a point x of the path the sample is not known, but the
 * field's velocity tells its mean, xhat = E[x1 | x] (Tweedie's estimate), and the function is asked there. A field
 * whose density is p becomes that of p times a weight w by
 *   v + coefficient grad log w_t(x),   coefficient = sigma (alpha' sigma - sigma' alpha) / alpha,
 * where w_t(x) = E[w(x1) | x]. A classifier of noisy points knows it; for a function of clean samples, w(xhat) stands for
 * it, which is exact as sigma -> 0 alone. Of an event C > 0 the spread of x1 around xhat is taken along: C(x1) given x has
 * a variance of about grad C . Cov(x1 | x) grad C, and Cov(x1 | x) = sigma^2 / alpha dxhat/dx, so
 *   w_t(x) = sigmoid(slope C(xhat) / std),   std = sigma sqrt(|grad C . d(C o xhat)/dx| / alpha + offset).
 *
 * The score of a *learned* velocity is no exact one, and no more is its Tweedie's estimate.
 *
 * @see Dhariwal and Nichol, Diffusion Models Beat GANs on Image Synthesis (2021), for classifiers; Chung et al., Diffusion
 * Posterior Sampling (2023), for w(xhat); Finzi et al., User-Defined Event Sampling (2023), for events.
 */
import { withoutUnreadColumns } from "../../autodiff/unread-columns.ts";
import { vjp } from "../../autodiff/vjp.ts";
import type { Node } from "../../graph/node.ts";
import { activation } from "../../ops/activation.ts";
import {
  abs,
  add,
  divide,
  exp,
  less,
  log,
  log1p,
  multiply,
  negate,
  select,
  sqrt,
  square,
  subtract,
} from "../../ops/arithmetic.ts";
import { sum } from "../../ops/reduce.ts";
import { constant } from "../../ops/sources.ts";
import { convertField } from "../conversions.ts";
import type { PathValues } from "../paths/path.ts";

/** A number [B, 1] of each of B samples [B, D]. */
export type SampleFunction = (samples: Node) => Node;

/**
 * Tweedie's estimate E[x1 | x] [B, D] by the velocity at the points x [B, D]: (sigma v - sigma' x) / (alpha' sigma - sigma' alpha).
 *
 * Not a number where sigma' is infinite (t = 1 of the vp and linear-vp paths), or alpha and alpha' both 0 (t = 0 of
 * polynomial ones, where the velocity says nothing of the data).
 */
export function tweedie(velocity: Node, x: Node, path: PathValues): Node {
  return convertField("velocity", "data", velocity, x, path);
}

/**
 * What turns the gradient of a log-weight into a change of velocity [B, 1]: sigma (alpha' sigma - sigma' alpha) / alpha, which
 * is (1 - t) / t on cond-ot and -sigma sigma' on ve. Infinite where alpha is 0; there the gradient of what it multiplies is 0.
 */
export function guidanceCoefficient({ alpha, sigma, alphaRate, sigmaRate }: PathValues): Node {
  return divide(multiply(sigma, subtract(multiply(alphaRate, sigma), multiply(sigmaRate, alpha))), alpha);
}

/** v + strength coefficient grad log w [B, D]. Of the score, s + strength grad log w. */
export function guidedVelocity(velocity: Node, gradient: Node, path: PathValues, strength: Node | number): Node {
  return add(velocity, multiply(multiply(guidanceCoefficient(path), strength), gradient));
}

/** What a cotangent of the value's shape is by `x`. */
export function gradientBy(value: Node, cotangent: Node, x: Node): Node {
  return withoutUnreadColumns(vjp([value], [cotangent], [x])[0] as Node);
}

/** Gradient by `x` [B, D] of a number [B, 1] of each row, which depends on that row alone. */
export function rowGradient(value: Node, x: Node): Node {
  return gradientBy(value, constant(1, value.shape), x);
}

export interface EventOptions {
  /**
   * The probability that a number of this many standard deviations is above 0: "sigmoid" (default), whose pull on samples
   * far from the event has a bound; or "normal", the normal distribution's own, which is exact for linear C of normal data
   * and pulls those harder that are further away.
   */
  readonly link?: "sigmoid" | "normal";
  /** What standard deviations are multiplied by before; default 1.6 of the sigmoid, 1 of the normal. */
  readonly slope?: number;
  /** What keeps std from 0 where C hardly depends on x, positive; default 1e-3. */
  readonly offset?: number;
  /** Whether the gradient takes std as constant (default), or goes through it, by a second derivative of the field. */
  readonly std?: "held" | "full";
}

/** What is known of an event at B points. */
export interface EventEstimate {
  /** C(xhat) [B, 1]. */
  readonly statistic: Node;
  /** grad C at xhat [B, D]. */
  readonly statisticGradient: Node;
  /** d C(xhat(x)) / dx [B, D]. */
  readonly composedGradient: Node;
  /** Of C(x1) around C(xhat), given x [B, 1]. */
  readonly std: Node;
  /** log P(C(x1) > 0 | x), about [B, 1]. */
  readonly logProbability: Node;
  /** Its gradient by x [B, D]. */
  readonly gradient: Node;
}

/**
 * An event C > 0 of the finished sample, at points of the path.
 *
 * @param denoised - {@link tweedie} [B, D], made of `x`.
 * @param x - [B, D].
 */
export function eventEstimate(
  statistic: SampleFunction,
  denoised: Node,
  x: Node,
  { alpha, sigma }: PathValues,
  options: EventOptions = {},
): EventEstimate {
  const { link, slope, offset, std: through } = completeEvent(options);
  const value = statistic(denoised);
  const statisticGradient = rowGradient(value, denoised);
  const composedGradient = rowGradient(value, x);
  const spread = divide(abs(sum(multiply(statisticGradient, composedGradient), [1])), alpha);
  const std = multiply(sigma, sqrt(add(spread, offset)));
  const odds = divide(multiply(value, slope), std);
  const logProbability = link === "sigmoid" ? negate(softplus(negate(odds))) : logNormal(odds);
  const gradient =
    through === "held"
      ? multiply(multiply(rowGradient(logProbability, odds), divide(slope, std)), composedGradient)
      : rowGradient(logProbability, x);
  return { statistic: value, statisticGradient, composedGradient, std, logProbability, gradient };
}

/** All options of an event. */
export function completeEvent({
  link = "sigmoid",
  slope = link === "sigmoid" ? 1.6 : 1,
  offset = 1e-3,
  std = "held",
}: EventOptions): Required<EventOptions> {
  return { link, slope, offset, std };
}

/** log(1 + exp(x)): no exp overflows. */
function softplus(x: Node): Node {
  return activation([x], { kind: "softplus", order: 0 });
}

/** Of P(s), s = 1 / (1 + u / 2): erfc(u) = s exp(P(s) - u^2) for u >= 0, to 1.2e-7 of its value (Numerical Recipes, erfcc). */
const erfcPowers = [
  ...[-1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587],
  ...[-0.82215223, 0.17087277],
];

/** log Phi(z) of the normal distribution, and its gradient, without underflow however far below 0 z is. */
function logNormal(z: Node): Node {
  const u = multiply(abs(z), Math.SQRT1_2);
  const s = divide(1, add(multiply(u, 0.5), 1));
  const power = erfcPowers.reduceRight<Node | undefined>(
    (sum, each) => (sum ? add(multiply(sum, s), each) : constant(each, z.shape)),
    undefined,
  ) as Node;
  const logTail = subtract(add(power, log(multiply(s, 0.5))), square(u)); // of Phi(-|z|)
  return select(less(z, 0), logTail, log1p(negate(exp(logTail))));
}
