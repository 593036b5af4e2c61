// Every option of every exported function and method: a misspelt name is refused with the right one, and so is what is
// no object of options. A new export has to be added here, on one list or the other.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as diagnostics from "../src/diagnostics.ts";
import * as dynamics from "../src/dynamics.ts";
import * as flows from "../src/flows.ts";
import * as divflow from "../src/index.ts";
import * as letters from "../src/letters.ts";
import * as likelihoods from "../src/likelihoods.ts";
import * as networks from "../src/networks.ts";
import * as inference from "../src/posterior.ts";
import { smallOptions, trainSteps } from "./engine/small.ts";
import { type RemoteEngine, remoteEngine } from "./engine/worker.ts";

const {
  ConfigError,
  arrayData,
  cfm,
  checkerboard,
  createRuntime,
  createTrainer,
  evaluateLosses,
  load,
  mlp,
  readCsv,
  resume,
} = divflow;

interface Entry {
  /** Options that are right, one of them at least; those of functions that have none are empty. */
  readonly options: object;
  readonly call: (options: never) => unknown;
}

const csv = new TextEncoder().encode("1,2\n3,4\n");

/** Functions that make a part of their options. */
const factories: Readonly<Record<string, Entry>> = {
  mlp: { options: { dimension: 2, activation: "tanh" }, call: divflow.mlp },
  condOT: { options: { sigmaMin: 0 }, call: divflow.condOT },
  ve: { options: { sigmaMin: 0.01, sigmaMax: 2 }, call: divflow.ve },
  vp: { options: { betaMin: 0.1, betaMax: 20 }, call: divflow.vp },
  classes: { options: { drop: 0.1 }, call: (options) => divflow.classes(3, options) },
  numbers: { options: { drop: 0.1 }, call: (options) => divflow.numbers([2, 3], options) },
  "mlp, with conditions": {
    options: { sample: [2, 3], conditions: { label: { classes: 2 }, size: { shape: [] } }, embedding: 4 },
    call: divflow.mlp,
  },
  defineGuidance: {
    options: { name: "first", kind: "event", build: () => 0, link: "normal", slope: 1, offset: 0.1, std: "full" },
    call: networks.defineGuidance,
  },
  residualMlp: {
    options: { dimension: 2, width: 8, depth: 2, frequencies: 4, timeScale: 10, epsilon: 1e-6, conditions: {} },
    call: networks.residualMlp,
  },
  unet1d: {
    options: {
      ...{ sample: [8, 3], channels: [8, 16], blocks: [1, 2], edgeChannels: 4, frequencies: 4, frequencyRange: [1, 9] },
      ...{ embeddingHidden: 8, conditionDivisor: 2, epsilon: 1e-5, conditions: {} },
    },
    call: networks.unet1d,
  },
  cnn: {
    options: {
      ...{ sample: [8, 3], channels: 4, dilations: [1, 2], stacks: 2, timeOffset: 1, timeFactor: 2, pseudocount: 2 },
      ...{ frequencies: [0.5, 1], epsilon: 1e-5, conditions: {} },
    },
    call: networks.cnn,
  },
  transformer: {
    options: {
      ...{ sample: [2, 2, 1], width: 8, heads: 2, mlpRatio: 2, outerBlocks: 1, middleBlocks: 1, conditionHidden: 4 },
      ...{ logarithms: ["size"], timeScale: 10, timeBase: 100, epsilon: 1e-5, conditions: { size: { shape: [] } } },
    },
    call: networks.transformer,
  },
  unet2d: {
    options: {
      ...{ sample: [4, 4, 1], channels: 8, multipliers: [1, 2], residualBlocks: 1, attentionAt: [2], heads: 2 },
      ...{ attentionOrder: "kinds", resampling: "plain", scaleShift: true, groups: 4, epsilon: 1e-5, conditions: {} },
    },
    call: networks.unet2d,
  },
  sit: {
    options: {
      ...{ sample: [4, 4, 1], patch: 2, width: 8, depth: 1, heads: 2, mlpRatio: 2, frequencies: 4, epsilon: 1e-6 },
      ...{ positions: "sine-cosine", learnSigma: true, conditions: {} },
    },
    call: networks.sit,
  },
  polynomial: { options: { degree: 2 }, call: divflow.polynomial },
  cosine: { options: {}, call: divflow.cosine },
  linearVP: { options: {}, call: divflow.linearVP },
  cfm: { options: { velocityWeight: 1 }, call: divflow.cfm },
  fdm: { options: { divergence: 0.1, probes: 2, fraction: 1 }, call: divflow.fdm },
  paper2d: { options: { divergence: 0.1 }, call: divflow.paper2d },
  euler: { options: { steps: 3 }, call: divflow.euler },
  midpoint: { options: { steps: 3 }, call: divflow.midpoint },
  heun: { options: { steps: 3 }, call: divflow.heun },
  rk4: { options: { steps: 3 }, call: divflow.rk4 },
  dopri5: { options: { relativeTolerance: 1e-4, maximumSteps: 100 }, call: divflow.dopri5 },
  dirichlet: { options: { sample: [2, 3], largest: 5 }, call: letters.dirichlet },
  linearSimplex: { options: { sample: [2, 3] }, call: letters.linearSimplex },
  crossEntropy: {
    options: { divergence: 0.1, probe: "gaussian", detachVelocity: false },
    call: letters.crossEntropy,
  },
  uniform: { options: { low: 0, high: 1 }, call: inference.uniform },
  logUniform: { options: { low: 1, high: 2 }, call: inference.logUniform },
  normal: { options: { mean: 0, deviation: 1 }, call: inference.normal },
  logNormal: { options: { mean: 0, deviation: 1 }, call: inference.logNormal },
  definePrior: { options: { name: "own", bounds: [[0, 1]], draw: () => [0.5] }, call: inference.definePrior },
  lettersData: {
    options: { alphabet: "AB", letters: 2, conditions: { kind: ["x", "y"] } },
    call: (options) => letters.lettersData(["AAB", "BAB"], options),
  },
  sampleLetters: {
    options: {
      ...{ count: 2, steps: 2, alphabet: "AB", conditions: {} },
      ...{ guidance: 1, seed: 1, signal: undefined, onProgress: () => {}, ema: false, best: false },
    },
    call: (options) =>
      letters.sampleLetters(
        {
          ...{ path: letters.linearSimplex({ sample: [3, 2] }), dimension: 6, shape: [3, 2], conditions: {} },
          sample: async ({ noise }: { noise: Float32Array }) => ({ values: noise }),
        } as never,
        options,
      ),
  },
  tsit5: { options: { relativeTolerance: 1e-4, maximumSteps: 100 }, call: flows.tsit5 },
  adaptiveHeun: { options: { relativeTolerance: 1e-4, maximumSteps: 100 }, call: flows.adaptiveHeun },
  independent: { options: {}, call: flows.independent },
  optimalTransport: { options: { replacement: true, conditionCost: 2 }, call: flows.optimalTransport },
  entropicTransport: {
    options: { regularisation: 0.1, tolerance: 1e-4, replacement: false, conditionCost: 2 },
    call: flows.entropicTransport,
  },
  defineCoupling: {
    options: { name: "mine", pair: () => ({ rows: [], columns: [] }), seesConditions: true },
    call: flows.defineCoupling,
  },
  brownianBridge: { options: { sigma: 0.5 }, call: flows.brownianBridge },
  scoreMatching: { options: { weight: 2 }, call: (options) => flows.scoreMatching(divflow.cfm(), options) },
  eulerMaruyama: {
    options: { steps: 3, diffusion: { kind: "sigma", strength: 2 } },
    call: flows.eulerMaruyama,
  },
  stochasticHeun: {
    options: { steps: 3, diffusion: { kind: "reverse", strength: 2 } },
    call: flows.stochasticHeun,
  },
  flowMapSteps: { options: { steps: 3, density: "exact", checks: 2 }, call: flows.flowMapSteps },
  flowMap: {
    options: { network: divflow.mlp({ dimension: 3, hidden: [4] }), divergence: false, reverse: true },
    call: flows.flowMap,
  },
  meanFlow: {
    options: {
      ...{ tangent: "mixed", equal: 0.25, times: "uniform", adaptive: { power: 1, offset: 1e-3 }, divergence: 0.5 },
      ...{ estimator: "hutchinson", probe: "gaussian", probes: 2, anchor: divflow.fdm() },
    },
    call: flows.meanFlow,
  },
  adam: { options: { learningRate: 1e-3, epsilon: 1e-8 }, call: divflow.adam },
  adamW: { options: { learningRate: 1e-3, weightDecay: 0.1 }, call: divflow.adamW },
  ema: { options: { decay: 0.9 }, call: divflow.ema },
  warmUp: { options: { steps: 3 }, call: divflow.warmUp },
  staircase: { options: { factor: 0.5, every: 3 }, call: divflow.staircase },
  exponential: { options: { factor: 0.5 }, call: divflow.exponential },
  cosineDecay: { options: { steps: 3, final: 0 }, call: divflow.cosineDecay },
  checkerboard: { options: {}, call: divflow.checkerboard },
  eightGaussians: { options: { radius: 1 }, call: divflow.eightGaussians },
  moons: { options: { noise: 0.1 }, call: divflow.moons },
  spirals: { options: { turns: 1 }, call: divflow.spirals },
  pinwheel: { options: { arms: 3, radialStd: 0.2 }, call: divflow.pinwheel },
  rings: { options: { radii: [1] }, call: divflow.rings },
  gaussianMixture: { options: { means: [[0]], variances: [1] }, call: divflow.gaussianMixture },
  arrayData: { options: { standardize: true }, call: (options) => arrayData([[1, 2]], undefined, options) },
  streamData: {
    options: { shape: [2], conditions: {}, standardization: { mean: [0, 0], std: [1, 1] }, batches: [] },
    call: divflow.streamData,
  },
  readCsv: { options: { delimiter: "," }, call: (options) => readCsv(csv, "points.csv", options) },
  "pathFrom, nested": { options: { sigmaMin: 0 }, call: (options) => divflow.pathFrom({ name: "cond-ot", options }) },
  "lossFrom, nested": { options: { divergence: 0 }, call: (options) => divflow.lossFrom({ name: "fdm", options }) },
  "solverFrom, nested": { options: { steps: 3 }, call: (options) => divflow.solverFrom({ name: "rk4", options }) },
  "dataFrom, nested": { options: { noise: 1 }, call: (options) => divflow.dataFrom({ name: "moons", options }) },
  networkFromConfig: {
    options: { dimension: 2, activation: "tanh" },
    call: (options) => divflow.networkFromConfig("mlp", options),
  },
};

