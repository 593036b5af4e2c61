/** Judges a model of pictures: bits of held-out ones, and what its samples are like. */
import { flowMapSteps } from "../../../flows.ts";
import { dopri5, euler, heun, type Model, type Solver } from "../../../index.ts";
import { meanWithError } from "../../statistics.ts";
import type { Judgement, LossJob, Metric, Series } from "../experiment.ts";
import { type Features, frechetDistance, frechetWithError } from "../frechet.ts";
import { isMap, ROWS } from "./contenders.ts";
import { asNumbers, asPictures, LABEL, type PictureData, spreadRows } from "./data.ts";
import { nearestOf } from "./nearest.ts";
import {
  bitsPerDimension,
  chosenPictures,
  dequantised,
  type LabelledPictures,
  levelsOf,
  shapeOf,
  sizeOfPicture,
} from "./picture.ts";
import type { PictureSettings } from "./settings.ts";

type PictureJob = LossJob<PictureSettings, PictureData>;

/** Strengths of guidance that are compared. */
export const GUIDANCES = [1, 1.5, 2, 3];

/** Evaluations of the network for a sample that are compared. */
const EVALUATIONS = [1, 2, 4, 8];

/** Samples that the report shows beside the nearest training pictures. */
export const BESIDE = 10;

/** Samples drawn at once, so that progress is seen. */
const CHUNK = 128;

export async function judgePictures(job: PictureJob): Promise<Judgement> {
  const { data, loss, settings, kept, progress } = job;
  if (loss === ROWS) {
    const samples = chosenPictures(data.training, spreadRows(data.training.count, settings.samples));
    await kept("samples", () => asNumbers(samples));
    const { judge } = data;
    const known: Metric[] = judge
      ? [{ name: "accuracy", title: "share of held-out pictures that the classifier names right", ...judge.accuracy }]
      : [];
    return { metrics: [...(await metricsOfSamples(job, samples, 0)), ...known] };
  }
  using model = await job.model();
  const labels = chosenPictures(data.heldOut, spreadRows(data.heldOut.count, settings.samples)).labels;
  const solver = isMap(loss) ? flowMapSteps({ steps: 1 }) : heun({ steps: settings.solver });
  const bits = await bitsOf(job, model);
  await progress(0.3, "likelihoods");
  const samples = await drawn(job, model, { name: "samples", labels, solver }, [0.3, 0.55]);
  const metrics = [...bits, ...(await metricsOfSamples(job, samples, 0.55))];
  return { metrics, series: await seriesOf(job, model, samples) };
}

async function bitsOf({ data, settings, evaluationSeed: seed, signal, kept }: PictureJob, model: Model) {
  const { tolerance, probes } = settings;
  const { levels, labels, ...shape } = chosenPictures(
    data.heldOut,
    spreadRows(data.heldOut.count, settings.likelihoods),
  );
  const { data: bits } = await kept("bits", async () => {
    const { values } = await model.logDensity(dequantised(levels, seed), {
      ...(data.classes ? { conditions: { [LABEL]: labels } } : {}),
      ...{ solver: dopri5({ relativeTolerance: tolerance, absoluteTolerance: tolerance }), seed, signal },
      ...({ divergence: "hutchinson", probes } as const),
    });
    const size = sizeOfPicture(shape);
    return { values: values.map((nats) => bitsPerDimension(nats, size)), shape: [values.length] };
  });
  const metric: Metric = {
    name: "bits",
    title: "bits per dimension, held out",
    unit: "bits",
    better: "lower",
    each: "bits",
    ...meanWithError(Array.from(bits)),
  };
  return [metric];
}

interface Draw {
  readonly name: string;
  readonly labels: Uint8Array;
  readonly solver: Solver;
  readonly guidance?: number;
}

/** Samples of these classes. */
async function drawn(
  { data, evaluationSeed, signal, kept, progress }: PictureJob,
  model: Model,
  { name, labels, solver, guidance }: Draw,
  [from, to]: readonly [number, number],
): Promise<LabelledPictures> {
  const { data: values, shape } = await kept(name, async () => {
    const size = model.dimension;
    const levels = new Float32Array(labels.length * size);
    for (let at = 0; at < labels.length; at += CHUNK) {
      const own = labels.subarray(at, at + CHUNK);
      const { values } = await model.sample({
        ...{ count: own.length, solver, seed: evaluationSeed + 1_000_003 * (at / CHUNK), signal },
        ...(data.classes ? { conditions: { [LABEL]: own } } : {}),
        ...(guidance === undefined ? {} : { guidance }),
      });
      levels.set(levelsOf(values), at * size);
      await progress(from + ((to - from) * (at + own.length)) / labels.length, name);
    }
    return { values: levels, shape: shapeOf({ ...data.heldOut, count: labels.length }) };
  });
  return { ...asPictures(values, shape), labels };
}

