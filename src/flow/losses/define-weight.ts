/** Weights of losses by time of a user's own: written with the ops, kept and sent as the graphs that they build. */
import { ConfigError } from "../../errors.ts";
import { evaluate } from "../../graph/evaluate.ts";
import type { Node } from "../../graph/node.ts";
import { optionsObject, textOption } from "../../graph/options.ts";
import { broadcast, reshape } from "../../ops/shape.ts";
import { constant, table } from "../../ops/sources.ts";
import { graphWeight, weightConfig } from "./graph-weight.ts";
import type { TimeWeight } from "./weighted.ts";

export interface WeightDefinition {
  /** What messages call it. */
  readonly name: string;
  /** The factor of a squared error, from times t [B, 1] in [0, 1) to [B, 1] (or a constant): at least 0, and finite. */
  readonly weight: (t: Node) => Node | number;
}

/** Times at which a weight is tried. */
const TIMES = Array.from({ length: 257 }, (_, i) => i / 257);

/**
 * A weight of your own, for {@link weighted}. The function is called here; what is trained with, sent to a worker and kept in
 * checkpoints is the graph that it builds.
 *
 * @throws {@link ConfigError} when an option is wrong, or a value is negative or not finite: the message says at what t.
 * @throws {@link UnsupportedError} when the graph is another for other numbers of times.
 * @example
 * const middle = defineWeight({ name: "middle", weight: (t) => multiply(multiply(t, subtract(1, t)), 6) });
 * const loss = weighted(cfm(), { by: middle });
 */
export function defineWeight(definition: WeightDefinition): TimeWeight {
  const { name, weight } = optionsObject("options of defineWeight", definition, ["name", "weight"]);
  textOption("name of defineWeight", name ?? "", "what messages call the weight");
  const subject = `weight "${name}"`;
  const refuse = (where: string, given: unknown, expected: string): never => {
    const remedy = "Give a function of times that is finite and at least 0 in [0, 1).";
    throw new ConfigError({ subject: `${subject}${where}`, given: given ?? String(given), expected, remedy });
  };
  if (typeof weight !== "function") refuse("", weight, "a function of times [B, 1]");
  const at = (t: Node): Node => {
    const value = weight(t);
    if (typeof value === "number") return constant(value, t.shape);
    const { shape, dtype } = Object(value) as Partial<Node>;
    if (shape?.length === 0 && dtype === "f32") return broadcast(reshape(value, [1, 1]), t.shape);
    if (shape?.join() === t.shape.join() && dtype === "f32") return value;
    return refuse("", shape ?? String(value), `f32 [B, 1], here [${t.shape.join(", ")}]`);
  };
  const values = evaluate([at(table(TIMES, [TIMES.length, 1]))])[0]?.data ?? [];
  const wrong = Array.from(values).findIndex((value) => !(value >= 0 && value < Number.POSITIVE_INFINITY));
  if (wrong >= 0) refuse(` at t = ${TIMES[wrong]}`, String(values[wrong]), "a finite number of at least 0");
  return graphWeight(weightConfig({ name, at }));
}
