/** Gradients of log-densities by the points, and what each coordinate contributes to them. */
import type { NumericArray } from "../backends/backend.ts";
import { expectHeld } from "../data/held.ts";
import { logJacobian } from "../data/standardize.ts";
import { ConfigError, LimitError } from "../errors.ts";
import { MOST_APART } from "../flow/divergence.ts";
import { estimateCount } from "../flow/likelihood.ts";
import { diagonalField, scoreField } from "../flow/log-density-field.ts";
import type { VelocityField } from "../flow/losses/loss.ts";
import type { Solver } from "../flow/solvers/solver.ts";
import type { DivergenceOptions, SolveOptions } from "./api.ts";
import { chunksOf } from "./chunks.ts";
import type { Guide } from "./guide.ts";
import type { LocalModel } from "./model.ts";
import type { Contributions, Gradients } from "./more-asked.ts";
import { copyRows, expectFiniteResult, paddedRows, pointsOf } from "./points.ts";
import { estimatorOf, partOf, solveOptions, tangentCount } from "./solve-options.ts";
import { densitiesOf, toModelUnits } from "./units.ts";

/** Reverse mode over tangents, with what it keeps of each layer. */
const REVERSE_PASSES = 4;

/** A field of twice as many numbers per point, that a solve takes in place of the model's own. */
function twice(key: string, dimension: number, field: (own: VelocityField) => VelocityField): Guide {
  return {
    key,
    passes: REVERSE_PASSES,
    dimension: 2 * dimension,
    field,
    states: () => [],
    at: () => new Map(),
    before: () => undefined,
    finish: () => {},
  };
}

/** Points side by side with as many numbers: [rows, 2 D]. */
function besides(points: NumericArray, others: ArrayLike<number>, dimension: number): Float64Array {
  const both = new Float64Array(2 * points.length);
  for (let i = 0; i < points.length; i++) {
    const at = Math.floor(i / dimension) * 2 * dimension + (i % dimension);
    both[at] = points[i] as number;
    both[at + dimension] = others[i] as number;
  }
  return both;
}

/** The half of [rows, 2 D] that begins at column `first`. */
function half(both: NumericArray, first: number, dimension: number): Float64Array {
  return Float64Array.from({ length: both.length / 2 }, (_, i) => {
    return both[Math.floor(i / dimension) * 2 * dimension + first + (i % dimension)] as number;
  });
}

/** Estimates [count, probes] of log-densities in data units, a column for each probe. */
export async function estimatesOf(
  model: LocalModel,
  given: NumericArray,
  options: SolveOptions & { readonly probes: number },
): Promise<Float64Array> {
  const { solver, seed, signal, onProgress } = solveOptions("estimates", options);
  expectOfFlow("solver of estimates of log-densities", solver);
  model.source.starting?.refuse("estimates", { logDensity: true });
  const { dimension } = model;
  const { standardization, network } = model.source;
  const divergence = estimatorOf({ divergence: "hutchinson", probes: options.probes });
  const columns = estimateCount(divergence);
  const { values: points, count } = pointsOf("points", given, dimension);
  const told = model.told("estimates", options, count);
  const inputs = toModelUnits(points, standardization);
  expectHeld("estimates of log-densities", count, columns);
  return model.work(options, async (live, parameters) => {
    const { rows, chunks } = chunksOf(count, network, columns, told.guided ? 2 : 1);
    const settings = { solver, rows, stops: [1, 0], divergence, task: "encode", guided: told.guided } as const;
    const solve = await model.solve(live, parameters, settings, signal);
    const estimates = new Float64Array(count * columns);
    for (let chunk = 0; chunk < chunks; chunk++) {
      const from = chunk * rows;
      const onPart = partOf(onProgress, chunk, rows, count);
      const input = { seed, chunk, told: told.at(from, rows), onProgress: onPart };
      await solve.run({ ...input, points: paddedRows(inputs, from, rows, dimension) }, signal, async () => {});
      copyRows(await solve.estimates(), estimates, from, count, columns);
    }
    expectFiniteResult(estimates, "log-densities", columns);
    const jacobian = standardization ? logJacobian(standardization) : 0;
    return estimates.map((estimate) => estimate + jacobian);
  });
}

