/** Simulation-based inference: posteriors of four benchmark tasks, told from the true ones by a classifier, and their calibration. */
import { c2st } from "../../diagnostics.ts";
import { cfm, fdm, type Loss } from "../../index.ts";
import { type Inference, inference, type Prior } from "../../posterior.ts";
import { oneOf } from "../arguments.ts";
import { columnPictures } from "../report/pictures.ts";
import { meanAndDeviation, meanWithError } from "../statistics.ts";
import { type Contender, defineExperiment, type Metric, type Settings } from "./experiment.ts";
import { type PosteriorTask, posteriorTasks } from "./posterior-tasks.ts";

interface PosteriorSettings extends Settings {
  readonly simulations: number;
  readonly width: number;
  readonly layers: number;
  readonly steps: number;
  /** Of the divergence term. */
  readonly weight: number;
  /** Deviation of the noise on the simulations' parameters, of contenders that have it: standardised. */
  readonly jitter: number;
  /** Observations whose posteriors a classifier compares with the true ones. */
  readonly observations: number;
  /** Draws of each of them. */
  readonly draws: number;
  /** Fresh simulations, whose parameters models are asked for the density of, and that calibrate them. */
  readonly fresh: number;
}

interface PosteriorData {
  readonly task: PosteriorTask;
  readonly inference: Inference<Prior<Float64Array>>;
}

interface PosteriorContender extends Contender {
  loss(settings: PosteriorSettings): Loss;
  readonly jitters?: boolean;
}

const tasks = Object.keys(posteriorTasks) as (keyof typeof posteriorTasks)[];

const contenders: Readonly<Record<string, PosteriorContender>> = {
  cfm: {
    ...{ title: "CFM", cost: 1, about: "the velocity's mean square alone: conditional flow matching" },
    loss: () => cfm(),
  },
  fdm: {
    ...{ title: "FDM", cost: 2, about: "the velocity's and the divergence's, with the weight of the settings" },
    loss: ({ weight }) => fdm({ divergence: weight }),
  },
  "cfm-noise": {
    ...{
      title: "CFM, noise",
      cost: 1,
      about: "CFM with noise on the parameters, anew for each batch: for few simulations",
    },
    ...{ loss: () => cfm(), jitters: true },
  },
  "fdm-noise": {
    ...{ title: "FDM, noise", cost: 2, about: "FDM with the same noise" },
    ...{ loss: ({ weight }) => fdm({ divergence: weight }), jitters: true },
  },
};

const shared = { simulations: 10_000, layers: 5, weight: 0.1, jitter: 0.3 };
/** Of what is kept: a fresh simulation's nats each. */
const NATS = "nats";

