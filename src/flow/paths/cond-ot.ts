import { f32Option, optionsObject } from "../../graph/options.ts";
import { add, multiply, subtract } from "../../ops/arithmetic.ts";
import { constant } from "../../ops/sources.ts";
import { LEAST_DILATION, type PathScheduler } from "./path.ts";

/**
 * Conditional optimal-transport path: x_t = t x1 + (1 - (1 - sigmaMin) t) x0, x0 ~ N(0, I).
 *
 * Straight lines: along each, the target velocity does not change. With sigmaMin = 0 the score -x0/sigma and the
 * dilation grow without bound as t -> 1: losses weight them by sigma, conversions to a score stop short of t = 1.
 *
 * @param sigmaMin - standard deviation left at t = 1, in data units, in [0, 1); default 0.
 * @returns a path scheduler: `at` takes times [B, 1] in [0, 1] and gives four nodes [B, 1].
 * @throws {@link ConfigError} when sigmaMin is outside its range.
 * @see Lipman et al., Flow Matching for Generative Modeling (ICLR 2023), equations 20 and 21.
 */
export function condOT(options: { sigmaMin?: number } = {}): PathScheduler {
  const { sigmaMin = 0 } = optionsObject("options of condOT", options, ["sigmaMin"]);
  f32Option("sigmaMin of condOT", sigmaMin, { minimum: 0, maximum: 1, open: "maximum" });
  return {
    name: "cond-ot",
    options: { sigmaMin },
    priorDeviation: 1,
    dilationVanishes: 1 - sigmaMin < LEAST_DILATION,
    at(t) {
      const left = subtract(1, t); // exact in f32 from t = 1/2 on, unlike 1 - (1 - sigmaMin) t
      return {
        alpha: t,
        sigma: sigmaMin === 0 ? left : add(left, multiply(t, sigmaMin)),
        alphaRate: constant(1, t.shape),
        sigmaRate: constant(sigmaMin - 1, t.shape),
      };
    },
  };
}
