import { f32Option, optionsObject } from "../../graph/options.ts";
import { add, divide, expm1, maximum, multiply, negate, sqrt, subtract } from "../../ops/arithmetic.ts";
import { constant } from "../../ops/sources.ts";
import type { PathScheduler } from "./path.ts";

/** What sigma is larger than the equation has it, so that divisions by it and by the root in its rate stay finite at t = 1. */
const SOFTENING = 1e-6;

/**
 * The marginals of the variance-exploding equation that starts at clean data: alpha = 1,
 * sigma = sigmaMin sqrt((sigmaMax / sigmaMin)^(2 (1 - t)) - 1), to which 1e-6 is added. Unlike on {@link ve}, next to no noise
 * is left at t = 1.
 *
 * sigma' grows as sigma falls, like 1 / sigma, to sigmaMin^2 ln(sigmaMax / sigmaMin) 1e6 at t = 1: take noise as the network's
 * output and weigh losses by it ({@link withOutput}, {@link weighted}).
 *
 * @param sigmaMin - scale of sigma near t = 1, in data units, at least 1e-4; default 1e-3.
 * @param sigmaMax - about the standard deviation at t = 0, in data units, above sigmaMin, at most 1e6; default 300.
 * @returns a path scheduler: `at` takes times [B, 1] in [0, 1] and gives four nodes [B, 1].
 * @throws {@link ConfigError} when an option is outside its range.
 * @see Song et al., Score-Based Generative Modeling through SDEs (ICLR 2021), equation 30, with time reversed; Huang et al.
 * (ICML 2025) train on trajectories with these defaults.
 */
export function veSDE(options: { sigmaMin?: number; sigmaMax?: number } = {}): PathScheduler {
  const { sigmaMin = 1e-3, sigmaMax = 300 } = optionsObject("options of veSDE", options, ["sigmaMin", "sigmaMax"]);
  f32Option("sigmaMin of veSDE", sigmaMin, { minimum: 1e-4 });
  f32Option("sigmaMax of veSDE", sigmaMax, { minimum: 1.001 * sigmaMin, maximum: 1e6 });
  const range = Math.log(sigmaMax / sigmaMin);
  return {
    name: "ve-sde",
    options: { sigmaMin, sigmaMax },
    priorDeviation: sigmaMin * Math.sqrt(Math.expm1(2 * range)) + SOFTENING,
    dilationVanishes: false,
    at(t) {
      const grown = expm1(multiply(subtract(1, t), 2 * range)); // (sigmaMax / sigmaMin)^(2 (1 - t)) - 1
      const root = multiply(sqrt(grown), sigmaMin);
      const slope = multiply(add(grown, 1), sigmaMin ** 2 * range);
      return {
        alpha: constant(1, t.shape),
        sigma: add(root, SOFTENING),
        alphaRate: constant(0, t.shape),
        sigmaRate: negate(divide(slope, maximum(root, SOFTENING))),
      };
    },
  };
}
