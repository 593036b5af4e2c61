/**
 * Models of pictures, asked as the paper asks those of CIFAR-10: bits per dimension of held-out ones, and how far samples are from
 * them; by class, with guidance, and in one step.
 */
import { flowMap, frozenField, meanFlow } from "../../../flows.ts";
import { adam, cfm, condOT, cosineDecay, ema, fdm, type Loss, type Network, product, warmUp } from "../../../index.ts";
import { classes, unet2d } from "../../../networks.ts";
import type { Experiment, LossJob, Preset, PresetName } from "../experiment.ts";
import { defineExperiment } from "../experiment.ts";
import { isMap, pictureContenders, ROWS } from "./contenders.ts";
import { type AllPictures, LABEL, type PictureData, preparePictures } from "./data.ts";
import { judgePictures } from "./judge.ts";
import { sheetsOfPictures } from "./pictures.ts";
import { checkPictureSettings, multipliersOf, type PictureSettings } from "./settings.ts";

/** What one experiment on pictures has that another has not. */
export interface PictureKind extends Pick<Experiment<PictureSettings>, "name" | "summary" | "question" | "input"> {
  readonly presets: Readonly<Record<PresetName, Preset<PictureSettings>>>;
  /** All of them, as squares of the settings' side. */
  picturesOf(settings: PictureSettings, input: string): AllPictures;
  /** Names of the classes, for the report. */
  classesOf(settings: PictureSettings, input: string): readonly string[] | undefined;
  /** Refuses what has no pictures. */
  check(settings: PictureSettings, input: string): void;
  differences(settings: PictureSettings, input: string): readonly string[];
}

/** The model that teaches a map. */
const TEACHER = "teacher";

/** Share of a map's pairs of times that are equal, where its loss is flow matching's. */
const EQUAL = 0.25;

export function pictureExperiment({ picturesOf, classesOf, check, ...kind }: PictureKind): Experiment {
  return defineExperiment<PictureSettings, PictureData>({
    ...kind,
    contenders: pictureContenders,
    losses: ["cfm", "fdm", "map", ROWS],
    headline: ["bits", "features", "recognised"],
    shares: { prepare: 0.2, judge: 0.8 },
    paper: [
      {
        measure: "CIFAR-10, bits per dimension, lower is better",
        figures: { cfm: "2.99", fdm: "2.85" },
        metric: "bits",
        source: "authors' answer to review",
      },
      {
        measure: "CIFAR-10, FID, lower is better",
        figures: { cfm: "6.35", fdm: "5.62" },
        metric: "features",
        source: "authors' answer to review",
      },
    ],
    check(settings, input) {
      checkPictureSettings(settings);
      check(settings, input);
    },
    steps: ({ steps }, loss) => (loss === ROWS ? 0 : isMap(loss) ? 2 * steps : steps),
    prepare: (job) => preparePictures(picturesOf(job.settings, job.input), job),
    train: trainPictures,
    judge: judgePictures,
    pictures: (showing) => sheetsOfPictures(showing, classesOf(showing.settings, showing.input)),
  });
}

async function trainPictures(job: LossJob<PictureSettings, PictureData>): Promise<void> {
  const { settings, data, loss, fitModel, model } = job;
  const { weight, form } = settings;
  if (loss === ROWS) return;
  if (!isMap(loss)) {
    const divergence = fdm({ divergence: weight, form: form === "slice" ? "slice" : "residual" });
    await fitModel(fitOf(job, networkOf(settings, data, 0), loss === "fdm" ? divergence : cfm()));
    return;
  }
  await fitModel({ name: TEACHER, ...fitOf(job, networkOf(settings, data, 0), cfm()) });
  using teacher = await model(TEACHER);
  const taught = meanFlow({ teacher: await frozenField(await teacher.checkpoint()), equal: EQUAL, divergence: 0 });
  const network = flowMap({ network: networkOf(settings, data, 1), divergence: false });
  await fitModel(fitOf(job, network, taught));
}

function fitOf({ settings, data }: LossJob<PictureSettings, PictureData>, network: Network, loss: Loss) {
  const { steps, batch, rate, average } = settings;
  const learningRate = product(rate, warmUp({ steps: 100 }), cosineDecay({ steps, final: 0.01 }));
  return {
    steps,
    options: {
      ...{ network, path: condOT(), loss, data: data.source, batchSize: batch },
      ...{ optimizer: adam({ learningRate }), maximumGradientNorm: 1 },
      ema: ema({ decay: 1 - 1 / average }),
    },
  };
}

/** @param more - channels beside the pictures' own. */
function networkOf(settings: PictureSettings, { training, classes: names }: PictureData, more: number): Network {
  const { channels, blocks, drop } = settings;
  return unet2d({
    sample: [training.height, training.width, training.channels + more],
    ...{ channels, multipliers: multipliersOf(settings), residualBlocks: blocks, groups: groupsOf(channels) },
    ...(names ? { conditions: { [LABEL]: classes(names.length, { drop }) } } : {}),
  });
}

/** Of group norm: 32 as usual, fewer where a level has fewer than four channels for each. */
function groupsOf(channels: number): number {
  return [32, 16, 8, 4, 2].find((groups) => channels % groups === 0 && channels / groups >= 4) ?? 1;
}
