/**
 * Densities of the plane that are known: the paper's checkerboard and its like. What FDM's terms, estimates and weights do to them
 * is asked by contenders of their own.
 */
import { flowMap, frozenField, meanFlow, suggestDivergenceWeight } from "../../flows.ts";
import {
  adam,
  condOT,
  cosineDecay,
  type DataSource,
  dataFrom,
  mlp,
  product,
  sampleData,
  staircase,
  warmUp,
} from "../../index.ts";
import { planePictures } from "../report/pictures.ts";
import { drawnRows } from "../report/rows.ts";
import { planeOf, viewOf } from "../report/view.ts";
import { defineExperiment, type LossJob } from "./experiment.ts";
import { type PlaneContender, planeContenders } from "./plane/contenders.ts";
import { judgePlane } from "./plane/judge.ts";
import { checkPlane, type PlaneSettings, presets, sets } from "./plane/settings.ts";

/** The model that teaches a map. */
const FIELD = "field";

/** Share of a map's pairs of times that are equal, where its loss is flow matching's. */
const EQUAL = 0.25;

export const checkerboard = defineExperiment<PlaneSettings, DataSource>({
  name: "checkerboard",
  summary: "densities of the plane that are known: likelihood and total variation, FDM's terms and estimates apart",
  question:
    "Does a velocity network that also fits its divergence give a better density of the plane? The data's own density is known, " +
    "so the total variation between it and the model's is computed on a grid, beside the likelihood of fresh points and the " +
    "distance of samples.",
  input: { what: sets.join(", "), default: "checkerboard" },
  presets,
  contenders: planeContenders,
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
  check: checkPlane,
  steps: ({ steps }, loss) => (planeContenders[loss]?.isMap ? 2 * steps : steps),
  async prepare({ input, kept, evaluationSeed, settings }) {
    const data = dataFrom({ name: input, options: {} });
    await kept("held-out", () => {
      const values = sampleData(data, settings.points, evaluationSeed);
      return { values, shape: [settings.points, 2] };
    });
    return data;
  },
  train: trainPlane,
  judge: judgePlane,
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

async function trainPlane(job: LossJob<PlaneSettings, DataSource>): Promise<void> {
  const { runtime, settings, data, loss, seed, kept, fitModel, model } = job;
  const { width, layers, steps, batch, rate, decay, validations } = settings;
  const { isMap, isSuggested, loss: lossOf } = planeContenders[loss] as PlaneContender;
  const falls = decay === "staircase" ? staircase({ factor: 0.999, every: 10 }) : cosineDecay({ steps, final: 0.01 });
  const networkOf = (dimension: number) =>
    mlp({ dimension, hidden: Array.from({ length: layers }, () => width), activation: "silu" });
  const shared = {
    path: condOT(),
    optimizer: adam({ learningRate: product(rate, warmUp({ steps: 10 }), falls) }),
    data,
    batchSize: batch,
  };
  const own = { ...shared, network: networkOf(2), loss: lossOf(settings) };
  if (isMap) {
    await fitModel({ name: FIELD, steps, options: own });
    using field = await model(FIELD);
    const taught = meanFlow({ teacher: await frozenField(await field.checkpoint()), equal: EQUAL, estimator: "exact" });
    await fitModel({ steps, options: { ...shared, network: flowMap({ network: networkOf(3) }), loss: taught } });
    return;
  }
  const { data: suggested } = isSuggested
    ? await kept("suggested-weight", async () => {
        const { weight } = await suggestDivergenceWeight(runtime, { ...own, seed });
        return { values: Float64Array.of(weight), shape: [1] };
      })
    : { data: [settings.weight] };
  await fitModel({
    steps,
    options: {
      ...own,
      loss: lossOf({ ...settings, weight: suggested[0] as number }),
      ...(validations > 0
        ? {
            validation: data,
            validateEvery: Math.max(1, Math.round(steps / validations)),
            earlyStopping: { patience: Number.POSITIVE_INFINITY, by: "negativeLogLikelihood" as const },
          }
        : {}),
    },
  });
}