/** See {@link Gradients}: back to the noise with the log-density, and from there with the score beside the points. */
export async function gradientsOf(
  model: LocalModel,
  given: NumericArray,
  options: SolveOptions & DivergenceOptions,
): Promise<Gradients> {
  const { solver, seed, signal, onProgress } = solveOptions("the gradient", options);
  expectOfFlow("solver of the gradient of log-densities", solver);
  model.source.starting?.refuse("the gradient", { logDensity: true });
  const { dimension } = model;
  const { standardization, network, path } = model.source;
  const divergence = estimatorOf(options);
  const { values: points, count } = pointsOf("points", given, dimension);
  const told = model.told("the gradient", options, count);
  const inputs = toModelUnits(points, standardization);
  const columns = estimateCount(divergence);
  expectHeld("estimates of log-densities", count, Math.max(columns, dimension));
  const wide = twice(`score ${JSON.stringify(divergence)}`, dimension, (own) => scoreField(own, divergence));
  return model.work(options, async (live, parameters) => {
    const fields = (told.guided ? 2 : 1) * REVERSE_PASSES;
    const { rows, chunks } = chunksOf(count, network, tangentCount(divergence, dimension), fields);
    const common = { solver, rows, guided: told.guided };
    const back = { ...common, stops: [1, 0], divergence, task: "encode" } as const;
    const forth = { ...common, stops: [0, 1], divergence: undefined, task: "decode", guide: wide } as const;
    const estimates = new Float64Array(count * columns);
    const gradient = new Float64Array(count * dimension);
    for (let chunk = 0; chunk < chunks; chunk++) {
      const from = chunk * rows;
      const tell = partOf(onProgress, chunk, rows, count);
      const input = { seed, chunk, told: told.at(from, rows) }; // the same probes both ways
      const down = await model.solve(live, parameters, back, signal);
      const batch = paddedRows(inputs, from, rows, dimension);
      await down.run(
        { ...input, points: batch, onProgress: tell && ((part) => tell(part / 2)) },
        signal,
        async () => {},
      );
      const noise = await down.points();
      copyRows(await down.estimates(), estimates, from, count, columns);
      const score = Float64Array.from(noise, (value) => -value / path.priorDeviation ** 2);
      const up = await model.solve(live, parameters, forth, signal);
      const start = besides(noise, score, dimension);
      await up.run(
        { ...input, points: start, onProgress: tell && ((part) => tell((1 + part) / 2)) },
        signal,
        async () => {},
      );
      copyRows(half(await up.points(), dimension, dimension), gradient, from, count, dimension);
    }
    expectFiniteResult(estimates, "log-densities", columns);
    expectFiniteResult(gradient, "gradients of log-densities", dimension);
    standardization?.std.forEach((std, column) => {
      for (let i = column; i < gradient.length; i += dimension) gradient[i] = (gradient[i] as number) / std;
    });
    return { ...densitiesOf(estimates, divergence, standardization), gradient };
  });
}

/** See {@link Contributions}. */
export async function contributionsOf(
  model: LocalModel,
  given: NumericArray,
  options: SolveOptions,
): Promise<Contributions> {
  const { solver, seed, signal, onProgress } = solveOptions("contributions", options);
  expectOfFlow("solver of contributions to log-densities", solver);
  model.source.starting?.refuse("contributions", { logDensity: true });
  const { dimension } = model;
  if (dimension > MOST_APART) throw tooMany(dimension);
  const { standardization, network, path } = model.source;
  const { values: points, count } = pointsOf("points", given, dimension);
  const told = model.told("contributions", options, count);
  const inputs = toModelUnits(points, standardization);
  return model.work(options, async (live, parameters) => {
    const { rows, chunks } = chunksOf(count, network, dimension, told.guided ? 2 : 1);
    const guide = twice("diagonal", dimension, diagonalField);
    const settings = { solver, rows, stops: [1, 0], divergence: undefined, task: "encode", guided: told.guided, guide };
    const solve = await model.solve(live, parameters, settings as never, signal);
    const prior = new Float64Array(count);
    const contributions = new Float64Array(count * dimension);
    for (let chunk = 0; chunk < chunks; chunk++) {
      const from = chunk * rows;
      const batch = paddedRows(inputs, from, rows, dimension);
      const start = besides(batch, new Float64Array(batch.length), dimension);
      const tell = partOf(onProgress, chunk, rows, count);
      const input = { seed, chunk, told: told.at(from, rows), points: start, onProgress: tell };
      await solve.run(input, signal, async () => {});
      const both = await solve.points();
      const noise = half(both, 0, dimension);
      copyRows(half(both, dimension, dimension), contributions, from, count, dimension);
      for (let row = 0; row < Math.min(rows, count - from); row++) {
        const own = noise.subarray(row * dimension, (row + 1) * dimension);
        prior[from + row] = own.reduce((sum, z) => sum + logNormal(z, path.priorDeviation), 0);
      }
    }
    expectFiniteResult(contributions, "contributions to log-densities", dimension);
    standardization?.std.forEach((std, column) => {
      for (let i = column; i < contributions.length; i += dimension) contributions[i] -= Math.log(std);
    });
    return { prior, contributions };
  });
}

/** log N(x; 0, deviation^2). */
function logNormal(x: number, deviation: number): number {
  return -0.5 * (x / deviation) ** 2 - Math.log(deviation) - 0.5 * Math.log(2 * Math.PI);
}

function tooMany(dimension: number): LimitError {
  return new LimitError({
    subject: "contributions of coordinates",
    given: `${dimension} of them`,
    expected: `at most ${MOST_APART}: each takes a tangent of its own`,
    remedy: "Take the log-density alone.",
  });
}

/** These integrate more than the velocity beside the points, which average velocities are not made for. */
function expectOfFlow(subject: string, { name }: Pick<Solver, "name">): void {
  if (name !== "flow-map") return;
  throw new ConfigError({
    subject,
    given: "flowMapSteps()",
    expected: "a solver of the flow itself: averages tell the log-density alone",
    remedy: "Take dopri5(), as by default; model.logDensity takes flowMapSteps().",
  });
}