let remote: RemoteEngine;
const made: Record<string, { runtime: divflow.Runtime; trainer: divflow.Trainer; file: Uint8Array }> = {};

beforeAll(async () => {
  remote = await remoteEngine("wasm");
  for (const [name, runtime] of [
    ["on this thread", await createRuntime({ backend: "wasm" })],
    ["in a worker", remote.runtime],
  ] as const) {
    const trainer = await runtime.createTrainer(smallOptions());
    made[name] = { runtime, trainer, file: await trainer.checkpoint() };
  }
});
afterAll(() => {
  for (const { runtime } of Object.values(made)) runtime.dispose();
});

type Made = (typeof made)[string];

/** Functions and methods that do something with a runtime. */
const calls: Readonly<Record<string, { options: object; call: (made: Made, options: never) => unknown }>> = {
  createRuntime: { options: { backend: "wasm", threads: 1 }, call: (_, options) => createRuntime(options) },
  createTrainer: {
    options: { ...smallOptions(), batchSize: 4, seed: 1 },
    call: ({ runtime }, options) => createTrainer(runtime, options),
  },
  load: {
    options: { activation: "tanh", source: "mine" },
    call: ({ runtime, file }, options) => load(runtime, file, options),
  },
  exportOnnx: { options: { source: "mine" }, call: ({ file }, options) => divflow.exportOnnx(file, options) },
  resume: { options: { source: "mine" }, call: ({ runtime, file }, options) => resume(runtime, file, options) },
  evaluateLosses: {
    options: { data: checkerboard(), loss: cfm(), batches: 1, batchSize: 2 },
    call: ({ runtime, trainer }, options) => evaluateLosses(runtime, trainer.model, options),
  },
  run: { options: { steps: 1, progressEvery: 1 }, call: async ({ trainer }, options) => ran(trainer, options) },
  sample: {
    options: { count: 1, seed: 1, logDensity: true },
    call: ({ trainer }, options) => trainer.model.sample(options),
  },
  logDensityInterval: {
    options: { probes: 3, level: 0.9, solver: divflow.euler({ steps: 1 }), seed: 1 },
    call: ({ trainer }, options) => likelihoods.logDensityInterval(trainer.model, [0, 0], options),
  },
  logDensityGradient: {
    options: { divergence: "hutchinson", probes: 1, solver: divflow.euler({ steps: 1 }) },
    call: ({ trainer }, options) => likelihoods.logDensityGradient(trainer.model, [0, 0], options),
  },
  logDensityContributions: {
    options: { solver: divflow.euler({ steps: 1 }), seed: 1 },
    call: ({ trainer }, options) => likelihoods.logDensityContributions(trainer.model, [0, 0], options),
  },
  mode: {
    options: { iterations: 1, tolerance: 0.1, solver: divflow.euler({ steps: 1 }) },
    call: ({ trainer }, options) => likelihoods.mode(trainer.model, [0, 0], options),
  },
  totalVariationBound: {
    options: { count: 8, bins: 2, until: 0.5, against: "conditional", divergence: "exact", seed: 1 },
    call: ({ trainer }, options) => likelihoods.totalVariationBound(trainer.model, checkerboard(), options),
  },
  totalVariation: {
    options: { lower: [0, 0], upper: [1, 1], points: 2, solver: divflow.euler({ steps: 1 }) },
    call: ({ trainer }, options) => likelihoods.totalVariation(trainer.model, checkerboard(), options),
  },
  sampleChunks: {
    options: { count: 1, chunk: 1, solver: divflow.euler({ steps: 1 }), logDensity: true },
    call: async ({ trainer }, options) => {
      for await (const _ of likelihoods.sampleChunks(trainer.model, options)) return;
    },
  },
  shardRows: {
    options: { count: 2, seed: 1, solver: divflow.euler({ steps: 1 }), logDensity: true },
    call: ({ trainer }, options) => likelihoods.shardRows(trainer.model, options, { index: 0, of: 2 }),
  },
  "shardRows, shard": {
    options: { index: 0, of: 2 },
    call: ({ trainer }, shard) => likelihoods.shardRows(trainer.model, { count: 2 }, shard),
  },
  logDensityOfRows: {
    options: { rows: { first: 0, last: 1 }, solver: divflow.euler({ steps: 1 }), seed: 1 },
    call: ({ trainer }, options) => likelihoods.logDensityOfRows(trainer.model, [0, 0], options),
  },
  "logDensityOfRows, rows": {
    options: { first: 0, last: 1 },
    call: ({ trainer }, rows) => likelihoods.logDensityOfRows(trainer.model, [0, 0], { rows }),
  },
  "sample, known": {
    options: { values: [0, 1], mask: [0, 1], by: "guidance", strength: 2, deviation: 2 },
    call: ({ trainer }, known) => trainer.model.sample({ count: 1, known }),
  },
  "sample, guide": {
    options: { by: networks.defineGuidance({ name: "sum", build: ({ samples }) => networks.ops.sum(samples, [1]) }) },
    call: ({ trainer }, guide) => trainer.model.sample({ count: 1, guide }),
  },
  "sample, nested": {
    options: { divergence: "hutchinson", probes: 2 },
    call: ({ trainer }, logDensity) => trainer.model.sample({ count: 1, logDensity }),
  },
  logDensity: {
    options: { divergence: "exact", seed: 1 },
    call: ({ trainer }, options) => trainer.model.logDensity([0, 0], options),
  },
  encode: { options: { seed: 1 }, call: ({ trainer }, options) => trainer.model.encode([0, 0], options) },
  "encode, nested": {
    options: { divergence: "hutchinson", probes: 2 },
    call: ({ trainer }, logDensity) => trainer.model.encode([0, 0], { logDensity }),
  },
  velocity: { options: { ema: false }, call: ({ trainer }, options) => trainer.model.velocity([0, 0], [0], options) },
};

