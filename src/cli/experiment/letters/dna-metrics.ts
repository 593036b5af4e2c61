/** What sampled sequences are judged by, against rows held out. */
import { meanWithError } from "../../statistics.ts";
import type { Metric } from "../experiment.ts";
import { type Classify, shareRecognised } from "./classify.ts";
import { ALPHABET, type DnaData, type LabelledLetters } from "./dna-data.ts";
import { divergenceOfMotifs, findMotif, lettersFound, shareFound } from "./motifs.ts";
import type { Planted } from "./promoters.ts";
import {
  chosenRows,
  contentOf,
  distanceOfLists,
  divergenceByPlace,
  type Letters,
  nearestDistances,
  placeCounts,
  sharesOf,
  totalVariation,
  wordShares,
} from "./spectra.ts";

const LETTERS = ALPHABET.length;

/** Numbers of C and G. */
const CG = [1, 2] as const;

/** A motif counts as found at this share of its highest score. */
export const THRESHOLD = 0.5;

/** Samples whose nearest rows are looked for: each is held against all rows. */
const NEAREST = 1000;

export const contentPercent = (letters: Letters) => contentOf(letters, CG).map((share) => 100 * share);

/** @param classify - of the training rows' classes, where there are some. */
export function metricsOfSamples(samples: LabelledLetters, data: DnaData, classify: Classify | undefined): Metric[] {
  const { training, heldOut, planted } = data;
  const spectrum = (k: number) => totalVariation(wordShares(samples, k, LETTERS), wordShares(heldOut, k, LETTERS));
  const variation = (k: number, title: string): Metric => ({
    ...{ name: `spectrum${k}`, title, better: "lower", value: spectrum(k) },
  });
  const byPlace = placeDivergence(samples, heldOut);
  return [
    variation(6, "words of 6 letters, total variation"),
    variation(3, "words of 3 letters"),
    variation(1, "letters"),
    {
      ...{ name: "places", title: "KL of letters by place", unit: "nats", better: "lower" },
      ...meanWithError(byPlace),
    },
    {
      ...{
        name: "content",
        title: "GC content by sequence, 1-Wasserstein",
        unit: "percentage points",
        better: "lower",
      },
      value: distanceOfLists(contentPercent(samples), contentPercent(heldOut)),
    },
    ...nearestMetrics(samples, training, heldOut),
    ...(planted.length > 0 ? motifMetrics(samples, heldOut, planted) : []),
    ...(classify
      ? [
          {
            ...{
              name: "told",
              title: "recognised as of their class",
              unit: "%",
              better: "higher" as const,
            },
            value: 100 * shareRecognised(classify, samples),
          },
          {
            ...{ name: "toldHeldOut", title: "rows held out, recognised likewise", unit: "%" },
            value: 100 * shareRecognised(classify, heldOut),
          },
        ]
      : []),
  ];
}

/** KL of letters held out from sampled ones, in nats by place. */
export function placeDivergence(samples: Letters, heldOut: Letters): number[] {
  return [
    ...divergenceByPlace(sharesOf(placeCounts(heldOut, LETTERS), LETTERS), placeCounts(samples, LETTERS), LETTERS),
  ];
}

function nearestMetrics(samples: Letters, training: Letters, heldOut: Letters): Metric[] {
  const percent = (letters: Letters) => {
    const rows = Array.from({ length: Math.min(NEAREST, letters.count) }, (_, i) => i);
    return Array.from(
      nearestDistances(chosenRows(letters, rows), training),
      (places) => (100 * places) / training.places,
    );
  };
  const [own, others] = [percent(samples), percent(heldOut)];
  const [a, b] = [meanWithError(own), meanWithError(others)];
  return [
    {
      ...{
        name: "nearest",
        title: "places off the nearest training row, beyond rows held out",
        unit: "percentage points",
      },
      ...{ value: a.value - b.value, error: Math.hypot(a.error, b.error) },
    },
    {
      ...{ name: "copies", title: "samples that are training rows", unit: "%", better: "lower" },
      value: (100 * own.filter((distance) => distance === 0).length) / own.length,
    },
  ];
}

/** A motif in a class of a set of sequences. */
export interface MotifFound {
  readonly motif: string;
  /** Number of the class. */
  readonly kind: number;
  /** Of the class's sequences, those that have it where it belongs. */
  readonly share: number;
  readonly counts: Float64Array;
}

export function motifsFound(of: LabelledLetters, planted: readonly Planted[]): MotifFound[] {
  return planted.flatMap(({ motif, shares, from, to }) =>
    shares.map((_, kind) => {
      const rows = Array.from(of.labels.keys()).filter((row) => of.labels[row] === kind);
      const own = chosenRows(of, rows);
      const found = findMotif(own, motif, [from, to + motif.length - 1], THRESHOLD);
      return { motif: motif.name, kind, share: shareFound(found), counts: lettersFound(own, motif, found) };
    }),
  );
}

function motifMetrics(samples: LabelledLetters, heldOut: LabelledLetters, planted: readonly Planted[]): Metric[] {
  const [own, known] = [motifsFound(samples, planted), motifsFound(heldOut, planted)];
  const shares = own.map(({ share }, i) => Math.abs(share - (known[i] as MotifFound).share));
  // Letters are compared where motifs were planted often: elsewhere what is found is chance.
  const often = planted.flatMap((one) => one.shares).map((share) => share >= 0.5);
  const letters = own
    .map(({ counts }, i) => divergenceOfMotifs((known[i] as MotifFound).counts, counts))
    .filter((value, i) => often[i] && Number.isFinite(value));
  return [
    {
      ...{
        name: "motifs",
        title: "sequences with a motif, off rows held out",
        unit: "percentage points",
      },
      ...{ better: "lower", value: 100 * meanWithError(shares).value },
    },
    {
      ...{
        name: "motifLetters",
        title: "KL of letters in motifs",
        unit: "nats",
        better: "lower",
      },
      value: letters.length > 0 ? meanWithError(letters).value : Number.NaN,
    },
  ];
}
