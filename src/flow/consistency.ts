/** How far few-step log-densities are off: per sample, by every way that there is to take them. */
import { ConfigError } from "../errors.ts";
import { choiceOption, integerOption, optionsObject, partOption } from "../graph/options.ts";
import { MOST_APART } from "./divergence.ts";
import { dopri5 } from "./solvers/dopri5.ts";
import { flowMapSteps } from "./solvers/flow-map.ts";
import type { Solver } from "./solvers/solver.ts";

type Points = Float32Array | Float64Array;

/** What is asked of a model, which `load` or a trainer gives. */
export interface JudgedModel {
  readonly dimension: number;
  sample(options: {
    readonly count: number;
    readonly seed: number;
    readonly solver: Solver;
    readonly logDensity: true;
  }): Promise<{ readonly values: Points; readonly logDensity?: { readonly values: Float64Array } }>;
  logDensity(points: Points, options: { readonly solver: Solver }): Promise<{ readonly values: Float64Array }>;
}

export const densityWays = ["head", "exact", "flow", "closed"] as const;

/**
 * "head": the flow map's head. "exact": ln |det| of the steps, the density of what they make. "flow": that of the velocity
 * U(x, t, t) by an ODE solver. "closed": what the caller knows of the data.
 */
export type DensityWay = (typeof densityWays)[number];

export interface ConsistencyOptions {
  /** Numbers of steps, each judged by itself; default 1, 2 and 4. */
  readonly steps?: readonly number[];
  /** Samples of each, default 1000. */
  readonly count?: number;
  readonly seed?: number;
  /** What the flow map offers: by default both up to 64 dimensions, else the head's. */
  readonly densities?: readonly ("head" | "exact")[];
  /** For the flow's log-density; default dopri5 at 1e-5. */
  readonly solver?: Solver;
  /** The data's log-density in nats of points, row-major, where it is known. */
  readonly closed?: (points: Points) => ArrayLike<number>;
}

/** Mean over samples of |one log-density - another|, in nats, and its standard error. */
export interface DensityError {
  readonly mean: number;
  readonly standardError: number;
}

export interface StepsConsistency {
  readonly steps: number;
  /** The samples, row-major. */
  readonly values: Points;
  /** The log-density of each, in nats, by each way there is. */
  readonly logDensities: Readonly<Partial<Record<DensityWay, Float64Array>>>;
  /** `errors.head.exact`: of the head from the exact one, and so on, over the samples where both are numbers. */
  readonly errors: Readonly<Partial<Record<DensityWay, Readonly<Partial<Record<DensityWay, DensityError>>>>>>;
  /** Samples at which the map was not invertible: they have no exact log-density. */
  readonly folded: number;
}

/**
 * The consistency meter of a flow map's few-step log-densities: for its own samples in 1, 2 and 4 steps, each log-density that
 * there is, and how far they lie apart. Head from exact says how well the head knows the map; exact from flow, how well the map
 * follows the flow; flow from closed, how well the flow was learned.
 *
 * @throws {@link ConfigError} when an option is wrong, or the model is no flow map or has no head that is asked for.
 * @example
 * const [one] = await flowMapConsistency(model, { steps: [1], closed: (points) => logDensities(points) });
 * console.log(one.errors.head?.closed?.mean); // nats
 */
export async function flowMapConsistency(
  model: JudgedModel,
  options: ConsistencyOptions = {},
): Promise<StepsConsistency[]> {
  const known = ["steps", "count", "seed", "densities", "solver", "closed"] as const;
  const {
    steps = [1, 2, 4],
    count = 1000,
    seed = 0,
    closed,
  } = optionsObject("options of flowMapConsistency", options, known);
  const { solver = dopri5({ relativeTolerance: 1e-5, absoluteTolerance: 1e-5 }) } = options;
  partOption("model of flowMapConsistency", model, "sample", "load()");
  const { densities = model.dimension > MOST_APART ? (["head"] as const) : (["head", "exact"] as const) } = options;
  for (const density of densities) choiceOption("densities of flowMapConsistency", density, ["head", "exact"]);
  if (densities.length === 0) {
    throw new ConfigError({
      subject: "densities of flowMapConsistency",
      given: densities,
      expected: '"head", "exact" or both',
      remedy: "Leave it out.",
    });
  }
  integerOption("count of flowMapConsistency", count, 2);
  partOption("solver of flowMapConsistency", solver, "plan", "dopri5()");
  const all: StepsConsistency[] = [];
  for (const number of steps) {
    const logDensities: Partial<Record<DensityWay, Float64Array>> = {};
    let values: Points = new Float64Array();
    for (const density of densities) {
      const drawn = await model.sample({
        ...{ count, seed, logDensity: true },
        solver: flowMapSteps({ steps: number, density }),
      });
      values = drawn.values; // of equal seeds, so the same but for the last bit
      logDensities[density] = drawn.logDensity?.values ?? new Float64Array();
    }
    logDensities.flow = (await model.logDensity(values, { solver })).values;
    if (closed) logDensities.closed = closedForm(closed, values, count);
    all.push({
      ...{ steps: number, values, logDensities, errors: errorsOf(logDensities) },
      folded: Array.from(logDensities.exact ?? []).filter((value) => !Number.isFinite(value)).length,
    });
  }
  return all;
}

function closedForm(closed: (points: Points) => ArrayLike<number>, values: Points, count: number): Float64Array {
  const found = Float64Array.from(closed(values));
  if (found.length === count && found.every(Number.isFinite)) return found;
  throw new ConfigError({
    subject: "closed of flowMapConsistency",
    given: found.length === count ? "values that are not finite" : `${found.length} values`,
    expected: `${count} log-densities, one for each point`,
    remedy: "Give a function of all points, row-major, to their log-densities in nats.",
  });
}

function errorsOf(logDensities: StepsConsistency["logDensities"]): StepsConsistency["errors"] {
  const there = densityWays.filter((way) => logDensities[way]);
  return Object.fromEntries(
    there.map((of, i) => [
      of,
      Object.fromEntries(
        there
          .slice(i + 1)
          .map((from) => [from, errorOf(logDensities[of] as Float64Array, logDensities[from] as Float64Array)]),
      ),
    ]),
  );
}

function errorOf(of: Float64Array, from: Float64Array): DensityError {
  const misses = Array.from(of, (value, i) => Math.abs(value - (from[i] as number))).filter(Number.isFinite);
  const mean = misses.reduce((total, miss) => total + miss, 0) / misses.length;
  const squares = misses.reduce((total, miss) => total + (miss - mean) ** 2, 0);
  return { mean, standardError: Math.sqrt(squares / (misses.length - 1) / misses.length) };
}
