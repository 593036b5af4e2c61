/**
 * The workload that divflow and its peers run: one network, one batch, the same numbers in every runtime.
 *
 * Network 3-H-H-H-H-2 (x, y, t in; velocity out), silu, initialised as PyTorch's nn.Linear. A training step is loss,
 * gradients and Adam (rate 1e-3, betas 0.9 and 0.999, epsilon 1e-8), waited for; its inputs lie on the device:
 *   loss = mean (v - u)^2 + 0.1 mean over rows of (sigma (z.Jz + (stopgrad(v) - u).dlogp - divu))^2
 * (CFM: the first term). Sampling is 100 Euler steps of 4096 points; with log-density, one probe is carried along.
 */

/** Weight of the divergence term. */
export const divergenceWeight = 0.1;
/** Adam's. */
export const adamOptions = Object.freeze({ learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 });
/** Networks that are measured beside the MLP, by their names in planning-cases.ts and peers/torch_networks.py. */
export const networkNames = /** @type {const} */ ([
  ...["unet1d", "unet1d-small", "cnn", "cnn-toy", "unet2d", "sit", "transformer"],
]);
/** Their batches. @type {Readonly<Record<typeof networkNames[number], number>>} */
export const networkBatches = {
  ...{ unet1d: 64, "unet1d-small": 128, cnn: 16, "cnn-toy": 512, unet2d: 64, sit: 64, transformer: 32 },
};
/** Adam's, of their steps. */
export const networkLearningRate = 1e-4;
/** Losses of two implementations are the same step's where they are this close: sums of a million terms in f32. */
export const networkTolerance = 2e-3;

/**
 * Numbers in [0, 1) that follow from a name: what every implementation starts from. peers/torch_networks.py has the same.
 * @param {string} name
 * @param {number} count
 */
export function uniformOf(name, count) {
  let seed = 0x811c9dc5; // FNV-1a
  for (const byte of new TextEncoder().encode(name)) seed = Math.imul(seed ^ byte, 0x01000193);
  return Float32Array.from({ length: count }, (_, i) => {
    let h = (seed + Math.imul(i, 0x9e3779b9)) | 0;
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b); // the end of MurmurHash3
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    return ((h ^ (h >>> 16)) >>> 8) * 2 ** -24;
  });
}

/** Points of a solve, and its Euler steps from t = 0 to 1. */
export const sampleCount = 4096;
export const eulerSteps = 100;

/** Hidden widths, and the batch at each. */
export const widths = /** @type {const} */ ([64, 128, 512, 1024]);
/** @param {number} width */
export const batchOf = (width) => (width >= 1024 ? 2048 : 512);

/** @param {number} width @returns {number[]} units of each layer, inputs first */
export const layersOf = (width) => [3, width, width, width, width, 2];

/** Weights without biases. @param {number} width */
export function weightCount(width) {
  const layers = layersOf(width);
  return layers.slice(1).reduce((sum, outputs, i) => sum + outputs * /** @type {number} */ (layers[i]), 0);
}

/**
 * Floating-point operations that count, whatever an implementation does: 2BP forward, 6BP a CFM step, 12BP an FDM step,
 * 9BP one with the divergence on half of the batch, 2SP an Euler step, 4SP one with its log-density.
 */
export const flopsOf = Object.freeze({
  cfm: (/** @type {number} */ width, /** @type {number} */ batch) => 6 * batch * weightCount(width),
  fdm: (/** @type {number} */ width, /** @type {number} */ batch) => 12 * batch * weightCount(width),
  fraction: (/** @type {number} */ width, /** @type {number} */ batch) => 9 * batch * weightCount(width),
  sample: (/** @type {number} */ width, /** @type {number} */ count) => 2 * count * weightCount(width) * eulerSteps,
  logdensity: (/** @type {number} */ width, /** @type {number} */ count) => 4 * count * weightCount(width) * eulerSteps,
});

/**
 * Losses before step 1 and after 3 Adam steps, by hidden width at its batch, in f64. A run whose losses are off by more than
 * `lossTolerance` of them does not count.
 * @type {Readonly<Record<number, Readonly<Record<"cfm" | "fdm", readonly [before: number, after: number]>>>>}
 */
export const expectedLosses = {
  64: { cfm: [7.6892, 7.6298], fdm: [9.4148, 9.34209] },
  128: { cfm: [7.93612, 7.75557], fdm: [9.80072, 9.58139] },
  512: { cfm: [7.85955, 5.78877], fdm: [9.5844, 7.17086] },
  1024: { cfm: [7.68773, 9.57111], fdm: [9.38757, 12.59507] },
};
export const lossTolerance = 1e-4;

