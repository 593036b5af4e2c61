/**
 * Log-densities by the instantaneous change of variables: along a solution of dx/dt = v(x, t),
 * d log p / dt = -div v, so log p_1(x(1)) = log N(x(0); 0, priorDeviation^2 I) - integral from 0 to 1 of div v dt.
 *
 * Backwards from t = 1, "solve.logDensity" ends with the integral of div v, and {@link finishLogDensity} takes it from
 * the prior's log-density; forwards it starts with the prior's ({@link drawPrior}, {@link startLogDensity}) and ends with
 * log p_1.
 */
import { ConfigError } from "../errors.ts";
import type { Graph, StateDeclaration } from "../graph/graph.ts";
import type { Node, Shape } from "../graph/node.ts";
import { choiceOption, integerOption } from "../graph/options.ts";
import { add, multiply, square, subtract } from "../ops/arithmetic.ts";
import { random } from "../ops/random.ts";
import { sum } from "../ops/reduce.ts";
import { broadcast, concat } from "../ops/shape.ts";
import { state } from "../ops/sources.ts";
import { streamOf } from "../ops/streams.ts";
import { hutchinsonEstimate, jacobianProducts, withExactDivergence } from "./divergence.ts";
import { type ProbeKind, probeKinds, randomKindOf, type VelocityField } from "./losses/loss.ts";
import { logDensityState, pointState } from "./solvers/problem.ts";
import type { Field, SolveProblem } from "./solvers/solver.ts";

export const traceEstimators = ["exact", "hutchinson", "hutch++"] as const;

export interface DivergenceOptions {
  /**
   * "exact" (default): the trace, D jvps an evaluation. "hutchinson": z.(J z) for each of `probes` probes, which stay the
   * same during a solve, so that each gives an unbiased estimate of the log-density's integral. "hutch++": the same on what is
   * left of a subspace on which the trace is exact, in three jvps a probe (hutch-plus-plus.ts).
   */
  readonly estimator?: (typeof traceEstimators)[number];
  /** Number P of probes, 1 to 256; default 1. A standard error needs at least 2. */
  readonly probes?: number;
  /** Default "rademacher". */
  readonly probe?: ProbeKind;
}

/** State "solve.seed" u32 [2]: all random numbers of a solve follow from it and "solve.chunk". */
export const seedState: StateDeclaration = { name: "solve.seed", shape: [2], dtype: "u32" };
/** State "solve.chunk" u32 [1]: number of the batch of points that is solved; another one has other random numbers. */
export const chunkState: StateDeclaration = { name: "solve.chunk", shape: [1], dtype: "u32" };

/** The field without its divergence, for sampling. */
export function velocityOnly(network: VelocityField): Field {
  const field: Field = (x, t) => ({ velocity: network(x, t), divergences: undefined });
  return Object.assign(field, { bare: network.bare, made: network.made });
}

/** Columns of log-density that these options carry, P: 1 when exact. */
export function estimateCount(options: DivergenceOptions): number {
  const { estimator, probes } = checked(options);
  return estimator === "exact" ? 1 : probes;
}

/**
 * The field with its divergence in {@link estimateCount} columns. Reads states "solve.seed" and "solve.chunk" when it
 * estimates.
 *
 * @throws {@link ConfigError} when an option is outside its range.
 */
export function withDivergence(network: VelocityField, options: DivergenceOptions = {}): Field {
  const { estimator, probes, probe } = checked(options);
  const field: Field = (x, t) => {
    if (estimator === "exact") {
      const { velocity, divergence } = withExactDivergence(network, x, t);
      return { velocity, divergences: divergence };
    }
    const velocity = network(x, t);
    const directions = drawProbes({ probes, probe }, x.shape);
    const products = jacobianProducts(velocity, x, directions);
    const columns = directions.map((z, i) => hutchinsonEstimate(z, products[i] as Node));
    return { velocity, divergences: columns.length === 1 ? (columns[0] as Node) : concat(columns, 1) };
  };
  const { bare, made } = network;
  return Object.assign(field, { bare, made, estimator: estimator === "exact" ? undefined : estimator });
}

