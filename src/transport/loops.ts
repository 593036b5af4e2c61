/**
 * Loops over a matrix of costs or of a kernel, in which optimal transport spends its time: what each does, and each without vectors.
 * wasm/transport/ has the same in WebAssembly, in the same order of operations, so that both give the same bits; they are compared by
 * test/transport/loops.test.ts. A kernel is of f64, or of f32: then products and sums of them are rounded to f32, lane by lane.
 *
 * Matrices are row-major, their rows `width` elements apart (a multiple of {@link LANES}), and so long are vectors of their columns.
 * Behind a row's end costs are {@link BEHIND}, and all else 0.
 */
import { augmentPlainly, type PathBuffers, twoLeastPlainly } from "./assignment-loops.ts";

export type Kernel = Float64Array | Float32Array;

/** Rows begin at multiples of so many elements. */
export const LANES = 16;

/** What costs are behind a row's end: exp(-BEHIND) is 0, 0 BEHIND is 0, and no cost that is given is as large. */
export const BEHIND = Number.MAX_VALUE;

export interface Loops {
  /** out = squared distances of x [rows, dimension] to y, in blocks of four points: [width / 4, dimension, 4]. */
  distances(x: Float64Array, y: Float64Array, rows: number, width: number, dimension: number, out: Float64Array): void;
  /** f_i = the least of cost_ij - g_j; nearest_j = the most of itself and of f_i + g_j - cost_ij. */
  begin(cost: Float64Array, rows: number, width: number, f: Float64Array, g: Float64Array, nearest: Float64Array): void;
  /** out_ij = exp((f_i + g_j - cost_ij) inverse), 0 below exp(-74), in f32 below exp(-44). */
  kernel(
    cost: Float64Array,
    rows: number,
    width: number,
    f: Float64Array,
    g: Float64Array,
    inverse: number,
    out: Kernel,
  ): void;
  /** a_i = weight_i / (K b)_i, sums += K^T a. Returns by how much the rows were off: the sum of |a_i (K b)_i - weight_i|. */
  sweep(
    kernel: Kernel,
    rows: number,
    width: number,
    b: Kernel,
    weights: Float64Array,
    a: Float64Array,
    sums: Kernel,
  ): number;
  /** out = K x. */
  times(kernel: Kernel, rows: number, width: number, x: Kernel, out: Float64Array): void;
  /** sums += K^T x. */
  transposed(kernel: Kernel, rows: number, width: number, x: Float64Array, sums: Kernel): void;
  /** The kernel becomes a_i K_ij b_j. Returns the sum of it times the costs. */
  plan(kernel: Float64Array, cost: Float64Array, rows: number, width: number, a: Float64Array, b: Float64Array): number;
  /**
   * The two least of cost - v in row `row`, which may be equal, and their columns: [least, next, column, column of the next] to `out`. Of
   * equal ones the first comes first.
   */
  twoLeast(cost: Float64Array, row: number, width: number, v: Float64Array, out: Float64Array): void;
  /** Matches row `start` by a shortest augmenting path. */
  augment(cost: Float64Array, width: number, start: number, path: PathBuffers): void;
}

export const plainLoops: Loops = {
  distances(x, y, rows, width, dimension, out) {
    const whole = dimension - (dimension % 4);
    const sums = new Float64Array(4);
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < width; j++) {
        const to = (j - (j % 4)) * dimension + (j % 4);
        sums.fill(0);
        for (let k = 0; k < dimension; k++) {
          const p = x[i * dimension + k] - y[to + 4 * k];
          sums[k < whole ? k % 4 : 0] += p * p;
        }
        out[i * width + j] = sums[0] + sums[1] + (sums[2] + sums[3]);
      }
    }
  },

  begin(cost, rows, width, f, g, nearest) {
    for (let i = 0; i < rows; i++) {
      const row = i * width;
      let least = Number.POSITIVE_INFINITY;
      for (let j = 0; j < width; j++) {
        const reduced = cost[row + j] - g[j];
        if (reduced < least) least = reduced;
      }
      f[i] = least;
      for (let j = 0; j < width; j++) {
        const exponent = least + g[j] - cost[row + j];
        if (exponent > nearest[j]) nearest[j] = exponent;
      }
    }
  },

  kernel(cost, rows, width, f, g, inverse, out) {
    const exp = out instanceof Float32Array ? expOfSingle : expOfDouble;
    for (let i = 0, at = 0; i < rows; i++) {
      for (let j = 0; j < width; j++, at++) out[at] = exp((f[i] + g[j] - cost[at]) * inverse);
    }
  },

  sweep(kernel, rows, width, b, weights, a, sums) {
    const dot = dotOf(kernel, width);
    const { round } = dot;
    let off = 0;
    for (let i = 0; i < rows; i++) {
      const sum = dot.of(i * width, b);
      off += Math.abs(a[i] * sum - weights[i]);
      a[i] = weights[i] / sum;
      addScaled(kernel, i * width, round(a[i]), sums, round);
    }
    return off;
  },

  times(kernel, rows, width, x, out) {
    const dot = dotOf(kernel, width);
    for (let i = 0; i < rows; i++) out[i] = dot.of(i * width, x);
  },

  transposed(kernel, rows, width, x, sums) {
    const round = roundingOf(kernel);
    for (let i = 0; i < rows; i++) addScaled(kernel, i * width, round(x[i]), sums, round);
  },

  plan(kernel, cost, rows, width, a, b) {
    const sums = new Float64Array(4);
    for (let i = 0, at = 0; i < rows; i++) {
      for (let j = 0; j < width; j++, at++) {
        kernel[at] = a[i] * kernel[at] * b[j];
        sums[j % 4] += kernel[at] * cost[at];
      }
    }
    return sums[0] + sums[2] + (sums[1] + sums[3]);
  },

  twoLeast: twoLeastPlainly,
  augment: augmentPlainly,
};

