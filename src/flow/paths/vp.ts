import { numberOption } from "../../graph/options.ts";
import { add, divide, exp, expm1, multiply, negate, sqrt, subtract } from "../../ops/arithmetic.ts";
import type { PathScheduler } from "./path.ts";

/**
 * Variance-preserving diffusion path: alpha = exp(-T/2), sigma = sqrt(1 - exp(-T)),
 * T = (1-t)^2 (betaMax - betaMin)/2 + (1-t) betaMin.
 *
 * sigma^2 is taken by expm1, which keeps its digits as t -> 1; there sigma', score and dilation grow without bound.
 * p_0 is N(alpha(0) x1, sigma(0)^2 I) with alpha(0) = 0.0066 at the defaults; N(0, I) stands for it.
 *
 * @param betaMin - noise rate at the data end, positive; default 0.1.
 * @param betaMax - noise rate at the noise end, at least betaMin, at most 100; default 20.
 * @returns a path scheduler: `at` takes times [B, 1] in [0, 1) and gives four nodes [B, 1].
 * @throws {@link ConfigError} when an option is outside its range.
 * @see Song et al., Score-Based Generative Modeling through SDEs (ICLR 2021), equation 11, with time reversed.
 */
export function vp({ betaMin = 0.1, betaMax = 20 }: { betaMin?: number; betaMax?: number } = {}): PathScheduler {
  numberOption("betaMin of vp", betaMin, { minimum: 0, open: "minimum" });
  numberOption("betaMax of vp", betaMax, { minimum: betaMin, maximum: 100 });
  return {
    name: "vp",
    options: { betaMin, betaMax },
    priorDeviation: 1,
    dilationVanishes: false,
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
