/** Path schedulers by name: the command line lists them, checkpoints name them, tests loop over them. */
import { madeFrom, type NamedOptions, type Registry } from "../../graph/options.ts";
import { condOT } from "./cond-ot.ts";
import { cosine } from "./cosine.ts";
import { linearVP } from "./linear-vp.ts";
import type { PathScheduler } from "./path.ts";
import { polynomial } from "./polynomial.ts";
import { ve } from "./ve.ts";
import { vp } from "./vp.ts";

const entries: Registry<PathScheduler> = {
  "cond-ot": condOT,
  "linear-vp": linearVP,
  vp: vp,
  cosine: cosine,
  polynomial: polynomial,
  ve: ve,
};

export const pathNames: readonly string[] = Object.keys(entries);

/** Those of `divflow/flows`: train/more-parts.ts makes them. */
export const morePathNames: readonly string[] = ["ve-sde", "with-output", "brownian-bridge"];

/**
 * The path scheduler of this name and these plain options.
 *
 * @throws {@link ConfigError} when the name or an option is unknown, or an option is outside its range.
 */
export function pathFrom(named: NamedOptions): PathScheduler {
  return madeFrom("path", entries, named);
}
