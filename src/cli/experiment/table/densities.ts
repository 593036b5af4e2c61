/** What is held against models of a table: a Gaussian and a kernel density estimate of its points, and what all are asked. */
import { numberOfShare, randomNumbers, uniformSequence } from "../random-numbers.ts";

/** A density of points [count, D], standardised ones: what models and baselines are asked. */
export interface TableDensity {
  /** log p of each, in nats. */
  logDensity(points: Float64Array): Promise<Float64Array>;
  /** Points [count, D]. */
  sample(count: number, seed: number): Promise<Float64Array>;
  /**
   * Draws of each point given its known coordinates, row-major [count, draws, D]; the known ones as they are.
   *
   * Left out: it cannot.
   *
   * @param mask - 1 where known [count, D]; elsewhere points may be anything.
   */
  fill?(points: Float64Array, mask: Uint8Array, draws: number, seed: number): Promise<Float64Array>;
}

const LOG_2PI = Math.log(2 * Math.PI);

/** Shares of a covariance's correlations that are taken away, the best of which the held-out rows choose. */
const SHRINKAGES = [1e-3, 0.01, 0.03, 0.1, 0.3];

/**
 * A Gaussian with the points' mean and covariance, its correlations shrunk by the share that rows held out like best.
 *
 * @param chosenBy - points that the share is chosen by; left out: all correlations are taken away, as if columns were independent.
 */
export function gaussianOf(points: Float64Array, dimension: number, chosenBy?: Float64Array): TableDensity {
  const { mean, covariance } = momentsOf(points, dimension);
  const shrunk = (share: number) =>
    covariance.map((row, i) => row.map((value, j) => (i === j ? value + 1e-6 : value * (1 - share))));
  const nats = (share: number) => {
    const all = logNormal(chosenBy as Float64Array, mean, shrunk(share));
    return all.reduce((sum, one) => sum - one, 0);
  };
  const share = chosenBy ? ([...SHRINKAGES].sort((a, b) => nats(a) - nats(b))[0] as number) : 1;
  const own = shrunk(share);
  return {
    logDensity: async (asked) => logNormal(asked, mean, own),
    async sample(count, seed) {
      return drawn(count, mean, choleskyOf(own), seed);
    },
    async fill(asked, mask, draws, seed) {
      const count = asked.length / dimension;
      const all = new Float64Array(count * draws * dimension);
      for (let row = 0; row < count; row++) {
        const point = asked.subarray(row * dimension, (row + 1) * dimension);
        const known = Array.from({ length: dimension }, (_, k) => k).filter((k) => mask[row * dimension + k] === 1);
        const hidden = Array.from({ length: dimension }, (_, k) => k).filter((k) => mask[row * dimension + k] !== 1);
        const given = conditional(point, mean, own, known, hidden);
        const values = drawn(draws, given.mean, choleskyOf(given.covariance), seed + 7919 * row);
        for (let draw = 0; draw < draws; draw++) {
          const into = all.subarray((row * draws + draw) * dimension, (row * draws + draw + 1) * dimension);
          into.set(point);
          for (const [i, k] of hidden.entries()) into[k] = values[draw * hidden.length + i] as number;
        }
      }
      return all;
    },
  };
}

type Matrix = readonly (readonly number[])[];

function momentsOf(points: Float64Array, dimension: number) {
  const count = points.length / dimension;
  const at = (row: number, k: number) => points[row * dimension + k] as number;
  const coordinates = Array.from({ length: dimension }, (_, k) => k);
  const over = (value: (row: number) => number) => {
    let sum = 0;
    for (let row = 0; row < count; row++) sum += value(row);
    return sum / count;
  };
  const mean = coordinates.map((k) => over((row) => at(row, k)));
  const covariance = coordinates.map((i) =>
    coordinates.map((j) => over((row) => (at(row, i) - (mean[i] as number)) * (at(row, j) - (mean[j] as number)))),
  );
  return { mean, covariance };
}

/** L with L L' = the matrix, lower triangular. */
export function choleskyOf(matrix: Matrix): number[][] {
  const lower = matrix.map((row) => row.map(() => 0));
  for (let i = 0; i < matrix.length; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i]?.[j] as number;
      for (let k = 0; k < j; k++) sum -= (lower[i]?.[k] as number) * (lower[j]?.[k] as number);
      (lower[i] as number[])[j] = i === j ? Math.sqrt(Math.max(sum, 1e-12)) : sum / (lower[j]?.[j] as number);
    }
  }
  return lower;
}

/** L^-1 b. */
function solveLower(lower: Matrix, b: readonly number[]): number[] {
  const x: number[] = [];
  for (let i = 0; i < b.length; i++) {
    let sum = b[i] as number;
    for (let k = 0; k < i; k++) sum -= (lower[i]?.[k] as number) * (x[k] as number);
    x.push(sum / (lower[i]?.[i] as number));
  }
  return x;
}

function logNormal(points: Float64Array, mean: readonly number[], covariance: Matrix): Float64Array {
  const dimension = mean.length;
  const lower = choleskyOf(covariance);
  const logDeterminant = lower.reduce((sum, row, i) => sum + Math.log(row[i] as number), 0);
  return Float64Array.from({ length: points.length / dimension }, (_, row) => {
    const difference = mean.map((value, k) => (points[row * dimension + k] as number) - value);
    const squares = solveLower(lower, difference).reduce((sum, one) => sum + one * one, 0);
    return -0.5 * (squares + dimension * LOG_2PI) - logDeterminant;
  });
}

