/** Exponential moving average of the parameters. */
import type { Node } from "../graph/node.ts";
import { f32Option, optionsObject } from "../graph/options.ts";
import { add, multiply, subtract } from "../ops/arithmetic.ts";

export interface Ema {
  /** Share of the old average that a step keeps, in (0, 1). */
  readonly decay: number;
}

/** An average with this decay; 1 / (1 - decay) steps is its time constant. It begins at the initial parameters. */
export function ema(options: { decay: number }): Ema {
  const { decay } = optionsObject("options of ema", options, ["decay"]);
  return { decay: f32Option("decay of ema", decay, { minimum: 0, maximum: 1, open: "both" }) };
}

/** The average after a step: average + (1 - decay) (parameters - average), all [N]. */
export function updateEma({ decay }: Ema, average: Node, parameters: Node): Node {
  return add(average, multiply(subtract(parameters, average), 1 - decay));
}
