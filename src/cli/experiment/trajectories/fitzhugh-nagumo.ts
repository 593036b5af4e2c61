/** Two coupled cells of FitzHugh and Nagumo, which rest for long and spike now and then. */
import { fitzHughNagumoEvent } from "../../../dynamics.ts";
import { largest, type TrajectorySystem } from "./system.ts";
import { trajectoryExperiment } from "./trajectory-experiment.ts";

export const fitzHughNagumoTrajectories: TrajectorySystem = {
  name: "fitzhugh-nagumo",
  set: "fitzhugh-nagumo",
  summary: "two coupled cells that seldom spike at once: likelihood, error after the first states, that event sampled",
  about: "Two coupled cells of FitzHugh and Nagumo swing for long and spike together seldom.",
  coordinates: ["x1", "x2", "y1", "y2"],
  timeStep: 6,
  plane: [0, 1],
  event: {
    says: "C = the largest mean of x1 and x2 over time, less 2.5: above 0 where both cells spike",
    statistic: (trajectory, length) => largest(trajectory, length, (at) => (at(0) + at(1)) / 2) - 2.5,
    build: fitzHughNagumoEvent,
  },
  settings: { length: 60, weight: 0.02, veWeight: 2e-3 },
  published: { weight: 1.6e-4 },
  paper: [
    {
      measure: "negative log-likelihood per dimension, nats, lower is better",
      figures: { cfm: "-13.942", fdm: "-14.408", score: "-7.365" },
      metric: "nats",
      source: "a published notebook of the authors, 32,000 trajectories",
    },
    {
      measure: "total variation of the event's statistic, lower is better",
      figures: { cfm: "0.0314", fdm: "0.0266" },
      metric: "statisticDistance",
      source: "arXiv 2602.00869, from summaries of it, which do not say how it is taken",
    },
  ],
};

export const fitzHughNagumo = trajectoryExperiment(fitzHughNagumoTrajectories);
