/** Samples guided by a function of them or by coordinates that are known: imported where they are asked for. */
import type { NumericArray } from "../backends/backend.ts";
import { onDemand } from "../backends/on-demand.ts";
import type { Standardization } from "../data/standardize.ts";
import { ConfigError, DataError, NumericError } from "../errors.ts";
import { eventEstimate, rowGradient } from "../flow/guidance/by-function.ts";
import type { OpenGuidance } from "../flow/guidance/graph-guidance.ts";
import { guidedByWeight, knownGradient, replacedField, type WeightGradient } from "../flow/guidance/guided-field.ts";
import type { VelocityField } from "../flow/losses/loss.ts";
import { expectAffine } from "../flow/paths/affine.ts";
import { type LettersConfig, lettersOf } from "../flow/paths/graph-letters.ts";
import { type PathScheduler, pointOnPath } from "../flow/paths/path.ts";
import { windowOf } from "../flow/paths/window.ts";
import type { Graph, StateDeclaration } from "../graph/graph.ts";
import type { Node } from "../graph/node.ts";
import { choiceOption, f32Option, optionsObject } from "../graph/options.ts";
import { add, divide, finite, multiply, select, subtract } from "../ops/arithmetic.ts";
import { constant, state, table } from "../ops/sources.ts";
import type { Trace } from "../trace/trace.ts";
import type { Model, SampleOptions } from "./api.ts";
import type { PlainGuides } from "./guide-options.ts";
import { paddedRows } from "./points.ts";
import { toModelUnits } from "./units.ts";

/** What a solve is guided by. */
export interface Guide {
  /** What its program depends on. */
  readonly key: string;
  /** Evaluations of the field that one of the guided field takes the memory of. */
  readonly passes: number;
  /** Numbers per point of the guided field, where it carries more than the points. */
  readonly dimension?: number;
  field(own: VelocityField, rows: number): VelocityField;
  states(rows: number): StateDeclaration[];
  /** Contents of the states for rows `from` to `from` + `rows`; past the end the last one's again. */
  at(from: number, rows: number): ReadonlyMap<string, NumericArray>;
  /** Runs when the noise is there: keeps it, where known coordinates go along the path from it. */
  before(rows: number): Graph | undefined;
  /** Gives known coordinates of finished samples, in data units, of which `from` is the first, their values. */
  finish(samples: NumericArray, from: number): void;
}

/** The model that is asked. */
type Of = Pick<Model, "shape" | "dimension"> & { readonly path: PathScheduler };

/** Reverse mode of the network, with what it keeps of each layer. */
const REVERSE_PASSES = 4;

/**
 * @throws {@link ConfigError} when an option is wrong, or a log-density is asked for beside it.
 * @throws {@link DataError} when known values or their mask do not fit the samples.
 * @throws {@link CheckpointError} when a function's graph is damaged.
 */