/**
 * The inputs of the workload, f32. Weights are [inputs, outputs] row-major, all else [rows, ...].
 * @typedef {object} Workload
 * @property {Float32Array[]} weights
 * @property {Float32Array[]} biases
 * @property {Float32Array} xt - points and times [B, 3]
 * @property {Float32Array} u - target velocities [B, 2]
 * @property {Float32Array} z - probes of -1 and 1 [B, 2]
 * @property {Float32Array} dlogp - scores [B, 2]
 * @property {Float32Array} divu - divergences of the target [B]
 * @property {Float32Array} sigma - [B]
 * @property {Float32Array} noise - what sampling starts from [S, 2]
 * @property {Float32Array} noiseProbes - its probes [S, 2]
 */

/** mulberry32: uniform numbers in [0, 1). @param {number} seed @returns {() => number} */
function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/**
 * The workload of a hidden width. The order of draws is part of it: another order makes other numbers.
 * @param {number} width
 * @param {number} [batch]
 * @param {number} [count] - points of a solve
 * @returns {Workload}
 */
export function makeWorkload(width, batch = batchOf(width), count = sampleCount) {
  const uniform = generator(1234 + width);
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  const layers = layersOf(width);
  const weights = [];
  const biases = [];
  for (let layer = 0; layer + 1 < layers.length; layer++) {
    const [inputs, outputs] = /** @type {[number, number]} */ (layers.slice(layer, layer + 2));
    const bound = 1 / Math.sqrt(inputs);
    const draw = () => (uniform() * 2 - 1) * bound;
    weights.push(new Float32Array(inputs * outputs).map(draw));
    biases.push(new Float32Array(outputs).map(draw));
  }

  const [xt, u, z] = [new Float32Array(batch * 3), new Float32Array(batch * 2), new Float32Array(batch * 2)];
  const [dlogp, divu, sigma] = [new Float32Array(batch * 2), new Float32Array(batch), new Float32Array(batch)];
  for (let row = 0; row < batch; row++) {
    const t = uniform() * 0.99;
    const s = 1 - t;
    const a = uniform() * 4 - 2; // a point of the checkerboard, scaled
    const b = uniform() - Math.floor(uniform() * 2) * 2 + (((Math.floor(a) % 2) + 2) % 2);
    const data = [a / 0.45, b / 0.45];
    const start = [normal(), normal()];
    for (const j of [0, 1]) {
      const [x1, x0] = /** @type {[number, number]} */ ([data[j], start[j]]);
      xt[row * 3 + j] = t * x1 + s * x0;
      u[row * 2 + j] = x1 - x0;
      z[row * 2 + j] = uniform() < 0.5 ? -1 : 1;
      dlogp[row * 2 + j] = -x0 / s;
    }
    xt[row * 3 + 2] = t;
    divu[row] = -2 / s;
    sigma[row] = s;
  }

  const noise = new Float32Array(count * 2);
  const noiseProbes = new Float32Array(count * 2);
  for (let i = 0; i < count * 2; i++) {
    noise[i] = normal();
    noiseProbes[i] = uniform() < 0.5 ? -1 : 1;
  }
  return { weights, biases, xt, u, z, dlogp, divu, sigma, noise, noiseProbes };
}

/**
 * The product of two matrices that the workload uses, with a number of its own for each element.
 * @typedef {object} MatmulShape
 * @property {string} name
 * @property {number} rows
 * @property {number} columns
 * @property {number} depth
 * @property {boolean} transposeLeft - the left operand lies as [depth, rows]
 * @property {boolean} transposeRight - the right operand lies as [columns, depth]
 */

/**
 * The products of an FDM step, primal and tangent stacked, and of sampling.
 * @param {number} width
 * @param {number} [batch]
 * @returns {MatmulShape[]}
 */
export function matmulShapes(width, batch = batchOf(width)) {
  const plain = { transposeLeft: false, transposeRight: false };
  const rows = 2 * batch;
  return [
    { name: "hidden layer", rows, columns: width, depth: width, ...plain },
    { name: "its input gradient", rows, columns: width, depth: width, transposeLeft: false, transposeRight: true },
    {
      name: "its weight gradient",
      rows: width,
      columns: width,
      depth: rows,
      transposeLeft: true,
      transposeRight: false,
    },
    { name: "first layer", rows, columns: width, depth: 3, ...plain },
    { name: "last layer", rows, columns: 2, depth: width, ...plain },
    { name: "hidden layer, sampling", rows: sampleCount, columns: width, depth: width, ...plain },
  ];
}

/** Values in [-1, 1) for an operand of `length` elements; another `seed`, others. @param {number} length @param {number} seed */
export function matmulOperand(length, seed) {
  const uniform = generator(seed);
  return new Float32Array(length).map(() => uniform() * 2 - 1);
}

/** @param {readonly number[]} values - at least one */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = /** @type {number} */ (sorted[middle]);
  return sorted.length % 2 === 1 ? upper : (upper + /** @type {number} */ (sorted[middle - 1])) / 2;
}
