/** Data sources by name: the command line lists them, checkpoints name them, tests loop over them. */
import { DataError } from "../errors.ts";
import { isRecord, madeFrom, type NamedOptions, type Registry } from "../graph/options.ts";
import { isArrayData } from "./array.ts";
import { checkerboard } from "./checkerboard.ts";
import { eightGaussians } from "./eight-gaussians.ts";
import { hasFingerprint } from "./fingerprint.ts";
import { gaussianMixture } from "./gaussian-mixture.ts";
import { moons } from "./moons.ts";
import { pinwheel } from "./pinwheel.ts";
import { rings } from "./rings.ts";
import type { DataSource } from "./source.ts";
import { spirals } from "./spirals.ts";

const entries: Registry<DataSource> = {
  checkerboard: checkerboard,
  "eight-gaussians": eightGaussians,
  moons: moons,
  spirals: spirals,
  pinwheel: pinwheel,
  rings: rings,
  "gaussian-mixture": gaussianMixture,
};

/** Sources that a name and plain options make; a user's own points (`arrayData`) are not among them. */
export const dataNames: readonly string[] = Object.keys(entries);

/**
 * The data source of this name and these plain options.
 *
 * @throws {@link ConfigError} when the name or an option is unknown, or an option is outside its range.
 */
export function dataFrom(named: NamedOptions): DataSource {
  return madeFrom("data", entries, named);
}

/**
 * The source to go on with: the one that a checkpoint names, or the one given, which has to be the same. Sources that a
 * name cannot make, such as a user's own points, have to be given.
 *
 * @param stored - name and options in the checkpoint.
 * @param what - what they are to a trainer, for messages: "data" or "start".
 * @throws {@link DataError} when the source given is another (for points: another fingerprint), or one is needed and
 * none is given.
 */
export function resumeData(stored: NamedOptions, given?: DataSource, what = "data"): DataSource {
  if (!given) {
    if (dataNames.includes(stored.name)) return dataFrom(stored);
    throw new DataError({
      subject: `${what} to resume with`,
      given: "none",
      expected: `the ${what} "${stored.name}" that the run began with: ${JSON.stringify(stored.options)}`,
      remedy: "Checkpoints do not hold points: give the same ones again.",
    });
  }
  const expected = dataNames.includes(stored.name) ? dataFrom(stored) : stored;
  if (given.name !== stored.name || !sameOptions(optionsBeside(given, stored), expected.options)) {
    throw new DataError({
      subject: `${what} to resume with`,
      given: { name: given.name, options: given.options },
      expected: `the ${what} "${stored.name}" that the run began with: ${JSON.stringify(expected.options)}`,
      remedy:
        "Give the same data, in the same order. For other data begin anew from the model: " +
        "createTrainer({ initial }), or train --from.",
    });
  }
  return given;
}

/** The options of `given`, with the fingerprint in the form that `stored` has it in, where the values are the same. */
function optionsBeside(given: DataSource, stored: NamedOptions): NamedOptions["options"] {
  const { fingerprint } = stored.options;
  if (!isArrayData(given) || !hasFingerprint(given.values, fingerprint)) return given.options;
  return { ...given.options, fingerprint };
}

function sameOptions(a: NamedOptions["options"], b: NamedOptions["options"]): boolean {
  const sorted = (options: NamedOptions["options"]) => JSON.stringify(options, inOrder);
  return sorted(a) === sorted(b);
}

/** For JSON.stringify: the fields of each object by name, in whatever order they were given. */
const inOrder = (_name: string, value: unknown) =>
  isRecord(value) && !Array.isArray(value) ? Object.fromEntries(Object.entries(value).sort()) : value;
