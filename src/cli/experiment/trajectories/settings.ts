/** Settings of experiments on trajectories: the presets, what is refused, and in what they differ from the paper's. */
import { ConfigError } from "../../../index.ts";
import { oneOf } from "../../arguments.ts";
import type { Preset, PresetName, Settings } from "../experiment.ts";
import type { TrajectorySystem } from "./system.ts";

export interface TrajectorySettings extends Settings {
  /** Of the U-Net: width of its first level, of three; the others are twice and four times as wide. */
  readonly channels: number;
  /** Of each level: "4-8-8". */
  readonly blocks: string;
  /** Width at both ends. */
  readonly edge: number;
  /** Of its time embedding. */
  readonly frequencies: number;
  /** 1: one network for both tasks, told nothing of half its rows. 2: a network for each, as the paper has it. */
  readonly networks: number;
  /** States of a trajectory. */
  readonly length: number;
  /** Those that a continuation is told. */
  readonly given: number;
  /** That models are trained on. */
  readonly trajectories: number;
  readonly steps: number;
  readonly batch: number;
  readonly rate: number;
  /** "cosine", to 1 % at the end, or "staircase", times 0.995 each 512 steps. */
  readonly decay: string;
  /** Steps that the average of the parameters reaches back. */
  readonly average: number;
  /** Of the divergence term on cond-ot, and on ve-sde. */
  readonly weight: number;
  readonly veWeight: number;
  /** Of ve-sde: about the noise's deviation at t = 0, in deviations of the data. */
  readonly sigmaMax: number;
  /** "residual" or "slice". */
  readonly form: string;
  /** 1 or 2: of the residual. */
  readonly power: number;
  /** Trajectories that nothing was trained on; likelihoods, continuations and guided samples are of some of them. */
  readonly heldOut: number;
  readonly likelihoods: number;
  readonly continued: number;
  /** Samples, and samples guided to the event. */
  readonly samples: number;
  readonly guided: number;
  /** Of Hutchinson's estimate in likelihoods. */
  readonly probes: number;
  /** Of the adaptive solver. */
  readonly tolerance: number;
  /** Samples by Heun's method with so many steps; 0: by the adaptive solver. */
  readonly heun: number;
  /** Heun's steps of guided samples. */
  readonly guidedSteps: number;
}

const forms = ["residual", "slice"] as const;
const decays = ["cosine", "staircase"] as const;

/** Lengths are halved twice. */
const HALVED = 4;

const shared = {
  ...{ networks: 1, given: 3, form: "residual", power: 1, decay: "cosine", frequencies: 64, tolerance: 1e-3, heun: 0 },
  sigmaMax: 30,
} as const;

export function presetsOf({
  settings: own,
  published,
}: TrajectorySystem): Readonly<Record<PresetName, Preset<TrajectorySettings>>> {
  return {
    quick: {
      settings: {
        ...shared,
        ...own,
        channels: 8,
        blocks: "1-2-2",
        edge: 32,
        trajectories: 800,
        steps: 2000,
        batch: 64,
        rate: 2e-3,
        average: 150,
        ...{ heldOut: 1000, likelihoods: 100, continued: 100, samples: 500, guided: 100, probes: 4, guidedSteps: 50 },
      },
      seeds: 1,
      cost: "about 4 minutes for three losses on two cores.",
    },
    standard: {
      settings: {
        ...shared,
        ...own,
        channels: 16,
        blocks: "1-2-2",
        edge: 64,
        trajectories: 4000,
        steps: 6000,
        batch: 128,
        rate: 2e-3,
        average: 300,
        ...{ heldOut: 4000, likelihoods: 500, continued: 500, samples: 2000, guided: 500, probes: 8, guidedSteps: 100 },
      },
      seeds: 3,
      cost: "some 2.5 hours for three seeds of three losses on two cores, reckoned from quick.",
    },
    paper: {
      settings: {
        ...shared,
        ...{ ...own, ...published },
        ...{ networks: 2, channels: 32, blocks: "4-8-8", edge: 128, frequencies: 128, decay: "staircase", heun: 1000 },
        ...{ trajectories: 4000, steps: 16_000, batch: 500, rate: 1e-4, average: 400, sigmaMax: 300 },
        heldOut: 32_000,
        likelihoods: 32_000,
        continued: 500,
        samples: 32_000,
        guided: 500,
        probes: 8,
        guidedSteps: 1000,
      },
      seeds: 3,
      cost:
        "the paper's network and length, for a GPU; on two cores about three weeks: of a seed some 11 hours for each of two networks by CFM " +
        "and by diffusion, 22 by FDM, and a day for the likelihoods of each.",
    },
  };
}

