/**
 * What models are trained on, and how they are judged: on points that no training saw. `rows`: few of them, validated on a quarter
 * as many more, the rate constant, so that one training tells of every number of steps up to its end. `posterior`: likewise,
 * with simulations. `plane`: fresh points for each batch, the rate falling to 0 at the last step.
 */
import {
  adam,
  arrayData,
  checkerboard,
  condOT,
  cosineDecay,
  createTrainer,
  eightGaussians,
  euler,
  mlp,
  product,
  sampleData,
} from "divflow";
import { slicedWasserstein } from "divflow/diagnostics";
import { flowMap, flowMapSteps, frozenField, meanFlow } from "divflow/flows";
import { ops } from "divflow/networks";
import { inference } from "divflow/posterior";
import { mixture } from "../mixture.mjs";
import { fromSource } from "../source.mjs";

// The tasks, and parameters in a model's coordinates, are no part of the package: from their source.
/** @type {typeof import("../../src/cli/experiment/posterior-tasks.ts") & typeof import("../../src/posterior/parameters.ts")} */
const { posteriorTasks, JointPrior } = await fromSource(`
  export { posteriorTasks } from "./src/cli/experiment/posterior-tasks.ts";
  export { JointPrior } from "./src/posterior/parameters.ts";`);

/**
 * @typedef {import("divflow").Model} Model
 * @typedef {Record<string, number>} Metrics
 * @typedef {object} Trial
 * @property {Omit<import("divflow").TrainerOptions, "loss" | "seed">} options
 * @property {(model: Model, runtime: import("divflow").Runtime) => Promise<Metrics>} judge
 * @typedef {object} Case
 * @property {string} name
 * @property {string} cost - what steps of all of this name cost alike.
 * @property {number} budget - in steps of CFM.
 * @property {boolean} falling - whether the rate falls to 0 at the last step.
 * @property {(seed: number) => Promise<Trial>} trial
 */

const mean = (/** @type {ArrayLike<number>} */ values) =>
  Array.from(values).reduce((sum, value) => sum + value / values.length, 0);

/**
 * Nats; where the truth is known, how far log-densities are off; what samples of few and of many evaluations are off.
 *
 * @param {Model} model
 * @param {{ points: Float64Array | Float32Array, truth: Float64Array, D: number, seed: number }} against
 */
async function judgedDensity(model, { points, truth, D, seed }) {
  const { values } = await model.logDensity(points, { divergence: "exact" });
  const off = Array.from(values, (value, i) => value - Number(truth[i]));
  const kl = -mean(off);
  const probed = await model.logDensity(points.slice(0, 200 * D), { divergence: "hutchinson", probes: 8, seed });
  /** @type {Metrics} */
  const metrics = {
    nats: -mean(values),
    kl,
    off: mean(off.map(Math.abs)),
    probe: Math.sqrt(8) * mean(probed.standardError),
  };
  for (const [name, solver] of Object.entries({
    euler4: euler({ steps: 4 }),
    euler8: euler({ steps: 8 }),
    adaptive: undefined,
  })) {
    const samples = await model.sample({ count: 1000, seed, ...(solver ? { solver } : {}) });
    const { distance } = await slicedWasserstein(
      samples,
      { values: points, shape: [points.length / D, D] },
      { projections: 128 },
    );
    metrics[name] = distance;
  }
  return metrics;
}

const few = {
  ...{ path: condOT(), batchSize: 256, optimizer: adam({ learningRate: 0.002 }), validateEvery: 100 },
  earlyStopping: /** @type {const} */ ({ patience: 15, by: "negativeLogLikelihood" }),
};

/** Rows that choose the step, beside those trained on: a quarter as many, at most 250. */
const choosingOf = (/** @type {number} */ rows) => Math.min(250, Math.ceil(rows / 4));

/**
 * @param {number} D
 * @param {number} rows
 * @returns {Case}
 */
