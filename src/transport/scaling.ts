/**
 * A transport plan as Sinkhorn's algorithm has it: P_ij = a_i K_ij b_j, K_ij = exp((f_i + g_j - C_ij) / regularisation).
 *
 * The potentials f, g are in the kernel K, and the scalings a, b near 1, so that nothing leaves f64 however small the
 * regularisation is: when a scaling grows beyond 1e8 it is absorbed in its potential, and K computed anew (Schmitzer,
 * "Stabilized sparse scaling algorithms for entropy regularized transport problems", 2019). All else are products with K,
 * without a logarithm: a sweep reads it once.
 */
import type { Cost } from "./cost.ts";

/** A scaling beyond it, or below its inverse, is absorbed. */
const LARGEST_SCALING = 1e8;

/** Below exp(this) an entry of K is 0: two scalings make at most 1e16 = exp(37) of it, so at most 1e-16 is lost of a plan. */
const LEAST_EXPONENT = -74;

/** A column whose entries are all below exp(this) where a level begins gets a potential that is not as far off. */
const LEAST_OF_COLUMN = -30;

export class Scaling {
  readonly cost: Cost;
  readonly rowWeights: Float64Array;
  readonly columnWeights: Float64Array;
  /** Potentials that are in the kernel. */
  readonly f: Float64Array;
  readonly g: Float64Array;
  readonly a: Float64Array;
  readonly b: Float64Array;
  readonly kernel: Float64Array;
  regularisation = 0;
  /** Passes over the kernel so far. */
  passes = 0;
  readonly #sums: Float64Array;

  constructor(cost: Cost, rowWeights: Float64Array, columnWeights: Float64Array) {
    const { rows, columns } = cost;
    this.cost = cost;
    this.rowWeights = rowWeights;
    this.columnWeights = columnWeights;
    [this.f, this.a] = [new Float64Array(rows), new Float64Array(rows)];
    [this.g, this.b] = [new Float64Array(columns), new Float64Array(columns)];
    this.kernel = new Float64Array(rows * columns);
    this.#sums = new Float64Array(columns);
  }

  /** Goes on at another regularisation, from the potentials there are. The next call is {@link sweep}: f is but a start. */
  begin(regularisation: number): void {
    const { f, g, cost } = this;
    const { values, rows, columns } = cost;
    this.regularisation = regularisation;
    const nearest = new Float64Array(columns).fill(Number.NEGATIVE_INFINITY);
    for (let i = 0; i < rows; i++) {
      const row = i * columns;
      let least = Number.POSITIVE_INFINITY;
      for (let j = 0; j < columns; j++) {
        const reduced = values[row + j] - g[j];
        if (reduced < least) least = reduced;
      }
      f[i] = least; // the sweep does not depend on it
      for (let j = 0; j < columns; j++) {
        const exponent = least + g[j] - values[row + j];
        if (exponent > nearest[j]) nearest[j] = exponent;
      }
    }
    for (let j = 0; j < columns; j++) if (nearest[j] < LEAST_OF_COLUMN * regularisation) g[j] -= nearest[j];
    this.#makeKernel();
  }

  /** Rows, then columns, scaled to their weights. Returns by how much the rows were off before: the sum of |differences|. */
  sweep(): number {
    const { a, b, kernel, rowWeights, cost } = this;
    const { rows, columns } = cost;
    const sums = this.#sums.fill(0);
    let off = 0;
    for (let i = 0; i < rows; i++) {
      const sum = dot(kernel, i * columns, b);
      off += Math.abs(a[i] * sum - rowWeights[i]);
      a[i] = rowWeights[i] / sum;
      addScaled(kernel, i * columns, a[i], sums);
    }
    this.#scaleColumns();
    return off;
  }

  /** Scales columns alone: they are exact after it. */
  fitColumns(): void {
    const { a, kernel, cost } = this;
    const sums = this.#sums.fill(0);
    for (let i = 0; i < cost.rows; i++) addScaled(kernel, i * cost.columns, a[i], sums);
    this.#scaleColumns();
  }

  /** Writes the sums of the plan's rows, and returns by how much they are off. */
  rowSums(into: Float64Array): number {
    const { a, b, kernel, rowWeights, cost } = this;
    this.passes++;
    let off = 0;
    for (let i = 0; i < cost.rows; i++) {
      into[i] = a[i] * dot(kernel, i * cost.columns, b);
      off += Math.abs(into[i] - rowWeights[i]);
    }
    return off;
  }

  /** Absorbs scalings where one has grown or shrunk too far: the plan is the same. */
  stabilise(): void {
    const isFar = (x: number) => !(x <= LARGEST_SCALING && x >= 1 / LARGEST_SCALING);
    if (!this.a.some(isFar) && !this.b.some(isFar)) return;
    this.absorb();
    this.#makeKernel();
  }

  /** Puts the scalings into the potentials: f, g are the plan's own then, and the kernel is of before. */
  absorb(): void {
    const { f, g, a, b, regularisation } = this;
    for (let i = 0; i < f.length; i++) f[i] += regularisation * Math.log(a[i]);
    for (let j = 0; j < g.length; j++) g[j] += regularisation * Math.log(b[j]);
  }

  #scaleColumns(): void {
    this.passes++;
    for (let j = 0; j < this.b.length; j++) this.b[j] = this.columnWeights[j] / this.#sums[j];
  }

  #makeKernel(): void {
    const { f, g, kernel, cost, regularisation } = this;
    const { values, rows, columns } = cost;
    const inverse = 1 / regularisation;
    for (let i = 0, at = 0; i < rows; i++) {
      const own = f[i];
      for (let j = 0; j < columns; j++, at++) {
        const exponent = (own + g[j] - values[at]) * inverse;
        kernel[at] = exponent < LEAST_EXPONENT ? 0 : Math.exp(exponent);
      }
    }
    this.a.fill(1);
    this.b.fill(1);
  }
}

/** The sum of matrix[begin + j] x[j]. Four sums at once: one alone would wait for itself. */
export function dot(matrix: Float64Array, begin: number, x: Float64Array): number {
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

/** sums[j] += scale matrix[begin + j]. */
export function addScaled(matrix: Float64Array, begin: number, scale: number, sums: Float64Array): void {
  for (let j = 0; j < sums.length; j++) sums[j] += scale * matrix[begin + j];
}
