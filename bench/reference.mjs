/**
 * The network of the workload in f64, for evidence: a few rows, one after another, as plainly as can be.
 * @import { Workload } from "./workload.mjs"
 */

/** @param {number} a */
const sigmoid = (a) => 1 / (1 + Math.exp(-a));

/**
 * v(x, t) of one point, and J z along one direction.
 * @param {Pick<Workload, "weights" | "biases">} network
 * @param {readonly number[]} input - x, y, t
 * @param {readonly number[]} [direction] - of x, y
 * @returns {{ v: number[], jvp: number[] }}
 */
export function velocityAt({ weights, biases }, input, direction = [0, 0]) {
  let [h, dh] = [[...input], [...direction, 0]];
  weights.forEach((weight, layer) => {
    const bias = /** @type {Float32Array} */ (biases[layer]);
    const outputs = bias.length;
    const [a, da] = [Array.from(bias), new Array(outputs).fill(0)];
    for (let i = 0; i < h.length; i++) {
      for (let j = 0; j < outputs; j++) {
        const w = /** @type {number} */ (weight[i * outputs + j]);
        a[j] = /** @type {number} */ (a[j]) + /** @type {number} */ (h[i]) * w;
        da[j] += /** @type {number} */ (dh[i]) * w;
      }
    }
    const last = layer === weights.length - 1;
    h = last ? a : a.map((value) => value * sigmoid(value));
    dh = last ? da : a.map((value, j) => da[j] * sigmoid(value) * (1 + value * (1 - sigmoid(value))));
  });
  return { v: h, jvp: dh };
}

/**
 * Euler steps of one point from t = 0 on.
 * @param {Pick<Workload, "weights" | "biases">} network
 * @param {readonly number[]} start - x, y
 * @param {readonly number[]} probe
 * @param {{ steps: number, size: number }} steps
 * @returns {{ x: number[], logDensity: number }} the end, and what -integral of z.Jz dt adds to the log-density
 */
export function eulerSolve(network, start, probe, { steps, size }) {
  let x = [...start];
  let logDensity = 0;
  for (let step = 0; step < steps; step++) {
    const { v, jvp } = velocityAt(network, [...x, step * size], probe);
    x = x.map((value, j) => value + size * /** @type {number} */ (v[j]));
    logDensity -= size * jvp.reduce((sum, value, j) => sum + value * /** @type {number} */ (probe[j]), 0);
  }
  return { x, logDensity };
}

/**
 * max |actual - expected| / max |expected|; NaN when any is.
 * @param {ArrayLike<number>} actual
 * @param {ArrayLike<number>} expected
 */
export function deviationOf(actual, expected) {
  let [largest, scale] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    const [a, e] = /** @type {[number, number]} */ ([actual[i], expected[i]]);
    largest = Math.max(largest, Math.abs(a - e));
    scale = Math.max(scale, Math.abs(e));
  }
  return largest / (scale || 1);
}

/**
 * Some elements of a product of the operands of a matmul, in f64.
 * @param {import("./workload.mjs").MatmulShape} shape
 * @param {Float32Array} left
 * @param {Float32Array} right
 * @param {readonly number[]} elements - of the row-major result
 */
export function productElements({ rows, columns, depth, transposeLeft, transposeRight }, left, right, elements) {
  return elements.map((element) => {
    const [i, j] = [Math.floor(element / columns), element % columns];
    let sum = 0;
    for (let k = 0; k < depth; k++) {
      const a = left[transposeLeft ? k * rows + i : i * depth + k];
      const b = right[transposeRight ? j * depth + k : k * columns + j];
      sum += /** @type {number} */ (a) * /** @type {number} */ (b);
    }
    return sum;
  });
}
