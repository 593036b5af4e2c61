/** Losses by name: the command line lists them, checkpoints name them, tests loop over them. */
import { choiceOption, type NamedOptions, optionsObject } from "../../graph/options.ts";
import { cfm } from "./cfm.ts";
import { fdm } from "./fdm.ts";
import type { Loss } from "./loss.ts";
import { paper2d } from "./paper-2d.ts";

interface Entry {
  readonly options: readonly string[];
  make(options: object): Loss;
}

const entries: Readonly<Record<string, Entry>> = {
  cfm: { options: ["velocityWeight"], make: cfm },
  fdm: { options: Object.keys(fdm().options), make: fdm },
  "paper-2d": { options: ["divergence"], make: paper2d },
};

export const lossNames: readonly string[] = Object.keys(entries);

/**
 * The loss of this name and these plain options.
 *
 * @throws {@link ConfigError} when the name or an option is unknown, or an option is outside its range.
 */
export function lossFrom({ name, options }: NamedOptions): Loss {
  const entry = entries[choiceOption("loss", name, lossNames)] as Entry;
  return entry.make(optionsObject(`options of loss ${name}`, options, entry.options));
}
