/** The toy task of Dirichlet flow matching: few places, many letters, and shares of these that are known. */
import { adamW, cosineDecay, product, warmUp } from "../../index.ts";
import { sampleLetters } from "../../letters.ts";
import { classes, cnn } from "../../networks.ts";
import { type Curve, chart } from "../report/curves.ts";
import { type Contender, defineExperiment, type LossJob, type Metric, type Settings } from "./experiment.ts";
import { type LettersContender, lettersContenders } from "./letters/contenders.ts";
import { divergenceByPlace, type Letters, placeCounts } from "./letters/spectra.ts";
import { drawLetters, drawShares, sharesOfClass, type ToyShares, toyData } from "./letters/toy.ts";

interface ToySettings extends Settings {
  /** K. */
  readonly letters: number;
  readonly places: number;
  readonly classes: number;
  /** Of the shares: 1 as the toy has it, nearly even ones. */
  readonly sharpness: number;
  readonly channels: number;
  /** Blocks of the network, all without dilation: there are few places. */
  readonly blocks: number;
  readonly steps: number;
  readonly batch: number;
  readonly rate: number;
  /** Of the divergence term. */
  readonly weight: number;
  /** Sequences that are sampled of each class. */
  readonly samples: number;
  /** Euler steps. */
  readonly solver: number;
}

const contenders: Readonly<Record<string, LettersContender & Contender>> = {
  ...lettersContenders,
  chance: {
    ...{ title: "True shares", cost: 0, isBaseline: true },
    about: "no model: as many letters drawn by the true shares, which is as near as so many letters can be",
  },
};

const shared = { places: 4, blocks: 2, solver: 100, weight: 0.1 };

export const dnaToy = defineExperiment<ToySettings, ToyShares>({
  name: "dna-toy",
  summary: "letters of known shares, 40 or 80 of them: linear path, Dirichlet CFM, Dirichlet FDM",
  question:
    "How near do sampled letters come to the shares that they were drawn by? Each class has shares of its own of 40 letters at each of " +
    "four places; a network learns to name the letters from points of the simplex between noise and letter, on the linear path and on the " +
    "Dirichlet path, there with and without the residual of FDM. Judged by the Kullback-Leibler divergence of the true shares from those " +
    "of sampled letters, beside what as many letters drawn by the true shares have.",
  presets: {
    quick: {
      settings: {
        ...{ letters: 40, classes: 3, sharpness: 4, channels: 32, ...shared },
        ...{ steps: 3000, batch: 256, rate: 0.004, samples: 10_000 },
      },
      seeds: 1,
      cost: "about 6 minutes for all on two cores. Shares are sharper than the paper's, whose task takes far longer to show anything.",
    },
    standard: {
      settings: {
        ...{ letters: 40, classes: 3, sharpness: 1, channels: 64, ...shared },
        ...{ steps: 12_000, batch: 256, rate: 0.002, samples: 40_000 },
      },
      seeds: 3,
      cost: "2 to 3 hours for three seeds of all on two cores; --set letters=80 is the harder task.",
    },
    paper: {
      settings: {
        ...{ letters: 40, classes: 3, sharpness: 1, channels: 128, ...shared, blocks: 5 },
        ...{ steps: 100_000, batch: 512, rate: 0.001, samples: 170_667 },
      },
      seeds: 3,
      cost: "the paper's network and number of samples, for a GPU: on two cores it would take weeks.",
    },
  },
  contenders,
  losses: ["cfm", "fdm", "linear", "chance"],
  headline: ["divergence"],
  shares: { prepare: 0.01, judge: 0.6 },
  paper: [],
  differences({ letters, sharpness, channels, blocks, steps, batch, samples, classes: kinds }) {
    const all = samples * kinds;
    return [
      "The paper shows this task as a picture; its figures as numbers are not known to us, nor are its number of steps and weight.",
      ...(letters === 40 || letters === 80 ? [] : [`${letters} letters, not 40 or 80.`]),
      ...(sharpness === 1
        ? []
        : [
            `The shares are softmax(${sharpness} U), not softmax(U), U uniform: the likeliest letter has up to e^${sharpness} times the least likely one's share.`,
          ]),
      ...(channels === 128 && blocks === 5
        ? []
        : [`The network: ${blocks} blocks of ${channels} channels, not 5 of 128.`]),
      "Dilations are 1, not 1, 1, 4, 16, 64: with four places the others read nothing but padding.",
      `Training: ${steps} steps of ${batch}, by AdamW with a cosine decay.`,
      ...(all >= 512_000 ? [] : [`${all} sampled sequences, not 512,000: the divergence by chance is larger for it.`]),
    ];
  },
  steps: ({ steps }, loss) => (contenders[loss]?.flow ? steps : 0),
  async prepare({ settings, seed, kept }) {
    const { classes: kinds, places, letters, sharpness } = settings;
    const sizes = { classes: kinds, places, letters };
    const { data } = await kept("shares", () => {
      const { values } = drawShares(sizes, sharpness, seed);
      return { values, shape: [kinds, places, letters] };
    });
    return { ...sizes, values: Float64Array.from(data as Float64Array) };
  },
  async train({ settings, data, loss, fitModel }) {
    const { flow } = contenders[loss] as LettersContender;
    if (!flow) return;
    const { places, letters, classes: kinds, channels, blocks, steps, batch, rate, weight } = settings;
    const sample: [number, number] = [places, letters];
    const conditions = { kind: classes(kinds) };
    await fitModel({
      steps,
      options: {
        network: cnn({ sample, channels, dilations: Array.from({ length: blocks }, () => 1), conditions }),
        path: flow.path(sample),
        loss: flow.loss(weight),
        optimizer: adamW({ learningRate: product(rate, warmUp({ steps: 100 }), cosineDecay({ steps, final: 0.01 })) }),
        maximumGradientNorm: 1,
        data: toyData(data),
        batchSize: batch,
      },
    });
  },
  async judge(job) {
    const { settings, data } = job;
    const { letters, places, samples, classes: kinds } = settings;
    const counts = await countsOf(job);
    const size = places * letters;
    const byClass = Array.from({ length: kinds }, (_, kind) => {
      const shares = sharesOfClass(data, kind);
      const own = counts.subarray(kind * size, (kind + 1) * size);
      return {
        own: divergenceByPlace(shares, own, letters),
        even: divergenceByPlace(shares, new Float64Array(size), letters),
      };
    });
    const all = byClass.flatMap(({ own }) => [...own]);
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const even = mean(byClass.flatMap((one) => [...one.even]));
    const chance = (letters - 1) / (2 * samples);
    const metrics: Metric[] = [
      {
        ...{ name: "divergence", title: "KL of true from sampled shares", unit: "nats" },
        ...{ better: "lower", value: mean(all) },
      },
      { name: "worst", title: "KL of the worst place", unit: "nats", better: "lower", value: Math.max(...all) },
      {
        ...{ name: "left", title: "KL beyond chance, of that of even letters", unit: "%", better: "lower" },
        value: (100 * (mean(all) - chance)) / even,
      },
      { name: "even", title: "KL of even letters", unit: "nats", value: even },
      { name: "expected", title: "KL by chance alone, expected", unit: "nats", value: chance },
    ];
    const y = Array.from({ length: places }, (_, place) => mean(byClass.map(({ own }) => own[place] as number)));
    const byPlace = { name: "byPlace", title: "KL by place", note: "nats, mean over the classes", across: "place" };
    return { metrics, series: [{ ...byPlace, x: y.map((_, place) => place + 1), y }] };
  },
  async pictures({ settings, models, seeds, array }) {
    const [seed = 0] = seeds;
    const { letters, places, samples } = settings;
    const { data: shares } = await array("shares", seed);
    const shown = models.filter((one) => one.seed === seed && one.loss !== "chance");
    const counts = await Promise.all(shown.map(async ({ array: kept }) => (await kept("counts")).data));
    const charts = Array.from({ length: places }, (_, place) => {
      const first = place * letters;
      const order = Array.from({ length: letters }, (_, k) => k).sort(
        (a, b) => (shares[first + b] as number) - (shares[first + a] as number),
      );
      const curve = (name: string, style: string, at: (k: number) => number): Curve => ({
        ...{ name, style, exact: true },
        points: order.map((k, rank) => [rank + 1, 100 * at(first + k)] as const),
      });
      const curves = [
        curve("true shares", "exact", (k) => shares[k] as number),
        ...shown.map(({ title, style }, i) =>
          curve(title, style, (k) => ((counts[i] as Float64Array)[k] as number) / samples),
        ),
      ];
      const across = { name: "letter, from the likeliest on", whole: true };
      return chart(`Place ${place + 1}`, "shares of letters in %, of the first class", curves, across);
    });
    return `<div class="row charts">${charts.join("")}</div>`;
  },
});

