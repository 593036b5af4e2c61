/**
 * Reflow (Liu, Gong and Liu, "Flow straight and fast: learning to generate and transfer data with rectified flow", ICLR 2023): the
 * starts and ends of a model's flow as pairs for the next one, and how straight a flow is.
 */
import { type ArrayData, arrayData, madeArray } from "../data/array.ts";
import { fingerprint } from "../data/fingerprint.ts";
import type { ConditionValues, Numbers } from "../data/numbers.ts";
import { dataFrom, dataNames } from "../data/registry.ts";
import { conditionOptions, type RowConditions, rowConditions } from "../data/row-conditions.ts";
import type { DataSource } from "../data/source.ts";
import { type Standardization, standardize, unstandardize } from "../data/standardize.ts";
import { ConfigError } from "../errors.ts";
import type { Coupling } from "../flow/couplings/coupling.ts";
import { sameShape, sizeOf } from "../graph/node.ts";
import { integerOption } from "../graph/options.ts";
import type { ConditionGiven, Model, ModelCondition, SolveOptions } from "./api.ts";
import { ask, solveOptionsAnd } from "./asking.ts";
import type { ModelFacts } from "./more-asked.ts";
import { pairedWith } from "./paired-with.ts";

type Points = Float32Array | Float64Array;

/** Options of a solve from starts, which `seed` draws where none are given. */
interface FromStarts extends SolveOptions {
  /** How many starts to draw. */
  readonly count?: number;
  /** Points to start from, in data units, of a model that was trained from a start: see `model.sample`. */
  readonly start?: Numbers;
}

export interface ReflowOptions extends FromStarts {}

/** What {@link reflow} gives: options of `createTrainer`. */
export interface Reflow {
  /** The ends, in the model's units, with the conditions that they were made with. */
  readonly data: ArrayData;
  /** Which start each of them came from. */
  readonly coupling: Coupling;
  /** What the starts are drawn from; left out: noise, as the model's. */
  readonly start?: DataSource;
}

/** Enough for two dimensions; docs/couplings.md has what fewer and more are worth there. */
const DEFAULT_PAIRS = 10_000;

/**
 * The pairs of a model's flow, to train the next one on: `count` starts, and where the flow ends from each. A flow that learns them
 * has straighter paths and nearly the same samples, so that it needs fewer steps. Noise is drawn again as the model draws it, so
 * the next model starts from N(0, I) too, and has log-densities. Equal options and seeds give equal pairs on one backend: a run is
 * resumed with the same call.
 *
 * @param model - any whose flow begins at noise or at a start; its solver here is a solver of the flow, by default dopri5().
 * @param options - as of `model.sample`; `count` is 10,000 where neither it nor `start` is given. Conditions have a value for each
 * pair, or one for all.
 * @throws {@link ConfigError} when an option is wrong, a condition is not told, or the solver draws noise on the way.
 * @example
 * const pairs = await reflow(model, { count: 50_000 });
 * const next = await createTrainer(runtime, { network, path: condOT(), loss: cfm(), ...pairs, initial: model });
 */
export async function reflow(model: Model, options: ReflowOptions = {}): Promise<Reflow> {
  const { count, start, ...rest } = given("reflow", options);
  const facts = await ask("reflow", model, undefined, { of: "facts" });
  const number = start === undefined ? integerOption("count of reflow", count ?? DEFAULT_PAIRS) : count;
  const { values, trajectory, count: rows } = await model.sample({ ...rest, ...starting(number, start), times: [0] });
  const told = Object.entries(model.conditions).map(([name, one]) => [
    name,
    valuesOf(name, one, rest.conditions?.[name] as ConditionGiven, rows),
  ]);
  const starts = ofUnitNoise((trajectory as NonNullable<typeof trajectory>).values, facts);
  const shape = [rows, model.dimension];
  const source =
    facts.start && (dataNames.includes(facts.start.name) ? dataFrom(facts.start) : arrayData(starts, shape));
  return {
    data: endsOf(model, values, facts, told.length > 0 ? rowConditions(Object.fromEntries(told), rows) : undefined),
    coupling: pairedWith(starts, shape),
    ...(source ? { start: source } : {}),
  };
}

/** Options of a solve of the flow itself. */
function given<Options extends FromStarts>(
  of: string,
  options: Options,
  more: readonly (keyof Options & string)[] = [],
): Options {
  const known = solveOptionsAnd(of, options, ["count", "start", ...more]);
  const { solver } = known;
  if (!solver?.noisy) return known;
  throw new ConfigError({
    subject: `solver of ${of}`,
    given: solver.name,
    expected: "one of the flow itself: with noise on the way an end does not follow from its start",
    remedy: "Take dopri5(), or leave it out.",
  });
}

const starting = (count: number | undefined, start: Numbers | undefined) => ({
  ...(count === undefined ? {} : { count }),
  ...(start === undefined ? {} : { start }),
});

/** Starts in data units: of noise of another deviation, as the variance-exploding paths have, N(0, I) in model units. */
function ofUnitNoise(starts: Points, { start, priorDeviation, standardization }: ModelFacts): Points {
  if (start || priorDeviation === 1) return starts;
  const z = standardization ? standardize(starts, standardization) : starts;
  const unit = z.map((value) => value / priorDeviation);
  return standardization ? unstandardize(unit, standardization) : unit;
}

