/**
 * Affine Gaussian paths: x_t = alpha(t) x1 + sigma(t) x0, x0 ~ N(0, I), t from 0 (noise) to 1 (data). A scheduler gives
 * alpha, sigma and their rates; everything else about a path follows from these four.
 */
import type { Node } from "../../graph/node.ts";
import type { NamedOptions } from "../../graph/options.ts";
import type { Network } from "../../nn/network.ts";
import { add, divide, multiply, negate } from "../../ops/arithmetic.ts";
import type { LossContext, VelocityField } from "../losses/loss.ts";

/** Values of a scheduler at some times, each [B, 1]. */
export interface PathValues {
  readonly alpha: Node;
  readonly sigma: Node;
  /** d alpha / dt. */
  readonly alphaRate: Node;
  /** d sigma / dt. */
  readonly sigmaRate: Node;
}

/** What a point lies between, and the network that is asked there. */
export type PathEnds = Pick<LossContext, "network" | "x0" | "x1" | "t" | "random">;

/**
 * A point x [B, D] given both ends: x = mean + sigma noise, noise ~ N(0, I), so that the score is -noise / sigma and the dilation
 * sigmaRate / sigma. Velocities, the target's and the field's, and `sigmaRate` may have a factor of t in common.
 */
export interface PathPoint {
  readonly x: Node;
  readonly velocity: Node;
  readonly noise: Node;
  /** [B, 1]. */
  readonly sigma: Node;
  readonly sigmaRate: Node;
  readonly field: VelocityField;
}

/** A scheduler of a path. Its graphs keep their relative accuracy in f32 up to the last time before an end. */
export interface PathScheduler extends NamedOptions {
  readonly options: Readonly<Record<string, unknown>>;
  /** Standard deviation of the noise that sampling starts from: N(0, priorDeviation^2 I) stands for p_0. */
  readonly priorDeviation: number;
  /** Whether sigma'/sigma is 0 or tiny somewhere, so that losses cannot be weighted by its inverse. */
  readonly dilationVanishes: boolean;
  /** @param t - times [B, 1] in [0, 1]. */
  at(t: Node): PathValues;
  /** Of paths that spread between given ends: a point there. Left out: the point is alpha x1 + sigma x0, and x0 the noise. */
  between?(ends: PathEnds): PathPoint;
  /** Of such paths: std [...] at times, kept from 0 at both ends, for solvers that divide by it. */
  std?(t: Node): Node;
  /** Of paths on which a network's output is no velocity: the network that gives one, whose `own` is the network. */
  bind?(network: Network): Network;
}

/** The velocity field that a network is on this path, whatever path it was bound to before. */
export function onPath(network: Network, path: PathScheduler): Network {
  const { own = network } = network;
  return path.bind?.(own) ?? own;
}

/** Losses take the square of an inverse dilation times a residual: with a smaller one, that may leave f32. */
export const LEAST_DILATION = 1e-12;

/** x_t = alpha x1 + sigma x0 [B, D] from noise x0 and data x1 [B, D]. */
export function pointOnPath({ alpha, sigma }: PathValues, x0: Node, x1: Node): Node {
  return add(multiply(alpha, x1), multiply(sigma, x0));
}

/** Target velocity u = alpha' x1 + sigma' x0 [B, D]. */
export function targetVelocity({ alphaRate, sigmaRate }: PathValues, x0: Node, x1: Node): Node {
  return add(multiply(alphaRate, x1), multiply(sigmaRate, x0));
}

/** The point at t, whatever the path. */
export function pointBetween({ path, ...ends }: LossContext): PathPoint {
  const { network, x0, x1, t } = ends;
  if (path.between) return path.between(ends);
  const values = path.at(t);
  const { sigma, sigmaRate } = values;
  const velocity = targetVelocity(values, x0, x1);
  return { x: pointOnPath(values, x0, x1), velocity, noise: x0, sigma, sigmaRate, field: network };
}

/** Score s = grad_x log p_t(x | x1) = -x0 / sigma [B, D]; infinite where sigma is 0. */
export function pathScore({ sigma }: PathValues, x0: Node): Node {
  return negate(divide(x0, sigma));
}

/** Dilation sigma' / sigma [B, 1]: div u per coordinate; infinite where sigma is 0. */
export function dilation({ sigma, sigmaRate }: PathValues): Node {
  return divide(sigmaRate, sigma);
}
