/**
 * Entropic optimal transport by Sinkhorn's algorithm: sweeps that scale rows and columns in turn, from a wide regularisation
 * down to the one that is asked; where sweeps get slow, Newton's method.
 */
import { ConfigError, NumericError } from "../errors.ts";
import { choiceOption, integerOption, numberOption, optionsObject } from "../graph/options.ts";
import { atOnce } from "../turns.ts";
import { type Cost, costOf, isSample, type Sample } from "./cost.ts";
import { expOfDouble } from "./loops.ts";
import { newtonDirection, type Parts } from "./newton.ts";
import { Scaling } from "./scaling.ts";

export interface SinkhornOptions {
  /** Weight of the entropy, in units of the cost: what squared distance counts as near. Default 0.05. */
  readonly regularisation?: number;
  /** How far rows may be off: the sum of |row sum - weight|, of a plan whose sum is 1. Columns are exact. Default 1e-6. */
  readonly tolerance?: number;
  /** Passes over the matrix, two for a sweep, at most. Default 10,000. */
  readonly iterations?: number;
  /** What comes of a plan that is not within the tolerance then: an error, or the plan with `converged` false. Default "throw". */
  readonly unconverged?: "throw" | "return";
  /** Positive weights of rows and columns, whatever their sum: they are divided by it. Default: equal. */
  readonly rowWeights?: ArrayLike<number>;
  readonly columnWeights?: ArrayLike<number>;
}

/** How much goes from each row to each column. */
export interface TransportPlan {
  /** Row-major [rows, columns], sum 1. */
  readonly plan: Float64Array;
  readonly shape: readonly [rows: number, columns: number];
}

/** What {@link sinkhorn} gives. */
export interface EntropicPlan extends TransportPlan {
  /** Sum of plan times cost: without the entropy. */
  readonly cost: number;
  /** f, g in units of the cost: plan_ij = exp((f_i + g_j - cost_ij) / regularisation). */
  readonly rowPotentials: Float64Array;
  readonly columnPotentials: Float64Array;
  /** Passes over the matrix that it took. */
  readonly iterations: number;
  /** By how much the rows are off at most: see `tolerance`. */
  readonly error: number;
  readonly converged: boolean;
}

const optionNames = [
  ...(["regularisation", "tolerance", "iterations", "unconverged", "rowWeights", "columnWeights"] as const),
];

/** Regularisations on the way are so many times the next. */
const STEP = 4;

/** A level on the way is left at this error: what is left at 0.05 takes a tenth to eight times as many passes at a thousandth of the costs. */
const ROUGH = 0.01;

/** In f32 the last level is left at this share of the tolerance, and at this error at the least; f64 goes on from there. */
const [NEARLY, LEAST_OF_SINGLES] = [0.9, 1e-4];

/** In f32 a level is left where all its methods have not brought the error below this share of what it was. */
const HARDLY = 0.5;

/** Sweeps of a level before Newton's method may take over, and how much a sweep must gain not to be called slow. */
const [FIRST_SWEEPS, SLOW] = [4, 0.7];

/** Logarithms of scalings change by no more than this in a step of Newton's: beyond it its model is of no use. */
const LONGEST_STEP = 3;

/**
 * The plan that minimises cost - regularisation x entropy with given marginals, to a tolerance, in f64. Equal inputs give
 * equal bits on every platform, with WebAssembly and without.
 *
 * 512 x 512 with regularisation 0.05 and tolerance 1e-3 takes some 10 ms for points in the plane of variance 1, on the
 * calling thread. The smaller the regularisation is against the costs, the longer: below a thousandth of them the plan is all
 * but a pairing, which {@link assignment} finds exactly in less time.
 *
 * @param first - points of one sample; or, without `second`, the costs: a matrix of finite numbers.
 * @param second - points of the other sample, of any count; the cost is the squared distance.
 * @throws {@link NumericError} when it does not reach the tolerance, unless `unconverged` is "return".
 * @throws {@link ConfigError} when an option is unknown or outside its range, or a cost is not finite.
 * @throws {@link DataError} when points are none, their dimensions differ, or a value is not finite.
 * @see Cuturi, "Sinkhorn distances: lightspeed computation of optimal transport" (NIPS 2013).
 * @example
 * const { plan, cost } = sinkhorn(noise, data, { regularisation: 0.05, tolerance: 1e-3 });
 */
export function sinkhorn(first: Sample, second: Sample, options?: SinkhornOptions): EntropicPlan;
export function sinkhorn(cost: Sample, options?: SinkhornOptions): EntropicPlan;
export function sinkhorn(first: Sample, second?: Sample | SinkhornOptions, third?: SinkhornOptions): EntropicPlan {
  const isCost = !isSample(second);
  return atOnce(planning(costOf("sinkhorn", first, isCost ? undefined : second), isCost ? second : third));
}

