/** What may be chosen of the experiment on films, its presets, and in what these differ from the paper's. */
import { ConfigError } from "../../../index.ts";
import { oneOf } from "../../arguments.ts";
import type { Preset, PresetName, Settings } from "../experiment.ts";

/** The input that stands for films of digits that are made. */
export const MADE = "digits";

export interface VideoSettings extends Settings {
  /** Pixels of a frame's side: 16, 32, 64 or 128. */
  readonly side: number;
  /** Digits of a film. */
  readonly digits: number;
  /** Frames that are known, and frames that are made. */
  readonly given: number;
  readonly predicted: number;
  /** Films to train on, and films that are held out. */
  readonly films: number;
  readonly heldOut: number;
  /** Of the autoencoder: channels at half of a frame's size, training steps, and the noise on its latents. */
  readonly coderChannels: number;
  readonly coderSteps: number;
  readonly noise: number;
  /** Of the transformer: width, heads, blocks before and after the middle, and those of the middle. */
  readonly width: number;
  readonly heads: number;
  readonly outer: number;
  readonly middle: number;
  readonly steps: number;
  readonly batch: number;
  readonly rate: number;
  /** Steps in which the rate rises. */
  readonly warmUp: number;
  /** "cosine", to 1 % at the end, or "none". */
  readonly decay: string;
  readonly weightDecay: number;
  /** Steps that the average of the parameters reaches back. */
  readonly average: number;
  /** Of the divergence term, in its slice form, and the power of its size: 1 or 2. */
  readonly weight: number;
  readonly power: number;
  /** RK4 steps of a frame. */
  readonly solver: number;
  /** Frames whose likelihood is asked, a film each; probes and tolerance of that. */
  readonly likelihoods: number;
  readonly probes: number;
  readonly tolerance: number;
  /** Numbers of a film that the feature distance is of. */
  readonly components: number;
}

const decays = ["cosine", "none"] as const;

/** Frames are halved down to latents of 8 x 8, from pixels taken two by two. */
const sides = [16, 32, 64, 128];

const shared = { given: 10, predicted: 15, noise: 0.1, weightDecay: 5e-6, power: 1, probes: 4, tolerance: 1e-3 };

export const videoPresets: Readonly<Record<PresetName, Preset<VideoSettings>>> = {
  quick: {
    settings: {
      ...{ ...shared, side: 32, digits: 1, films: 400, heldOut: 48, coderChannels: 24, coderSteps: 400 },
      ...{ width: 64, heads: 4, outer: 1, middle: 1, steps: 600, batch: 16, rate: 2e-3, warmUp: 50, decay: "cosine" },
      ...{ average: 60, weight: 0.05, solver: 3, likelihoods: 24, probes: 2, components: 8 },
    },
    seeds: 1,
    cost: "about a minute and a half on two quiet cores.",
  },
  standard: {
    settings: {
      ...{ ...shared, side: 32, digits: 2, films: 2000, heldOut: 256, coderChannels: 32, coderSteps: 3000 },
      ...{
        width: 128,
        heads: 4,
        outer: 1,
        middle: 2,
        steps: 4000,
        batch: 32,
        rate: 1e-3,
        warmUp: 200,
        decay: "cosine",
      },
      ...{ average: 400, weight: 0.05, solver: 6, likelihoods: 96, components: 24 },
    },
    seeds: 3,
    cost: "some 3 hours for three seeds of two losses on two cores, reckoned, not measured.",
  },
  paper: {
    settings: {
      ...{ ...shared, side: 64, digits: 2, predicted: 30, films: 10_000, heldOut: 256, coderChannels: 64 },
      ...{ coderSteps: 30_000, width: 768, heads: 8, outer: 4, middle: 5, steps: 300_000, batch: 32, rate: 1e-5 },
      ...{ warmUp: 5000, decay: "none", average: 2000, weight: 0.05, solver: 100, likelihoods: 256, components: 32 },
    },
    seeds: 3,
    cost:
      "the paper's transformer and length, for a GPU: the paper's two models of BAIR took 25 and 36 hours; on two cores it would be some " +
      "seven months a seed, reckoned by operations.",
  },
};

/** @throws {@link ConfigError} for what no model can be trained with. */
export function checkVideoSettings(settings: VideoSettings, input: string): void {
  const refuse = (name: string, expected: string, remedy: string) => {
    throw new ConfigError({ subject: `--set ${name} of moving-digits`, given: settings[name], expected, remedy });
  };
  oneOf("--set decay", settings.decay, decays);
  if (input === MADE && !sides.includes(settings.side)) refuse("side", `one of ${sides.join(", ")}`, "Write side=32.");
  const counts = ["digits", "films", "coderSteps", "coderChannels", "steps", "batch", "warmUp", "average", "solver"];
  for (const name of [...counts, "predicted", "likelihoods", "probes", "components"]) {
    if (!Number.isInteger(settings[name]) || Number(settings[name]) < 1)
      refuse(name, "an integer of 1 or more", "See docs/experiments.md.");
  }
  for (const name of ["given", "heldOut"]) {
    if (!Number.isInteger(settings[name]) || Number(settings[name]) < 2)
      refuse(name, "an integer of 2 or more", "See docs/experiments.md.");
  }
  if (settings.power !== 1 && settings.power !== 2) refuse("power", "1 or 2", "Write power=1.");
  for (const name of ["noise", "weight", "weightDecay"]) {
    if (!(Number(settings[name]) >= 0)) refuse(name, "0 or more", "See docs/experiments.md.");
  }
}

/** In what a run differs from the paper's, a sentence each. */
export function differencesFromVideos(settings: VideoSettings, input: string): readonly string[] {
  const { paper } = videoPresets;
  const theirs = paper.settings;
  const { width, heads, outer, middle, steps, batch, rate, side, predicted, given, solver, power, weight } = settings;
  const isOther = (...names: (keyof VideoSettings)[]) => names.some((name) => settings[name] !== theirs[name]);
  const made = input === MADE;
  return [
    made
      ? "The data: digits that move and bounce, made here, where the paper has films of people walking (KTH) and of a robot's arm (BAIR)."
      : "The data: latents of yours, where the paper has films of people walking (KTH) and of a robot's arm (BAIR).",
    ...(made && side !== 64 ? [`Frames of ${side} x ${side} pixels of one grey, not 64 x 64 in colour.`] : []),
    ...(made
      ? [
          "The autoencoder: a small one of convolutions that is trained here by divflow, where the paper's is a published one.",
        ]
      : []),
    ...(isOther("given", "predicted")
      ? [`${given} frames given and ${predicted} predicted, not 10 and 30 (KTH) or 1 and 15 (BAIR).`]
      : []),
    ...(isOther("width", "heads", "outer", "middle")
      ? [
          `The transformer: width ${width}, ${heads} heads, ${outer} + ${middle} + ${outer} blocks, not 768, 8 and 4 + 5 + 4.`,
        ]
      : []),
    ...(isOther("steps", "batch", "rate", "decay", "warmUp")
      ? [`Training: ${steps} steps of ${batch} with a rate of ${rate}, not 300,000 of 32 with 1e-5.`]
      : []),
    ...(isOther("solver") ? [`Frames are made by ${solver} steps of RK4, not 100.`] : []),
    `The divergence term, in the paper's slice form of power ${power === 1 ? "1" : "2, where the paper's is 1"}, has weight ${weight}; the paper's is not known here.`,
    "The measure: a Fréchet distance of features of our own is no FVD, which has those of a network trained on films of people; the figures cannot be compared, their order can.",
  ];
}
