/** The harmonic oscillator: trajectories of which the first state tells all. */
import { ops } from "../../../networks.ts";
import { coordinateOf, largest, type TrajectorySystem } from "./system.ts";
import { trajectoryExperiment } from "./trajectory-experiment.ts";

/** How far out is far. */
const FAR = 2;

export const oscillatorTrajectories: TrajectorySystem = {
  name: "oscillator",
  set: "harmonic-oscillator",
  summary: "the harmonic oscillator: likelihood, error after the first states, large swings sampled",
  about: "Of the harmonic oscillator the first state tells all that follows, linearly.",
  coordinates: ["q", "p"],
  timeStep: 0.1,
  plane: [0, 1],
  event: {
    says: `C = the largest q over time, less ${FAR}: above 0 where it swings far to the right`,
    statistic: (trajectory, length) => largest(trajectory, length, (at) => at(0)) - FAR,
    build: ({ samples }) => ops.subtract(ops.max(coordinateOf(samples, 0), [1]), FAR),
  },
  settings: { length: 60, weight: 0.02, veWeight: 2e-3 },
  paper: [],
};

export const oscillator = trajectoryExperiment(oscillatorTrajectories);
