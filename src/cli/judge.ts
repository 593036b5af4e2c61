/** Judges trained models by one rule, so that their figures can be compared: equal solvers, points, noise and draws. */
import { join } from "node:path";
import {
  type DataSource,
  evaluateLosses,
  type LogDensity,
  type Points,
  type Runtime,
  rk4,
  type Samples,
  type Trainer,
  writeNpy,
} from "../index.ts";
import { rowsOf } from "./held-out.ts";
import { progressBar } from "./progress.ts";
import type { Recipe } from "./recipe.ts";
import { replaceFile } from "./replace-file.ts";
import type { View } from "./report/view.ts";
import { coordinateNames, writeResults } from "./results.ts";
import { interruption } from "./signals.ts";
import { meanAndDeviation, standardErrorOf } from "./statistics.ts";
import { toldColumns, toldOf } from "./told-samples.ts";

/** What `compare` prints of a model: of its best parameters where rows were held out, else of the last ones. */
export interface Judgement {
  readonly velocityLoss: number;
  readonly divergenceLoss: number;
  /** Mean over the points, in nats, and its standard error, NaN of a single point. */
  readonly negativeLogLikelihood: number;
  readonly standardError: number;
  /** Of each point, negative log-likelihood in nats: [count]. */
  readonly values: Float64Array;
}

/** What all models of a comparison are judged by. */
export interface Rule {
  /** Row-major [count, dimension]: fresh points, or a file's test rows; nothing was trained on them or stopped by them. */
  readonly points: Float32Array | Float64Array;
  /** The rows that these are, where models are told something of each. */
  readonly told?: Points | undefined;
  /** Where the losses' batches are drawn from: the data set, or the test rows. */
  readonly source: DataSource;
  /** How many samples of a model are written and shown. */
  readonly samples: number;
  /** Of the noise of samples, and of the losses' batches. */
  readonly seed: number;
}

/** Steps of RK4 from t = 1 to 0, for likelihoods; and for the picture, which shows less. */
const [LIKELIHOOD_STEPS, PICTURE_STEPS] = [50, 25];

/** Batches that the mean losses are taken over. */
const LOSS_BATCHES = 20;

/**
 * Judges a model, writes its samples into `folder` and, where there is a view, gives its density there. Ctrl-C ends it
 * with the signal's reason.
 */
export async function judge(
  runtime: Runtime,
  trainer: Trainer,
  recipe: Recipe,
  { points, told, source, samples: sampleCount, seed }: Rule,
  { title, folder, view }: { title: string; folder: string; view?: View | undefined },
): Promise<{ judgement: Judgement; samples: Samples["values"]; density?: Float64Array }> {
  const { data, path, batchSize } = recipe;
  const { model } = trainer;
  const bar = progressBar(`${title} judged`, view ? 4 : 3);
  const interrupted = interruption();
  const { signal } = interrupted;
  const solver = rk4({ steps: LIKELIHOOD_STEPS });
  try {
    // What FDM trains on, for both, on the same draws.
    const losses = { data: source, path, loss: recipe.loss("fdm"), batchSize, batches: LOSS_BATCHES, seed, signal };
    const { velocityLoss, divergenceLoss } = await evaluateLosses(runtime, model, losses);
    bar.update(1, "losses");
    const likeRows =
      told &&
      rowsOf(
        told,
        Uint32Array.from({ length: sampleCount }, (_, i) => i % told.count),
      );
    const samples = await model.sample({ count: sampleCount, solver, seed, signal, ...toldIn(likeRows) });
    const shape = [samples.count, ...(data.shape ?? [data.dimension])];
    if (likeRows) await writeRows(join(folder, "samples.csv"), { ...likeRows, values: samples.values }, data);
    else await replaceFile(join(folder, "samples.npy"), writeNpy(samples.values, shape));
    bar.update(2, "samples");
    const likelihoods = await model.logDensity(points, { solver, divergence: "exact", signal, ...toldIn(told) });
    bar.update(3, "likelihoods");
    const judgement = { velocityLoss, divergenceLoss, ...summarize(likelihoods) };
    if (!view) return { judgement, samples: samples.values };
    const options = { solver: rk4({ steps: PICTURE_STEPS }), divergence: "exact", signal } as const;
    const { values } = await model.logDensity(view.grid, options);
    bar.update(4, "picture");
    return { judgement, samples: samples.values, density: Float64Array.from(values, (value) => Math.exp(value)) };
  } finally {
    bar.stop();
    interrupted.dispose();
  }
}

function toldIn(rows: Points | undefined) {
  const conditions = rows && toldOf(rows);
  return conditions ? { conditions } : {};
}

/** Rows and what is told of each, as a table that evaluate reads. */
export async function writeRows(path: string, rows: Points, data: DataSource): Promise<void> {
  const { values, count, dimension } = rows;
  const names = coordinateNames(dimension, data.columns);
  const told = toldColumns(toldOf(rows), data.conditions ?? {}, count)(0, count);
  const points = { name: "points", values, shape: [count, dimension], columns: names };
  await writeResults({ path, format: "csv", standardOutput: false }, [points, ...told]);
}

/**
 * Mean of -values and its standard error over the points. The probes' own error is part of the spread of the values,
 * each point having its own, so it is counted already.
 */
export function summarize({
  values,
}: LogDensity): Pick<Judgement, "negativeLogLikelihood" | "standardError" | "values"> {
  const negative = Float64Array.from(values, (value) => -value);
  const { mean, deviation } = meanAndDeviation(Array.from(negative));
  return { negativeLogLikelihood: mean, standardError: standardErrorOf(deviation, values.length), values: negative };
}
