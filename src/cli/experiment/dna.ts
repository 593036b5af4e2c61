/** Sequences of DNA: a user's own from a FASTA file, or made ones with planted motifs. */
import { adamW, cosineDecay, evaluateLosses, type Model, product, warmUp } from "../../index.ts";
import { crossEntropy, lettersData, sampleLetters } from "../../letters.ts";
import { classes, cnn } from "../../networks.ts";
import {
  type Contender,
  defineExperiment,
  type Judgement,
  type LossJob,
  type Metric,
  type Settings,
} from "./experiment.ts";
import { classifierOf, shareRecognised } from "./letters/classify.ts";
import { type LettersContender, lettersContenders } from "./letters/contenders.ts";
import {
  ALPHABET,
  checkSequences,
  type DnaData,
  dnaData,
  type LabelledLetters,
  MADE,
  readSequences,
} from "./letters/dna-data.ts";
import { metricsOfSamples, placeDivergence } from "./letters/dna-metrics.ts";
import { dnaPictures } from "./letters/dna-pictures.ts";
import { promoterClasses, promoterMotifs } from "./letters/promoters.ts";
import { chosenRows, placeCounts, sharesOf } from "./letters/spectra.ts";
import { numberOfShare, uniformSequence } from "./random-numbers.ts";

export interface DnaSettings extends Settings {
  /** Of made sequences. */
  readonly places: number;
  /** Of made sequences, to train on. */
  readonly rows: number;
  /** Share of the rows; of made sequences so many more. */
  readonly heldOut: number;
  readonly channels: number;
  /** How many times the dilations 1, 1, 4, 16 follow each other. */
  readonly stacks: number;
  readonly steps: number;
  readonly batch: number;
  readonly rate: number;
  /** Of the divergence term. */
  readonly weight: number;
  /** Sequences that are sampled. */
  readonly samples: number;
  /** Euler steps. */
  readonly solver: number;
  /** Strength of classifier-free guidance, where there are labels. */
  readonly guidance: number;
}

const contenders: Readonly<Record<string, LettersContender & Contender>> = {
  ...lettersContenders,
  places: {
    ...{ title: "Letters by place", cost: 0, isBaseline: true },
    about: "no model: each letter drawn by itself, by the shares that the class has at the place",
  },
  rows: {
    ...{ title: "Training rows", cost: 0, isBaseline: true },
    about: "no model: training rows themselves, which is what chance leaves of the distances, and a perfect copyist",
  },
};

/** Strengths of guidance that are compared, by fewer samples each. */
const GUIDANCES = [1, 1.5, 2, 3];
const GUIDED = 512;

const shared = { places: 64, heldOut: 0.2, solver: 100, weight: 0.1, guidance: 1 };

