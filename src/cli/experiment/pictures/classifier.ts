/**
 * A small classifier of pictures, trained along by divflow: a "model" of labels that is told a picture. Its logits judge whether
 * samples are of the class that they were told, what its last layer but one computes are the features of a distance.
 */
import { adamW, condOT, cosineDecay, type DataSource, type Model, type Network, product } from "../../../index.ts";
import {
  conv2dLayer,
  defineData,
  defineLoss,
  defineNetwork,
  type Layer,
  linearLayer,
  numbers,
  ops,
  parametersOf,
  swish,
} from "../../../networks.ts";
import type { Fit } from "../experiment.ts";
import type { Features } from "../frechet.ts";
import { type LabelledPictures, LEVELS, middles, type PictureShape, type Pictures, sizeOfPicture } from "./picture.ts";

/** What it computes of a picture beside logits. */
export const FEATURES = 32;

/** Channels of its first convolution; each that halves the picture has twice as many, at most four times. */
const CHANNELS = 16;

/** It halves pictures until both sides are no longer than this. */
const SHORT = 8;

const PICTURE = "picture";

/** Logits of each class first, then the features: what it is asked of beside a picture it does not look at. */
export function classifierNetwork(shape: PictureShape, classes: number): Network {
  const { height, width, channels } = shape;
  const first = conv2dLayer("first", { taps: 3, inputs: channels, outputs: CHANNELS });
  const halving: Layer[] = [];
  let [h, w, inputs] = [height, width, CHANNELS];
  while (Math.max(h, w) > SHORT) {
    const outputs = Math.min(2 * inputs, 4 * CHANNELS);
    halving.push(conv2dLayer(`halving.${halving.length}`, { taps: 3, stride: 2, padding: 1, inputs, outputs }));
    [h, w, inputs] = [Math.ceil(h / 2), Math.ceil(w / 2), outputs];
  }
  const joined = linearLayer("joined", h * w * inputs, FEATURES);
  const last = linearLayer("last", FEATURES, classes);
  return defineNetwork({
    name: "classifier",
    sample: [classes + FEATURES],
    conditions: { [PICTURE]: numbers([height, width, channels]) },
    parameters: parametersOf(first, ...halving, joined, last),
    apply: (given, values) => {
      const picture = given[PICTURE] as NonNullable<(typeof given)[string]>;
      let x = swish(first.apply(values, picture));
      for (const layer of halving) x = swish(layer.apply(values, x));
      const flat = ops.reshape(x, [x.shape[0] as number, h * w * inputs]);
      const features = swish(joined.apply(values, flat));
      return ops.concat([last.apply(values, features), features], 1);
    },
  });
}

/** What the logits miss of the labels, which the first numbers of a row of data are, one by one. */
function labelsMissed(classes: number) {
  return defineLoss({
    name: "cross-entropy of labels",
    build({ network, x0, x1, t }) {
      const [logits, labels] = [network(x0, t), x1].map((all) => ops.slice(all, 1, 0, classes));
      const rows = ops.sum(
        ops.multiply(ops.logSoftmax(logits as NonNullable<typeof logits>), labels as NonNullable<typeof labels>),
        [1],
      );
      return ops.negate(ops.meanAll(rows));
    },
  });
}

/** Labels as rows of 0 and 1, each told a picture that is dequantised anew. */
function labelledSource(pictures: LabelledPictures, classes: number): DataSource {
  const { count, labels, levels, height, width, channels } = pictures;
  const row = classes + FEATURES;
  const ones = new Float32Array(count * row);
  labels.forEach((label, i) => {
    ones[i * row + label] = 1;
  });
  const size = sizeOfPicture(pictures);
  return defineData({
    name: "labels of pictures",
    shape: [row],
    conditions: { [PICTURE]: { shape: [height, width, channels] } },
    state: {
      ones: { values: ones, shape: [count, row] },
      levels: { values: Float32Array.from(levels), shape: [count, size] },
    },
    draw: ({ rows, random, state }) => {
      const chosen = random("index", [rows], { bound: count });
      const shown = ops.add(ops.gather(state("levels"), chosen), random("uniform", [rows, size]));
      const scaled = ops.subtract(ops.multiply(shown, 2 / LEVELS), 1);
      return {
        points: ops.gather(state("ones"), chosen),
        conditions: { [PICTURE]: ops.reshape(scaled, [rows, height, width, channels]) },
      };
    },
  });
}

/** The training of a classifier, in a folder of that name. */
export function classifierFit(pictures: LabelledPictures, classes: number, steps: number): Fit {
  return {
    name: "classifier",
    steps,
    options: {
      network: classifierNetwork(pictures, classes),
      path: condOT(), // it has none: noise and times are not looked at
      loss: labelsMissed(classes),
      optimizer: adamW({
        learningRate: product(0.003, cosineDecay({ steps, final: 0.01 })),
        weightDecay: 0.01,
      }),
      data: labelledSource(pictures, classes),
      batchSize: 64,
      maximumGradientNorm: 1,
    },
  };
}

/** What a classifier finds in pictures. */
export interface Findings {
  readonly classes: Uint8Array;
  readonly features: Features;
}

export async function findingsOf(model: Model, pictures: Pictures, signal: AbortSignal): Promise<Findings> {
  const { count, levels } = pictures;
  const row = model.dimension;
  const classes = row - FEATURES;
  const found = await model.velocity(new Float32Array(count * row), new Float32Array(count), {
    conditions: { [PICTURE]: middles(levels) },
    signal,
  });
  const features = new Float32Array(count * FEATURES);
  const named = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const own = found.subarray(i * row, (i + 1) * row);
    const logits = own.subarray(0, classes);
    named[i] = logits.indexOf(Math.max(...logits));
    features.set(own.subarray(classes), i * FEATURES);
  }
  return { classes: named, features: { values: features, count, width: FEATURES } };
}