/** The model's samples as data in the model's units, so that its parameters fit them. */
function endsOf(
  { dimension, shape, columns, conditions: facts }: Model,
  values: Points,
  { standardization }: ModelFacts,
  conditions: RowConditions | undefined,
): ArrayData {
  const units = Object.entries(facts).flatMap(([name, one]) =>
    one.standardization ? [[name, one.standardization] as const] : [],
  );
  const isPlain = !standardization && units.length === 0;
  const points: Standardization = standardization ?? {
    mean: new Array<number>(dimension).fill(0),
    std: new Array<number>(dimension).fill(1),
  };
  return madeArray({
    values,
    options: {
      ...{ count: values.length / dimension, dimension },
      standardize: isPlain ? false : { points, conditions: Object.fromEntries(units) },
      fingerprint: fingerprint(values),
      ...(sameShape(shape, [dimension]) ? {} : { shape }),
      ...(conditions ? { conditions: conditionOptions(conditions) } : {}),
    },
    ...(columns ? { columns } : {}),
    ...(conditions ? { conditions } : {}),
  });
}

/** What is told of one condition, a row for each pair. */
function valuesOf(
  name: string,
  { shape, classes, names }: ModelCondition,
  given: ConditionGiven,
  count: number,
): ConditionValues {
  const isList = Array.isArray(given) || ArrayBuffer.isView(given);
  const list: unknown[] = isList ? Array.from(given as ArrayLike<unknown>).flat(Number.POSITIVE_INFINITY) : [given];
  if (list.includes(null)) {
    throw new ConfigError({
      subject: `condition "${name}" of reflow`,
      given: null,
      expected: "a value for each pair: the next model is told it, and leaves it out now and then by itself",
      remedy: "Tell it.",
    });
  }
  const width = sizeOf(shape);
  const all = list.length === width ? Array.from({ length: count }, () => list).flat() : list;
  if (classes === undefined) return { values: all as number[], shape: [count, ...shape] };
  const numbers = all.map((label) => (typeof label === "string" ? (names ?? []).indexOf(label) : (label as number)));
  return { values: numbers, classes, ...(names ? { names } : {}) };
}

export interface StraightnessOptions extends FromStarts {
  /** Times, the middles of as many equal parts of [0, 1], at which velocities are looked at; default 32. */
  readonly times?: number;
}

/** What {@link straightness} gives, in model units. */
export interface Straightness {
  /** Mean over starts and times of |(z1 - z0) - v(z_t, t)|^2: 0 where each path is a straight line of constant speed. */
  readonly value: number;
  /** Of the value, over starts. */
  readonly standardError: number;
  /** Mean of |z1 - z0|^2. */
  readonly distance: number;
  /** The value by the distance: without a unit. */
  readonly relative: number;
}

/**
 * How straight a model's flow is, by the measure of Liu et al.: S = the integral over t of E |(Z1 - Z0) - v(Z_t, t)|^2, over paths
 * from `count` starts (default 1,000). S = 0 where one Euler step is exact. Times are a midpoint rule; the standard error knows of
 * starts.
 *
 * @throws {@link ConfigError} when an option is wrong, or the solver draws noise on the way.
 * @example
 * const { relative } = await straightness(model); // 0.4 before, 0.01 after a reflow
 */
export async function straightness(model: Model, options: StraightnessOptions = {}): Promise<Straightness> {
  const { count, start, times = 32, ...rest } = given("straightness", options, ["times"]);
  integerOption("times of straightness", times, 1, 10_000);
  const { standardization } = await ask("straightness", model, undefined, { of: "facts" });
  const number = start === undefined ? integerOption("count of straightness", count ?? 1000, 2) : count;
  const middles = Array.from({ length: times }, (_, k) => (k + 0.5) / times);
  const sampled = await model.sample({ ...rest, ...starting(number, start), times: [0, ...middles, 1] });
  const { dimension } = model;
  const size = sampled.count * dimension;
  const at = (place: number) =>
    (sampled.trajectory as NonNullable<typeof sampled.trajectory>).values.subarray(place * size, (place + 1) * size);
  const scale = standardization?.std ?? new Array<number>(dimension).fill(1);
  const [from, to] = [at(0), at(times + 1)];
  const way = Float64Array.from(to, (end, i) => end - (from[i] as number));
  const off = new Float64Array(sampled.count);
  const { solver: _, seed: _1, onProgress: _2, ...told } = rest;
  for (const [k, time] of middles.entries()) {
    const velocity = await model.velocity(at(k + 1), new Float64Array(sampled.count).fill(time), told);
    addSquares(off, scale, (i) => (way[i] as number) - (velocity[i] as number), 1 / times);
  }
  const far = new Float64Array(sampled.count);
  addSquares(far, scale, (i) => way[i] as number, 1);
  const value = meanOf(off);
  const distance = meanOf(far);
  const variance = meanOf(off.map((one) => (one - value) ** 2));
  return {
    ...{ value, standardError: Math.sqrt(variance / (sampled.count - 1)), distance },
    relative: value / distance,
  };
}

/** Adds to each row's sum the squares of its numbers, each by its unit. */
function addSquares(sums: Float64Array, scale: readonly number[], at: (i: number) => number, weight: number): void {
  const dimension = scale.length;
  for (let i = 0; i < sums.length * dimension; i++) {
    const row = Math.floor(i / dimension);
    sums[row] = (sums[row] as number) + weight * (at(i) / (scale[i % dimension] as number)) ** 2;
  }
}

const meanOf = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
