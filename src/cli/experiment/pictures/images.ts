/** A user's own pictures. */
import { basename } from "node:path";
import { listPictures, readPictures } from "./folder.ts";
import { pictureExperiment } from "./picture-experiment.ts";
import { differencesFromPaper, paperSettings, quickSettings, standardSettings } from "./settings.ts";

export const images = pictureExperiment({
  name: "images",
  summary: "a folder of your pictures (PNG, PGM, PPM; folders are classes): bits per dimension, samples, memory",
  question:
    "Does a model of your pictures that also fits its divergence give held-out ones a higher likelihood, and make better ones? Asked as the " +
    "paper asks it of CIFAR-10: bits per dimension, and, where folders tell classes, how far samples are from held-out pictures by the features of a " +
    "small classifier; and whether samples are copies of pictures that were trained on.",
  input: { what: "DIR, or FILE.npy" },
  presets: {
    quick: {
      settings: { ...quickSettings(16), steps: 900 },
      seeds: 1,
      cost: "some 8 minutes for all on pictures of 16 x 16 on two cores, reckoned from digits.",
    },
    standard: {
      settings: { ...standardSettings(32), steps: 1800 },
      seeds: 3,
      cost: "up to 3 hours for three seeds of CFM and FDM on pictures of 32 x 32 on two cores, reckoned from digits.",
    },
    paper: {
      settings: paperSettings(32),
      seeds: 3,
      cost: "a network and a length like those of published models of CIFAR-10, for a GPU; not for two cores.",
    },
  },
  picturesOf: ({ side }, input) => readPictures(input, side),
  classesOf: (_, input) => listPictures(input).classes,
  check(_, input) {
    listPictures(input);
  },
  differences(settings, input) {
    const size = settings.side > 0 ? ` of ${settings.side} x ${settings.side}` : "";
    return differencesFromPaper(settings, `those of ${basename(input)}${size}`);
  },
});