const roundingOf = (kernel: Kernel) => (kernel instanceof Float32Array ? Math.fround : (x: number) => x);

/** Sums of products of the kernel's rows, as vectors of 16 bytes add them up, four at once. */
function dotOf(kernel: Kernel, width: number) {
  const round = roundingOf(kernel);
  const isSingle = kernel instanceof Float32Array;
  const lanes = isSingle ? new Float32Array(16) : new Float64Array(8); // what is stored is rounded
  const part = lanes.length / 4;
  const of = (begin: number, x: Kernel): number => {
    lanes.fill(0);
    for (let j = 0; j < width; j += lanes.length) {
      for (let k = 0; k < lanes.length; k++) lanes[k] += round(kernel[begin + j + k] * x[j + k]);
    }
    for (let k = 0; k < part; k++) {
      lanes[k] += lanes[part + k];
      lanes[k + 2 * part] += lanes[k + 3 * part];
      lanes[k] += lanes[k + 2 * part];
    }
    return isSingle ? lanes[0] + lanes[2] + (lanes[1] + lanes[3]) : lanes[0] + lanes[1];
  };
  return { of, round };
}

function addScaled(kernel: Kernel, begin: number, scale: number, sums: Kernel, round: (x: number) => number): void {
  for (let j = 0; j < sums.length; j++) sums[j] += round(scale * kernel[begin + j]);
}

/**
 * Below the least exponents the result is 0: two scalings make at most 1e16 = exp(37) of an entry, so that at most 1e-16 is lost of a plan;
 * of a rough one 1e-3, and products stay clear of numbers below 1e-38, which are slow. Above the most there are none.
 */
const [LEAST, LEAST_SINGLE, MOST] = [-74, -44, 80];

/** 2^n at n + ZERO. */
const ZERO = 110;
const powers = Float64Array.from({ length: 2 * ZERO + 16 }, (_, n) => 2 ** (n - ZERO));

/** 1 / k! for k = 12 to 0. */
const taylor = Float64Array.from({ length: 13 }, (_, i) => {
  let factorial = 1;
  for (let k = 2; k <= 12 - i; k++) factorial *= k;
  return 1 / factorial;
});

/** log(2) has so few bits in its first part that its product with a small whole number is exact. */
const [LN2_HIGH, LN2_LOW] = [0.6931471803691238, 1.9082149292705877e-10];
const ROUNDER = 1.5 * 2 ** 52;

/** exp(x) = 2^n exp(r), r = x - n log(2): relative error below 4e-16. */
export function expOfDouble(x: number): number {
  if (!(x >= LEAST)) return 0;
  const y = Math.min(x, MOST);
  const n = y * Math.LOG2E + ROUNDER - ROUNDER;
  const r = y - n * LN2_HIGH - n * LN2_LOW;
  let p = taylor[0];
  for (let k = 1; k < taylor.length; k++) p = p * r + taylor[k];
  return p * powers[n + ZERO];
}

const round = Math.fround;
const singles = Float32Array.of(1.4426950409, 0.693145751953125, 1.42860682e-6, 12582912);
const [LOG2E_SINGLE, LN2_HIGH_SINGLE, LN2_LOW_SINGLE, ROUNDER_SINGLE] = singles;
/** Of q in exp(r) = 1 + r + r^2 q(r): our minimax fit, as in wasm/exponential.ts. */
const minimax = Float32Array.of(0.00138141797, 0.00836891867, 0.0416684076, 0.166665196, 0.49999994);

/** The same in f32. */
export function expOfSingle(given: number): number {
  const x = round(given);
  if (!(x >= LEAST_SINGLE)) return 0;
  const y = Math.min(x, MOST);
  const n = round(round(round(y * LOG2E_SINGLE) + ROUNDER_SINGLE) - ROUNDER_SINGLE);
  const r = round(round(y - round(n * LN2_HIGH_SINGLE)) - round(n * LN2_LOW_SINGLE));
  let p = minimax[0];
  for (let k = 1; k < minimax.length; k++) p = round(round(p * r) + minimax[k]);
  p = round(round(round(round(r * r) * p) + r) + 1);
  return round(p * powers[n + ZERO]);
}
