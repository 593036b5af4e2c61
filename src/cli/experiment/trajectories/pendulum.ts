/** The double pendulum, whose lower link turns over now and then. */
import { ops } from "../../../networks.ts";
import { coordinateOf, largest, type TrajectorySystem } from "./system.ts";
import { trajectoryExperiment } from "./trajectory-experiment.ts";

export const pendulumTrajectories: TrajectorySystem = {
  name: "pendulum",
  set: "double-pendulum",
  summary: "the double pendulum: likelihood, error after the first states, turning over sampled",
  about: "A double pendulum swings near rest and is chaotic where it swings far; its lower link may turn over.",
  coordinates: ["q1", "q2", "v1", "v2"],
  timeStep: 0.1,
  plane: [0, 1],
  event: {
    says: "C = the largest |q2| over time, less pi: above 0 where the lower link turns over",
    statistic: (trajectory, length) => largest(trajectory, length, (at) => Math.abs(at(1))) - Math.PI,
    build: ({ samples }) => ops.subtract(ops.max(ops.abs(coordinateOf(samples, 1)), [1]), Math.PI),
  },
  settings: { length: 60, weight: 0.02, veWeight: 2e-3 },
  published: { length: 300 },
  paper: [],
};

export const pendulum = trajectoryExperiment(pendulumTrajectories);
