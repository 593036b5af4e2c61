import { optionsObject } from "../../graph/options.ts";
import { multiply, sin, subtract } from "../../ops/arithmetic.ts";
import type { PathScheduler } from "./path.ts";

/**
 * Cosine path: alpha = sin(pi t / 2), sigma = cos(pi t / 2).
 *
 * Score and dilation grow without bound as t -> 1; sigma' is 0 at t = 0.
 *
 * @param options - there are none.
 * @returns a path scheduler: `at` takes times [B, 1] in [0, 1] and gives four nodes [B, 1].
 */
export function cosine(options: Record<string, never> = {}): PathScheduler {
  optionsObject("options of cosine", options, []);
  return {
    name: "cosine",
    options: {},
    priorDeviation: 1,
    dilationVanishes: true,
    at(t) {
      const alpha = sin(multiply(t, Math.PI / 2));
      const sigma = sin(multiply(subtract(1, t), Math.PI / 2)); // cos(pi t / 2) would lose its digits as t -> 1
      return { alpha, sigma, alphaRate: multiply(sigma, Math.PI / 2), sigmaRate: multiply(alpha, -Math.PI / 2) };
    },
  };
}
