import { f32Option, optionsObject } from "../../graph/options.ts";
import { exp, multiply, subtract } from "../../ops/arithmetic.ts";
import { constant } from "../../ops/sources.ts";
import { LEAST_DILATION, type PathScheduler } from "./path.ts";

/**
 * Variance-exploding path: alpha = 1, sigma = sigmaMin (sigmaMax / sigmaMin)^(1-t).
 *
 * Nothing is singular: the dilation is -ln(sigmaMax / sigmaMin) at all times. Sampling starts from N(0, sigmaMax^2 I),
 * and data keep noise of deviation sigmaMin at t = 1. Choose sigmaMax well above the spread of the data: p_0 is wider
 * than that prior by the data's own variance.
 *
 * @param sigmaMin - standard deviation at t = 1, in data units, at least 1e-12; default 0.01.
 * @param sigmaMax - standard deviation at t = 0, in data units, above sigmaMin, at most 1e12; default 10.
 * @returns a path scheduler: `at` takes times [B, 1] in [0, 1] and gives four nodes [B, 1].
 * @throws {@link ConfigError} when an option is outside its range.
 * @see Song et al., Score-Based Generative Modeling through SDEs (ICLR 2021), equation 9, with time reversed.
 */
export function ve(options: { sigmaMin?: number; sigmaMax?: number } = {}): PathScheduler {
  const { sigmaMin = 0.01, sigmaMax = 10 } = optionsObject("options of ve", options, ["sigmaMin", "sigmaMax"]);
  f32Option("sigmaMin of ve", sigmaMin, { minimum: 1e-12 });
  f32Option("sigmaMax of ve", sigmaMax, { minimum: sigmaMin, maximum: 1e12, open: "minimum" });
  const range = Math.log(sigmaMax / sigmaMin);
  return {
    name: "ve",
    options: { sigmaMin, sigmaMax },
    priorDeviation: sigmaMax,
    dilationVanishes: range < LEAST_DILATION,
    at(t) {
      const sigma = multiply(exp(multiply(subtract(1, t), range)), sigmaMin);
      return {
        alpha: constant(1, t.shape),
        sigma,
        alphaRate: constant(0, t.shape),
        sigmaRate: multiply(sigma, -range),
      };
    },
  };
}
