/** Sequences of letters from a model of a logits field: its flow from points spread over the simplex, and what it reads there. */
import { expectHeld } from "../data/held.ts";
import { ConfigError } from "../errors.ts";
import { lettersOf, type SimplexKind } from "../flow/paths/graph-letters.ts";
import { factorGraph } from "../flow/simplex/factor-graph.ts";
import { factorTable } from "../flow/simplex/factor-table.ts";
import { factorAt } from "../flow/simplex/letters-of.ts";
import { euler } from "../flow/solvers/euler.ts";
import { sizeOf } from "../graph/node.ts";
import { integerOption, type NamedOptions, optionsObject, textOption } from "../graph/options.ts";
import { streamOf } from "../ops/streams.ts";
import { HostRandom } from "../ops/threefry.ts";
import type { ConditionsGiven, Model, SampleOptions, SolveOptions } from "./api.ts";
import { plainGuides } from "./guide-options.ts";

export interface SampleLettersOptions extends Omit<SolveOptions, "solver"> {
  /** Sequences to draw. */
  readonly count: number;
  /** Euler steps of equal length from t = 0 to 1; default 100. */
  readonly steps?: number;
  /** The letters in the order of their numbers: then the result has `texts`. */
  readonly alphabet?: string;
  /**
   * Draws more of the sequences that a log-weight made by `defineGuidance({ kind: "log-weight" })` is high of: the log of a classifier's
   * probability, say. It is given probabilities [B, L, K] in the place of letters. On the Dirichlet path alone.
   */
  readonly guide?: SampleOptions["guide"];
}

/** What {@link sampleLetters} gives. */
export interface SampledLetters {
  /** Numbers of the letters, from 0, row-major [count, L]. */
  readonly letters: Uint8Array;
  readonly count: number;
  /** L. */
  readonly places: number;
  /** The sequences as texts, where there is an alphabet. */
  readonly texts?: readonly string[];
}

/** Numbers of points that are on the host at once: 16 MB in each of three arrays. */
const MOST_NUMBERS = 1 << 22;

/**
 * Draws sequences: `steps` Euler steps from points spread evenly over the simplex, which stay on it but for rounding, then at each
 * position the letter that the network finds likeliest there. Equal seeds give equal letters on one backend.
 *
 * @param model - trained on such a path; loaded from its file, it needs no more.
 * @param options - conditions and guidance as `model.sample` has them: velocities with and without conditions are combined; what
 * guides beside moves points, and letters are read as likeliest by the network alone, which is all but certain there.
 * @throws {@link ConfigError} when an option is wrong, or the model's path has no letters.
 */
export async function sampleLetters(model: Model, options: SampleLettersOptions): Promise<SampledLetters> {
  const { count, steps, alphabet, conditions, guide, seed, onProgress, ...rest } = optionsObject(
    "options of sampleLetters",
    options,
    ["count", "steps", "alphabet", "conditions", "guidance", "guide", "seed", "signal", "onProgress", "ema", "best"],
  );
  integerOption("count of sampleLetters", count);
  const random = new HostRandom(integerOption("seed of sampleLetters", seed ?? 0, 0));
  const solver = euler({ steps: integerOption("steps of sampleLetters", steps ?? 100) });
  const path = await pathOf(model);
  const { simplex, sample } = lettersOf(path) ?? refusePath(path.name);
  const [places, all] = sample;
  const names = alphabet === undefined ? undefined : [...textOption("alphabet of sampleLetters", alphabet, "text")];
  if (names && names.length !== all) {
    throw new ConfigError({
      subject: "alphabet of sampleLetters",
      given: `${names.length} letters`,
      expected: `${all}, as many as the model has`,
      remedy: "Give that of the data, or leave it out.",
    });
  }
  expectHeld("letters of sampleLetters", count, places);
  const guided = guide === undefined ? {} : { guide: guideOfLetters(guide, model, sample) };
  const size = places * all;
  const most = Math.max(1, Math.floor(MOST_NUMBERS / size));
  const letters = new Uint8Array(count * places);
  const read = readerOf(simplex, all);
  for (let from = 0, chunk = 0; from < count; from += most, chunk++) {
    const rows = Math.min(most, count - from);
    const told = conditions ? { conditions: rowsOf(model, conditions, from, rows, count) } : {};
    const noise = evenly(random.draw("uniform", rows * size, streamOf("prior"), chunk), all);
    const { values } = await model.sample({
      ...{ ...rest, ...told, ...guided, count: rows, noise, solver },
      ...(onProgress ? { onProgress: (done: number) => onProgress(from + done, count) } : {}),
    });
    // On the linear path the last step ends at the probabilities themselves, where the velocity is singular.
    const velocities =
      simplex.kind === "linear"
        ? values
        : await model.velocity(values, new Float32Array(rows).fill(1), { ...rest, ...told });
    for (let i = 0; i < rows * places; i++) letters[from * places + i] = read(values, velocities, i * all);
  }
  const text = (row: number) => Array.from(letters.subarray(row * places, (row + 1) * places), (one) => names?.[one]);
  return {
    ...{ letters, count, places },
    ...(names ? { texts: Array.from({ length: count }, (_, row) => text(row).join("")) } : {}),
  };
}