/** The probes [S, D] of a solve, by "solve.seed" and "solve.chunk". */
export function drawProbes({ probes, probe }: Required<Omit<DivergenceOptions, "estimator">>, shape: Shape): Node[] {
  const source = { seed: state(seedState), counter: state(chunkState) };
  return Array.from({ length: probes }, (_, i) =>
    random(randomKindOf[probe], shape, { ...source, stream: streamOf("probes", i) }),
  );
}

function checked({ estimator = "exact", probes = 1, probe = "rademacher" }: DivergenceOptions) {
  choiceOption("estimator of the divergence", estimator, traceEstimators);
  integerOption("probes of the divergence", probes, 1, 256);
  choiceOption("probe of the divergence", probe, probeKinds);
  return { estimator, probes, probe };
}

/** log N(x; 0, deviation^2 I) [S, 1] of points [S, D]. */
export function priorLogDensity(x: Node, deviation: number): Node {
  const dimension = x.shape[1] as number;
  const normalisation = -dimension * (0.5 * Math.log(2 * Math.PI) + Math.log(deviation));
  return add(multiply(sum(square(x), [1]), -0.5 / deviation ** 2), normalisation);
}

type Points = Pick<SolveProblem, "rows" | "dimension" | "estimates">;

/**
 * Draws "solve.x" from N(0, priorDeviation^2 I) by "solve.seed" and "solve.chunk", and writes its log-density to every
 * column of "solve.logDensity" where there are any: what a solve forwards starts from.
 */
export function drawPrior(points: Points, priorDeviation: number): Graph {
  const { rows, dimension, estimates } = points;
  const source = { seed: state(seedState), counter: state(chunkState), stream: streamOf("prior") };
  const x = multiply(random("normal", [rows, dimension], source), priorDeviation);
  const updates = [{ state: pointState(points), value: x }];
  if (estimates > 0) {
    const logDensity = broadcast(priorLogDensity(x, priorDeviation), [rows, estimates]);
    updates.push({ state: logDensityState(points), value: logDensity });
  }
  return { name: "draw-prior", updates };
}

/** Before a solve forwards from given points: their log-density under the prior in every column of "solve.logDensity". */
export function startLogDensity(points: Points, priorDeviation: number): Graph {
  const prior = priorLogDensity(state(pointState(points)), priorDeviation);
  const declaration = logDensityState(points);
  return { name: "start-log-density", updates: [{ state: declaration, value: broadcast(prior, declaration.shape) }] };
}

/** After a solve from t = 1 to 0 that started with zeros: "solve.logDensity" becomes log p_1 of the points it came from. */
export function finishLogDensity(points: Points, priorDeviation: number): Graph {
  const declaration = logDensityState(points);
  const prior = priorLogDensity(state(pointState(points)), priorDeviation);
  return {
    name: "finish-log-density",
    updates: [{ state: declaration, value: subtract(prior, state(declaration)) }],
  };
}

/** Log-densities of points, in nats. */
export interface LogDensityEstimates {
  /** Mean over estimates [S]. */
  readonly values: Float64Array;
  /** Standard error of each mean [S]: 0 when exact, NaN for a single probe, which says nothing about its error. */
  readonly standardError: Float64Array;
}

/** Mean and standard error over the columns of "solve.logDensity" [S, P], given row-major. */
export function summarizeEstimates(columns: ArrayLike<number>, options: DivergenceOptions): LogDensityEstimates {
  const count = estimateCount(options);
  const rows = columns.length / count;
  if (!Number.isInteger(rows)) {
    throw new ConfigError({
      subject: "columns of log-densities",
      given: columns.length,
      expected: `a multiple of ${count}`,
      remedy: "Give all estimates of every point.",
    });
  }
  const values = new Float64Array(rows);
  const standardError = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    const estimates = Array.from({ length: count }, (_, i) => columns[row * count + i] as number);
    const mean = estimates.reduce((a, b) => a + b, 0) / count;
    const squares = estimates.reduce((total, estimate) => total + (estimate - mean) ** 2, 0);
    values[row] = mean;
    standardError[row] = (options.estimator ?? "exact") !== "exact" ? Math.sqrt(squares / (count - 1) / count) : 0;
  }
  return { values, standardError };
}
