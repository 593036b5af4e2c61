import { f32Option, optionsObject } from "../../graph/options.ts";
import { multiply, subtract } from "../../ops/arithmetic.ts";
import { pointBetween } from "../paths/path.ts";
import { type Loss, meanSquare } from "./loss.ts";

/**
 * Conditional flow matching: velocityWeight * mean over rows and coordinates of (v(x_t, t) - u)^2.
 *
 * @param velocityWeight - positive; default 1.
 * @throws {@link ConfigError} when the weight is not positive.
 * @see Lipman et al., Flow Matching for Generative Modeling (ICLR 2023), equation 9.
 */
export function cfm(options: { velocityWeight?: number } = {}): Loss {
  const { velocityWeight = 1 } = optionsObject("options of cfm", options, ["velocityWeight"]);
  f32Option("velocityWeight of cfm", velocityWeight, { minimum: 0, open: "minimum" });
  return {
    name: "cfm",
    options: { velocityWeight },
    build(context) {
      const { x, velocity, field } = pointBetween(context);
      const velocityLoss = meanSquare(subtract(field(x, context.t), velocity));
      return { loss: multiply(velocityLoss, velocityWeight), velocityLoss, divergenceLoss: undefined };
    },
  };
}
