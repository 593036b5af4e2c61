/** Sequences of DNA: a user's own from a FASTA file, or made ones with planted motifs. */
import { adamW, cosineDecay, evaluateLosses, type Model, product, warmUp } from "../../index.ts";
import { crossEntropy, lettersData } from "../../letters.ts";
import { classes, cnn } from "../../networks.ts";
import { type Contender, defineExperiment, type Metric, type Settings } from "./experiment.ts";
import { lettersByPlace, rowsAgain } from "./letters/baselines.ts";
import { classifierOf } from "./letters/classify.ts";
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
import { guided } from "./letters/dna-guidance.ts";
import { metricsOfSamples } from "./letters/dna-metrics.ts";
import { dnaPictures } from "./letters/dna-pictures.ts";
import { type DnaJob, sampled } from "./letters/dna-sampling.ts";
import { promoterClasses, promoterMotifs } from "./letters/promoters.ts";

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
    return {
      metrics: [...metrics, await heldOutEntropy(job, model)],
      ...(await guided(job, model, loss !== "linear")),
    };
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
  return await sampled(job, model, labels, { guidance: settings.guidance }, (done) =>
    job.progress(share * done, "samples"),
  );
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