async function ran(trainer: divflow.Trainer, options: divflow.RunOptions) {
  for await (const _ of trainer.run(options));
}

/** A name with a letter left out; of two, with one too many. */
const misspelt = (name: string) => (name.length > 2 ? name.slice(0, 2) + name.slice(3) : `${name}${name.at(-1)}`);
const noOptions = [5, true, "options", [], null];

/** What a call throws or rejects with. */
async function failure(call: () => unknown): Promise<unknown> {
  try {
    await call();
    return undefined;
  } catch (error) {
    return error;
  }
}

async function expectStrict(options: object, call: (options: never) => unknown): Promise<void> {
  expect(await failure(() => call(options as never))).toBeUndefined();
  for (const name of Object.keys(options)) {
    const error = await failure(() => call({ ...options, [misspelt(name)]: 1 } as never));
    expect(error, misspelt(name)).toBeInstanceOf(ConfigError);
    expect((error as Error).message).toContain(`Did you mean ${name}?`);
  }
  expect(await failure(() => call({ ...options, unheardOf: undefined } as never))).toBeInstanceOf(ConfigError);
  for (const given of noOptions) {
    expect(await failure(() => call(given as never)), String(given)).toBeInstanceOf(ConfigError);
  }
}

describe("makers", () => {
  test.each(Object.entries(factories))("%s", (_name, { options, call }) => expectStrict(options, call));
});