export function blocksOf({ blocks }: Pick<TrajectorySettings, "blocks">): readonly number[] {
  return blocks.split("-").map(Number);
}

/** @throws {@link ConfigError} for what no model can be trained with. */
export function checkSettings(settings: TrajectorySettings): void {
  const { form, decay, length, given, networks, power } = settings;
  oneOf("--set form", form, forms);
  oneOf("--set decay", decay, decays);
  const refuse = (name: string, value: unknown, expected: string, remedy: string) => {
    throw new ConfigError({ subject: `--set ${name}`, given: value, expected, remedy });
  };
  if (blocksOf(settings).length !== 3 || !blocksOf(settings).every((one) => Number.isInteger(one) && one > 0))
    refuse("blocks", settings.blocks, "three numbers of blocks", "Write 1-2-2.");
  if (!Number.isInteger(length / HALVED) || length <= 0)
    refuse("length", length, `a multiple of ${HALVED}: the network halves it twice`, "Write 60.");
  if (!Number.isInteger(given) || given < 1 || given >= length)
    refuse("given", given, `an integer from 1 to ${length - 1}, fewer than a trajectory has`, "Write 3.");
  if (networks !== 1 && networks !== 2) refuse("networks", networks, "1 or 2", "Write 1.");
  if (power !== 1 && power !== 2) refuse("power", power, "1 or 2", "Write 1.");
  for (const name of ["heldOut", "likelihoods", "continued", "samples", "guided", "trajectories", "steps"] as const) {
    const value = settings[name];
    if (!Number.isInteger(value) || value < 2) refuse(name, value, "an integer of 2 or more", "Write 100.");
  }
  for (const name of ["likelihoods", "continued"] as const) {
    if (settings[name] > settings.heldOut)
      refuse(
        name,
        settings[name],
        `at most ${settings.heldOut}, which are held out`,
        `Set heldOut=${settings[name]} too.`,
      );
  }
}

/** In what a run differs from the paper's, a sentence each. */
export function differencesFromPaper(system: TrajectorySystem, settings: TrajectorySettings): readonly string[] {
  const theirs = presetsOf(system).paper.settings;
  const { channels, blocks, edge, networks, steps, batch, trajectories, rate, decay, likelihoods, length } = settings;
  const isOther = (...names: (keyof TrajectorySettings)[]) => names.some((name) => settings[name] !== theirs[name]);
  const hasPaper = system.paper.length > 0;
  return [
    ...(isOther("length") ? [`Trajectories of ${length} states, not ${theirs.length}.`] : []),
    ...(isOther("channels", "blocks", "edge", "frequencies")
      ? [
          `The network: a U-Net of ${channels}, ${2 * channels} and ${4 * channels} channels with ${blocks} blocks and ${edge} at its ends, ` +
            `not 32, 64 and 128 with 4-8-8 and 128.`,
        ]
      : []),
    ...(networks === 1
      ? ["One network for both tasks, told the first states of half its rows, where the paper trains one for each."]
      : []),
    ...(isOther("steps", "batch")
      ? [`Training: ${steps} steps of ${batch}, not ${theirs.steps} of ${theirs.batch}.`]
      : []),
    ...(isOther("trajectories") ? [`${trajectories} trajectories to train on, not ${theirs.trajectories}.`] : []),
    ...(isOther("rate", "decay")
      ? [`The rate: ${rate} with a ${decay} decay, not ${theirs.rate} times 0.995 each 512 steps.`]
      : []),
    ...(isOther("weight", "veWeight", "form", "power") && hasPaper
      ? [
          `The divergence term: ${settings.form} of power ${settings.power} with weight ${settings.weight}, not the residual of power 1 ` +
            `with ${theirs.weight}, the best of the published study that is known of.`,
        ]
      : []),
    ...(isOther("sigmaMax") ? [`Noise of ve-sde up to ${settings.sigmaMax}, not ${theirs.sigmaMax}.`] : []),
    ...(isOther("likelihoods")
      ? [`Likelihoods of ${likelihoods} held-out trajectories, not ${theirs.likelihoods}.`]
      : []),
    "Data are standardised by channel; the paper's are scaled by a number of each system. Likelihoods are in its units all the same.",
    ...(settings.heun === theirs.heun
      ? []
      : [`Samples by ${samplerOf(settings)}, where the paper has Heun's method with 1000 steps.`]),
    "Diffusion is sampled by its probability flow, not by the reverse equation with noise.",
  ];
}

export function samplerOf({ heun, tolerance }: TrajectorySettings): string {
  return heun > 0 ? `Heun's method with ${heun} steps` : `dopri5 at tolerance ${tolerance}`;
}