export const dna = defineExperiment<DnaSettings, DnaData>({
  name: "dna",
  summary:
    "sequences of DNA, yours from a FASTA file or made ones with planted motifs: words, GC content, motifs, memory",
  question:
    "Are sampled sequences like rows that were held out, and not copies of rows that were trained on? Judged by words of up to six " +
    "letters, letters by place, GC content, and how near samples are to training rows against how near rows held out are; where rows " +
    "have labels, by whether a classifier finds samples to be of the class that they were told; where motifs were planted, by whether " +
    "these come back. Two contenders are no models: letters drawn place by place, and training rows themselves.",
  input: { what: `FILE.fasta, or ${MADE}`, default: MADE },
  presets: {
    quick: {
      settings: { ...shared, rows: 4000, channels: 32, stacks: 1, steps: 3000, batch: 64, rate: 0.002, samples: 1024 },
      seeds: 1,
      cost: "about 8 minutes for all on made sequences of 64 letters on two cores; with your file, by its length.",
    },
    standard: {
      settings: {
        ...shared,
        rows: 20_000,
        channels: 64,
        stacks: 1,
        steps: 5000,
        batch: 64,
        rate: 0.001,
        samples: 4096,
      },
      seeds: 3,
      cost: "about 3 hours for three seeds of all on made sequences of 64 letters on two cores.",
    },
    paper: {
      settings: {
        ...{ ...shared, places: 1024, rows: 88_470, heldOut: 0.1, channels: 128, stacks: 4 },
        ...{ steps: 200_000, batch: 128, rate: 0.0005, samples: 7497 },
      },
      seeds: 3,
      cost: "sequences as long and as many as the paper's promoters, and its network: days on a GPU, not for two cores.",
    },
  },
  contenders,
  losses: ["cfm", "fdm", "linear", "places", "rows"],
  headline: ["spectrum6", "places", "motifs"],
  shares: { prepare: 0.01, judge: 0.5 },
  paper: [
    {
      measure: "promoters of the human genome, mean squared error of predicted regulatory activity, lower is better",
      figures: {
        "linear path, CFM": "2.82e-2",
        "linear path, FDM": "2.78e-2",
        "Dirichlet, CFM": "2.68e-2",
        "Dirichlet, FDM": "2.59e-2",
      },
      source: "arXiv 2602.00869, from summaries of it",
    },
  ],
  differences({ channels, stacks, steps, batch }, input) {
    return [
      `The data: ${input === MADE ? "made sequences with planted motifs" : "a file of yours"}, not promoters with the activity that they are told.`,
      "The measure: nothing here predicts activity, so the paper's figures stand beside ours for their order alone.",
      ...(channels === 128 && stacks === 4
        ? []
        : [`The network: ${4 * stacks} blocks of ${channels} channels, not 20 of 128.`]),
      `Training: ${steps} steps of ${batch}, by AdamW with a cosine decay; no parameters are chosen by rows held out.`,
    ];
  },
  check: (settings, input) => checkSequences(settings, input),
  steps: ({ steps }, loss) => (contenders[loss]?.flow ? steps : 0),
  prepare: dnaData,
  async train({ settings, data, loss, fitModel }) {
    const { flow } = contenders[loss] as LettersContender;
    if (!flow) return;
    const { channels, stacks, steps, batch, rate, weight } = settings;
    const { training, classes: kinds } = data;
    const sample: [number, number] = [training.places, ALPHABET.length];
    const conditions = kinds ? { conditions: { label: classes(kinds.length, { drop: 0.3 }) } } : {};
    await fitModel({
      steps,
      options: {
        network: cnn({ sample, channels, stacks, dilations: [1, 1, 4, 16], ...conditions }),
        path: flow.path(sample),
        loss: flow.loss(weight),
        optimizer: adamW({ learningRate: product(rate, warmUp({ steps: 100 }), cosineDecay({ steps, final: 0.01 })) }),
        maximumGradientNorm: 1,
        data: sourceOf(training, data),
        batchSize: batch,
      },
    });
  },
  async judge(job) {
    const { data, loss, kept } = job;
    const { training, classes: kinds, heldOut } = data;
    const { samples: count } = job.settings;
    const labels = Uint8Array.from({ length: count }, (_, i) => heldOut.labels[i % heldOut.count] as number);
    const { data: drawn } = await kept("samples", async () => {
      const { values } = await samplesOf(job, labels);
      return { values: Float32Array.from(values), shape: [count, training.places] };
    });
    const samples = { values: Uint8Array.from(drawn), count, places: training.places, labels };
    const classify = kinds && classifierOf(training, kinds.length, ALPHABET.length);
    const metrics = metricsOfSamples(samples, data, classify);
    if (!contenders[loss]?.flow) return { metrics };
    using model = await job.model();
    return { metrics: [...metrics, await heldOutEntropy(job, model)], ...(await guided(job, model)) };
  },
  async pictures({ input, settings, models, seeds, array }) {
    const [seed = 0] = seeds;
    const made = input === MADE;
    const lettersOf = async (values: ArrayLike<number>, labels: ArrayLike<number>): Promise<LabelledLetters> => {
      const places = values.length / labels.length;
      return { values: Uint8Array.from(values), labels: Uint8Array.from(labels), count: labels.length, places };
    };
    const labels = (await array("heldOut-labels", seed)).data;
    const held = await lettersOf((await array("heldOut", seed)).data, labels);
    const shown = models.filter((one) => one.seed === seed && one.loss !== "rows");
    const own = await Promise.all(
      shown.map(async ({ title, style, array: kept }) => {
        const told = Uint8Array.from({ length: settings.samples }, (_, i) => labels[i % labels.length] as number);
        return { title, style, letters: await lettersOf((await kept("samples")).data, told) };
      }),
    );
    const names = made ? promoterClasses : readSequences(input).classes;
    return dnaPictures(
      [{ title: "rows held out", style: "exact", letters: held }, ...own],
      made ? promoterMotifs(held.places) : [],
      names,
    );
  },
});

type DnaJob = LossJob<DnaSettings, DnaData>;

function sourceOf(rows: LabelledLetters, { classes: kinds }: DnaData) {
  const { values, labels, count, places } = rows;
  const sequences = Array.from({ length: count }, (_, row) => values.subarray(row * places, (row + 1) * places));
  const told = kinds && { conditions: { label: Array.from(labels, (label) => kinds[label] as string) } };
  return lettersData(sequences, { alphabet: ALPHABET, ...told });
}

/** Samples of these classes. */
async function samplesOf(job: DnaJob, labels: Uint8Array): Promise<LabelledLetters> {
  const { loss, data, evaluationSeed: seed, settings } = job;
  if (loss === "places") return lettersByPlace(data.training, labels, seed);
  if (loss === "rows") return rowsAgain(data.training, labels, seed);
  using model = await job.model();
  const share = data.classes ? 0.6 : 0.9;
  return await sampled(job, model, labels, settings.guidance, (done) => job.progress(share * done, "samples"));
}

/** Sequences drawn at once, so that progress is seen. */
const CHUNK = 256;

