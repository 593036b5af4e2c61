/**
 * What plans of a batch cost: entropic ones by regularisation, exact ones, and pairs drawn of them, in CPU time of this process (so
 * that a machine that others use says the same), the median and the least of turns.
 *
 *   npm run build && node bench/plans.mjs [--rounds 12] [--rows 512]
 *
 * Regularisations are relative to the mean cost; the tolerance is that of the coupling, 1e-3.
 */
import { parseArgs } from "node:util";

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "12" },
    rows: { type: "string", default: "512" },
    package: { type: "string", default: "divflow/diagnostics" },
  },
});
const [rounds, rows] = [options.rounds, options.rows].map(Number);
const { assignment, drawPairs, sinkhorn } = await import(options.package);

/** Standard normal numbers by mulberry32, Box and Muller. @param {number} seed */
function normals(seed) {
  let state = seed;
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0;
    let word = Math.imul(state ^ (state >>> 15), 1 | state);
    word = (word + Math.imul(word ^ (word >>> 7), 61 | word)) ^ word;
    return ((word ^ (word >>> 14)) >>> 0) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** A coordinate of a point: of number i, coordinate k. @typedef {(normal: () => number, k: number, i: number) => number} Coordinate */
/** @typedef {{ values: Float64Array, shape: [number, number] }} Cloud */

/** @param {number} dimension @param {number} seed @param {Coordinate} value @returns {Cloud} */
function cloud(dimension, seed, value = (normal) => normal()) {
  const normal = normals(seed);
  const values = Float64Array.from({ length: rows * dimension }, (_, at) =>
    value(normal, at % dimension, Math.floor(at / dimension)),
  );
  return { values, shape: [rows, dimension] };
}

const angle = (/** @type {number} */ i) => (i % 8) * (Math.PI / 4);
/** @type {Coordinate} */
const eight = (normal, k, i) => 1.4 * (k === 0 ? Math.cos(angle(i)) : Math.sin(angle(i))) + 0.1 * normal();
/** @type {Coordinate} */
const moon = (normal, k, i) => {
  const turn = Math.PI * ((i >> 1) / (rows / 2));
  const point = i % 2 ? [1 - Math.cos(turn), 0.5 - Math.sin(turn)] : [Math.cos(turn), Math.sin(turn)];
  return 1.2 * (point[k] - (k === 0 ? 0.5 : 0.25)) + 0.07 * normal();
};
/** @type {Record<string, (seed: number) => [Cloud, Cloud]>} */
const cases = {
  "plane, normal to normal": (seed) => [cloud(2, seed), cloud(2, seed + 100)],
  "plane, noise to eight Gaussians": (seed) => [cloud(2, seed), cloud(2, seed + 100, eight)],
  "plane, eight Gaussians to moons": (seed) => [cloud(2, seed, eight), cloud(2, seed + 100, moon)],
  "8 dimensions, normal to normal": (seed) => [cloud(8, seed), cloud(8, seed + 100)],
  "64 dimensions, normal to normal": (seed) => [cloud(64, seed), cloud(64, seed + 100)],
};

/** @param {[Cloud, Cloud]} clouds */
function meanCost([{ values: x, shape }, { values: y }]) {
  const dimension = shape[1];
  let sum = 0;
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < rows; j++) {
      for (let k = 0; k < dimension; k++) sum += (x[i * dimension + k] - y[j * dimension + k]) ** 2;
    }
  }
  return sum / rows ** 2;
}

/** CPU milliseconds of some work, and its result. @template Result @param {() => Result} work @returns {[number, Result]} */
function timed(work) {
  const begun = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(begun);
  return [(user + system) / 1000, result];
}
const summary = (/** @type {number[]} */ list) => {
  const sorted = list.toSorted((a, b) => a - b);
  return `${sorted[sorted.length >> 1].toFixed(1).padStart(7)} ${sorted[0].toFixed(1).padStart(6)}`;
};

for (const [name, make] of Object.entries(cases)) {
  console.log(`\n${name}: milliseconds of CPU, median and least of ${rounds} batches; passes`);
  for (const relative of [1, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001]) {
    /** @type {number[]} */
    const times = [];
    let passes = 0;
    for (let round = -2; round < rounds; round++) {
      const clouds = make(round + 10);
      const regularisation = relative * meanCost(clouds);
      const [time, plan] = timed(() => {
        const plan = sinkhorn(...clouds, { regularisation, tolerance: 1e-3 });
        drawPairs(plan, { seed: round + 10 });
        return plan;
      });
      if (round >= 0) {
        times.push(time);
        passes += plan.iterations / rounds;
      }
    }
    console.log(`  entropic ${String(relative).padEnd(6)} ${summary(times)}   ${passes.toFixed(0)}`);
  }
  /** @type {number[]} */
  const times = [];
  for (let round = -2; round < rounds; round++) {
    const clouds = make(round + 10);
    const [time] = timed(() => assignment(...clouds));
    if (round >= 0) times.push(time);
  }
  console.log(`  exact           ${summary(times)}`);
}
