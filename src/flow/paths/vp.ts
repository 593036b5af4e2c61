import { f32Option, optionsObject } from "../../graph/options.ts";
import { add, divide, exp, expm1, multiply, negate, sqrt, subtract } from "../../ops/arithmetic.ts";
import { LEAST_DILATION, type PathScheduler } from "./path.ts";

/**
 * Variance-preserving diffusion path: alpha = exp(-T/2), sigma = sqrt(1 - exp(-T)),
 * T = (1-t)^2 (betaMax - betaMin)/2 + (1-t) betaMin.
 *
 * sigma^2 is taken by expm1, which keeps its digits as t -> 1; there sigma', score and dilation grow without bound.
 * Beyond betaMax 60 or so the dilation at t = 0 is too small for losses to be weighted by its inverse.
 * p_0 is N(alpha(0) x1, sigma(0)^2 I) with alpha(0) = 0.0066 at the defaults; N(0, I) stands for it.
 *
 * @param betaMin - noise rate at the data end, positive; default 0.1.
 * @param betaMax - noise rate at the noise end, at least betaMin and 1e-12, at most 100; default 20.
 * @returns a path scheduler: `at` takes times [B, 1] in [0, 1) and gives four nodes [B, 1].
 * @throws {@link ConfigError} when an option is outside its range.
 * @see Song et al., Score-Based Generative Modeling through SDEs (ICLR 2021), equation 11, with time reversed.
 */
export function vp(options: { betaMin?: number; betaMax?: number } = {}): PathScheduler {
  const { betaMin = 0.1, betaMax = 20 } = optionsObject("options of vp", options, ["betaMin", "betaMax"]);
  f32Option("betaMin of vp", betaMin, { minimum: 0, open: "minimum" });
  f32Option("betaMax of vp", betaMax, { minimum: Math.max(betaMin, 1e-12), maximum: 100 });
  const atNoise = (betaMax - betaMin) / 2 + betaMin; // T at t = 0
  const leastDilation = (0.5 * betaMax * Math.exp(-atNoise)) / -Math.expm1(-atNoise);
  return {
    name: "vp",
    options: { betaMin, betaMax },
    priorDeviation: 1,
    dilationVanishes: leastDilation < LEAST_DILATION,
    at(t) {
      const left = subtract(1, t);
      const T = multiply(left, add(multiply(left, (betaMax - betaMin) / 2), betaMin));
      const decline = add(multiply(left, betaMax - betaMin), betaMin); // -dT/dt
      const alpha = exp(multiply(T, -0.5));
      const sigma = sqrt(negate(expm1(negate(T))));
      const halfDecline = multiply(decline, 0.5);
      return {
        alpha,
        sigma,
        alphaRate: multiply(halfDecline, alpha),
        sigmaRate: negate(divide(multiply(halfDecline, multiply(alpha, alpha)), sigma)),
      };
    },
  };
}
