import type { Node } from "../../graph/node.ts";
import { f32Option, optionsObject } from "../../graph/options.ts";
import { add, divide, maximum, multiply, sqrt, subtract } from "../../ops/arithmetic.ts";
import { constant } from "../../ops/sources.ts";
import { multiplied } from "../losses/multiplied.ts";
import type { PathScheduler } from "./path.ts";

/** The name of such a path: `morePathNames` in registry.ts. */
export const BROWNIAN_BRIDGE = "brownian-bridge";

/**
 * The Brownian bridge between a start x0 and data x1: x_t ~ N((1 - t) x0 + t x1, sigma^2 t (1 - t) I), whatever the starts are
 * distributed as. Given both ends it has a density, so a score, which straight lines between them have not: FDM works on it,
 * also from data to data. With pairs of an entropic plan of regularisation 2 sigma^2 its marginals are those of the Schroedinger
 * bridge (`entropicTransport`), and with `withScore` the noise of that is learned too.
 *
 * Its velocity x1 - x0 + std' z and std' itself, std = sigma sqrt(t (1 - t)), grow like 1 / sqrt t at both ends, so that their squares
 * have no mean over t. So losses take velocities, the network's and the target's, times
 *   sqrt w, w = 1 / (1 + std'^2) = q / (q + sigma^2 (1 - q)), q = 4 t (1 - t):
 * where std' is small against data of size 1, w is 1, and w std'^2 is below 1 everywhere; no time is left out, and nothing is
 * divided by 0. What is learned at (x, t) does not depend on a factor of t. Reports of `velocityLoss` are with it.
 *
 * @param sigma - standard deviation of the diffusion after unit time, in model units, positive; default 1. About 0.1 to 1 for
 * standardised data: the smaller, the straighter.
 * @throws {@link ConfigError} when sigma is not positive.
 * @see Tong et al., Simulation-Free Schroedinger Bridges via Score and Flow Matching (AISTATS 2024), section 3.
 */
export function brownianBridge(options: { sigma?: number } = {}): PathScheduler {
  const { sigma = 1 } = optionsObject("options of brownianBridge", options, ["sigma"]);
  f32Option("sigma of brownianBridge", sigma, { minimum: 1e-6, maximum: 1e6 });
  return {
    name: BROWNIAN_BRIDGE,
    options: { sigma },
    priorDeviation: 1,
    dilationVanishes: true, // at t = 1/2
    at: (t) => ({
      alpha: t,
      sigma: subtract(1, t),
      alphaRate: constant(1, t.shape),
      sigmaRate: constant(-1, t.shape),
    }),
    std: (t) => multiply(sqrt(maximum(multiply(t, subtract(1, t)), LEAST_SPREAD)), sigma),
    between({ network, x0, x1, t, random }) {
      const rest = subtract(1, t);
      const q = multiply(maximum(multiply(t, rest), LEAST_TIME), 4);
      const size = sqrt(add(q, multiply(subtract(1, q), sigma ** 2)));
      const root = divide(sqrt(q), size);
      const std = multiply(sqrt(q), sigma / 2);
      const stdRate = divide(multiply(subtract(rest, t), sigma), size); // sqrt w std', where neither factor is a number
      const noise = random("normal", x0.shape);
      return {
        x: add(add(multiply(rest, x0), multiply(t, x1)), multiply(std, noise)),
        velocity: add(multiply(root, subtract(x1, x0)), multiply(stdRate, noise)),
        noise,
        sigma: std,
        sigmaRate: stdRate,
        field: multiplied(network, rootAt(sigma)),
      };
    },
  };
}

/** Of t (1 - t), for losses: less than that of the first time after 0 that is drawn. */
const LEAST_TIME = 2 ** -25;

/**
 * Of t (1 - t), for solvers with noise: E[z | x] goes to 0 as std does at both ends, so that their quotient is finite; that of a
 * network is off there by what it is off in E[z | x], divided by std. A thousandth of the time at either end is so.
 */
const LEAST_SPREAD = 1e-3;

/** sqrt w at times [B, 1]. */
function rootAt(sigma: number): (t: Node) => Node {
  return (t) => {
    const q = multiply(multiply(t, subtract(1, t)), 4);
    return sqrt(divide(q, add(q, multiply(subtract(1, q), sigma ** 2))));
  };
}