function drawn(count: number, mean: readonly number[], lower: Matrix, seed: number): Float64Array {
  const dimension = mean.length;
  const noise = randomNumbers("normal", count * dimension, seed);
  return Float64Array.from({ length: count * dimension }, (_, at) => {
    const [row, i] = [Math.floor(at / dimension), at % dimension];
    let sum = mean[i] as number;
    for (let k = 0; k <= i; k++) sum += (lower[i]?.[k] as number) * (noise[row * dimension + k] as number);
    return sum;
  });
}

/** Mean and covariance of hidden coordinates given the known ones. */
function conditional(
  point: ArrayLike<number>,
  mean: readonly number[],
  covariance: Matrix,
  known: readonly number[],
  hidden: readonly number[],
) {
  const of = (rows: readonly number[], columns: readonly number[]) =>
    rows.map((i) => columns.map((j) => covariance[i]?.[j] as number));
  const lower = choleskyOf(of(known, known));
  // With A = L^-1 K, K the covariance of known and hidden: mean + A' L^-1 (x - m), covariance less A' A.
  const across = hidden.map((h) =>
    solveLower(
      lower,
      known.map((k) => covariance[k]?.[h] as number),
    ),
  );
  const standing = solveLower(
    lower,
    known.map((k) => (point[k] as number) - (mean[k] as number)),
  );
  const dot = (a: readonly number[], b: readonly number[]) =>
    a.reduce((sum, one, i) => sum + one * (b[i] as number), 0);
  return {
    mean: hidden.map((h, i) => (mean[h] as number) + dot(across[i] as number[], standing)),
    covariance: of(hidden, hidden).map((row, i) =>
      row.map((value, j) => value - dot(across[i] as number[], across[j] as number[])),
    ),
  };
}

/** Widths of kernels that are tried, in the points' own deviations. */
const WIDTHS = Array.from({ length: 16 }, (_, i) => 0.05 * 1.25 ** i);

/**
 * A kernel density estimate: a Gaussian of one width around each point, the width that rows held out of the training rows like best.
 *
 * @returns the density, and the width.
 */
export function kernelOf(
  centres: Float64Array,
  dimension: number,
  chosenBy: Float64Array,
): TableDensity & { readonly width: number } {
  const count = centres.length / dimension;
  const distances = (point: ArrayLike<number>, mask?: ArrayLike<number>) =>
    Float64Array.from({ length: count }, (_, row) => {
      let sum = 0;
      for (let k = 0; k < dimension; k++) {
        if (mask && mask[k] !== 1) continue;
        sum += ((point[k] as number) - (centres[row * dimension + k] as number)) ** 2;
      }
      return sum;
    });
  const logAt = (squares: Float64Array, width: number) => {
    const nearest = squares.reduce((least, one) => Math.min(least, one), Number.POSITIVE_INFINITY);
    const sum = squares.reduce((all, one) => all + Math.exp((nearest - one) / (2 * width ** 2)), 0);
    const normaliser = Math.log(count) + dimension * (Math.log(width) + LOG_2PI / 2);
    return Math.log(sum) - nearest / (2 * width ** 2) - normaliser;
  };
  const rowOf = (points: Float64Array, row: number) => points.subarray(row * dimension, (row + 1) * dimension);
  const sums = WIDTHS.map(() => 0);
  for (let row = 0; row < chosenBy.length / dimension; row++) {
    const squares = distances(rowOf(chosenBy, row));
    for (const [i, one] of WIDTHS.entries()) sums[i] = (sums[i] as number) + logAt(squares, one);
  }
  const width = WIDTHS[sums.indexOf(Math.max(...sums))] as number;
  return {
    width,
    logDensity: async (points) =>
      Float64Array.from({ length: points.length / dimension }, (_, row) => logAt(distances(rowOf(points, row)), width)),
    async sample(asked, seed) {
      const uniform = uniformSequence(seed);
      const noise = randomNumbers("normal", asked * dimension, seed + 1);
      const chosen = Array.from({ length: asked }, () => Math.floor(uniform() * count));
      return Float64Array.from({ length: asked * dimension }, (_, at) => {
        const centre = chosen[Math.floor(at / dimension)] as number;
        return (centres[centre * dimension + (at % dimension)] as number) + width * (noise[at] as number);
      });
    },
    async fill(points, mask, draws, seed) {
      const rows = points.length / dimension;
      const all = new Float64Array(rows * draws * dimension);
      const uniform = uniformSequence(seed);
      const noise = randomNumbers("normal", all.length, seed + 1);
      for (let row = 0; row < rows; row++) {
        const [point, own] = [rowOf(points, row), mask.subarray(row * dimension, (row + 1) * dimension)];
        const squares = distances(point, own);
        const nearest = squares.reduce((least, one) => Math.min(least, one), Number.POSITIVE_INFINITY);
        const weights = squares.map((one) => Math.exp((nearest - one) / (2 * width ** 2)));
        const total = weights.reduce((sum, one) => sum + one, 0);
        for (let draw = 0; draw < draws; draw++) {
          const centre = numberOfShare(weights, uniform() * total);
          for (let k = 0; k < dimension; k++) {
            const at = (row * draws + draw) * dimension + k;
            const near = (centres[centre * dimension + k] as number) + width * (noise[at] as number);
            all[at] = own[k] === 1 ? (point[k] as number) : near;
          }
        }
      }
      return all;
    },
  };
}
