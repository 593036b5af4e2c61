/**
 * Fréchet distances between sets of features, each taken for a Gaussian: what FID and FVD are on features of theirs. By
 * features of any other kind the figures are others, and are called so.
 */

/** Row-major [count, width]. */
export interface Features {
  readonly values: ArrayLike<number>;
  readonly count: number;
  readonly width: number;
}

/**
 * |m - n|^2 + tr(A + B - 2 (A^1/2 B A^1/2)^1/2) of two sets with means m, n and covariances A, B: the squared 2-Wasserstein
 * distance of Gaussians that have them. It is too large for sets that are small beside the dimension.
 */
export function frechetDistance(first: Features, second: Features): number {
  const [a, b] = [momentsOf(first), momentsOf(second)];
  const size = first.width;
  const root = functionOf(a.covariance, size, (value) => Math.sqrt(Math.max(0, value)));
  const joint = product(product(root, b.covariance, size), root, size);
  const overlap = eigen(joint, size).values.reduce((sum, value) => sum + Math.sqrt(Math.max(0, value)), 0);
  const means = a.mean.reduce((sum, value, i) => sum + (value - (b.mean[i] as number)) ** 2, 0);
  return Math.max(0, means + trace(a.covariance, size) + trace(b.covariance, size) - 2 * overlap);
}

/** Sum of the variances of the features' coordinates. */
export function totalVariance(features: Features): number {
  return trace(momentsOf(features).covariance, features.width);
}

/** Mean, and the covariance as an unbiased estimate, [width, width]. */
function momentsOf({ values, count, width }: Features) {
  const mean = new Float64Array(width);
  for (let i = 0; i < count * width; i++) mean[i % width] += (values[i] as number) / count;
  const covariance = new Float64Array(width * width);
  for (let row = 0; row < count; row++) {
    for (let i = 0; i < width; i++) {
      const own = (values[row * width + i] as number) - mean[i];
      for (let j = 0; j < width; j++)
        covariance[i * width + j] += (own * ((values[row * width + j] as number) - mean[j])) / Math.max(1, count - 1);
    }
  }
  return { mean, covariance };
}

const trace = (matrix: Float64Array, size: number) =>
  Array.from({ length: size }, (_, i) => matrix[i * size + i] as number).reduce((sum, value) => sum + value, 0);

function product(a: Float64Array, b: Float64Array, size: number): Float64Array {
  const result = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < size; k++) {
      const own = a[i * size + k];
      for (let j = 0; j < size; j++) result[i * size + j] += own * b[k * size + j];
    }
  }
  return result;
}

/** f of a symmetric matrix, by its eigenvalues. */
function functionOf(matrix: Float64Array, size: number, f: (value: number) => number): Float64Array {
  const { values, vectors } = eigen(matrix, size);
  const result = new Float64Array(size * size);
  for (const [k, value] of values.entries()) {
    for (let i = 0; i < size; i++) {
      const own = f(value) * vectors[i * size + k];
      for (let j = 0; j < size; j++) result[i * size + j] += own * vectors[j * size + k];
    }
  }
  return result;
}

/** Sweeps after which rotations have nothing left to do; quadratic convergence needs some 8. */
const SWEEPS = 30;

/**
 * Eigenvalues and eigenvectors, the columns, of a symmetric matrix: Jacobi's rotations, each of which makes an element off the
 * diagonal 0 (Golub and Van Loan, Matrix Computations, 8.5).
 */
export function eigen(matrix: Float64Array, size: number): { values: Float64Array; vectors: Float64Array } {
  const a = matrix.slice();
  const vectors = new Float64Array(size * size);
  for (let i = 0; i < size; i++) vectors[i * size + i] = 1;
  const scale = a.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    let largest = 0;
    for (let p = 0; p < size; p++) {
      for (let q = p + 1; q < size; q++) {
        const off = a[p * size + q];
        largest = Math.max(largest, Math.abs(off));
        if (Math.abs(off) <= Number.EPSILON * scale) continue;
        const ratio = (a[q * size + q] - a[p * size + p]) / (2 * off);
        const tangent = Math.sign(ratio || 1) / (Math.abs(ratio) + Math.hypot(1, ratio));
        const cosine = 1 / Math.hypot(1, tangent);
        const sine = tangent * cosine;
        for (let k = 0; k < size; k++) rotate(a, k * size + p, k * size + q, cosine, sine);
        for (let k = 0; k < size; k++) rotate(a, p * size + k, q * size + k, cosine, sine);
        for (let k = 0; k < size; k++) rotate(vectors, k * size + p, k * size + q, cosine, sine);
      }
    }
    if (largest <= Number.EPSILON * scale) break;
  }
  return { values: Float64Array.from({ length: size }, (_, i) => a[i * size + i]), vectors };
}

function rotate(a: Float64Array, p: number, q: number, cosine: number, sine: number): void {
  const [x, y] = [a[p], a[q]];
  a[p] = cosine * x - sine * y;
  a[q] = sine * x + cosine * y;
}
