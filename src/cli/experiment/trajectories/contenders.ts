/** What experiments on trajectories hold against each other: losses on straight paths and on paths of exploding variance. */
import { veSDE, weighted, withOutput } from "../../../flows.ts";
import { cfm, condOT, fdm, type Loss, type PathScheduler } from "../../../index.ts";
import type { Contender } from "../experiment.ts";
import type { TrajectorySettings } from "./settings.ts";

export interface TrajectoryContender extends Contender {
  path(settings: TrajectorySettings): PathScheduler;
  loss(settings: TrajectorySettings): Loss;
}

/** Data are standardised by channel, so their deviation is 1. */
function exploding(output: "noise" | "score") {
  return ({ sigmaMax }: TrajectorySettings) => withOutput(output, veSDE({ sigmaMax }), { dataDeviation: 1 });
}

/** The published objective on this path: the velocity's error over sigma', times of a batch spread evenly. */
const onExploding = (loss: Loss) => weighted(loss, { by: "noise", times: "even" });

/** Of power 1 with weight "dilation" the residual's form is the published one. */
function flowAndDivergence({ form, power }: TrajectorySettings, divergence: number): Loss {
  return fdm({
    divergence,
    form: form === "slice" ? "slice" : "residual",
    power: power === 1 ? 1 : 2,
    weight: "dilation",
  });
}

export const trajectoryContenders: Readonly<Record<string, TrajectoryContender>> = {
  cfm: { title: "CFM", about: "flow matching on cond-ot", cost: 1, path: () => condOT(), loss: () => cfm() },
  fdm: {
    title: "FDM",
    about:
      "flow and divergence matching on cond-ot, its divergence term in the form and with the weight of the settings",
    cost: 2,
    path: () => condOT(),
    loss: (settings) => flowAndDivergence(settings, settings.weight),
  },
  score: {
    title: "Diffusion",
    about:
      "score-based diffusion: denoising score matching on ve-sde, all times weighed alike in units of the noise; sampled and judged " +
      "by its probability flow, with the solver of the others",
    cost: 1,
    path: exploding("score"),
    loss: () => onExploding(cfm()),
  },
  "cfm-ve": {
    title: "CFM, ve",
    about: "flow matching on ve-sde, the velocity's error divided by sigma'",
    cost: 1,
    path: exploding("noise"),
    loss: () => onExploding(cfm()),
  },
  "fdm-ve": {
    title: "FDM, ve",
    about: "flow and divergence matching on ve-sde, with the weight that the settings have for it",
    cost: 2,
    path: exploding("noise"),
    loss: (settings) => onExploding(flowAndDivergence(settings, settings.veWeight)),
  },
};
