import { optionsObject } from "../../graph/options.ts";
import { add, divide, multiply, negate, sqrt, subtract } from "../../ops/arithmetic.ts";
import { constant } from "../../ops/sources.ts";
import type { PathScheduler } from "./path.ts";

/**
 * Linear variance-preserving path: alpha = t, sigma = sqrt(1 - t^2).
 *
 * sigma' = -t / sigma, like score and dilation, grows without bound as t -> 1: the mean square of the target velocity
 * diverges logarithmically there, so that a mean over U(0, 1) times depends on the largest time drawn.
 *
 * @param options - there are none.
 * @returns a path scheduler: `at` takes times [B, 1] in [0, 1) and gives four nodes [B, 1].
 */
export function linearVP(options: Record<string, never> = {}): PathScheduler {
  optionsObject("options of linearVP", options, []);
  return {
    name: "linear-vp",
    options: {},
    priorDeviation: 1,
    dilationVanishes: true,
    at(t) {
      const sigma = sqrt(multiply(subtract(1, t), add(1, t))); // 1 - t^2 would lose its digits as t -> 1
      return { alpha: t, sigma, alphaRate: constant(1, t.shape), sigmaRate: negate(divide(t, sigma)) };
    },
  };
}