export async function guideOf(
  { guide, known: given }: PlainGuides,
  of: Of,
  standardization: Standardization | undefined,
  count: number,
  divergence: object | undefined,
): Promise<Guide> {
  if (divergence) {
    throw new ConfigError({
      subject: "logDensity of sample",
      given: `it, beside ${guide ? "guide" : "known"}`,
      expected:
        "samples alone: what guides holds some of its terms constant, so that no divergence of it is the flow's",
      remedy: "Leave logDensity out, or take the samples' log-density under the model by model.logDensity.",
    });
  }
  expectAffine(guide ? "guide of sample" : "known of sample", of.path);
  const options = guide && optionsObject("guide of sample", guide, ["by", "strength", "factors"]);
  const strength = f32Option("strength of guide", options?.strength ?? 1);
  const { openGuidance } = await onDemand(import("../train/graphs.ts"));
  const by = options && openGuidance(options.by.options, of.shape);
  const letters = options?.factors && given === undefined ? lettersOf(of.path) : undefined;
  if (by && letters) return await lettersGuide(by, options, strength, letters);
  const known = given === undefined ? undefined : knownOf(given, of.dimension, count, standardization);
  const isReplaced = known?.by === "replacement";
  const window = windowOf(of.path);

  const field = (own: VelocityField, rows: number): VelocityField => {
    const wide = (name: string): Node => state({ name, shape: [rows, of.dimension], dtype: "f32" });
    const narrow = (name: string): Node => state({ name, shape: [rows, 1], dtype: "f32" });
    const coordinates = known && { values: wide("known.values"), mask: wide("known.mask") };
    const gradients: WeightGradient[] = [];
    if (by) {
      const gradient = gradientOf(by, standardization, isReplaced ? coordinates : undefined);
      gradients.push((...at) => multiply(gradient(...at), narrow("guide.strength")));
    }
    if (coordinates && !isReplaced) {
      const gradient = knownGradient(coordinates, known.deviation ** 2);
      gradients.push((...at) => multiply(gradient(...at), narrow("known.strength")));
    }
    const all: WeightGradient = (...at) => gradients.map((each) => each(...at)).reduce(add);
    const guided = gradients.length > 0 ? guidedByWeight(own, of.path, all, window) : own;
    if (!coordinates || !isReplaced) return guided;
    return replacedField(guided, of.path, { ...coordinates, noise: wide("known.noise") }, window);
  };
  const declare = (name: string, width: number) => (rows: number) =>
    ({ name, shape: [rows, width], dtype: "f32" }) satisfies StateDeclaration;
  const contents: (readonly [StateDeclaration["name"], number, NumericArray])[] = [
    ...(by ? [["guide.strength", 1, Float32Array.of(strength)] as const] : []),
    ...(known?.states(isReplaced) ?? []),
  ];
  return {
    key: JSON.stringify([options?.by, known?.by, known?.deviation]),
    passes: by || !isReplaced ? REVERSE_PASSES : 1,
    field,
    states: (rows) => [
      ...contents.map(([name, width]) => declare(name, width)(rows)),
      ...(isReplaced ? [declare("known.noise", of.dimension)(rows)] : []),
    ],
    at: (from, rows) =>
      new Map(
        contents.map(([name, width, values]) => [
          name,
          paddedRows(values, values.length === width ? 0 : from, rows, width),
        ]),
      ),
    before(rows) {
      if (!isReplaced) return undefined;
      const wide = (name: string) => declare(name, of.dimension)(rows);
      const [noise, points] = [wide("known.noise"), wide("solve.x")];
      const drawn = state(points);
      const x0 = multiply(drawn, 1 / of.path.priorDeviation);
      const start = pointOnPath(of.path.at(constant(0, [rows, 1])), x0, state(wide("known.values")));
      return {
        name: "keep-noise",
        updates: [
          { state: noise, value: x0 },
          { state: points, value: select(state(wide("known.mask")), start, drawn) },
        ],
      };
    },
    finish: (samples, from) => known?.finish(samples, from),
  };
}

/** Of sequences of letters, on the simplex. */
async function lettersGuide(
  by: OpenGuidance,
  given: NonNullable<PlainGuides["guide"]>,
  strength: number,
  { simplex, sample }: Pick<LettersConfig, "simplex" | "sample">,
): Promise<Guide> {
  const subject = `guide "${by.name}" of letters`;
  if (simplex.kind === "linear") {
    const expected = "the Dirichlet path: on the linear one a letter's density has no slope to guide by";
    throw new ConfigError({ subject, given: "the linear path", expected, remedy: "Train on dirichlet({ sample })." });
  }
  if (by.kind === "event") {
    const remedy = 'Say kind: "log-weight", such as the log of a classifier\'s probability.';
    throw new ConfigError({ subject, given: "an event", expected: 'kind "log-weight"', remedy });
  }
  const { guidedLetters } = await onDemand(import("../flow/guidance/guided-letters.ts"));
  const strengthOf = (rows: number) => ({ name: "guide.strength", shape: [rows, 1], dtype: "f32" }) as const;
  const factors = given.factors as Trace;
  return {
    key: JSON.stringify(given.by),
    passes: REVERSE_PASSES,
    field: (own, rows) =>
      guidedLetters(own, { sample, largest: simplex.largest }, factors, (probabilities, x) => {
        const logWeight = by.value(probabilities);
        const gradient = add(rowGradient(logWeight, x), infiniteUnlessFinite(logWeight));
        return multiply(gradient, state(strengthOf(rows)));
      }),
    states: (rows) => [strengthOf(rows)],
    at: (_, rows) => new Map([["guide.strength", new Float32Array(rows).fill(strength)]]),
    before: () => undefined,
    finish: () => {},
  };
}

