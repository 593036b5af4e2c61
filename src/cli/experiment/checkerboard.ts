/**
 * Densities of the plane that are known: the paper's checkerboard and its like. What FDM's terms, estimates and weights do to them
 * is asked by contenders of their own.
 */
import { slicedWasserstein } from "../../diagnostics.ts";
import {
  adam,
  cfm,
  condOT,
  cosineDecay,
  type DataSource,
  dataFrom,
  type FDMOptions,
  fdm,
  type Loss,
  mlp,
  paper2d,
  product,
  rk4,
  sampleData,
  staircase,
  warmUp,
} from "../../index.ts";
import { totalVariation, totalVariationBound } from "../../likelihoods.ts";
import { number, oneOf } from "../arguments.ts";
import { planePictures } from "../report/pictures.ts";
import { drawnRows } from "../report/rows.ts";
import { planeOf, viewOf } from "../report/view.ts";
import { meanWithError } from "../statistics.ts";
import { type Contender, defineExperiment, type Metric, type Settings } from "./experiment.ts";

interface PlaneSettings extends Settings {
  readonly width: number;
  readonly layers: number;
  readonly steps: number;
  readonly batch: number;
  readonly rate: number;
  /** Of the divergence term, in the form that `objective` says. */
  readonly weight: number;
  /** "slice", "residual", or "paper-2d": the published program's, with both. */
  readonly objective: string;
  /** Points that models are judged by. */
  readonly points: number;
  /** Of the grid along each coordinate that the total variation is taken on. */
  readonly grid: number;
  /** Steps of RK4 from noise to data. */
  readonly solver: number;
  /**
   * Validations on the way: likelihoods of fresh points, whose curve the report shows; 0: none. Models are judged as they are at the end: to
   * choose the best of so few points would choose by chance.
   */
  readonly validations: number;
  /** "cosine", to 1 % at the end, or "staircase", times 0.999 each 10 steps. */
  readonly decay: string;
}

const sets = ["checkerboard", "eight-gaussians", "moons", "spirals", "pinwheel", "rings", "gaussian-mixture"] as const;
const objectives = ["slice", "residual", "paper-2d"] as const;
const decays = ["cosine", "staircase"] as const;

/** The terms alone need a trace of the velocity's: its weight has to be positive. */
const NEXT_TO_NOTHING = 1e-6;

interface PlaneContender extends Contender {
  loss(settings: PlaneSettings): Loss;
}

/** FDM as the settings have it, but for these options, which the published objective does not have. */
function fdmWith(options: FDMOptions): PlaneContender["loss"] {
  return ({ weight, objective }) => {
    const form = objective === "residual" ? "residual" : "slice";
    return fdm({ divergence: weight, form, ...options });
  };
}

const contenders: Readonly<Record<string, PlaneContender>> = {
  cfm: {
    title: "CFM",
    cost: 1,
    about: "the velocity's mean square alone: conditional flow matching",
    loss: () => cfm(),
  },
  fdm: {
    title: "FDM",
    cost: 2,
    about: "the velocity's and the divergence's, in the form and with the weight of the settings",
    loss: (settings) =>
      settings.objective === "paper-2d" ? paper2d({ divergence: settings.weight }) : fdmWith({})(settings),
  },
  exact: {
    title: "Exact FDM",
    cost: 3,
    about: "FDM with the exact divergence, by two Jacobian-vector products, in place of Hutchinson's estimate",
    loss: fdmWith({ estimator: "exact" }),
  },
  gaussian: {
    title: "FDM with normal probes",
    cost: 2,
    about: "FDM with N(0, I) probes in place of signs",
    loss: fdmWith({ probe: "gaussian" }),
  },
  probes: { title: "FDM with 4 probes", cost: 5, about: "FDM with four probes", loss: fdmWith({ probes: 4 }) },
  quarter: {
    title: "FDM on a quarter",
    cost: 1.25,
    about: "FDM with its divergence term on a quarter of each batch",
    loss: fdmWith({ fraction: 0.25 }),
  },
  slice: {
    title: "Slice FDM",
    cost: 2,
    about: "FDM with the residual's Jacobian along the probe",
    loss: fdmWith({ form: "slice" }),
  },
  residual: {
    title: "Residual FDM",
    cost: 2,
    about: "FDM with the scalar residual, of Hutchinson's trace",
    loss: fdmWith({ form: "residual" }),
  },
  divergence: {
    title: "Divergence alone",
    cost: 2,
    about: "the divergence term alone: the velocity's has a weight of a millionth beside it",
    loss: (settings) =>
      fdm({
        divergence: 1,
        velocityWeight: NEXT_TO_NOTHING,
        form: settings.objective === "residual" ? "residual" : "slice",
      }),
  },
  "paper-2d": {
    title: "Published objective",
    cost: 2,
    about:
      "what the published program trains on: the velocity, the slice, the residual and the velocity's error once more",
    loss: () => paper2d({ divergence: 0.1 }),
  },
};

