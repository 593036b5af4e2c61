/** Simulations: parameters drawn from the prior, and what a user's simulator makes of each. */
import { copiedNumbers, type Numbers, shapedNumbers } from "../data/numbers.ts";
import { DataError } from "../errors.ts";
import { sizeOf } from "../graph/node.ts";
import { streamOf } from "../ops/streams.ts";
import { HostRandom } from "../ops/threefry.ts";
import { RandomSequence } from "../transport/random-sequence.ts";
import { nextTask, TURN_SECONDS } from "../turns.ts";
import type { JointPrior, ParametersGiven } from "./parameters.ts";
import type { ParametersOf, Prior, Priors, Random } from "./priors.ts";

/** What a simulator is given beside parameters. */
export interface SimulationContext {
  /** Random numbers of this simulation alone: equal seeds give equal simulations, however many run at once. */
  readonly random: Random;
  /** Number of the simulation, from 0. */
  readonly index: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * What data would be observed with these parameters: a number, numbers, or arrays in arrays, of one shape each time. One that throws
 * or gives a value that is not finite has failed: it is counted and left out.
 */
export type Simulator<Given extends Prior | Priors> = (
  parameters: ParametersOf<Given>,
  context: SimulationContext,
) => number | Numbers | Promise<number | Numbers>;

/** What simulations gave: parameters and data of those that did not fail. */
export interface Simulated {
  /** Row-major [count, D], in the users' units, in the order of the simulations. */
  readonly parameters: Float64Array;
  /** Row-major [count, ...shape]. */
  readonly observations: Float64Array;
  readonly count: number;
  /** Of one observation. */
  readonly shape: readonly number[];
  /** Simulations that failed. */
  readonly failed: number;
  /** Why, and how often: the most frequent first. */
  readonly failures: readonly { readonly reason: string; readonly count: number }[];
}

/** What simulations are for: each has random numbers of its own. */
const uses = ["training", "calibration", "predictive"] as const;
type Use = (typeof uses)[number];
/** Of the numbers that a simulation draws by its own seed. */
const OWN = uses.length;

/** After so many of which none went well, something is wrong. */
const FIRST_TRIES = 100;

export interface SimulateOptions<Given extends Prior | Priors> {
  readonly prior: JointPrior<Given>;
  readonly simulate: Simulator<Given>;
  readonly count: number;
  /** Simulations that run at once, where the simulator is asynchronous. */
  readonly concurrency: number;
  readonly seed: number;
  readonly use: Use;
  /** Of an observation, where it is known already. */
  readonly shape: readonly number[] | undefined;
  /** Rows of parameters [count, D]; left out: drawn from the prior. */
  readonly parameters?: Float64Array;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: (done: number, failed: number) => void;
}

/**
 * Runs the simulator. Other tasks have their turn each 25 ms.
 *
 * @throws {@link DataError} when an observation has another shape than the first, or too many simulations fail.
 * @throws the signal's reason.
 */
export async function simulations<Given extends Prior | Priors>(options: SimulateOptions<Given>): Promise<Simulated> {
  const { prior, simulate, count, concurrency, seed, use, signal, onProgress } = options;
  const { dimension } = prior;
  const seeds = new HostRandom(seed);
  const stream = streamOf("simulations", uses.indexOf(use));
  const rows: ({ readonly row: Float64Array; readonly values: Float64Array } | undefined)[] = new Array(count);
  const reasons = new Map<string, number>();
  let { shape } = options;
  let [next, done, failed, width] = [0, 0, 0, shape && sizeOf(shape)];
  let begun = performance.now();

  const fail = (reason: string) => {
    failed++;
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    const isHopeless = failed === done + 1 && failed === Math.min(count, FIRST_TRIES);
    if (isHopeless) throw allFailed(failed, reason);
  };
  const runOne = async (index: number) => {
    const random = new RandomSequence(
      [...seeds.draw("bits", 2, stream, index)] as [number, number],
      streamOf("simulations", OWN),
    );
    const given = options.parameters?.slice(index * dimension, (index + 1) * dimension);
    const { row, parameters } = given ? { row: given, parameters: prior.parameters(given) } : prior.draw(random);
    let result: number | Numbers;
    try {
      const answer = simulate(parameters, { random, index, signal });
      result = isPromise(answer) ? await answer : answer;
    } catch (error) {
      signal?.throwIfAborted(); // a simulator that was told to end has not failed
      return fail(error instanceof Error ? error.message : String(error));
    }
    const values = typeof result === "number" ? Float64Array.of(result) : observed(result, index);
    // Before its length: many simulators say NaN alone.
    const wrong = values.findIndex((value) => !Number.isFinite(Math.fround(value)));
    if (wrong >= 0)
      return fail(Number.isFinite(values[wrong]) ? "a value beyond f32" : `a value that is ${values[wrong]}`);
    if (width === undefined) {
      width = values.length;
      shape = typeof result === "number" ? [1] : shapeOf(result, width);
    }
    if (values.length !== width || width === 0) throw otherLength(index, values.length, width);
    rows[index] = { row, values };
  };
  const runner = async () => {
    while (next < count) {
      signal?.throwIfAborted();
      await runOne(next++);
      done++;
      if (performance.now() - begun < 1000 * TURN_SECONDS) continue;
      onProgress(done, failed);
      await nextTask();
      begun = performance.now();
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, count) }, runner)).catch((error) => {
    next = count; // the others end
    throw error;
  });
  signal?.throwIfAborted();
  onProgress(done, failed);
  const good = rows.filter((one) => one !== undefined);
  if (good.length === 0) throw allFailed(failed, [...reasons.keys()][0] as string);
  return {
    parameters: joined(good.map(({ row }) => row)),
    observations: joined(good.map(({ values }) => values)),
    count: good.length,
    shape: shape as readonly number[],
    failed,
    failures: [...reasons].map(([reason, count]) => ({ reason, count })).sort((a, b) => b.count - a.count),
  };
}

