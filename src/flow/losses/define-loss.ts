/** Losses of a user's own: written with the ops, kept and sent as the graphs that they build. */
import { ConfigError } from "../../errors.ts";
import type { Node } from "../../graph/node.ts";
import { isRecord, optionsObject, textOption } from "../../graph/options.ts";
import { reshape } from "../../ops/shape.ts";
import { onPath } from "../paths/path.ts";
import { graphLoss, lossConfig } from "./graph-loss.ts";
import type { Loss, LossContext, LossTerms } from "./loss.ts";

export interface LossDefinition {
  /** What messages call it. */
  readonly name: string;
  /**
   * Builds the loss of a batch, a scalar (shape [] or [1]): means over rows, no loop over them. Beside it, where there are
   * such, the terms that reports name. `context.network(x, t)` may be called at any points and differentiated.
   */
  build(
    context: LossContext,
  ): Node | { readonly loss: Node; readonly velocityLoss?: Node; readonly divergenceLoss?: Node };
}

/**
 * A loss of your own. When a trainer is made `build` is called for its network and path, a few times; what is minimised,
 * sent to a worker and kept in checkpoints is the graph that it builds.
 *
 * @throws {@link ConfigError} when an option is wrong; from the trainer, when the result is no scalar.
 * @throws {@link UnsupportedError} from the trainer, when the graph is another for other numbers of rows.
 * @example
 * const huber = defineLoss({
 *   name: "huber",
 *   build({ network, path, x0, x1, t }) {
 *     const values = path.at(t);
 *     const miss = subtract(network(pointOnPath(values, x0, x1), t), targetVelocity(values, x0, x1));
 *     return meanAll(subtract(sqrt(add(multiply(miss, miss), 1)), 1));
 *   },
 * });
 */
export function defineLoss(definition: LossDefinition): Loss {
  const { name, build } = optionsObject("options of defineLoss", definition, ["name", "build"]);
  textOption("name of defineLoss", name ?? "", "what messages call the loss");
  const subject = `loss "${name}"`;
  if (typeof build !== "function") {
    throw new ConfigError({
      subject: `build of ${subject}`,
      given: build ?? String(build),
      expected: "a function of network, path, x0, x1, t and random",
      remedy: "Give what builds the loss.",
    });
  }
  const own = {
    name,
    build(context: LossContext): LossTerms {
      const built = build(context);
      const terms = isRecord(built) && "loss" in built ? built : { loss: built as Node };
      const loss = scalar(`loss of ${subject}`, terms.loss);
      const { velocityLoss, divergenceLoss } = terms as Partial<LossTerms>;
      return {
        loss,
        velocityLoss: velocityLoss ? scalar(`velocityLoss of ${subject}`, velocityLoss) : loss,
        divergenceLoss: divergenceLoss && scalar(`divergenceLoss of ${subject}`, divergenceLoss),
      };
    },
  };
  return {
    ...own,
    options: {},
    forNetwork: (network, path) => graphLoss(lossConfig(own, onPath(network, path), path)),
  };
}

function scalar(subject: string, value: unknown): Node {
  const { shape, dtype } = Object(value) as Partial<Node>;
  if (shape && dtype === "f32" && shape.every((size) => size === 1)) return reshape(value as Node, []);
  throw new ConfigError({
    subject,
    given: shape ? `${dtype} [${shape.join(", ")}]` : String(value),
    expected: "one number",
    remedy: "Take the mean over rows and coordinates, such as meanAll(x).",
  });
}
