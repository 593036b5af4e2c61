/** What experiments on pictures hold against each other. */
import type { Contender } from "../experiment.ts";

/** The contender that is no model. */
export const ROWS = "rows";

const MAP = "map";

/** Whether a contender samples by the steps of a flow map. */
export const isMap = (loss: string): boolean => loss === MAP;

export const pictureContenders: Readonly<Record<string, Contender>> = {
  cfm: { title: "CFM", about: "flow matching on cond-ot, sampled by Heun's method", cost: 1 },
  fdm: {
    title: "FDM",
    about: "flow and divergence matching on cond-ot, in the form and with the weight of the settings",
    cost: 2,
  },
  [MAP]: {
    title: "One-step map",
    about:
      "a flow map of the same network with a channel more (docs/flow-maps.md), taught for as many steps by a field that CFM trained, and " +
      "sampled in one evaluation; its bits are those of its own velocity",
    cost: 1.4,
  },
  [ROWS]: {
    title: "Training pictures",
    about:
      "no model: training pictures themselves, which is what chance leaves of a distance to held-out ones, and a perfect copyist; and " +
      "how good the classifier is",
    cost: 0,
    isBaseline: true,
  },
};