async function sampled(
  { data, settings, evaluationSeed, signal }: DnaJob,
  model: Model,
  labels: Uint8Array,
  guidance: number,
  progress: (done: number) => Promise<void>,
): Promise<LabelledLetters> {
  const { training, classes: kinds } = data;
  const { places } = training;
  const values = new Uint8Array(labels.length * places);
  for (let from = 0; from < labels.length; from += CHUNK) {
    const own = labels.subarray(from, from + CHUNK);
    const told = kinds ? { conditions: { label: Array.from(own, (kind) => kinds[kind] as string) }, guidance } : {};
    const seed = evaluationSeed + 1_000_003 * (from / CHUNK);
    const { letters } = await sampleLetters(model, {
      count: own.length,
      ...told,
      steps: settings.solver,
      seed,
      signal,
    });
    values.set(letters, from * places);
    await progress((from + own.length) / labels.length);
  }
  return { values, count: labels.length, places, labels };
}

/** The baseline that knows shares by place and class alone. */
export function lettersByPlace(rows: LabelledLetters, labels: Uint8Array, seed: number): LabelledLetters {
  const { places } = rows;
  const uniform = uniformSequence(seed);
  const shares = new Map(
    [...new Set(labels)].map((kind) => {
      const own = Array.from(rows.labels.keys()).filter((row) => rows.labels[row] === kind);
      return [kind, sharesOf(placeCounts(chosenRows(rows, own), ALPHABET.length), ALPHABET.length)];
    }),
  );
  const values = Uint8Array.from({ length: labels.length * places }, (_, i) => {
    const [row, place] = [Math.floor(i / places), i % places];
    const first = place * ALPHABET.length;
    const own = shares.get(labels[row] as number) as Float64Array;
    return numberOfShare(own.subarray(first, first + ALPHABET.length), uniform());
  });
  return { values, count: labels.length, places, labels };
}

/** Rows of the classes asked for, each once before one comes again. */
export function rowsAgain(rows: LabelledLetters, labels: Uint8Array, seed: number): LabelledLetters {
  const uniform = uniformSequence(seed);
  const keys = Array.from(rows.labels, () => uniform());
  const ofClass = new Map<number, number[]>();
  for (const row of Array.from(keys.keys()).sort((a, b) => (keys[a] as number) - (keys[b] as number))) {
    const kind = rows.labels[row] as number;
    ofClass.set(kind, [...(ofClass.get(kind) ?? []), row]);
  }
  const taken = new Map<number, number>();
  const chosen = Array.from(labels, (kind) => {
    const own = ofClass.get(kind) ?? [];
    const at = taken.get(kind) ?? 0;
    taken.set(kind, at + 1);
    return own[at % own.length] as number;
  });
  return { ...chosenRows(rows, chosen), labels };
}

/** On one path it can be compared: on the linear one letters are named from other points. */
async function heldOutEntropy(
  { runtime, data, loss, settings, evaluationSeed, signal }: DnaJob,
  model: Model,
): Promise<Metric> {
  const { velocityLoss } = await evaluateLosses(runtime, model, {
    ...{ data: sourceOf(data.heldOut, data), loss: crossEntropy(), seed: evaluationSeed, signal },
    ...{ batchSize: settings.batch, batches: Math.ceil(2048 / settings.batch) },
  });
  const title = "cross-entropy of letters held out, on the Dirichlet path";
  return {
    name: "crossEntropy",
    title,
    unit: "nats",
    better: "lower",
    value: loss === "linear" ? Number.NaN : velocityLoss,
  };
}

/** What guidance does: each strength by fewer samples. */
async function guided(job: DnaJob, model: Model): Promise<Pick<Judgement, "series">> {
  const { classes: kinds, training, heldOut } = job.data;
  if (!kinds) return {};
  const classify = classifierOf(training, kinds.length, ALPHABET.length);
  const count = Math.min(GUIDED, job.settings.samples);
  const labels = Uint8Array.from({ length: count }, (_, i) => heldOut.labels[i % heldOut.count] as number);
  const [told, off]: [number[], number[]] = [[], []];
  for (const guidance of GUIDANCES) {
    const drawn = await sampled(job, model, labels, guidance, (done) =>
      job.progress(0.6 + (0.4 * (told.length + done)) / GUIDANCES.length, `guidance ${guidance}`),
    );
    told.push(100 * shareRecognised(classify, drawn));
    const byPlace = placeDivergence(drawn, heldOut);
    off.push(byPlace.reduce((sum, value) => sum + value / byPlace.length, 0));
  }
  const across = "strength of guidance";
  return {
    series: [
      {
        name: "guidedTold",
        title: "Guidance",
        note: "samples recognised as of their class, %",
        across,
        x: GUIDANCES,
        y: told,
      },
      {
        name: "guidedPlaces",
        title: "What guidance costs",
        note: "KL of letters by place, nats",
        across,
        x: GUIDANCES,
        y: off,
      },
    ],
  };
}
