/** Settings of experiments on pictures: what is refused, and in what a run differs from the paper's. */
import { ConfigError } from "../../../index.ts";
import { oneOf } from "../../arguments.ts";
import type { Settings } from "../experiment.ts";

export interface PictureSettings extends Settings {
  /** Pictures are squares of so many places. 0: as they are, which a folder's may be if all have one size. */
  readonly side: number;
  /** Of the U-Net: width of its first level. */
  readonly channels: number;
  /** Widths of its levels in these: "1-2". */
  readonly multipliers: string;
  /** Residual blocks of a level. */
  readonly blocks: number;
  /** How often a row in training is not told its class. */
  readonly drop: number;
  readonly steps: number;
  readonly batch: number;
  readonly rate: number;
  /** Steps that the average of the parameters reaches back. */
  readonly average: number;
  /** Of the divergence term, and its form: "residual" or "slice". */
  readonly weight: number;
  readonly form: string;
  /** Pictures that nothing is trained on: a share of all, or how many. */
  readonly heldOut: number;
  /** Steps of the classifier, where pictures have classes. */
  readonly classifier: number;
  /** Held-out pictures whose likelihoods are taken, with so many probes, to this tolerance. */
  readonly likelihoods: number;
  readonly probes: number;
  readonly tolerance: number;
  /** Samples, by so many steps of Heun's method. */
  readonly samples: number;
  readonly solver: number;
  /** Samples of each strength of guidance, and of each number of evaluations. */
  readonly guided: number;
}

const forms = ["residual", "slice"] as const;

const shared = { drop: 0.1, weight: 0.1, form: "residual", tolerance: 1e-3, heldOut: 0.2 } as const;

/** Of a side that halves once; minutes on two cores. */
export const quickSettings = (side: number): PictureSettings => ({
  ...{ ...shared, side },
  ...{ channels: 8, multipliers: "1-2", blocks: 1 },
  ...{ steps: 1200, batch: 64, rate: 2e-3, average: 100, classifier: 600 },
  ...{ likelihoods: 200, probes: 4, samples: 1000, solver: 12, guided: 300 },
});

/** Of a side that halves twice; hours on two cores. */
export const standardSettings = (side: number): PictureSettings => ({
  ...{ ...shared, side },
  ...{ channels: 16, multipliers: "1-2-2", blocks: 1 },
  ...{ steps: 2500, batch: 64, rate: 1e-3, average: 200, classifier: 1500 },
  ...{ likelihoods: 200, probes: 4, samples: 1000, solver: 20, guided: 300 },
});

/** As models of CIFAR-10 are trained. */
export const paperSettings = (side: number): PictureSettings => ({
  ...{ ...shared, side },
  ...{ channels: 128, multipliers: "1-2-2", blocks: 2 },
  ...{ steps: 400_000, batch: 128, rate: 2e-4, average: 10_000, classifier: 20_000 },
  ...{ likelihoods: 2000, probes: 16, samples: 10_000, solver: 50, guided: 2000 },
});

export function multipliersOf({ multipliers }: Pick<PictureSettings, "multipliers">): readonly number[] {
  return multipliers.split("-").map(Number);
}

/** @throws {@link ConfigError} for what no model can be trained with, or judged by. */
export function checkPictureSettings(settings: PictureSettings): void {
  const { side, form, drop, heldOut } = settings;
  const refuse = (name: keyof PictureSettings & string, expected: string, remedy: string) => {
    throw new ConfigError({ subject: `--set ${name}`, given: settings[name], expected, remedy });
  };
  oneOf("--set form", form, forms);
  const levels = multipliersOf(settings);
  if (!levels.every((one) => Number.isInteger(one) && one > 0))
    refuse("multipliers", "whole numbers with dashes between", "Write 1-2.");
  const halved = 2 ** (levels.length - 1);
  if (!Number.isInteger(side / halved) || side < 0)
    refuse("side", `a multiple of ${halved}: the network halves it ${levels.length - 1} times`, "Write side=16.");
  if (!(drop > 0 && drop < 1)) refuse("drop", "a share in (0, 1): guidance needs models that can do without", "0.1.");
  if (!(heldOut > 0)) refuse("heldOut", "a share in (0, 1), or how many", "Write heldOut=0.2.");
  for (const name of ["likelihoods", "samples", "guided", "steps", "classifier"] as const) {
    if (!Number.isInteger(settings[name]) || settings[name] < 2)
      refuse(name, "an integer of 2 or more", "Write a larger one.");
  }
  if (settings.guided > settings.samples)
    refuse("guided", `at most ${settings.samples}, the samples that there are`, `Set samples=${settings.guided} too.`);
}

/** @param pictures - what they are, as a sentence begins with it. */
export function differencesFromPaper(settings: PictureSettings, pictures: string): readonly string[] {
  const { channels, multipliers, blocks, steps, batch, weight, form, likelihoods, probes, samples } = settings;
  return [
    `The data: ${pictures}, not the 50,000 coloured ones of 32 x 32 of CIFAR-10, so that the figures stand beside each other for their order alone.`,
    `The network: unet2d of ${channels} channels times ${multipliers}, ${blocks} ${blocks === 1 ? "block" : "blocks"} a level, told the class where there are classes; ` +
      "what the paper's is like is not known here, but it is far larger, and told nothing.",
    `Training: ${steps} steps of ${batch}, minutes, where models of CIFAR-10 take hundreds of thousands.`,
    `The divergence term: the ${form} form with weight ${weight}; the paper's for pictures is not known here.`,
    `Bits: of ${likelihoods} pictures held out, told their class, each dequantised once, by Hutchinson's estimate of ${probes} probes; models are ` +
      "trained on pictures dequantised anew for each batch.",
    `The feature distance is no FID: its features are 32 numbers of a small classifier trained along, not Inception's 2,048, and of ${samples} samples, not 50,000.`,
  ];
}
