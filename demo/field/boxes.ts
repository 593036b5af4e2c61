/** The marginal field of a density that is uniform on some cells of a grid, such as the checkerboard. */
import { DIVERGENCE, LOG, SX, SY, type Truth, UX, UY } from "./truth.ts";

export interface Boxes {
  /** Edges of the columns and of the rows, ascending. */
  readonly columns: readonly number[];
  readonly rows: readonly number[];
  /** Whether the density is positive in cell (column, row). */
  has(column: number, row: number): boolean;
}

/** Beyond exp(-CUT) of an integrand's largest value nothing is added. */
const CUT = 32;

/**
 * Given x_t = x, a data point x1 in a cell is a normal that is cut off at the cell's edges, one axis apart from the other.
 * Means and variances of these give E[x1 | x] and its covariance C, and
 *   u = (E - x) / sigma,   div u = (t tr(C) / sigma^2 - 2) / sigma,   s = (t E - x) / sigma^2,   sigma = 1 - t.
 * Moments are by Gauss's quadrature over where the integrand is not negligible: right to some 1e-9, at all times.
 */
export function boxesTruth({ columns, rows, has }: Boxes): Truth {
  const [across, up] = [columns.length - 1, rows.length - 1];
  const cells: [column: number, row: number][] = [];
  let area = 0;
  for (let i = 0; i < across; i++) {
    for (let j = 0; j < up; j++) {
      if (!has(i, j)) continue;
      cells.push([i, j]);
      area += ((columns[i + 1] as number) - (columns[i] as number)) * ((rows[j + 1] as number) - (rows[j] as number));
    }
  }
  const alongX = Array.from({ length: across }, newMoments);
  const alongY = Array.from({ length: up }, newMoments);
  const logs = new Float64Array(cells.length);
  return {
    at(x, y, t, out) {
      const sigma = 1 - t;
      for (let i = 0; i < across; i++) moments(x, t, sigma, columns[i] as number, columns[i + 1] as number, alongX[i]!);
      for (let j = 0; j < up; j++) moments(y, t, sigma, rows[j] as number, rows[j + 1] as number, alongY[j]!);
      let most = Number.NEGATIVE_INFINITY;
      cells.forEach(([i, j], k) => {
        logs[k] = alongX[i]!.log + alongY[j]!.log;
        most = Math.max(most, logs[k] as number);
      });
      let [total, ex, ey, square] = [0, 0, 0, 0];
      cells.forEach(([i, j], k) => {
        const share = Math.exp((logs[k] as number) - most);
        const [a, b] = [alongX[i]!, alongY[j]!];
        total += share;
        ex += share * a.mean;
        ey += share * b.mean;
        square += share * (a.variance + b.variance + a.mean * a.mean + b.mean * b.mean);
      });
      ex /= total;
      ey /= total;
      const trace = square / total - ex * ex - ey * ey;
      out[LOG] = most + Math.log(total / area);
      out[UX] = (ex - x) / sigma;
      out[UY] = (ey - y) / sigma;
      out[DIVERGENCE] = ((t * trace) / (sigma * sigma) - 2) / sigma;
      out[SX] = (t * ex - x) / (sigma * sigma);
      out[SY] = (t * ey - y) / (sigma * sigma);
    },
  };
}

interface Moments {
  /** Of the integral of N(x; t y, sigma^2) over the interval. */
  log: number;
  mean: number;
  variance: number;
}
const newMoments = (): Moments => ({ log: 0, mean: 0, variance: 0 });

/** Of y in [low, high] with weight N(x; t y, sigma^2). */
function moments(x: number, t: number, sigma: number, low: number, high: number, into: Moments): void {
  let [from, to] = [low, high];
  const mode = t > 0 ? Math.min(high, Math.max(low, x / t)) : low;
  const least = (x - t * mode) ** 2;
  if (t > 0) {
    // (x - t y)^2 grows from `least` by 2 CUT sigma^2 within `reach` of x / t.
    const reach = Math.sqrt(least + 2 * CUT * sigma * sigma) / t;
    from = Math.max(low, x / t - reach);
    to = Math.min(high, x / t + reach);
  }
  const [middle, half] = [(from + to) / 2, (to - from) / 2];
  let [sum, first, second] = [0, 0, 0];
  for (let i = 0; i < nodes.length; i++) {
    const z = half * (nodes[i] as number);
    const off = x - t * (middle + z);
    const weight = (weights[i] as number) * Math.exp((least - off * off) / (2 * sigma * sigma));
    sum += weight;
    first += weight * z;
    second += weight * z * z;
  }
  const mean = first / sum;
  into.log = Math.log((sum * half) / (Math.sqrt(2 * Math.PI) * sigma)) - least / (2 * sigma * sigma);
  into.mean = middle + mean;
  into.variance = Math.max(0, second / sum - mean * mean);
}

const [nodes, weights] = gaussLegendre(32);

/** Nodes and weights of Gauss's quadrature on [-1, 1]: roots of the Legendre polynomial, by Newton's method. */
function gaussLegendre(count: number): [nodes: Float64Array, weights: Float64Array] {
  const [x, w] = [new Float64Array(count), new Float64Array(count)];
  for (let i = 0; i < count; i++) {
    let root = Math.cos((Math.PI * (i + 0.75)) / (count + 0.5));
    let slope = 1;
    for (let round = 0; round < 8; round++) {
      let [before, here] = [1, root];
      for (let n = 2; n <= count; n++) [before, here] = [here, ((2 * n - 1) * root * here - (n - 1) * before) / n];
      slope = (count * (root * here - before)) / (root * root - 1);
      root -= here / slope;
    }
    x[i] = root;
    w[i] = 2 / ((1 - root * root) * slope * slope);
  }
  return [x, w];
}