describe("posteriors", () => {
  const quick = { hidden: [4], steps: 1, batchSize: 4, simulations: 30, validation: 0.1, patience: 2 } as const;
  const prior = inference.uniform({ low: 0, high: 1 });
  const simulate: inference.Simulator<typeof prior> = (x) => x;
  const solver = divflow.euler({ steps: 1 });
  const infer = async (options: object) => {
    const here = made["on this thread"]?.runtime as divflow.Runtime;
    return inference.posterior(here, { prior, simulate, ...quick, ...options });
  };
  type Made = Awaited<ReturnType<typeof infer>>;
  const ask = { observation: 0.5, solver, seed: 1 };
  const questions: Readonly<Record<string, { options: object; call: (of: Made, options: never) => unknown }>> = {
    sample: { options: { count: 1, ...ask }, call: (of, options) => of.sample(options) },
    logDensity: { options: { divergence: "exact", ...ask }, call: (of, options) => of.logDensity([0.5], options) },
    logDensityInterval: {
      options: { probes: 3, ...ask },
      call: (of, options) => of.logDensityInterval([0.5], options),
    },
    mode: { options: { starts: 1, iterations: 1, ...ask }, call: (of, options) => of.mode(options) },
    summary: { options: { count: 3, level: 0.5, ...ask }, call: (of, options) => of.summary(options) },
    predictive: { options: { count: 1, concurrency: 1, ...ask }, call: (of, options) => of.predictive(options) },
    calibrate: {
      options: { simulations: 3, draws: 2, concurrency: 1, solver, seed: 1 },
      call: (of, options) => of.calibrate(options),
    },
  };
  test("posterior", () => {
    const options = { prior, simulate, observation: 0.5, concurrency: 1, seed: 1, loss: cfm(), ...quick };
    const here = made["on this thread"]?.runtime as divflow.Runtime;
    return expectStrict(options, (given) => inference.posterior(here, given));
  });
  test("inference, and its training", async () => {
    const options = { prior, simulate, observation: 0.5, concurrency: 1, seed: 1, simulations: 30 };
    await expectStrict(options, (given) => inference.inference(given));
    const steps = await inference.inference(options);
    const { simulations: _, ...training } = quick;
    await expectStrict({ ...training, loss: cfm() }, async (given) => steps.training(given));
  });
  test("loadPosterior", async () => {
    const here = made["on this thread"]?.runtime as divflow.Runtime;
    const bytes = await (await infer({})).checkpoint();
    const options = { prior, simulate, source: "mine" };
    await expectStrict(options, (given) => inference.loadPosterior(here, bytes, given));
  });
  test.each(Object.entries(questions))("%s", async (_name, { options, call }) => {
    const of = await infer({ observation: 0.5 });
    await expectStrict(options, (given) => call(of, given));
  });
  test("none is left out", () => {
    const listed = [
      "posterior",
      "inference",
      "loadPosterior",
      "uniform",
      "logUniform",
      "normal",
      "logNormal",
      "definePrior",
    ];
    expect(Object.keys(inference).sort()).toEqual(listed.sort());
  });
});

