/** The Lorenz system, whose trajectories change wings at times that cannot be told for long. */
import { lorenzEvent } from "../../../dynamics.ts";
import type { TrajectorySystem } from "./system.ts";
import { trajectoryExperiment } from "./trajectory-experiment.ts";

export const lorenzTrajectories: TrajectorySystem = {
  name: "lorenz",
  set: "lorenz",
  summary: "trajectories of the Lorenz system: likelihood, error after the first states, an event sampled",
  about: "The Lorenz system is chaotic: what is known of its first states is lost in time.",
  coordinates: ["x", "y", "z"],
  timeStep: 0.1,
  plane: [0, 2],
  event: {
    says: "C = 0.6 less the mean amplitude of x's Fourier transform, above 0 where a trajectory keeps to one wing",
    statistic(trajectory, length) {
      const coordinates = trajectory.length / length;
      const frequencies = Math.floor(length / 2);
      let sum = 0;
      for (let k = 1; k <= frequencies; k++) {
        let [real, imaginary] = [0, 0];
        for (let step = 0; step < length; step++) {
          const angle = (2 * Math.PI * ((k * step) % length)) / length;
          const x = trajectory[step * coordinates] as number;
          real += x * Math.cos(angle);
          imaginary += x * Math.sin(angle);
        }
        sum += Math.hypot(real, imaginary);
      }
      return 0.6 - sum / frequencies;
    },
    build: lorenzEvent,
  },
  settings: { length: 60, weight: 0.2, veWeight: 0.039 },
  paper: [
    {
      measure: "total variation of the event's statistic, lower is better",
      figures: { cfm: "0.0348", fdm: "0.0306" },
      metric: "statisticDistance",
      source: "arXiv 2602.00869, from summaries of it, which do not say how it is taken",
    },
  ],
};

export const lorenz = trajectoryExperiment(lorenzTrajectories);