const rowsCase = (D, rows) => ({
  ...{ name: `mixture ${D}-D, ${rows} rows`, cost: `mixture ${D}-D`, budget: 4000, falling: false },
  async trial(seed) {
    const { draw, logDensity } = mixture(D, 1000 * seed + D);
    const [training, choosing, points] = [draw(rows), draw(choosingOf(rows)), draw(1000)];
    return {
      options: {
        ...few,
        network: mlp({ dimension: D, hidden: [64, 64, 64] }),
        data: arrayData(training, [rows, D]),
        validation: arrayData(choosing, [choosing.length / D, D]),
      },
      judge: (model) => judgedDensity(model, { points, truth: logDensity(points), D, seed }),
    };
  },
});

/**
 * @param {keyof typeof posteriorTasks} task
 * @param {number} simulations
 * @param {readonly number[]} [smaller] - widths of another network than the usual one.
 * @returns {Case}
 */
const posteriorCase = (task, simulations, smaller) => ({
  name: `${task}, ${simulations} simulations${smaller ? `, ${smaller.length} x ${smaller[0]}` : ""}`,
  ...{ cost: smaller ? `${task} ${smaller.length} x ${smaller[0]}` : task, budget: 8000, falling: false },
  async trial(seed) {
    const { prior, simulate } = posteriorTasks[task]();
    const steps = await inference({ prior, simulate, simulations, seed });
    const { simulations: fresh } = await inference({ prior, simulate, simulations: 1000, seed: seed + 10_000 });
    const z = new JointPrior(prior).toLine(Float64Array.from(fresh.parameters));
    const { seed: _, ...options } = steps.training({
      ...{ hidden: smaller ?? [64, 64, 64, 64], optimizer: adam({ learningRate: 0.002 }), validation: 0.2 },
    });
    return {
      options: { ...options, validateEvery: few.validateEvery, earlyStopping: few.earlyStopping },
      async judge(model) {
        const { values } = await model.logDensity(z, { conditions: { observation: fresh.observations } });
        const { coverage, pValue } = await steps
          .posterior(model)
          .calibrate({ simulations: 200, draws: 50, seed: seed + 20_000 });
        const misses = coverage.flatMap(({ level, coverage: found }) =>
          Array.from(found, (one) => 100 * Math.abs(one - level)),
        );
        return { nats: -mean(values), coverage: mean(misses), pValue };
      },
    };
  },
});

/** @type {Case} */
const plane = {
  ...{ name: "checkerboard, fresh", cost: "checkerboard", budget: 8000, falling: true },
  async trial(seed) {
    const data = checkerboard();
    const points = Float64Array.from(sampleData(data, 2000, seed + 10_000));
    const truth = Float64Array.from({ length: 2000 }, (_, i) =>
      Number(data.logDensity?.([Number(points[2 * i]), Number(points[2 * i + 1])])),
    );
    return {
      options: { path: condOT(), batchSize: 256, network: mlp({ dimension: 2, hidden: [64, 64, 64] }), data },
      judge: (model) => judgedDensity(model, { points, truth, D: 2, seed }),
    };
  },
};

/**
 * A flow map taught by the model, for as many steps whatever that cost: nats are the model's, the rest is the map's. Log-densities by
 * its head are held against the truth at its own samples.
 *
 * @param {import("divflow").Runtime} runtime
 * @param {Model} model
 * @param {{ data: import("divflow").DataSource, points: Float64Array, truth: (points: Float64Array) => Float64Array, seed: number }} about
 */