/**
 * Simulations that users ran elsewhere, checked. What is not finite has failed.
 *
 * @throws {@link DataError} when there are not as many parameters as observations, or parameters leave the prior's bounds.
 */
export function givenSimulations<Given extends Prior | Priors>(
  prior: JointPrior<Given>,
  { parameters, observations, shape }: SimulationsGiven,
): Simulated {
  const rows = prior.rows("parameters of simulations", parameters);
  const count = rows.length / prior.dimension;
  const outside = prior.toLine(rows).findIndex((value) => !Number.isFinite(value));
  if (outside >= 0) {
    const row = Math.floor(outside / prior.dimension);
    throw new DataError({
      subject: `parameters of simulations, row ${row} (from 0)`,
      given: [...rows.subarray(row * prior.dimension, (row + 1) * prior.dimension)],
      expected: "numbers within the prior's bounds",
      remedy: "Give the prior that they were drawn from.",
    });
  }
  const isRows = Array.isArray(observations) && typeof observations[0] !== "number";
  const numbers = shapedNumbers(
    "observations of simulations",
    observations,
    isRows ? undefined : [count, ...(shape ?? [observations.length / count])],
  );
  const [own, ...sample] = numbers.shape;
  const width = sizeOf(sample);
  if (own !== count || width === 0 || numbers.values.length !== count * width) {
    throw new DataError({
      subject: "observations of simulations",
      given: `${numbers.values.length} numbers, ${own} rows`,
      expected: `a row for each of the ${count} rows of parameters`,
      remedy: "Give both in the same order.",
    });
  }
  const keep = Array.from({ length: count }, (_, i) => i).filter((i) =>
    numbers.values.subarray(i * width, (i + 1) * width).every((value) => Number.isFinite(Math.fround(value))),
  );
  const of = (values: ArrayLike<number>, size: number) =>
    joined(keep.map((i) => Float64Array.from({ length: size }, (_, k) => values[i * size + k] as number)));
  const failed = count - keep.length;
  if (keep.length === 0) throw allFailed(count, "values that are not finite");
  return {
    parameters: of(rows, prior.dimension),
    observations: of(numbers.values, width),
    count: keep.length,
    shape: sample,
    failed,
    failures: failed > 0 ? [{ reason: "a value that is not finite", count: failed }] : [],
  };
}

/** Simulations that ran before: parameters and data, in one order. What {@link Simulated} holds is one. */
export interface SimulationsGiven {
  readonly parameters: ParametersGiven;
  /** Rows [count, ...shape], flat or in arrays. */
  readonly observations: Numbers;
  /** Of one observation, where they are flat. Default: one axis. */
  readonly shape?: readonly number[];
}

function observed(result: Numbers, index: number): Float64Array {
  return Float64Array.from(copiedNumbers(`what simulation ${index} gave`, result));
}

export function shapeOf(result: Numbers, width: number): readonly number[] {
  return Array.isArray(result) && typeof result[0] === "object"
    ? shapedNumbers("an observation", result, undefined).shape
    : [width];
}

function joined(rows: readonly Float64Array[]): Float64Array {
  const width = rows[0]?.length ?? 0;
  const all = new Float64Array(rows.length * width);
  for (const [i, row] of rows.entries()) all.set(row, i * width);
  return all;
}

const isPromise = <Value>(value: Value | Promise<Value>): value is Promise<Value> =>
  typeof (value as Promise<Value> | null)?.then === "function";

function allFailed(count: number, reason: string): DataError {
  return new DataError({
    subject: "simulations",
    given: `${count} of ${count} failed: ${reason}`,
    expected: "some that give finite numbers",
    remedy: "Try the simulator with a draw of the prior.",
  });
}

function otherLength(index: number, length: number, width: number): DataError {
  return new DataError({
    subject: `simulation ${index}`,
    given: `${length} numbers`,
    expected: width === 0 ? "at least one" : `${width}, as the observation or the first simulation has`,
    remedy: "Give as many numbers each time; summarise what varies in length.",
  });
}