describe("checks of paths", () => {
  const options = { dimension: 1, count: 8, seed: 1, from: 0.1, to: 0.9 };
  const own = { ...options, field: (x: divflow.Node) => x };
  test("steinIdentity", () => expectStrict(own, (given) => likelihoods.steinIdentity(divflow.condOT(), given)));
  test("continuityError", () => expectStrict(options, (given) => likelihoods.continuityError(divflow.condOT(), given)));
});

describe("measures of samples", () => {
  test.each(Object.entries(measures))("%s", (_name, { options, call }) => expectStrict(options, call));

  test("none is left out", () => {
    const without = ["assignment", "squaredDistances", "wasserstein", "uniformBands"];
    expect([...Object.keys(measures), ...without].sort()).toEqual(Object.keys(diagnostics).sort());
  });
});

describe("trajectories", () => {
  const options = { count: 2, seed: 1, length: 3, standardize: "channel", signal: undefined };
  const sets = dynamics.trajectoryNames.map((name) => [
    name,
    (given: object) => dynamics.trajectoriesNamed(name, given),
  ]);
  test.each(sets as [string, (given: object) => unknown][])("%s", (_name, call) => expectStrict(options, call));
});

describe.each(["on this thread", "in a worker"])("calls %s", (where) => {
  test.each(Object.entries(calls))("%s", (name, { options, call }) => {
    const there = made[where] as Made;
    if (!name.endsWith("nested")) return expectStrict(options, (given) => call(there, given));
    return expectStrict(options, (given) => {
      if (typeof given === "boolean") throw new ConfigError(facts); // true and false are no options, but right
      return call(there, given);
    });
  });
});