/** Of the log-weight; where coordinates of samples are known, the function is shown these. */
function gradientOf(
  by: OpenGuidance,
  standardization: Standardization | undefined,
  known: { readonly values: Node; readonly mask: Node } | undefined,
): WeightGradient {
  const inDataUnits = (samples: Node) => {
    if (!standardization) return samples;
    const { mean, std } = standardization;
    return add(multiply(samples, table(std, [1, std.length])), table(mean, [1, mean.length]));
  };
  const value = (samples: Node) => by.value(inDataUnits(samples));
  return (denoised, x, at) => {
    const seen = known ? select(known.mask, known.values, denoised) : denoised;
    if (by.kind === "event") return eventEstimate(value, seen, x, at, by).gradient;
    const logWeight = value(seen);
    return add(rowGradient(logWeight, x), infiniteUnlessFinite(logWeight));
  };
}

/** 0 where the value is a number: a function that is none may have a gradient that is, such as the log of what is below 0. */
function infiniteUnlessFinite(value: Node): Node {
  const isNumber = finite(value);
  return divide(subtract(1, isNumber), isNumber);
}

function knownOf(
  given: NonNullable<SampleOptions["known"]>,
  dimension: number,
  count: number,
  standardization: Standardization | undefined,
) {
  const options = optionsObject("known of sample", given, ["values", "mask", "by", "strength", "deviation"]);
  const { by = "guidance" } = options;
  choiceOption("by of known", by, ["guidance", "replacement"] as const);
  for (const name of ["strength", "deviation"] as const) {
    if (by !== "replacement" || options[name] === undefined) continue;
    throw new ConfigError({
      subject: `${name} of known`,
      given: options[name],
      expected: 'no such option beside by "replacement"',
      remedy: 'Leave it out, or choose by: "guidance".',
    });
  }
  const strength = f32Option("strength of known", options.strength ?? 1);
  const deviation = f32Option("deviation of known", options.deviation ?? 1, { minimum: 1e-6, maximum: 1e6 });
  const [values, mask] = (["values", "mask"] as const).map((name) => {
    const numbers = options[name] as NumericArray;
    if (numbers.length === dimension || numbers.length === count * dimension) return numbers;
    throw new DataError({
      subject: `${name} of known`,
      given: `${numbers.length} numbers`,
      expected: `${dimension} for all samples, or ${count * dimension} for ${count}`,
      remedy: "Give one for each coordinate of a sample, row-major.",
    });
  }) as [NumericArray, NumericArray];
  const wrong = mask.findIndex((one) => one !== 0 && one !== 1);
  if (wrong >= 0) {
    throw new DataError({
      subject: `mask of known, number ${wrong} (from 0)`,
      given: String(mask[wrong]),
      expected: "1 or true where the coordinate is known, else 0 or false",
      remedy: "Correct the mask.",
    });
  }
  const isKnown = (at: number) => mask[at % mask.length] === 1;
  const length = Math.max(values.length, mask.length);
  const own = Float64Array.from({ length }, (_, i) => {
    if (!isKnown(i)) return standardization?.mean[i % dimension] ?? 0; // what is not known may be anything
    const value = values[i % values.length] as number;
    if (Number.isFinite(Math.fround(value))) return value;
    throw new DataError({
      subject: `values of known, number ${i % values.length} (from 0)`,
      given: String(value),
      expected: "a finite number in the range of f32 where the mask is 1",
      remedy: "Correct the value, or set its mask to 0.",
    });
  });
  const inModelUnits = toModelUnits(own, standardization);
  return {
    ...{ by, deviation },
    states: (isReplaced: boolean) => [
      ["known.values", dimension, inModelUnits] as const,
      ["known.mask", dimension, Float32Array.from(mask)] as const,
      ...(isReplaced ? [] : [["known.strength", 1, Float32Array.of(strength)] as const]),
    ],
    finish(samples: NumericArray, from: number) {
      for (let i = 0; i < samples.length; i++) {
        const at = from * dimension + i;
        if (isKnown(at)) samples[i] = own[at % own.length] as number;
      }
    },
  };
}

/** Throws what went wrong in a guided solve: numbers that are not finite may well be the guidance's. */
export function rethrow(error: unknown, { guide }: PlainGuides): never {
  if (!(error instanceof NumericError)) throw error;
  const name = guide && `"${String(Object(guide.by.options)["name"])}"`;
  const { subject, given, expected } = error.facts;
  throw new NumericError(
    {
      subject: `${subject}, ${name ? `guided by ${name}` : "with known coordinates"}`,
      given,
      expected,
      remedy: name
        ? "What guides must be finite, and its gradient too, wherever the model's estimates of samples go: no log or root of 0, no division by it. Or lower its strength."
        : "Check the model, and whether the known values are like its data.",
    },
    { cause: error },
  );
}
