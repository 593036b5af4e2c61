/** The Fréchet distance of Gaussians fitted to two sets of features, as FID and FVD are of one network's. */
import { randomNumbers } from "./random-numbers.ts";

/** Row-major [count, width]. */
export interface Features {
  readonly values: ArrayLike<number>;
  readonly count: number;
  readonly width: number;
}

interface Moments {
  readonly mean: Float64Array;
  /** [width, width]. */
  readonly covariance: Float64Array;
}

/**
 * |m - n|^2 + tr(A + B - 2 (A^1/2 B A^1/2)^1/2) of means m, n and covariances A, B: the squared 2-Wasserstein distance of the
 * Gaussians. Of few rows it is too large, so that only distances of equally many may be compared.
 */
export function frechetDistance(a: Features, b: Features): number {
  return distanceOf(momentsOf(a), momentsOf(b), a.width);
}

/** Times that rows are drawn anew for a distance's error. */
const DRAWS = 24;

/** The distance, and the standard deviation that drawing both sets' rows anew (with replacement) gives it. */
export function frechetWithError(a: Features, b: Features, seed: number): { value: number; error: number } {
  const uniform = randomNumbers("uniform", DRAWS * (a.count + b.count), seed);
  let at = 0;
  const again = ({ values, count, width }: Features): Features => {
    const drawn = new Float64Array(count * width);
    for (let row = 0; row < count; row++) {
      const from = Math.floor((uniform[at++] as number) * count) * width;
      for (let i = 0; i < width; i++) drawn[row * width + i] = values[from + i] as number;
    }
    return { values: drawn, count, width };
  };
  const distances = Array.from({ length: DRAWS }, () => frechetDistance(again(a), again(b)));
  const mean = distances.reduce((sum, one) => sum + one, 0) / DRAWS;
  const squares = distances.reduce((sum, one) => sum + (one - mean) ** 2, 0);
  return { value: frechetDistance(a, b), error: Math.sqrt(squares / (DRAWS - 1)) };
}

/** Sum of the variances of the features: what a distance may be divided by. */
export function totalVariance(features: Features): number {
  return trace(momentsOf(features).covariance, features.width);
}

function distanceOf(a: Moments, b: Moments, width: number): number {
  const apart = a.mean.reduce((sum, value, i) => sum + (value - (b.mean[i] as number)) ** 2, 0);
  const root = rootOf(a.covariance, width);
  const between = product(product(root, b.covariance, width), root, width);
  const { values } = eigen(between, width);
  const overlap = values.reduce((sum, value) => sum + Math.sqrt(Math.max(0, value)), 0);
  const distance = apart + trace(a.covariance, width) + trace(b.covariance, width) - 2 * overlap;
  return Math.max(0, distance); // rounding takes that of equal sets below
}

function momentsOf({ values, count, width }: Features): Moments {
  const mean = new Float64Array(width);
  for (let i = 0; i < count * width; i++) mean[i % width] = (mean[i % width] as number) + (values[i] as number) / count;
  const covariance = new Float64Array(width * width);
  for (let row = 0; row < count; row++) {
    for (let i = 0; i < width; i++) {
      const one = (values[row * width + i] as number) - (mean[i] as number);
      for (let j = 0; j <= i; j++) {
        const other = (values[row * width + j] as number) - (mean[j] as number);
        covariance[i * width + j] = (covariance[i * width + j] as number) + (one * other) / (count - 1);
      }
    }
  }
  for (let i = 0; i < width; i++) {
    for (let j = 0; j < i; j++) covariance[j * width + i] = covariance[i * width + j] as number;
  }
  return { mean, covariance };
}

function trace(matrix: Float64Array, width: number): number {
  let sum = 0;
  for (let i = 0; i < width; i++) sum += matrix[i * width + i] as number;
  return sum;
}

function product(a: Float64Array, b: Float64Array, width: number): Float64Array {
  const result = new Float64Array(width * width);
  for (let i = 0; i < width; i++) {
    for (let k = 0; k < width; k++) {
      const factor = a[i * width + k] as number;
      for (let j = 0; j < width; j++) {
        result[i * width + j] = (result[i * width + j] as number) + factor * (b[k * width + j] as number);
      }
    }
  }
  return result;
}

/** The symmetric root of a covariance. */
function rootOf(covariance: Float64Array, width: number): Float64Array {
  const { values, vectors } = eigen(covariance, width);
  const result = new Float64Array(width * width);
  values.forEach((value, k) => {
    const factor = Math.sqrt(Math.max(0, value));
    for (let i = 0; i < width; i++) {
      const one = factor * (vectors[i * width + k] as number);
      for (let j = 0; j < width; j++) {
        result[i * width + j] = (result[i * width + j] as number) + one * (vectors[j * width + k] as number);
      }
    }
  });
  return result;
}

/** Sweeps over all pairs; each squares what is left beside the diagonal, so that some ten are enough. */
const SWEEPS = 30;

/** Eigenvalues, and eigenvectors in columns, of a symmetric matrix: by Jacobi's rotations. */
export function eigen(matrix: Float64Array, width: number): { values: Float64Array; vectors: Float64Array } {
  const a = Float64Array.from(matrix);
  const vectors = new Float64Array(width * width);
  for (let i = 0; i < width; i++) vectors[i * width + i] = 1;
  const size = Math.sqrt(a.reduce((sum, value) => sum + value ** 2, 0));
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    let left = 0;
    for (let i = 0; i < width; i++) for (let j = 0; j < i; j++) left += (a[i * width + j] as number) ** 2;
    if (Math.sqrt(left) <= 1e-14 * size) break;
    for (let p = 0; p < width; p++) for (let q = p + 1; q < width; q++) rotate(a, vectors, width, p, q);
  }
  return { values: Float64Array.from({ length: width }, (_, i) => a[i * width + i] as number), vectors };
}

/** Turns coordinates p and q so that a[p, q] is 0. */
function rotate(a: Float64Array, vectors: Float64Array, width: number, p: number, q: number): void {
  const beside = a[p * width + q] as number;
  if (beside === 0) return;
  const theta = ((a[q * width + q] as number) - (a[p * width + p] as number)) / (2 * beside);
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta ** 2 + 1));
  const cosine = 1 / Math.sqrt(t ** 2 + 1);
  const sine = t * cosine;
  const turn = (of: Float64Array, first: number, second: number) => {
    const [x, y] = [of[first] as number, of[second] as number];
    of[first] = cosine * x - sine * y;
    of[second] = sine * x + cosine * y;
  };
  for (let k = 0; k < width; k++) turn(a, k * width + p, k * width + q);
  for (let k = 0; k < width; k++) turn(a, p * width + k, q * width + k);
  for (let k = 0; k < width; k++) turn(vectors, k * width + p, k * width + q);
}