export const posterior = defineExperiment<PosteriorSettings, PosteriorData>({
  name: "posterior",
  summary: "simulation-based inference: posteriors of benchmark tasks by C2ST, and their calibration",
  question:
    "Given simulations of a model with parameters drawn from a prior, how near does a flow of the parameters that is told the data come to " +
    "the true posterior? The tasks are the benchmark's of Lueckmann et al.; a classifier tells samples from draws of the true posterior, " +
    "where these are known, and fresh simulations say whether the posterior's intervals hold what they say.",
  input: { what: tasks.join(", "), default: "two_moons" },
  presets: {
    quick: {
      settings: { ...shared, width: 64, steps: 2000, observations: 3, draws: 1000, fresh: 200 },
      ...{ seeds: 1, cost: "about 2 minutes for two losses on two cores." },
    },
    standard: {
      settings: { ...shared, width: 128, steps: 8000, observations: 10, draws: 2000, fresh: 1000 },
      ...{ seeds: 3, cost: "about half an hour for three seeds of two losses on two cores." },
    },
    paper: {
      settings: {
        ...shared,
        simulations: 100_000,
        width: 128,
        steps: 30_000,
        observations: 10,
        draws: 10_000,
        fresh: 1000,
      },
      ...{ seeds: 3, cost: "the benchmark's largest budget; the paper has no such experiment. Hours on two cores." },
    },
  },
  contenders,
  headline: ["nats", "c2st", "coverage"],
  shares: { prepare: 0.01, judge: 0.5 },
  paper: [],
  differences: (_, input) => [
    `The paper has no such experiment. Published accuracies of the classifier for 10,000 simulations of ${input}, by other classifiers and of ` +
      "other networks, stand in docs/posterior.md.",
  ],
  check: (_, input) => void oneOf("--data of posterior", input, tasks),
  steps: ({ steps }) => steps,
  async prepare({ input, seed, settings, signal }) {
    const task = posteriorTasks[input as keyof typeof posteriorTasks]();
    const { prior, simulate } = task;
    return { task, inference: await inference({ prior, simulate, simulations: settings.simulations, seed, signal }) };
  },
  async train({ settings, data, loss, fitModel }) {
    const { steps, width, layers } = settings;
    const hidden = Array.from({ length: layers }, () => width);
    const { jitters = false, ...contender } = contenders[loss] as PosteriorContender;
    const noise = jitters ? { jitter: settings.jitter } : {};
    const options = data.inference.training({ loss: contender.loss(settings), hidden, steps, ...noise });
    await fitModel({ steps, options });
  },
  async judge({ settings, data, evaluationSeed: seed, signal, progress, kept, model }) {
    const { task } = data;
    const { prior, simulate, drawPosterior } = task;
    using trained = data.inference.posterior(await model());
    const { simulations } = await inference({ prior, simulate, simulations: settings.fresh, seed, signal });
    const width = simulations.observations.length / simulations.count;
    const { dimension } = trained;
    const observationOf = (i: number) => simulations.observations.slice(i * width, (i + 1) * width);
    const { data: nats } = await kept(NATS, async () => {
      const values = new Float64Array(simulations.count);
      for (let i = 0; i < values.length; i++) {
        const truth = simulations.parameters.slice(i * dimension, (i + 1) * dimension);
        const found = await trained.logDensity(truth, { observation: observationOf(i), seed, signal });
        values[i] = -(found.values[0] as number);
        await progress((0.4 * i) / values.length, "log-densities");
      }
      return { values, shape: [values.length] };
    });
    const accuracies: number[] = [];
    for (let i = 0; drawPosterior && i < settings.observations; i++) {
      const observation = observationOf(i);
      const count = settings.draws;
      const { observations: draws } = (
        await inference({
          ...{ prior, simulations: count, seed: seed + 1 + i, signal },
          simulate: (_, { random }) => drawPosterior(observation, random),
        })
      ).simulations;
      const exact = await kept(`true-${i}`, () => ({ values: draws, shape: [count, dimension] }));
      const own = await kept(`samples-${i}`, async () => {
        const { values } = await trained.sample({ count, observation, seed, signal });
        return { values, shape: [count, dimension] };
      });
      const cloud = ({ data: values }: typeof own) => ({
        values: Float64Array.from(values as Float64Array),
        shape: [count, dimension],
      });
      accuracies.push((await c2st(cloud(own), cloud(exact), { seed, signal })).accuracy);
      await progress(0.4 + (0.4 * (i + 1)) / settings.observations, "told from the true posterior");
    }
    const { coverage, pValue } = await trained.calibrate({
      simulations: settings.fresh,
      draws: 100,
      seed: seed + 999,
      signal,
    });
    const misses = coverage.flatMap(({ level, coverage: found }) =>
      Array.from(found, (one) => 100 * Math.abs(one - level)),
    );
    const metrics: Metric[] = [
      {
        name: "nats",
        title: "negative log-density of the true parameters",
        unit: "nats",
        better: "lower",
        each: NATS,
        ...meanWithError(Array.from(nats)),
      },
      {
        ...{ name: "c2st", title: "accuracy of a classifier against the true posterior (0.5: none)", better: "lower" },
        ...(accuracies.length > 0 ? meanWithError(accuracies) : { value: Number.NaN }),
      },
      {
        ...{ name: "coverage", title: "intervals of 50, 80, 90 and 95 % are off by", unit: "points", better: "lower" },
        value: meanAndDeviation(misses).mean,
      },
      { name: "calibration", title: "least p-value of the tests of calibration, times their number", value: pValue },
    ];
    return { metrics };
  },
  async pictures({ models, seeds }) {
    const [seed = 0] = seeds;
    const own = models.filter((one) => one.seed === seed && one.judgement.metrics.some(({ name }) => name === "c2st"));
    const portraits = [];
    let exact: Float64Array | undefined;
    let dimension = 0;
    for (const { title, style, array } of own) {
      const found = await array("samples-0").catch(() => undefined);
      if (!found) continue;
      dimension = found.shape[1] as number;
      portraits.push({ title, style, samples: Float64Array.from(found.data as Float64Array) });
      exact = Float64Array.from((await array("true-0")).data as Float64Array);
    }
    if (!exact) return "";
    const columns = Array.from({ length: dimension }, (_, k) => `parameter ${k + 1}`);
    const rows = { values: exact, count: exact.length / dimension, dimension, columns, drawn: true };
    return `<p>The posterior of one observation: draws of the true one as data, and samples of the models.</p>${columnPictures(rows, portraits)}`;
  },
});