/** Functions of `divflow/diagnostics`, on two samples. */
const [few, others] = [
  [[0], [1], [3]],
  [[2], [0], [1]],
];
const posteriors = few.map(() => [[0], [1]]);
const measures: Readonly<Record<string, Entry>> = {
  sinkhorn: {
    options: {
      ...{ regularisation: 1, tolerance: 1e-3, iterations: 500, unconverged: "return" },
      ...{ rowWeights: [1, 2, 1], columnWeights: [1, 1, 1] },
    },
    call: (options) => diagnostics.sinkhorn(few, others, options),
  },
  drawPairs: {
    options: { seed: 1, count: 2, replacement: false },
    call: (options) => diagnostics.drawPairs(diagnostics.sinkhorn(few, others), options),
  },
  slicedWasserstein: {
    options: { projections: 3, seed: 1, signal: undefined },
    call: (options) => diagnostics.slicedWasserstein(few, others, options),
  },
  mmd: {
    options: { bandwidth: 1, permutations: 3, seed: 1, signal: undefined },
    call: (options) => diagnostics.mmd(few, others, options),
  },
  energyDistance: {
    options: { permutations: 3, seed: 1, signal: undefined },
    call: (options) => diagnostics.energyDistance(few, others, options),
  },
  c2st: {
    options: { folds: 3, width: 4, epochs: 2, seed: 1, signal: undefined },
    call: (options) => diagnostics.c2st(few, others, options),
  },
  sbc: {
    options: { seed: 1, level: 0.9, points: 3, bins: 2 },
    call: (options) => diagnostics.sbc(few, posteriors, options),
  },
  tarp: {
    options: { seed: 1, level: 0.9, points: 3, references: few },
    call: (options) => diagnostics.tarp(few, posteriors, options),
  },
  intervalCoverage: {
    options: { levels: [0.5], seed: 1 },
    call: (options) => diagnostics.intervalCoverage(few, posteriors, options),
  },
};

const facts = { subject: "", given: "", expected: "", remedy: "" };

test("no exported function is left out", () => {
  const without = [
    ...["verifyCase", "wasmFeatures", "readNpy", "writeNpy", "readPoints", "sampleData", "save", "product"],
    ...["verifyTolerances", "rebuildError", "splitRows"],
  ];
  const functions = Object.entries(divflow).flatMap(([name, value]) =>
    typeof value === "function" && !(value.prototype instanceof Error) ? [name] : [],
  );
  const listed = [...Object.keys(factories), ...Object.keys(calls)].map((name) => name.split(",")[0]);
  expect(functions.filter((name) => !listed.includes(name) && !without.includes(name))).toEqual([]);
});

