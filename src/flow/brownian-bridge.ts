/**
 * The Brownian bridge from x0 at t = 0 to x1 at t = 1 with diffusion sigma: x_t ~ N((1 - t) x0 + t x1, sigma^2 t (1 - t) I), as
 * the simulation-free Schroedinger bridge learns it (Tong et al., "Simulation-free Schroedinger bridges via score and flow
 * matching", AISTATS 2024).
 */
import type { Node } from "../graph/node.ts";
import { add, divide, log, multiply, negate, sqrt, square, subtract } from "../ops/arithmetic.ts";
import { sum } from "../ops/reduce.ts";

/** Ends x0, x1 [B, D], noise z ~ N(0, I) [B, D], times [B, 1] in (0, 1): at both ends all but mean and x is singular. */
export interface BridgePoints {
  readonly x0: Node;
  readonly x1: Node;
  readonly noise: Node;
  readonly t: Node;
  /** Standard deviation of the diffusion after unit time, in data units; above 0. */
  readonly sigma: number;
}

/** What the bridge is at its points: [B, D]; [B, 1] where it is one number for each row. */
export interface BridgeValues {
  readonly mean: Node;
  /** [B, 1]: sigma sqrt(t (1 - t)). */
  readonly std: Node;
  /** mean + std z. */
  readonly x: Node;
  /** Of the probability flow: dilation (x - mean) + x1 - x0. */
  readonly velocity: Node;
  /** -(x - mean) / std^2 = -z / std. */
  readonly score: Node;
  /** [B, 1]: (1 - 2 t) / (2 t (1 - t)); the velocity's Jacobian is this times I. */
  readonly dilation: Node;
  /** [B, 1]: of N(mean, std^2 I) at x. */
  readonly logDensity: Node;
  /** [B, 1]: its time derivative at the same x, -(D dilation + velocity . score). */
  readonly dLogDensity: Node;
  /** Of the SDE forward in time with diffusion sigma: velocity + sigma^2 / 2 score. */
  readonly drift: Node;
}

/** All of it, from the noise rather than from x - mean, which would cancel where std is small. */
export function brownianBridge({ x0, x1, noise, t, sigma }: BridgePoints): BridgeValues {
  const dimension = x0.shape[1] as number;
  const rest = subtract(1, t);
  const spread = multiply(t, rest);
  const std = multiply(sigma, sqrt(spread));
  const mean = add(multiply(rest, x0), multiply(t, x1));
  const deviation = multiply(std, noise);
  const dilation = divide(subtract(0.5, t), spread);
  const velocity = add(multiply(dilation, deviation), subtract(x1, x0));
  const score = negate(divide(noise, std));
  const logNormaliser = multiply(dimension, add(log(std), 0.5 * Math.log(2 * Math.PI)));
  return {
    ...{ mean, std, x: add(mean, deviation), velocity, score, dilation },
    logDensity: negate(add(multiply(0.5, sum(square(noise), [1])), logNormaliser)),
    dLogDensity: negate(add(multiply(dimension, dilation), sum(multiply(velocity, score), [1]))),
    drift: add(velocity, multiply(0.5 * sigma ** 2, score)),
  };
}
