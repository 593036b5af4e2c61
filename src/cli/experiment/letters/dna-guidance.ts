/** What guidance to a class does to samples of sequences, by strength: without a classifier, and by one. */
import type { Model } from "../../../index.ts";
import type { Judgement } from "../experiment.ts";
import { classifierGuide } from "./classifier-guide.ts";
import { classifierOf, naiveBayes, shareRecognised } from "./classify.ts";
import { ALPHABET, type LabelledLetters } from "./dna-data.ts";
import { placeDivergence } from "./dna-metrics.ts";
import { type DnaJob, sampled } from "./dna-sampling.ts";

/** Strengths that are compared. A classifier's begin at 1: samples that are told nothing are of every class alike. */
const STRENGTHS = [1, 1.5, 2, 3];

/** Samples for each strength, at most: gradients of a classifier cost three times as much. */
const [TOLD, BY_CLASSIFIER] = [512, 256];

type Draw = (
  labels: Uint8Array,
  strength: number,
  progress: (done: number) => Promise<void>,
) => Promise<LabelledLetters>;

/** Nothing where rows have no labels. @param isDirichlet - on the linear path nothing guides by a gradient. */
export async function guided(job: DnaJob, model: Model, isDirichlet: boolean): Promise<Pick<Judgement, "series">> {
  const { classes: kinds, training, heldOut } = job.data;
  if (!kinds) return {};
  const classify = classifierOf(training, kinds.length, ALPHABET.length);
  const known = naiveBayes(training, kinds.length, ALPHABET.length);
  const ways: { name: string; title: string; most: number; draw: Draw }[] = [
    {
      ...{ name: "guided", title: "Classifier-free guidance", most: TOLD },
      draw: (labels, guidance, progress) => sampled(job, model, labels, { guidance }, progress),
    },
  ];
  if (isDirichlet) {
    ways.push({
      ...{ name: "byClassifier", title: "Guidance by a classifier", most: BY_CLASSIFIER },
      draw: (labels, strength, progress) =>
        byClass(labels, (own, kind, done) => {
          const guide = { by: classifierGuide(known, kind), strength };
          return sampled(job, model, own, { guidance: 0, guide }, (share) => progress(done(share)));
        }),
    });
  }
  const series = [];
  for (const [way, { name, title, most, draw }] of ways.entries()) {
    const count = Math.min(most, job.settings.samples);
    const labels = Uint8Array.from({ length: count }, (_, i) => heldOut.labels[i % heldOut.count] as number);
    const [told, off]: [number[], number[]] = [[], []];
    for (const strength of STRENGTHS) {
      const before = way + told.length / STRENGTHS.length;
      const drawn = await draw(labels, strength, (done) =>
        job.progress(0.6 + (0.4 * (before + done / STRENGTHS.length)) / ways.length, `${title}, ${strength}`),
      );
      told.push(100 * shareRecognised(classify, drawn));
      const byPlace = placeDivergence(drawn, heldOut);
      off.push(byPlace.reduce((sum, value) => sum + value / byPlace.length, 0));
    }
    const of = { across: "strength of guidance", x: STRENGTHS };
    series.push(
      { name: `${name}Told`, title, note: "samples recognised as of their class, %", ...of, y: told },
      { name: `${name}Places`, title: `${title}: its cost`, note: "KL of letters by place, nats", ...of, y: off },
    );
  }
  return { series };
}

/** Sequences of each class drawn by themselves, put where their labels stand. @param draw - `done` makes a class's share that of all. */
export async function byClass(
  labels: Uint8Array,
  draw: (own: Uint8Array, kind: number, done: (share: number) => number) => Promise<LabelledLetters>,
): Promise<LabelledLetters> {
  let [places, values, finished] = [0, new Uint8Array(), 0];
  for (const kind of [...new Set(labels)].sort((a, b) => a - b)) {
    const rows = Array.from(labels.keys()).filter((row) => labels[row] === kind);
    const before = finished;
    const drawn = await draw(
      new Uint8Array(rows.length).fill(kind),
      kind,
      (share) => (before + share * rows.length) / labels.length,
    );
    finished += rows.length;
    if (values.length === 0) [places, values] = [drawn.places, new Uint8Array(labels.length * drawn.places)];
    for (const [i, row] of rows.entries()) {
      values.set(drawn.values.subarray(i * places, (i + 1) * places), row * places);
    }
  }
  return { values, count: labels.length, places, labels };
}
