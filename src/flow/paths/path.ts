/**
 * Affine Gaussian paths: x_t = alpha(t) x1 + sigma(t) x0, x0 ~ N(0, I), t from 0 (noise) to 1 (data). A scheduler gives
 * alpha, sigma and their rates; everything else about a path follows from these four.
 */
import type { Node } from "../../graph/node.ts";
import type { NamedOptions } from "../../graph/options.ts";
import type { Network } from "../../nn/network.ts";
import { add, divide, multiply, negate } from "../../ops/arithmetic.ts";

/** Values of a scheduler at some times, each [B, 1]. */
export interface PathValues {
  readonly alpha: Node;
  readonly sigma: Node;
  /** d alpha / dt. */
  readonly alphaRate: Node;
  /** d sigma / dt. */
  readonly sigmaRate: Node;
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

/** Score s = grad_x log p_t(x | x1) = -x0 / sigma [B, D]; infinite where sigma is 0. */
export function pathScore({ sigma }: PathValues, x0: Node): Node {
  return negate(divide(x0, sigma));
}

/** Dilation sigma' / sigma [B, 1]: div u per coordinate; infinite where sigma is 0. */
export function dilation({ sigma, sigmaRate }: PathValues): Node {
  return divide(sigmaRate, sigma);
}