async function judgedMap(runtime, model, { data, points, truth, seed }) {
  const steps = 4000;
  const map = await createTrainer(runtime, {
    ...{ path: condOT(), data, batchSize: 256, seed, optimizer: fallingRate(steps) },
    network: flowMap({ network: mlp({ dimension: 2 + 1, hidden: [64, 64, 64] }) }),
    loss: meanFlow({ teacher: await frozenField(await model.checkpoint()), estimator: "exact", equal: 0.25 }),
  });
  for await (const progress of map.run({ steps, progressEvery: 1000 })) void progress;
  const { values } = await model.logDensity(points, { divergence: "exact" });
  /** @type {Metrics} */
  const metrics = { nats: -mean(values) };
  for (const steps of [1, 2]) {
    const { values: own, ...sample } = await map.model.sample({
      ...{ count: 1000, seed, solver: flowMapSteps({ steps }), logDensity: true },
    });
    const closed = truth(Float64Array.from(own));
    const off = Array.from(closed, (value, i) => Math.abs(Number(sample.logDensity?.values[i]) - value));
    off.sort((a, b) => a - b);
    metrics[`head${steps}`] = Number(off[500]);
    const against = { values: points, shape: [points.length / 2, 2] };
    metrics[`map${steps}`] = (
      await slicedWasserstein({ values: own, ...sample }, against, { projections: 128 })
    ).distance;
  }
  map.dispose();
  return metrics;
}

/** @param {number} rows @returns {Case} */
const fewMapCase = (rows) => ({
  ...{ name: `flow map, mixture 2-D, ${rows} rows`, cost: "mixture 2-D", budget: 4000, falling: false },
  async trial(seed) {
    const own = await rowsCase(2, rows).trial(seed);
    const { draw, logDensity } = mixture(2, 1000 * seed + 2);
    draw(rows + choosingOf(rows)); // as in rowsCase: what is judged on is what comes after
    const points = draw(1000);
    const { data } = own.options;
    return { ...own, judge: (model, runtime) => judgedMap(runtime, model, { data, points, truth: logDensity, seed }) };
  },
});

/** @type {Case} */
const mapCase = {
  ...{ name: "flow map, eight Gaussians", cost: "checkerboard", budget: 4000, falling: true },
  async trial(seed) {
    const data = eightGaussians();
    const points = Float64Array.from(sampleData(data, 2000, seed + 10_000));
    const truth = (/** @type {Float64Array} */ all) =>
      Float64Array.from({ length: all.length / 2 }, (_, i) =>
        Number(data.logDensity?.([Number(all[2 * i]), Number(all[2 * i + 1])])),
      );
    return {
      options: { path: condOT(), batchSize: 256, network: mlp({ dimension: 2, hidden: [64, 64, 64] }), data },
      judge: (model, runtime) => judgedMap(runtime, model, { data, points, truth, seed }),
    };
  },
};

/** The rate of a case whose rate falls: after `from` of `steps` steps. @param {number} steps @param {number} from */
export function fallingRate(steps, from = 0) {
  const whole = cosineDecay({ steps });
  const rest = {
    ...whole,
    name: "cosine",
    at: (/** @type {import("divflow").Node} */ step) => whole.at(ops.add(step, from)),
  };
  return adam({ learningRate: product(0.004, from > 0 ? rest : whole) });
}

/** The same with a rate that falls to 0 at the last step, so that each number of steps is a training of its own. @param {Case} one @returns {Case} */
const falling = (one) => ({ ...one, name: `${one.name}, falling rate`, falling: true });

/** @type {readonly Case[]} */
export const cases = [
  ...[200, 500, 1000, 5000].map((rows) => rowsCase(10, rows)),
  ...[200, 1000].map((rows) => rowsCase(2, rows)),
  posteriorCase("two_moons", 500),
  posteriorCase("two_moons", 1000),
  posteriorCase("slcp", 500),
  posteriorCase("slcp", 1000),
  posteriorCase("slcp", 500, [32, 32]),
  posteriorCase("gaussian_linear", 500),
  falling(rowsCase(10, 500)),
  falling(rowsCase(10, 1000)),
  falling(posteriorCase("slcp", 500, [128, 128, 128, 128, 128])),
  falling(posteriorCase("two_moons", 500)),
  falling(posteriorCase("two_moons", 1000)),
  plane,
  mapCase,
  fewMapCase(200),
  fewMapCase(1000),
];
