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
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < width; j++) {
        let [a, b, c, d] = [0, 0, 0, 0];
        let [from, to] = [i * dimension, (j - (j % 4)) * dimension + (j % 4)];
        for (const end = from + whole; from < end; from += 4, to += 16) {
          a += square(x[from] - y[to]);
          b += square(x[from + 1] - y[to + 4]);
          c += square(x[from + 2] - y[to + 8]);
          d += square(x[from + 3] - y[to + 12]);
        }
        for (const end = (i + 1) * dimension; from < end; from++, to += 4) a += square(x[from] - y[to]);
        out[i * width + j] = a + b + (c + d);
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
    let off = 0;
    for (let i = 0; i < rows; i++) {
      const sum = dot(kernel, i * width, b);
      off += Math.abs(a[i] * sum - weights[i]);
      a[i] = weights[i] / sum;
      addScaled(kernel, i * width, a[i], sums);
    }
    return off;
  },

  times(kernel, rows, width, x, out) {
    for (let i = 0; i < rows; i++) out[i] = dot(kernel, i * width, x);
  },

  transposed(kernel, rows, width, x, sums) {
    for (let i = 0; i < rows; i++) addScaled(kernel, i * width, x[i], sums);
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

const square = (difference: number) => difference * difference;

const round = Math.fround;

/** The sum of products of a row, as four vectors add them up, of f64 or f32 in 16 bytes each. */
function dot(kernel: Kernel, begin: number, x: Kernel): number {
  const isSingle = kernel instanceof Float32Array && x instanceof Float32Array;
  const part = isSingle ? 4 : 2;
  const lanes = isSingle ? new Float32Array(16) : new Float64Array(8); // what is stored is rounded
  for (let lane = 0; lane < lanes.length; lane += 4) {
    const four = isSingle
      ? singles(kernel, begin, x, lane)
      : doubles(kernel as Float64Array, begin, x as Float64Array, lane);
    lanes.set(four, lane);
  }
  for (let k = 0; k < part; k++) {
    lanes[k] += lanes[part + k];
    lanes[k + 2 * part] += lanes[k + 3 * part];
    lanes[k] += lanes[k + 2 * part];
  }
  return isSingle ? lanes[0] + lanes[2] + (lanes[1] + lanes[3]) : lanes[0] + lanes[1];
}

/** Sums of every eighth product, of four lanes. */
function doubles(kernel: Float64Array, begin: number, x: Float64Array, lane: number) {
  let [p, q, r, s] = [0, 0, 0, 0];
  for (let j = lane; j < x.length; j += 8) {
    p += kernel[begin + j] * x[j];
    q += kernel[begin + j + 1] * x[j + 1];
    r += kernel[begin + j + 2] * x[j + 2];
    s += kernel[begin + j + 3] * x[j + 3];
  }
  return [p, q, r, s];
}

/** The same of every sixteenth, in f32. */
function singles(kernel: Float32Array, begin: number, x: Float32Array, lane: number) {
  let [p, q, r, s] = [0, 0, 0, 0];
  for (let j = lane; j < x.length; j += 16) {
    p = round(p + round(kernel[begin + j] * x[j]));
    q = round(q + round(kernel[begin + j + 1] * x[j + 1]));
    r = round(r + round(kernel[begin + j + 2] * x[j + 2]));
    s = round(s + round(kernel[begin + j + 3] * x[j + 3]));
  }
  return [p, q, r, s];
}

function addScaled(kernel: Kernel, begin: number, given: number, sums: Kernel): void {
  if (kernel instanceof Float32Array && sums instanceof Float32Array) {
    const scale = round(given);
    for (let j = 0; j < sums.length; j++) sums[j] = round(sums[j] + round(scale * kernel[begin + j]));
  } else {
    for (let j = 0; j < sums.length; j++) sums[j] += given * kernel[begin + j];
  }
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

const [LOG2E_SINGLE, LN2_HIGH_SINGLE, LN2_LOW_SINGLE, ROUNDER_SINGLE] = [
  ...[round(1.4426950409), 0.693145751953125, round(1.42860682e-6), 12582912],
];
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

/** 1 / (2 n + 1) for n = 10 to 0. */
const odd = Float64Array.from({ length: 11 }, (_, i) => 1 / (21 - 2 * i));

/**
 * log(x) = n log(2) + 2 artanh((m - 1) / (m + 1)), x = 2^n m, m near 1: relative error below 4e-16. Platforms round Math.log and Math.exp as
 * they like; with these two plans have the same bits everywhere.
 */
export function logOf(x: number): number {
  if (!(x > 0 && x < Number.POSITIVE_INFINITY)) return Math.log(x);
  let [m, n] = [x, 0];
  for (; m > Math.SQRT2; n++) m /= 2;
  for (; m < Math.SQRT1_2; n--) m *= 2;
  const s = (m - 1) / (m + 1);
  let p = odd[0];
  for (let k = 1; k < odd.length; k++) p = p * s * s + odd[k];
  return n * LN2_HIGH + (2 * s * p + n * LN2_LOW);
}
