/** What the models of a seed have in common: films as latents to train on, films held out, and what made frames are judged by. */
import { adam, arrayData, condOT, cosineDecay, product, splitRows, warmUp } from "../../../index.ts";
import type { Job } from "../experiment.ts";
import type { Features } from "../frechet.ts";
import { readDigits } from "../mnist.ts";
import { randomNumbers } from "../random-numbers.ts";
import { Coder, coderLoss, coderNetwork, LATENT_CHANNELS, LATENT_SHAPE, LATENTS, pairSize } from "./coder.ts";
import { alongComponents, type Components, principalComponents } from "./components.ts";
import { drawFilms, type Films } from "./films.ts";
import { cut, fromUnits, type LatentFilms, sizeOfFrame, toUnits, unitsOf } from "./latents.ts";
import { filmsOfFile } from "./latents-file.ts";
import { MADE, type VideoSettings } from "./settings.ts";

export interface VideoData {
  /** In units of their channels' deviation. */
  readonly training: LatentFilms;
  readonly heldOut: LatentFilms;
  readonly given: number;
  readonly predicted: number;
  /** What errors are of: pixels from 0 to 1, or latents where there are no pictures. */
  readonly seen: Seen;
}

/** Frames as they are looked at: pixels, or latents themselves. */
export interface Seen {
  readonly size: number;
  /** Of the held-out films: the last frame given, [count, size], and the true ones after it, [count, predicted, size]. */
  readonly lastGiven: Float32Array;
  readonly truth: Float32Array;
  /** The same frames of films that were trained on. */
  readonly others: Float32Array;
  /** Features of the true ones. */
  readonly reference: Features;
  /** Frames of latents, film by film. */
  decode(latents: LatentFilms): Promise<Float32Array>;
  /** Features of films of predicted frames. */
  featuresOf(frames: Float32Array): Promise<Features>;
}

/** The autoencoder's folder beside the data. */
const CODER = "encoder";

/** Seeds of what is drawn beside the films themselves. */
const NOISE_SEED_OFFSET = 700_001;

/** Films whose directions of largest variance are the features: more cost time and change little. */
const SPANNING = 200;

/** Frames that the autoencoder is trained on, at most. */
const CODER_FRAMES = 8192;

/** Weight of the latents' mean square beside the error of pixels. */
const PENALTY = 1e-4;

export function prepareVideos(job: Job<VideoSettings>): Promise<VideoData> {
  return job.input === MADE ? madeVideos(job) : fileVideos(job);
}

/** Films that are made, and the autoencoder of their frames. */
async function madeVideos(job: Job<VideoSettings>): Promise<VideoData> {
  const { settings, seed, evaluationSeed, kept, progress } = job;
  const { side, given, predicted, films: count, heldOut: heldOutCount, coderChannels, coderSteps, noise } = settings;
  const digits = readDigits();
  const rows = splitRows(digits.count, 0.2, seed);
  const made = { ...settings, frames: given + predicted };
  const training = drawFilms(made, digits, rows.training, count, seed);
  const heldOut = drawFilms(made, digits, rows.heldOut, heldOutCount, evaluationSeed);
  await kept("held-out", () => ({ values: pixelsOf(heldOut), shape: [heldOutCount, made.frames, side, side] }));
  await progress(0.1, "films");
  await job.fitModel({
    ...{ name: CODER, steps: coderSteps },
    options: {
      network: coderNetwork({ side, coderChannels }),
      ...{
        path: condOT(),
        loss: coderLoss(side, { noise, penalty: PENALTY }),
        data: framesToCode(training),
        batchSize: 64,
      },
      optimizer: adam({
        learningRate: product(3e-3, warmUp({ steps: 50 }), cosineDecay({ steps: coderSteps, final: 0.01 })),
      }),
      maximumGradientNorm: 1,
    },
  });
  const open = async () => new Coder(await job.model(CODER), side);
  const latentsOf = (name: string, films: Films, own: number) =>
    kept(name, async () => {
      using coder = await open();
      const exact = await coder.encode(pixelsOf(films), (done) => progress(done, name));
      const normal = randomNumbers("normal", exact.length, own + NOISE_SEED_OFFSET);
      const values = exact.map((value, i) => value + noise * (normal[i] as number));
      return { values, shape: [films.count, films.frames, ...LATENT_SHAPE] };
    });
  const raw = {
    training: await latentsOf("latents", training, seed),
    heldOut: await latentsOf("held-out-latents", heldOut, evaluationSeed),
  };
  const units = unitsOf(raw.training.data, LATENT_CHANNELS);
  const latentFilms = ({ data }: { data: ArrayLike<number> }): LatentFilms => ({
    values: toUnits(data, units),
    ...{ count: data.length / (made.frames * LATENTS), frames: made.frames, shape: LATENT_SHAPE },
  });
  const [own, held] = [latentFilms(raw.training), latentFilms(raw.heldOut)];
  const components = featuresOf(own, given, settings.components);
  const later = { from: given, to: made.frames };
  const truth = framesOfFilms(heldOut, later);
  const decode = async (latents: LatentFilms) => {
    using coder = await open();
    return await coder.decode(fromUnits(latents.values, units), (done) => progress(done, "frames decoded"));
  };
  const features = async (frames: Float32Array) => {
    using coder = await open();
    const values = toUnits(await coder.encode(frames, (done) => progress(done, "features")), units);
    return along(values, predicted * LATENTS, components);
  };
  return {
    ...{ training: own, heldOut: held, given, predicted },
    seen: {
      ...{ size: side * side, truth, decode, featuresOf: features, reference: await features(truth) },
      lastGiven: framesOfFilms(heldOut, { from: given - 1, to: given }),
      others: framesOfFilms(training, later, heldOutCount),
    },
  };
}

