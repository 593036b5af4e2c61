/** Pictures of a seed: those that models are trained on, those held out, and the classifier that judges. */
import { DataError, type DataSource, splitRows } from "../../../index.ts";
import { defineData, ops } from "../../../networks.ts";
import { meanWithError } from "../../statistics.ts";
import type { Job } from "../experiment.ts";
import type { Features } from "../frechet.ts";
import { classifierFit, type Findings, findingsOf } from "./classifier.ts";
import { nearestOf } from "./nearest.ts";
import {
  chosenPictures,
  type LabelledPictures,
  LEVELS,
  type PictureShape,
  type Pictures,
  shapeOf,
  sizeOfPicture,
} from "./picture.ts";
import type { PictureSettings } from "./settings.ts";

/** Pictures of a package or a folder; with the names of their classes, if there are some. */
export interface AllPictures {
  readonly pictures: LabelledPictures;
  readonly classes?: readonly string[];
}

/** What says of pictures what class they are of, and what it finds in those held out. */
export interface Judge {
  findingsOf(pictures: Pictures, signal: AbortSignal): Promise<Findings>;
  readonly heldOut: Features;
  /** The share of held-out pictures that it names right. */
  readonly accuracy: { readonly value: number; readonly error: number };
}

/** What the models of a seed have in common. */
export interface PictureData {
  readonly training: LabelledPictures;
  readonly heldOut: LabelledPictures;
  readonly classes: readonly string[] | undefined;
  /** What models are trained on. */
  readonly source: DataSource;
  /** Left out where pictures have no classes. */
  readonly judge?: Judge;
  /** Of held-out pictures to the nearest ones trained on, in levels. */
  readonly distances: readonly number[];
}

/** The name of the classes, as networks are told them. */
export const LABEL = "label";

/** Held-out pictures whose distance to the training set is taken. */
const MEASURED = 500;

/** Rows evenly spread over all: what is in order of classes has all of them so. */
export function spreadRows(count: number, wanted: number): readonly number[] {
  const most = Math.min(count, wanted);
  return Array.from({ length: most }, (_, i) => Math.floor((i * count) / most));
}

/** Pictures dequantised anew for each batch, and their classes. */
export function dequantisedSource(pictures: LabelledPictures, classes: readonly string[] | undefined): DataSource {
  const { count, height, width, channels, levels, labels } = pictures;
  const size = sizeOfPicture(pictures);
  const known = classes && {
    conditions: { [LABEL]: { shape: [], classes: classes.length, names: classes } },
    state: { labels: { values: Uint32Array.from(labels), shape: [count] } },
  };
  return defineData({
    name: "pictures",
    shape: [height, width, channels],
    ...(known ? { conditions: known.conditions } : {}),
    state: { levels: { values: Float32Array.from(levels), shape: [count, size] }, ...known?.state },
    draw: ({ rows, random, state }) => {
      const chosen = random("index", [rows], { bound: count });
      const within = ops.add(ops.gather(state("levels"), chosen), random("uniform", [rows, size]));
      const points = ops.subtract(ops.multiply(within, 2 / LEVELS), 1);
      return known ? { points, conditions: { [LABEL]: ops.gather(state("labels"), chosen) } } : points;
    },
  });
}

export async function preparePictures(
  { pictures, classes }: AllPictures,
  { settings, input, seed, kept, fitModel, model, signal, progress }: Job<PictureSettings>,
): Promise<PictureData> {
  const split = splitRows(pictures.count, settings.heldOut, seed);
  const [training, heldOut] = [split.training, split.heldOut].map((rows) => chosenPictures(pictures, rows)) as [
    LabelledPictures,
    LabelledPictures,
  ];
  const isThere = await kept("held-out", () => asNumbers(heldOut));
  await kept("held-out-labels", () => ({ values: Float32Array.from(heldOut.labels), shape: [heldOut.count] }));
  if (isThere.data.length !== heldOut.levels.length || isThere.data.some((one, i) => one !== heldOut.levels[i])) {
    throw new DataError({
      subject: input === "" ? "pictures" : input,
      given: "other pictures than the run began with",
      expected: "the same ones",
      remedy: "Give them as they were, or begin anew with --force or in another folder.",
    });
  }
  const measured = chosenPictures(heldOut, spreadRows(heldOut.count, MEASURED));
  const { data: distances } = await kept("held-out-distances", async () => {
    const found = await nearestOf(measured, training, (done) => progress(0.3 * done, "nearest pictures"));
    return { values: found.distances, shape: [measured.count] };
  });
  const shared = {
    ...{ training, heldOut, classes, source: dequantisedSource(training, classes) },
    distances: Array.from(distances),
  };
  if (!classes) return shared;
  await fitModel(classifierFit(training, classes.length, settings.classifier));
  const ask = async (of: Pictures, by: AbortSignal) => {
    using classifier = await model("classifier");
    return await findingsOf(classifier, of, by);
  };
  const found = await ask(heldOut, signal);
  const right = Array.from(found.classes, (kind, row) => (kind === heldOut.labels[row] ? 1 : 0));
  const accuracy = meanWithError(right);
  await kept("accuracy", () => ({ values: Float64Array.of(accuracy.value, accuracy.error), shape: [2] }));
  return { ...shared, judge: { findingsOf: ask, heldOut: found.features, accuracy } };
}

/** Levels as arrays that are kept. */
export function asNumbers(pictures: Pictures) {
  return { values: Float32Array.from(pictures.levels), shape: shapeOf(pictures) };
}

/** The pictures of an array that was kept. */
export function asPictures(values: ArrayLike<number>, shape: readonly number[]): Pictures {
  const [count = 0, height = 0, width = 0, channels = 0] = shape;
  return { levels: Uint8Array.from(values), count, height, width, channels };
}

/** Shapes of pictures, for messages and the report: "14 x 14", "32 x 32 x 3". */
export function namedShape({ height, width, channels }: PictureShape): string {
  return [height, width, ...(channels === 1 ? [] : [channels])].join(" x ");
}