/** What is asked of samples, and of training pictures in their place. */
async function metricsOfSamples(job: PictureJob, samples: LabelledPictures, from: number): Promise<Metric[]> {
  const { data, evaluationSeed, signal, progress, kept } = job;
  const measured = chosenPictures(samples, spreadRows(samples.count, data.distances.length));
  const { data: nearest } = await kept("nearest", async () => {
    const { rows, distances } = await nearestOf(measured, data.training, (done) =>
      progress(from + 0.1 * done, "nearest pictures"),
    );
    await kept("beside", () => pairsOf(measured, data.training, rows));
    return { values: distances, shape: [distances.length] };
  });
  const [own, usual] = [nearest, data.distances].map((values) => meanWithError(Array.from(values)));
  const memory: Metric = {
    name: "nearest",
    title: "distance to the nearest training picture, beyond that of held-out ones",
    unit: "levels",
    value: (own?.value ?? 0) - (usual?.value ?? 0),
    error: Math.hypot(own?.error ?? 0, usual?.error ?? 0),
  };
  if (!data.judge) return [memory];
  const found = await data.judge.findingsOf(samples, signal);
  return [
    {
      name: "features",
      title: "feature distance to held-out pictures (no FID)",
      better: "lower",
      ...frechetWithError(found.features, data.judge.heldOut, evaluationSeed),
    },
    {
      name: "recognised",
      title: "share of samples that the classifier finds to be of their class",
      better: "higher",
      ...meanWithError(rightOf(found.classes, samples.labels)),
    },
    memory,
  ];
}

/** Some pictures, and behind them those that are nearest to them. */
function pairsOf(measured: LabelledPictures, training: LabelledPictures, nearest: Uint32Array) {
  const shown = spreadRows(measured.count, BESIDE);
  const own = asNumbers(chosenPictures(measured, shown));
  const beside = asNumbers(
    chosenPictures(
      training,
      shown.map((row) => nearest[row] as number),
    ),
  );
  const values = Float32Array.from([...own.values, ...beside.values]);
  return { values, shape: [2 * shown.length, ...own.shape.slice(1)] };
}

const rightOf = (found: Uint8Array, labels: Uint8Array): number[] => {
  return Array.from(found, (kind, row) => (kind === labels[row] ? 1 : 0));
};

/** What guidance does, and fewer evaluations: both by fewer samples, of equal number, as distances need it. */
async function seriesOf(job: PictureJob, model: Model, samples: LabelledPictures): Promise<readonly Series[]> {
  const { data, loss, settings, signal } = job;
  const { judge } = data;
  if (!judge) return [];
  const few = chosenPictures(samples, spreadRows(samples.count, settings.guided));
  const distanceOf = async (pictures: LabelledPictures) => {
    const { features, classes } = await judge.findingsOf(pictures, signal);
    const right = rightOf(classes, pictures.labels);
    return {
      distance: frechetDistance(features, judge.heldOut as Features),
      told: (100 * right.reduce((sum, one) => sum + one, 0)) / right.length,
    };
  };
  const usual = await distanceOf(few);
  const { labels } = few;
  const tries = EVALUATIONS.length + GUIDANCES.length;
  const span = (i: number) => [0.65 + (0.35 * i) / tries, 0.65 + (0.35 * (i + 1)) / tries] as const;
  const byEvaluations: [number, number][] = [];
  for (const [i, steps] of EVALUATIONS.entries()) {
    const solver = isMap(loss) ? flowMapSteps({ steps }) : euler({ steps });
    const own = await drawn(job, model, { name: `steps-${steps}`, labels, solver }, span(i));
    byEvaluations.push([steps, (await distanceOf(own)).distance]);
  }
  const series: Series[] = [
    {
      name: "evaluations",
      title: "Feature distance in few steps",
      note: `of ${few.count} samples, by Euler's method or the map's steps`,
      across: "evaluations of the network",
      x: byEvaluations.map(([x]) => x),
      y: byEvaluations.map(([, y]) => y),
    },
  ];
  if (isMap(loss)) return series; // a guided field is no map's
  const guided = [usual];
  for (const [i, guidance] of GUIDANCES.slice(1).entries()) {
    const solver = heun({ steps: settings.solver });
    const one = { name: `guided-${guidance}`, labels, solver, guidance };
    guided.push(await distanceOf(await drawn(job, model, one, span(EVALUATIONS.length + 1 + i))));
  }
  const across = "strength of guidance";
  return [
    {
      name: "guidedTold",
      title: "Guidance",
      note: `samples of ${few.count} that the classifier finds to be of their class, %`,
      across,
      x: GUIDANCES,
      y: guided.map(({ told }) => told),
    },
    {
      name: "guidedFeatures",
      title: "What guidance costs",
      note: `feature distance of ${few.count} samples`,
      across,
      x: GUIDANCES,
      y: guided.map(({ distance }) => distance),
    },
    ...series,
  ];
}
