/** Losses by name: the command line lists them, checkpoints name them, tests loop over them. */
import { madeFrom, type NamedOptions, type Registry } from "../../graph/options.ts";
import { cfm } from "./cfm.ts";
import { fdm } from "./fdm.ts";
import type { Loss } from "./loss.ts";
import { paper2d } from "./paper-2d.ts";

const entries: Registry<Loss> = {
  cfm: cfm,
  fdm: fdm,
  "paper-2d": paper2d,
};

export const lossNames: readonly string[] = Object.keys(entries);

/** Those of `divflow/flows`: train/more-parts.ts makes them. */
export const moreLossNames: readonly string[] = ["weighted", "hutch++", "score-matching"];

/**
 * The loss of this name and these plain options.
 *
 * @throws {@link ConfigError} when the name or an option is unknown, or an option is outside its range.
 */
export function lossFrom(named: NamedOptions): Loss {
  return madeFrom("loss", entries, named);
}
