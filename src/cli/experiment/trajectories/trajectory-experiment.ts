/**
 * Trajectories of a dynamical system, as the paper has them: models of whole trajectories, judged by the likelihood of held-out
 * ones, by how they go on after the first states, and by an event of theirs, which samples are guided to.
 */
import { adam, cosineDecay, ema, type Network, product, staircase, warmUp } from "../../../index.ts";
import { numbers, unet1d } from "../../../networks.ts";
import { defineExperiment, type Experiment } from "../experiment.ts";
import { type TrajectoryContender, trajectoryContenders } from "./contenders.ts";
import { EARLIER, prepareTrajectories, type TrajectoryData } from "./data.ts";
import { CONTINUES, judgeTrajectories } from "./judge.ts";
import { trajectoryPictures } from "./pictures.ts";
import { blocksOf, checkSettings, differencesFromPaper, presetsOf, type TrajectorySettings } from "./settings.ts";
import type { TrajectorySystem } from "./system.ts";

/** Gradients are no longer than that: a step's that meets a rare trajectory would be. */
const LONGEST_GRADIENT = 1;

export function trajectoryExperiment(system: TrajectorySystem): Experiment {
  const coordinates = system.coordinates.length;
  return defineExperiment<TrajectorySettings, TrajectoryData>({
    name: system.name,
    summary: system.summary,
    question:
      `${system.about} Models of whole trajectories are asked how likely held-out ones are, how they go on when they are told the first ` +
      "states, and how often an event happens, alone and when samples are guided to it. Does fitting the divergence make them better, " +
      "and how does diffusion fare, on the same network?",
    presets: presetsOf(system),
    contenders: trajectoryContenders,
    losses: ["cfm", "fdm", "score"],
    headline: system.headline ?? ["nats", "continuation", "statisticDistance"],
    paper: system.paper,
    shares: { prepare: 0.03, judge: 0.5 },
    differences: (settings) => differencesFromPaper(system, settings),
    check: checkSettings,
    steps: ({ steps, networks }) => steps * networks,

    async train({ settings, data, loss, fitModel }) {
      const { steps, batch, rate, decay, average, networks } = settings;
      const falls =
        decay === "staircase" ? staircase({ factor: 0.995, every: 512 }) : cosineDecay({ steps, final: 0.01 });
      const contender = trajectoryContenders[loss] as TrajectoryContender;
      const learningRate = product(rate, warmUp({ steps: 10 }), falls);
      /** @param told - how often it is not told the first states; left out: it never is. */
      const trainOne = (name: string, told?: { readonly drop: number }) =>
        fitModel({
          ...{ name, steps },
          options: {
            ...{
              network: networkOf(settings, coordinates, told),
              path: contender.path(settings),
              loss: contender.loss(settings),
            },
            ...{ data: told ? data.training.told : data.training.alone, batchSize: batch },
            ...{ optimizer: adam({ learningRate }), maximumGradientNorm: LONGEST_GRADIENT },
            ema: ema({ decay: 1 - 1 / average }),
          },
        });
      if (networks === 1) await trainOne("", { drop: 0.5 });
      else {
        await trainOne("");
        await trainOne(CONTINUES, { drop: 0 });
      }
    },

    prepare: (job) => prepareTrajectories(system, job),
    judge: (job) => judgeTrajectories(system, job),
    pictures: (showing) => trajectoryPictures(system, showing),
  });
}

function networkOf(
  settings: TrajectorySettings,
  coordinates: number,
  told: { readonly drop: number } | undefined,
): Network {
  const { length, channels, edge, frequencies, given } = settings;
  return unet1d({
    ...{
      sample: [length, coordinates],
      channels: [channels, 2 * channels, 4 * channels],
      blocks: [...blocksOf(settings)],
    },
    ...{ edgeChannels: edge, frequencies },
    ...(told ? { conditions: { [EARLIER]: numbers([given, coordinates], told) } } : {}),
  });
}