test("mistakes with parts are said so, wherever the engine is", async () => {
  const wrong = [5, "cond-ot", {}, null, divflow.condOT];
  for (const { runtime, trainer, file } of Object.values(made)) {
    for (const given of wrong as never[]) {
      for (const part of ["network", "path", "loss", "data", "optimizer"] as const) {
        const call = () => runtime.createTrainer({ ...smallOptions(), [part]: given });
        expect(await failure(call), part).toBeInstanceOf(ConfigError);
      }
      expect(await failure(() => trainer.model.sample({ count: 1, solver: given }))).toBeInstanceOf(ConfigError);
      expect(await failure(() => load(runtime, file, { path: given }))).toBeInstanceOf(ConfigError);
      const losses = { data: checkerboard(), loss: cfm(), batches: 1, batchSize: 2 };
      for (const part of ["data", "loss", "path"] as const) {
        const call = () => evaluateLosses(runtime, trainer.model, { ...losses, [part]: given });
        expect(await failure(call), part).toBeInstanceOf(ConfigError);
      }
      const signal = given;
      for (const call of [
        () => trainer.model.sample({ count: 1, signal }),
        () => trainer.model.encode([0, 0], { signal }),
        () => trainer.model.velocity([0, 0], [0], { signal }),
        () => evaluateLosses(runtime, trainer.model, { ...losses, signal }),
        () => ran(trainer, { steps: 1, signal }),
      ]) {
        expect(await failure(call)).toBeInstanceOf(ConfigError);
      }
    }
  }
});

test("a runtime's options and runtimes themselves", async () => {
  const wrong: object[] = [
    { gpu: 5 },
    { gpu: {} },
    { device: "gpu" },
    { worker: 1 },
    { worker: "" },
    { backend: "reference", threads: 4 },
    { backend: "webgpu", relaxedSimd: false },
    { relaxedSimd: "yes" },
    { threads: "2" },
    { backend: "cpu" },
    { tune: "yes" },
    { storage: "f64" },
  ];
  for (const options of wrong) {
    expect(await failure(() => createRuntime(options)), JSON.stringify(options)).toBeInstanceOf(ConfigError);
  }
  const { runtime, trainer, file } = made["on this thread"] as Made;
  for (const given of [undefined, 5, createRuntime, Promise.resolve(runtime)] as never[]) {
    for (const call of [
      () => createTrainer(given, smallOptions()),
      () => load(given, file),
      () => resume(given, file),
      () => evaluateLosses(given, trainer.model, { data: checkerboard(), loss: cfm() }),
      () => divflow.verifyCase(given, "{}"),
      () => divflow.save(given, "x"),
      () => divflow.sampleData(given, 1),
    ]) {
      expect(await failure(call)).toBeInstanceOf(ConfigError);
    }
  }
  expect(await failure(() => divflow.save(trainer, 5 as never))).toBeInstanceOf(ConfigError);
  expect(await failure(() => load(runtime, file, { source: 5 as never }))).toBeInstanceOf(ConfigError);
  expect(await failure(() => resume(runtime, file, { source: "" }))).toBeInstanceOf(ConfigError);
  await trainSteps(trainer, 1);
  expect(mlp({ dimension: 1 }).dimension).toBe(1);
});

test("what another option makes void", async () => {
  const { trainer } = made["on this thread"] as Made;
  const exact = { divergence: "exact", probes: 4 } as const;
  expect(await failure(() => trainer.model.logDensity([0, 0], exact))).toBeInstanceOf(ConfigError);
  expect(await failure(() => trainer.model.sample({ count: 1, logDensity: exact }))).toBeInstanceOf(ConfigError);
  expect(await failure(() => trainer.model.logDensity([0, 0], { probes: 4 }))).toBeInstanceOf(ConfigError);
});

test("0 is offered where it is allowed alone", () => {
  expect(() => divflow.adam({ learningRate: 1e-50 })).toThrow(/expected 0, or from 1\.2e-38/);
  expect(() => divflow.adam({ epsilon: 1e-50 })).toThrow(/expected from 1\.2e-38/);
  expect(() => divflow.condOT({ sigmaMin: 1e-50 })).toThrow(/expected 0, or from/);
});

test("names that two coordinates would have", () => {
  expect(() => arrayData([[1, 2]], undefined, { columns: ["a", "a"] })).toThrow(/got "a", expected each name once/);
  expect(arrayData([[1, 2]], undefined, { columns: ["", ""] }).columns).toEqual(["", ""]); // without names
});