/** Solves for pictures and bounds need less than for figures. */
const PICTURE_STEPS = 25;

/** Points that the two samples of a sliced distance have, at most. */
const SLICED_POINTS = 4096;

export const checkerboard = defineExperiment<PlaneSettings, DataSource>({
  name: "checkerboard",
  summary: "densities of the plane that are known: likelihood and total variation, FDM's terms and estimates apart",
  question:
    "Does a velocity network that also fits its divergence give a better density of the plane? The data's own density is known, " +
    "so the total variation between it and the model's is computed on a grid, beside the likelihood of fresh points and the " +
    "distance of samples.",
  input: { what: sets.join(", "), default: "checkerboard" },
  presets: {
    quick: {
      settings: {
        ...{
          width: 64,
          layers: 4,
          steps: 8000,
          batch: 512,
          rate: 0.01,
          weight: 0.3,
          objective: "slice",
          decay: "cosine",
        },
        ...{ points: 4096, grid: 128, solver: 50, validations: 16 },
      },
      seeds: 1,
      cost: "about 2 minutes for two losses on two cores.",
    },
    standard: {
      settings: {
        ...{
          width: 128,
          layers: 4,
          steps: 20_000,
          batch: 512,
          rate: 0.005,
          weight: 0.3,
          objective: "slice",
          decay: "cosine",
        },
        ...{ points: 16_384, grid: 192, solver: 50, validations: 20 },
      },
      seeds: 3,
      cost: "about an hour for three seeds of two losses on two cores.",
    },
    paper: {
      settings: {
        ...{
          width: 512,
          layers: 4,
          steps: 30_000,
          batch: 512,
          rate: 0.001,
          weight: 0.1,
          objective: "paper-2d",
          decay: "staircase",
        },
        ...{ points: 16_384, grid: 192, solver: 100, validations: 20 },
      },
      seeds: 3,
      cost: "the paper's network and length, for a GPU; on two cores about 6 hours for three seeds of two losses.",
    },
  },
  contenders,
  headline: ["nats", "totalVariation", "slicedWasserstein"],
  shares: { prepare: 0.01, judge: 0.5 },
  paper: [
    {
      measure: "checkerboard, likelihood of a point, higher is better",
      figures: { cfm: "2.38e-2", fdm: "2.53e-2" },
      metric: "likelihood",
      source: "arXiv 2602.00869, from summaries of it",
    },
  ],
  differences(settings, input) {
    const { width, layers, steps, batch, objective, weight, decay, rate } = settings;
    return [
      ...(input === "checkerboard" ? [] : [`The data: ${input}, where the paper's figures are of the checkerboard.`]),
      ...(width === 512 && layers === 4 ? [] : [`The network: ${layers} layers of ${width}, not 4 of 512.`]),
      ...(steps === 30_000 && batch === 512 ? [] : [`Training: ${steps} steps of ${batch}, not 30,000 of 512.`]),
      ...(rate === 0.001 && decay === "staircase"
        ? []
        : [`The rate: ${rate} with a ${decay} decay, not 0.001 times 0.999 each 10 steps.`]),
      ...(objective === "paper-2d" && weight === 0.1
        ? []
        : [`The divergence term: ${objective} with weight ${weight}, not the published program's with 0.1.`]),
      "Log-likelihoods: exact divergence by RK4, where the published program takes Euler's method with 100 steps and 10 Hutchinson probes.",
      "The likelihood of a point is the mean of the model's density over fresh points of the data; how the paper averages is not known.",
    ];
  },
  check({ objective, decay, validations }, input) {
    number(
      "--set validations",
      String(validations),
      "an integer of at least 0",
      (value) => Number.isInteger(value) && value >= 0,
    );
    oneOf("--data of checkerboard", input, sets);
    oneOf("--set objective", objective, objectives);
    oneOf("--set decay", decay, decays);
  },
  steps: ({ steps }) => steps,
  async prepare({ input, kept, evaluationSeed, settings }) {
    const data = dataFrom({ name: input, options: {} });
    await kept("held-out", () => {
      const values = sampleData(data, settings.points, evaluationSeed);
      return { values, shape: [settings.points, 2] };
    });
    return data;
  },
  async train({ settings, data, loss, fitModel }) {
    const { width, layers, steps, batch, rate, decay, validations } = settings;
    const falls = decay === "staircase" ? staircase({ factor: 0.999, every: 10 }) : cosineDecay({ steps, final: 0.01 });
    const contender = contenders[loss] as PlaneContender;
    await fitModel({
      steps,
      options: {
        network: mlp({ dimension: 2, hidden: Array.from({ length: layers }, () => width), activation: "silu" }),
        path: condOT(),
        loss: contender.loss(settings),
        optimizer: adam({ learningRate: product(rate, warmUp({ steps: 10 }), falls) }),
        data,
        batchSize: batch,
        ...(validations > 0
          ? {
              validation: data,
              validateEvery: Math.max(1, Math.round(steps / validations)),
              earlyStopping: { patience: Number.POSITIVE_INFINITY, by: "negativeLogLikelihood" as const },
            }
          : {}),
      },
    });
  },
  async judge({ settings, data, evaluationSeed: seed, signal, progress, kept, model: open }) {
    using model = await open();
    const solver = rk4({ steps: settings.solver });
    const solve = { solver, best: false, signal } as const; // the last parameters
    const exact = { ...solve, divergence: "exact" } as const;
    const points = sampleData(data, settings.points, seed);
    const samples = await kept("samples", async () => {
      const { values, count } = await model.sample({ count: settings.points, seed, ...solve });
      return { values, shape: [count, 2] };
    });
    await progress(0.1, "samples");
    const { data: nats } = await kept("negative-log-likelihoods", async () => {
      const { values } = await model.logDensity(points, exact);
      return { values: values.map((value) => -value), shape: [points.length / 2] };
    });
    await progress(0.3, "likelihoods");
    const view = viewOf(data, drawnRows(data, seed));
    if (view) {
      await kept("density", async () => {
        const { values } = await model.logDensity(view.grid, { ...exact, solver: rk4({ steps: PICTURE_STEPS }) });
        return { values: values.map(Math.exp), shape: [values.length] };
      });
    }
    await progress(0.5, "density");
    const distance = data.logDensity
      ? (await totalVariation(model, data, { points: settings.grid, ...solve })).distance
      : Number.NaN;
    await progress(0.8, "total variation");
    const bound = await totalVariationBound(model, data, {
      ...{ count: 10_000, against: "conditional", best: false, seed, signal },
    });
    await progress(0.9, "its bound");
    const count = Math.min(SLICED_POINTS, settings.points);
    const sliced = await slicedWasserstein(
      { values: samples.data.subarray(0, 2 * count), shape: [count, 2] },
      { values: points.subarray(0, 2 * count), shape: [count, 2] },
      { seed, signal },
    );
    const likelihoods = Array.from(nats, (value) => Math.exp(-value));
    const metrics: Metric[] = [
      {
        name: "nats",
        title: "negative log-likelihood, held out",
        unit: "nats",
        better: "lower",
        ...meanWithError(Array.from(nats)),
      },
      { name: "totalVariation", title: "total variation to the data's density", better: "lower", value: distance },
      {
        name: "slicedWasserstein",
        title: "sliced 2-Wasserstein distance of samples",
        unit: "data units",
        better: "lower",
        value: sliced.distance,
        error: sliced.standardError,
      },
      { name: "likelihood", title: "likelihood of a point, held out", better: "higher", ...meanWithError(likelihoods) },
      {
        name: "bound",
        title: "conditional bound on the total variation up to t = 0.95, to compare by",
        better: "lower",
        value: bound.bound,
        error: bound.standardError,
      },
    ];
    return { metrics };
  },
  async pictures({ input, models, seeds }) {
    const data = dataFrom({ name: input, options: {} });
    const [seed = 0] = seeds;
    const rows = drawnRows(data, seed);
    const view = viewOf(data, drawnRows(data, seed + 1_000_003));
    if (!view) return "";
    const shown = models.filter((one) => one.seed === seed);
    const portraits = await Promise.all(
      shown.map(async ({ title, style, array }) => ({
        ...{ title, style },
        density: (await array("density")).data,
        samples: (await array("samples")).data,
      })),
    );
    return planePictures(view, planeOf(view, data, rows, seed), rows, portraits);
  },
});
