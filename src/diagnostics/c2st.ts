/** The classifier two-sample test: how well a network that was trained to can tell two samples apart. */
import { ConfigError } from "../errors.ts";
import { integerOption, optionsObject, signalOption } from "../graph/options.ts";
import { streamOf } from "../ops/streams.ts";
import { type Sample, type SamplePoints, samplePair } from "../transport/cost.ts";
import { RandomSequence } from "../transport/random-sequence.ts";
import { inTurns } from "../turns.ts";
import { BATCH, Classifier } from "./classifier.ts";
import { normalTail } from "./distributions.ts";

export interface C2STOptions {
  /** Parts of the points, each judged by a network trained on the others. Default 5. */
  readonly folds?: number;
  /** Units of each of two hidden layers. Default: 10 for each dimension, from 20 to 64. */
  readonly width?: number;
  /** Times that a network sees all its points. Default: 40, or of few points as many as make 1,500 batches of 64. */
  readonly epochs?: number;
  /** An integer from 0 to 2^53 - 1. Default 0. */
  readonly seed?: number;
  /** Gives it up. */
  readonly signal?: AbortSignal | undefined;
}

export interface C2ST {
  /** Share of held-out points that are told rightly, the mean of both samples' shares: 0.5 where nothing tells them apart, at most 1. */
  readonly accuracy: number;
  /**
   * Of the accuracy: by the number of points, times sqrt(1 + folds / (folds - 1)), 1.5 for five folds, since networks of different
   * folds share most of what they are trained on (Nadeau and Bengio, "Inference for the generalization error", 2003).
   */
  readonly standardError: number;
  /** How often chance alone would make it as large, by the normal distribution; rather too large than too small. */
  readonly pValue: number;
}

/** What networks are trained for at least. */
const [LEAST_EPOCHS, LEAST_BATCHES] = [40, 1500];

/**
 * The cross-validated accuracy of a classifier between two samples (C2ST). It sees whatever its network can learn, at the price of
 * training: an accuracy of 0.5 says that this network, from so many points, found nothing. Accuracies that are compared need equal
 * counts: more points tell more.
 *
 * The network is an MLP on standardised coordinates, D - width - width - 1. 1,000 points of each take 1 to 2 s in 2 dimensions, some
 * 10 s in 10, in turns of 25 ms. Where nothing tells two samples apart the accuracy is on average a little below 0.5: what a fold
 * has more of, the others have less of.
 *
 * @throws {@link ConfigError} when an option is unknown or outside its range, or a sample has fewer points than folds.
 * @throws {@link DataError} when points are none, their dimensions differ, or a value is not finite.
 * @see Lopez-Paz and Oquab, "Revisiting classifier two-sample tests" (ICLR 2017).
 */
export async function c2st(first: Sample, second: Sample, options: C2STOptions = {}): Promise<C2ST> {
  optionsObject("options of c2st", options, ["folds", "width", "epochs", "seed", "signal"]);
  const signal = signalOption(options.signal);
  const folds = integerOption("folds", options.folds ?? 5, 2, 1000);
  const [x, y] = samplePair("c2st", first, second);
  const width = integerOption("width", options.width ?? Math.min(64, Math.max(20, 10 * x.dimension)), 1, 1024);
  const standard = Math.ceil((LEAST_BATCHES * BATCH) / (x.count + y.count));
  const epochs = integerOption("epochs", options.epochs ?? Math.max(LEAST_EPOCHS, standard));
  const seed = integerOption("seed", options.seed ?? 0, 0);
  if (Math.min(x.count, y.count) < folds) {
    throw new ConfigError({
      subject: "points of c2st",
      given: `${x.count} and ${y.count}`,
      expected: `at least ${folds} of each, as many as there are folds`,
      remedy: "Give more points, or fewer folds.",
    });
  }
  const right = await inTurns(validated(x, y, { folds, width, epochs, seed }), () => signal?.throwIfAborted());
  const shares = [right[0] / x.count, right[1] / y.count] as const;
  const accuracy = (shares[0] + shares[1]) / 2;
  const shared = Math.sqrt(1 + folds / (folds - 1));
  const errorOf = (share: (kind: 0 | 1) => number) =>
    0.5 * shared * Math.sqrt((share(0) * (1 - share(0))) / x.count + (share(1) * (1 - share(1))) / y.count);
  return {
    accuracy,
    standardError: errorOf((kind) => shares[kind]),
    pValue: normalTail((accuracy - 0.5) / errorOf(() => 0.5)),
  };
}

/** How many of each sample are told rightly by a network that has not seen them. */
function* validated(
  x: SamplePoints,
  y: SamplePoints,
  { folds, width, epochs, seed }: { folds: number; width: number; epochs: number; seed: number },
): Generator<undefined, readonly [number, number], undefined> {
  const count = x.count + y.count;
  const random = new RandomSequence(seed, streamOf("diagnostics", 6));
  const kinds = Uint8Array.from({ length: count }, (_, i) => (i < x.count ? 0 : 1));
  const foldOf = new Uint32Array(count); // of each sample as many in each fold, but for one
  for (const [begin, size] of [
    [0, x.count],
    [x.count, y.count],
  ] as const) {
    foldOf.set(random.shuffle(Uint32Array.from({ length: size }, (_, i) => i % folds)), begin);
  }
  const rows = Uint32Array.from({ length: count }, (_, i) => i);
  const right: [number, number] = [0, 0];
  for (let fold = 0; fold < folds; fold++) {
    const training = rows.filter((row) => foldOf[row] !== fold);
    const values = standardised(x, y, training);
    const ofSecond = training.reduce((sum, row) => sum + kinds[row], 0);
    const weights = [training.length / (2 * (training.length - ofSecond)), training.length / (2 * ofSecond)] as const;
    const classifier = new Classifier(x.dimension, width, random);
    yield* classifier.train(values, kinds, training, weights, epochs, random);
    for (const row of rows) {
      if (foldOf[row] !== fold) continue;
      const kind = kinds[row] as 0 | 1;
      const logit = classifier.logit(values, row);
      right[kind] += logit === 0 ? 0.5 : Number(logit > 0 === (kind === 1));
    }
    yield undefined;
  }
  return right;
}

/** Points of both samples, less the mean of those trained on, divided by their deviation. */
function standardised(x: SamplePoints, y: SamplePoints, training: Uint32Array): Float64Array {
  const { dimension } = x;
  const values = new Float64Array((x.count + y.count) * dimension);
  values.set(x.values);
  values.set(y.values, x.values.length);
  for (let k = 0; k < dimension; k++) {
    let mean = 0;
    let square = 0;
    for (const row of training) mean += values[row * dimension + k] / training.length;
    for (const row of training) square += (values[row * dimension + k] - mean) ** 2 / training.length;
    const scale = Math.sqrt(square) || 1;
    for (let at = k; at < values.length; at += dimension) values[at] = (values[at] - mean) / scale;
  }
  return values;
}
