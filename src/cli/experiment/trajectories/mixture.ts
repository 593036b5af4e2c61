/** Points of a mixture, each by itself: trajectories without a motion, whose density is known in so many dimensions. */
import { ops } from "../../../networks.ts";
import { coordinateOf, type TrajectorySystem } from "./system.ts";
import { trajectoryExperiment } from "./trajectory-experiment.ts";

/** One in thirty trajectories has a mean beyond this. */
const FAR = 0.5;

/** Of `mixtureTrajectories`: N(-2, 0.5^2) or N(2, 0.5^2), each as often. */
const [MEAN, DEVIATION] = [2, 0.5];

export const mixtureTrajectoriesSystem: TrajectorySystem = {
  name: "mixture",
  set: "mixture-trajectories",
  summary: "60 points, each of one of two Gaussians by itself: likelihood beside the exact one, rare means sampled",
  about:
    "Each of 60 points is drawn from one of two Gaussians by itself, so the density is known: 2^60 peaks in 60 dimensions.",
  coordinates: ["x"],
  timeStep: 1,
  event: {
    says: `C = the mean of x less ${FAR}: above 0 where far more points are on the right than on the left`,
    statistic: (trajectory, length) => Array.from(trajectory).reduce((sum, x) => sum + x / length, -FAR),
    build: ({ samples }) => ops.subtract(ops.mean(coordinateOf(samples, 0), [1]), FAR),
  },
  logDensity(trajectory) {
    const term = (x: number, mean: number) => -0.5 * ((x - mean) / DEVIATION) ** 2;
    const constant = -Math.log(2 * DEVIATION * Math.sqrt(2 * Math.PI));
    return Array.from(trajectory).reduce((sum, x) => {
      const [left, right] = [term(x, -MEAN), term(x, MEAN)];
      return sum + constant + Math.max(left, right) + Math.log1p(Math.exp(-Math.abs(left - right)));
    }, 0);
  },
  headline: ["excess", "statisticDistance"],
  settings: { length: 60, weight: 0.02, veWeight: 2e-3 },
  paper: [],
};

export const mixture = trajectoryExperiment(mixtureTrajectoriesSystem);
