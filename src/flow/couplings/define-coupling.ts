import { ConfigError } from "../../errors.ts";
import { booleanOption, optionsObject, textOption } from "../../graph/options.ts";
import type { Pairs } from "../../transport/draw-pairs.ts";
import { type Batches, type Coupling, OWN } from "./coupling.ts";

export interface CouplingDefinition {
  /** What messages and checkpoints call it: a resumed run is given the coupling of this name again. */
  readonly name: string;
  /** `count` pairs: rows[k] of the start with columns[k] of the data. By `seed` alone where it draws, so that pairs come again. */
  readonly pair: (batches: Batches) => Pairs | Promise<Pairs>;
  /** Whether pairs depend on the conditions; default false: trainers warn where there are such. */
  readonly seesConditions?: boolean;
}

/**
 * A coupling of your own: a function on the host, of two batches. Where the engine is in a worker it stays on the page, which is
 * asked for pairs a few steps ahead.
 *
 * @throws {@link ConfigError} when an option is unknown or wrong. What the function throws, or a {@link DataError} where what it
 * gives are no pairs, ends the run, whose state stays.
 * @example
 * const reversed = defineCoupling({
 *   name: "reversed",
 *   pair: ({ count }) => {
 *     const rows = Uint32Array.from({ length: count }, (_, row) => row);
 *     return { rows, columns: rows.toReversed() };
 *   },
 * });
 */
export function defineCoupling(definition: CouplingDefinition): Coupling {
  const known = ["name", "pair", "seesConditions"] as const;
  const { name, pair, seesConditions = false } = optionsObject("options of defineCoupling", definition, known);
  textOption("name of defineCoupling", name ?? "", "what messages call the coupling");
  booleanOption("seesConditions of defineCoupling", seesConditions);
  if (typeof pair !== "function") {
    throw new ConfigError({
      subject: `pair of coupling "${name}"`,
      given: pair ?? String(pair),
      expected: "a function of two batches",
      remedy: "Give what makes pairs of them.",
    });
  }
  const asked = (batches: Batches) => pair(batches);
  return {
    name: OWN,
    options: { name, seesConditions },
    seesConditions,
    pair: asked,
    stream: streamOf(asked),
  } as Coupling;
}

/** For an engine in a worker: what is asked for pairs, which come as rows of a stream do. */
function streamOf(pair: CouplingDefinition["pair"]) {
  const next = async (batches: Batches) => ({ done: false, value: await pair(batches) });
  return { isOwn: true, from: () => ({ [Symbol.asyncIterator]: () => ({ next }) }) };
}
