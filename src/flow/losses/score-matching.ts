import { ConfigError } from "../../errors.ts";
import { f32Option, GRAPH, optionsObject, partOption } from "../../graph/options.ts";
import { add, multiply, subtract } from "../../ops/arithmetic.ts";
import { pointBetween } from "../paths/path.ts";
import { type Loss, meanSquare } from "./loss.ts";

/** The name of such a loss: `moreLossNames` in registry.ts. */
export const SCORE_MATCHING = "score-matching";

/**
 * The loss, plus weight times mean (e - z)^2 of the second network of `withScore`: e its output at the same points x_t = mean +
 * std z. With std^2 the weight of the score's own squared error, all times count alike. Velocity and score share nothing
 * but points: either learns as it would alone.
 *
 * @param loss - of the velocity: cfm() or fdm().
 * @param weight - positive; default 1.
 * @throws {@link ConfigError} when an option is wrong; from the trainer, when the network has no score.
 * @example
 * const loss = scoreMatching(fdm({ divergence: 0.1 }));
 */
export function scoreMatching(loss: Loss, options: { weight?: number } = {}): Loss {
  const { weight = 1 } = optionsObject("options of scoreMatching", options, ["weight"]);
  f32Option("weight of scoreMatching", weight, { minimum: 0, open: "minimum" });
  partOption("loss of scoreMatching", loss, "build", "cfm()");
  if (loss.forNetwork || !["cfm", "fdm", "paper-2d"].includes(loss.name)) {
    throw new ConfigError({
      subject: "loss of scoreMatching",
      given: loss.name === GRAPH ? "a loss of your own" : loss.name,
      expected: "cfm() or fdm()",
      remedy: "Give the velocity's loss.",
    });
  }
  return {
    name: SCORE_MATCHING,
    options: { ...loss.options, loss: loss.name, weightOfScore: weight },
    readsScore: true,
    build(context) {
      const { network, path, t } = context;
      const { made } = network;
      const score = made?.network.score;
      if (!made || !score) {
        throw new ConfigError({
          subject: "network beside scoreMatching",
          given: made?.network.kind ?? "a field that is no network's",
          expected: "one that has a score",
          remedy: "Give withScore(network, score).",
        });
      }
      const point = pointBetween(context);
      const terms = loss.build({ ...context, path: { ...path, between: () => point } });
      const noise = score(made.parameters, point.x, t, made.conditions);
      const scoreLoss = meanSquare(subtract(noise, point.noise));
      return { ...terms, loss: add(terms.loss, multiply(scoreLoss, weight)) };
    },
  };
}