/** As `model.sample` takes it, with the path's factor, which it has no code for. */
function guideOfLetters(guide: SampleLettersOptions["guide"], model: Model, sample: readonly [number, number]): never {
  const own = plainGuides({ guide: guide as never }, model)?.guide;
  return { ...own, factors: factorGraph(sample) } as never;
}

/** Uniform on the simplex: exponentials over their sum. */
function evenly(uniforms: Float64Array, letters: number): Float32Array {
  const points = Float32Array.from(uniforms, (uniform) => -Math.log(Math.max(uniform, 2 ** -25)));
  for (let first = 0; first < points.length; first += letters) {
    let sum = 0;
    for (let k = first; k < first + letters; k++) sum += points[k] as number;
    for (let k = first; k < first + letters; k++) points[k] = (points[k] as number) / sum;
  }
  return points;
}

type Read = (points: ArrayLike<number>, velocities: ArrayLike<number>, first: number) => number;

/**
 * What finds the likeliest letter of the position that begins at `first`. On the Dirichlet path probabilities follow from the
 * velocity at a = `largest`: p_j = (v_j + x_j S)/C_j, with S = sum p C such that they sum to 1.
 */
function readerOf(simplex: SimplexKind, letters: number): Read {
  if (simplex.kind === "linear") return (points, _, first) => largestOf(letters, (k) => points[first + k] as number);
  const at = factorAt(factorTable(letters), simplex.largest);
  const range = simplex.largest - 1; // velocities are by t
  const [factors, own] = [new Float64Array(letters), new Float64Array(letters)];
  return (points, velocities, first) => {
    let [known, share] = [0, 0];
    for (let k = 0; k < letters; k++) {
      const { factor, ratio } = at(points[first + k] as number);
      factors[k] = factor;
      own[k] = factor > 0 ? (velocities[first + k] as number) / range / factor : 0;
      known += own[k] as number;
      share += factor > 0 ? 1 / ratio : 0;
    }
    const total = (1 - known) / share;
    return largestOf(letters, (k) => {
      const factor = factors[k] as number;
      return factor > 0 ? (own[k] as number) + ((points[first + k] as number) / factor) * total : 0;
    });
  };
}

function largestOf(count: number, at: (k: number) => number): number {
  let best = 0;
  let most = at(0);
  for (let k = 1; k < count; k++) {
    const value = at(k);
    if (value > most) [best, most] = [k, value];
  }
  return best;
}

/** What these rows are told: parts of what is given for each, and what is given for all as it is. */
function rowsOf(model: Model, given: ConditionsGiven, from: number, rows: number, count: number): ConditionsGiven {
  if (rows === count) return given;
  return Object.fromEntries(
    Object.entries(given).map(([name, values]) => {
      const list = values as ArrayLike<unknown> & { slice?(from: number, to: number): typeof values };
      const { classes, shape = [] } = model.conditions[name] ?? {};
      const width = classes === undefined ? sizeOf(shape) : 1;
      const isList = Array.isArray(values) || ArrayBuffer.isView(values);
      const each = isList && (list.length === count * width ? width : list.length === count ? 1 : 0);
      return [name, each && list.slice ? list.slice(from * each, (from + rows) * each) : values];
    }),
  );
}

function refusePath(path: string): never {
  throw new ConfigError({
    subject: "model of sampleLetters",
    given: `one on the path ${path}`,
    expected: "one that was trained on dirichlet() or linearSimplex() of divflow/letters",
    remedy: "Sample models of other paths by model.sample().",
  });
}

/** As the engine has it, or as its page has it where the engine is in a worker. */
type Asked = Model &
  (
    | { readonly path: NamedOptions }
    | {
        readonly connection: { ask(question: object): Promise<{ readonly path: NamedOptions }> };
        readonly number: number;
      }
  );

async function pathOf(model: Model): Promise<NamedOptions> {
  const asked = model as Asked;
  return "path" in asked ? asked.path : (await asked.connection.ask({ ask: "madeOf", model: asked.number })).path;
}