/** The same of a cost, for {@link inTurns}: what it gives does not depend on the turns. */
export function* planning(cost: Cost, given?: SinkhornOptions): Parts<EntropicPlan> {
  const options = given === undefined ? {} : given; // null is no default
  optionsObject("options of sinkhorn", options, optionNames);
  const regularisation = numberOption("regularisation", options.regularisation ?? 0.05, {
    minimum: 0,
    open: "minimum",
  });
  const tolerance = numberOption("tolerance", options.tolerance ?? 1e-6, { minimum: 1e-15, maximum: 1 });
  const iterations = integerOption("iterations", options.iterations ?? 10_000);
  const unconverged = choiceOption("unconverged", options.unconverged ?? "throw", ["throw", "return"] as const);
  const scaling = new Scaling(
    cost,
    weightsOf("rowWeights", options.rowWeights, cost.rows),
    weightsOf("columnWeights", options.columnWeights, cost.columns),
  );
  const error = yield* solve(scaling, { regularisation, tolerance, iterations });
  const converged = error <= tolerance; // NaN has not
  if (!converged && unconverged === "throw") {
    throw new NumericError({
      subject: "sinkhorn",
      given: `an error of ${error.toExponential(1)} after ${scaling.passes} passes`,
      expected: `at most the tolerance, ${tolerance}`,
      remedy:
        'Give a larger regularisation, tolerance or number of iterations; or unconverged: "return" to have the plan as it is.',
    });
  }
  const found = scaling.plan();
  scaling.release();
  return { ...found, shape: [cost.rows, cost.columns], iterations: scaling.passes, error, converged };
}

/** Where a solve is to end. */
interface Goal {
  readonly regularisation: number;
  readonly tolerance: number;
  readonly iterations: number;
}

/** Returns the error reached. */
function* solve(scaling: Scaling, goal: Goal): Parts<number> {
  const { regularisation, tolerance } = goal;
  const widest = spreadOf(scaling.cost);
  let levels = 0;
  while (regularisation * STEP ** (levels + 1) < widest) levels++;
  scaling.isSingle = true;
  for (let level = levels; level >= 0; level--) {
    scaling.begin(regularisation * STEP ** level);
    const enough = level > 0 ? Math.max(ROUGH, tolerance) : Math.max(NEARLY * tolerance, LEAST_OF_SINGLES);
    yield* solveLevel(scaling, { ...goal, tolerance: enough });
    if (level > 0) scaling.absorb();
  }
  scaling.refine();
  return Math.min(2, yield* solveLevel(scaling, goal)); // rows sum to 1, as they should, so that is the most they can be off
}

function* solveLevel(scaling: Scaling, { tolerance, iterations }: Omit<Goal, "regularisation">): Parts<number> {
  const isDone = (error: number) => !(error > tolerance) || scaling.passes >= iterations;
  for (let least = Number.POSITIVE_INFINITY; ; ) {
    let before = Number.POSITIVE_INFINITY;
    for (let sweeps = 1; ; sweeps++) {
      yield;
      const error = scaling.sweep();
      if (isDone(error)) return error;
      scaling.stabilise();
      if (sweeps >= FIRST_SWEEPS && error > SLOW * before) break;
      before = error;
    }
    const error = yield* newton(scaling, isDone);
    if (isDone(error)) return error;
    if (scaling.isSingle && error > HARDLY * least) return error; // f64 may do more
    least = Math.min(least, error);
  }
}

/** Steps of Newton's method while they help. Returns the error reached. */
function* newton(scaling: Scaling, isDone: (error: number) => boolean): Parts<number> {
  const { a } = scaling;
  const sums = new Float64Array(a.length);
  let error = scaling.rowSums(sums);
  while (!isDone(error)) {
    const direction = yield* newtonDirection(scaling, sums, error);
    const longest = direction.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const before = { a: a.slice(), b: scaling.b.slice() };
    let next = Number.POSITIVE_INFINITY;
    for (let tries = 0, most = LONGEST_STEP; tries < 6 && !(next < error); tries++) {
      // Where the model goes too far in some rows, the others are right: so first those alone are held back, then all.
      yield;
      const isCut = tries % 2 === 0;
      const share = isCut ? 1 : Math.min(1, most / longest);
      for (let i = 0; i < a.length; i++) {
        a[i] = before.a[i] * expOfDouble(Math.max(-most, Math.min(most, share * direction[i])));
      }
      scaling.fitColumns();
      next = scaling.rowSums(sums);
      if (!isCut) most /= 3;
    }
    if (!(next < error)) {
      a.set(before.a);
      scaling.b.set(before.b);
      return error;
    }
    error = next;
    scaling.stabilise();
  }
  return error;
}

/** How far costs are above the least of their row, on average: at this regularisation all pairs count. */
function spreadOf({ values, rows, columns }: Cost): number {
  const share = 1 / columns;
  let spread = 0;
  for (let i = 0; i < rows; i++) {
    let least = Number.POSITIVE_INFINITY;
    let mean = 0;
    for (let j = i * columns; j < (i + 1) * columns; j++) {
      if (values[j] < least) least = values[j];
      mean += values[j] * share;
    }
    spread += mean - least;
  }
  return spread / rows;
}

function weightsOf(subject: string, given: ArrayLike<number> | undefined, count: number): Float64Array {
  if (given === undefined) return new Float64Array(count).fill(1 / count);
  const weights = Array.isArray(given) || ArrayBuffer.isView(given) ? Float64Array.from(given) : undefined;
  const total = weights?.reduce((sum, weight) => sum + weight, 0) ?? 0;
  if (weights?.length === count && weights.every((weight) => weight > 0) && Number.isFinite(total)) {
    return weights.map((weight) => weight / total);
  }
  throw new ConfigError({
    subject,
    given: weights ? Array.from(weights) : given,
    expected: `${count} positive numbers`,
    remedy: "Give a weight for each; leave out points whose weight is 0.",
  });
}
