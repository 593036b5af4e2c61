/**
 * Newton's direction for the row scalings of a plan whose columns are exact: x = the change of the logarithms of a for which
 * (D - P S^-1 P^T) x = weights - sums of rows, to first order; D the sums of the rows, S the columns' weights.
 *
 * Sweeps converge as slowly as mass is hard to move between parts of the plan; Newton's method does not mind (Brauer et al.,
 * "A Sinkhorn-Newton method for entropic optimal transport", 2017). The matrix is the Laplacian of a graph: w_ik = the sum of
 * P_ij P_kj / s_j joins two rows. Conjugate gradients need a product with P and one with P^T each; where parts are so far apart
 * that these do not converge, the matrix is made and decomposed, with diagonals that are sums of what lies beside them, so that
 * nothing cancels.
 */
import type { Scaling } from "./scaling.ts";

/** Work in parts, of a pass over the matrix each. */
export type Parts<Result> = Generator<undefined, Result, undefined>;

/** Steps of conjugate gradients before a matrix is rather decomposed. */
const MOST_STEPS = 80;

/** Rows, of a matrix that is decomposed, at most: n^3 / 2 multiplications, 0.1 s for 512. */
const LARGEST_DECOMPOSED = 1024;

/** Further off, where Newton's model is wrong, steps that conjugate gradients have not finished are better than finished ones. */
const NEAR = 1e-3;

/** The direction, of mean 0: [rows]. */
export function* newtonDirection(scaling: Scaling, sums: Float64Array, off: number): Parts<Float64Array> {
  const { rows } = scaling.cost;
  const canDecompose = rows <= LARGEST_DECOMPOSED && off < NEAR && !scaling.isSingle;
  const { x, isSolved } = yield* conjugateGradients(scaling, sums, off, MOST_STEPS);
  const found = isSolved || !canDecompose ? x : yield* decomposed(scaling, sums);
  const mean = found.reduce((sum, value) => sum + value, 0) / rows;
  return found.map((value) => value - mean);
}

/** Preconditioned by D. Solved to a tenth of the residual or less: the nearer the end, the better, so that steps converge faster and faster. */
function* conjugateGradients(
  scaling: Scaling,
  sums: Float64Array,
  off: number,
  most: number,
): Parts<{ x: Float64Array; isSolved: boolean }> {
  const { a, b, rowWeights, columnWeights, cost, width } = scaling;
  const { rows, columns } = cost;
  const x = new Float64Array(rows);
  const residual = rowWeights.map((weight, i) => weight - sums[i]);
  const direction = residual.map((value, i) => value / sums[i]);
  const product = new Float64Array(rows);
  const scaled = new Float64Array(rows);
  const down = new Float64Array(width);
  let size = residual.reduce((sum, value, i) => sum + value * direction[i], 0);
  const enough = size * Math.min(0.3 ** 2, off);
  for (let step = 0; step < most; step++) {
    yield;
    for (let i = 0; i < rows; i++) scaled[i] = a[i] * direction[i];
    scaling.transposed(scaled, down);
    for (let j = 0; j < columns; j++) down[j] *= (b[j] * b[j]) / columnWeights[j];
    scaling.times(down, product);
    let curvature = 0;
    for (let i = 0; i < rows; i++) {
      product[i] = sums[i] * direction[i] - a[i] * product[i];
      curvature += direction[i] * product[i];
    }
    if (!(curvature > 0)) return { x, isSolved: size === 0 };
    const length = size / curvature;
    let next = 0;
    for (let i = 0; i < rows; i++) {
      x[i] += length * direction[i];
      residual[i] -= length * product[i];
      next += (residual[i] * residual[i]) / sums[i];
    }
    if (next <= enough) return { x, isSolved: true };
    for (let i = 0; i < rows; i++) direction[i] = residual[i] / sums[i] + (next / size) * direction[i];
    size = next;
  }
  return { x, isSolved: false };
}

/** By elimination in the Laplacian: the last row is held at 0, and each pivot is the sum of what joins a row to those after it. */
function* decomposed(scaling: Scaling, sums: Float64Array): Parts<Float64Array> {
  const { rowWeights, cost } = scaling;
  const n = cost.rows;
  const joins = yield* joinsOf(scaling);
  const x = rowWeights.map((weight, i) => weight - sums[i]);
  const pivots = new Float64Array(n);
  for (let k = 0; k < n - 1; k++) {
    yield;
    pivots[k] = eliminate(joins, x, k, n);
  }
  x[n - 1] = 0;
  for (let k = n - 2; k >= 0; k--) {
    let sum = x[k];
    for (let j = k + 1; j < n; j++) sum += joins[k * n + j] * x[j];
    x[k] = pivots[k] > 0 ? sum / pivots[k] : 0;
  }
  scaling.passes += Math.ceil(n / 2);
  return x;
}

/** Takes row k out of those after it. Returns its pivot: 0 where it is joined to nothing and stays where it is. */
function eliminate(joins: Float64Array, x: Float64Array, k: number, n: number): number {
  const row = k * n;
  let pivot = 0;
  for (let j = k + 1; j < n; j++) pivot += joins[row + j];
  if (!(pivot > 0)) return pivot;
  for (let i = k + 1; i < n; i++) {
    const share = joins[row + i] / pivot;
    x[i] += share * x[k];
    if (share === 0) continue;
    for (let j = i + 1; j < n; j++) joins[i * n + j] += share * joins[row + j];
  }
  return pivot;
}

/** w_ik for k > i, row-major [rows, rows]. */
function* joinsOf({ a, b, kernel, columnWeights, cost, width }: Scaling): Parts<Float64Array> {
  const { rows: n, columns } = cost;
  const joins = new Float64Array(n * n);
  const scaled = new Float64Array(columns);
  for (let i = 0; i < n; i++) {
    yield;
    for (let j = 0; j < columns; j++) scaled[j] = (a[i] * kernel[i * width + j] * b[j] * b[j]) / columnWeights[j];
    for (let k = i + 1; k < n; k++) joins[i * n + k] = a[k] * dot(kernel, k * width, scaled);
  }
  return joins;
}

/** The sum of matrix[begin + j] x[j]. Four sums at once: one alone would wait for itself. */
function dot(matrix: Float64Array, begin: number, x: Float64Array): number {
  let p = 0;
  let q = 0;
  let r = 0;
  let s = 0;
  let j = 0;
  for (; j + 3 < x.length; j += 4) {
    p += matrix[begin + j] * x[j];
    q += matrix[begin + j + 1] * x[j + 1];
    r += matrix[begin + j + 2] * x[j + 2];
    s += matrix[begin + j + 3] * x[j + 3];
  }
  for (; j < x.length; j++) p += matrix[begin + j] * x[j];
  return p + q + (r + s);
}