/** Latents of a user's: what is looked at are these. */
async function fileVideos({ settings, input, seed }: Job<VideoSettings>): Promise<VideoData> {
  const { training, heldOut } = await filmsOfFile(input, settings, seed);
  const { given } = settings;
  const predicted = heldOut.frames - given;
  const components = featuresOf(training, given, settings.components);
  const size = sizeOfFrame(heldOut);
  const truth = cut(heldOut, given, heldOut.frames).values;
  const features = async (frames: Float32Array) => along(frames, predicted * size, components);
  const others = cut(training, given, training.frames).values;
  return {
    ...{ training, heldOut, given, predicted },
    seen: {
      ...{ size, truth, featuresOf: features, reference: await features(truth) },
      lastGiven: cut(heldOut, given - 1, given).values,
      others: Float32Array.from({ length: truth.length }, (_, i) => others[i % others.length] as number),
      decode: async ({ values }) => values,
    },
  };
}

/** Directions of predicted frames' latents, whole films each. */
function featuresOf(films: LatentFilms, given: number, components: number): Components {
  const later = cut({ ...films, count: Math.min(films.count, SPANNING) }, given, films.frames);
  const width = later.frames * sizeOfFrame(films);
  return principalComponents({ values: later.values, count: later.count, width }, components);
}

function along(values: Float32Array, width: number, components: Components): Features {
  return alongComponents({ values, count: values.length / width, width }, components);
}

function pixelsOf({ levels }: Films): Float32Array {
  return Float32Array.from(levels, (level) => level / 255);
}

/** Frames from one to before another of the first films, as pixels; of too few films some come again. */
function framesOfFilms(
  { levels, side, frames, count }: Films,
  { from, to }: { from: number; to: number },
  films = count,
): Float32Array {
  const size = side * side;
  const own = (to - from) * size;
  return Float32Array.from({ length: films * own }, (_, i) => {
    const film = Math.floor(i / own) % count;
    return (levels[(film * frames + from) * size + (i % own)] as number) / 255;
  });
}

/** Frames of all films, far apart ones first, each with no move of its latents. */
function framesToCode({ levels, side, frames, count }: Films) {
  const [size, pair] = [side * side, pairSize(side)];
  const all = count * frames;
  const taken = Math.min(all, CODER_FRAMES);
  const values = new Float32Array(taken * pair);
  for (let row = 0; row < taken; row++) {
    const from = Math.floor((row * all) / taken) * size;
    for (let i = 0; i < size; i++) values[row * pair + i] = (levels[from + i] as number) / 255;
  }
  return arrayData(values, [taken, pair]);
}