/** How often each letter was sampled: [classes, places, letters]. */
async function countsOf(job: LossJob<ToySettings, ToyShares>): Promise<Float64Array> {
  const { settings, data, loss, evaluationSeed: seed, kept } = job;
  const { letters, places, samples, classes: kinds } = settings;
  const { data: counts } = await kept("counts", async () => {
    const all: number[] = [];
    const add = (drawn: Letters) => all.push(...placeCounts(drawn, letters));
    if (!contenders[loss]?.flow) {
      for (let kind = 0; kind < kinds; kind++) add(drawLetters(data, kind, samples, seed + kind));
    } else {
      using model = await job.model();
      for (let kind = 0; kind < kinds; kind++) add(await sampled(job, model, kind));
    }
    return { values: Float64Array.from(all), shape: [kinds, places, letters] };
  });
  return Float64Array.from(counts as Float64Array);
}

/** Sequences drawn at once, so that progress is seen. */
const CHUNK = 2048;

async function sampled(
  { settings, evaluationSeed, signal, progress }: LossJob<ToySettings, ToyShares>,
  model: Awaited<ReturnType<LossJob<ToySettings, ToyShares>["model"]>>,
  kind: number,
): Promise<Letters> {
  const { places, samples, solver: steps, classes: kinds } = settings;
  const values = new Uint8Array(samples * places);
  for (let from = 0; from < samples; from += CHUNK) {
    const count = Math.min(CHUNK, samples - from);
    const seed = evaluationSeed + 1_000_003 * (kind * Math.ceil(samples / CHUNK) + from / CHUNK);
    const { letters } = await sampleLetters(model, { count, conditions: { kind }, steps, seed, signal });
    values.set(letters, from * places);
    await progress((kind + (from + count) / samples) / kinds, "samples");
  }
  return { values, count: samples, places };
}
