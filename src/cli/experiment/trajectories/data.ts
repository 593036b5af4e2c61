/** Trajectories that models are trained on, and those that they are judged by. */
import { trajectoriesNamed } from "../../../dynamics.ts";
import { type ArrayData, arrayData } from "../../../index.ts";
import type { Job } from "../experiment.ts";
import { beginningsOf, type Trajectories } from "./measures.ts";
import type { TrajectorySettings } from "./settings.ts";
import { statisticsOf, type TrajectorySystem } from "./system.ts";

/** What the models of a seed have in common. */
export interface TrajectoryData {
  /** What models are trained on: trajectories alone, and with their first states, which a network may be told. */
  readonly training: { readonly alone: ArrayData; readonly told: ArrayData };
  readonly heldOut: Trajectories;
  /** C of the held-out ones. */
  readonly statistics: ArrayLike<number>;
  /** C of as many true ones as a model is asked for: how far apart two true histograms are by chance. */
  readonly fresh: ArrayLike<number>;
}

/** What a network is told of a trajectory's first states, by this name. */
export const EARLIER = "earlier";

/** Fresh trajectories are drawn by seeds this far from the held-out ones'. */
const FRESH_SEED_OFFSET = 500_009;

export async function prepareTrajectories(
  system: TrajectorySystem,
  { settings, seed, evaluationSeed, kept, signal }: Job<TrajectorySettings>,
): Promise<TrajectoryData> {
  const { trajectories, length, given, heldOut: heldOutCount, samples } = settings;
  const coordinates = system.coordinates.length;
  const draw = async (count: number, own: number) => {
    const { values } = await trajectoriesNamed(system.set, { count, length, seed: own, signal });
    return { values, shape: [count, length, coordinates] };
  };
  const shaped = (values: ArrayLike<number>): Trajectories => ({ values, length, coordinates });
  const training = await kept("training", () => draw(trajectories, seed));
  const heldOut = await kept("held-out", () => draw(heldOutCount, evaluationSeed));
  const statistics = await kept("statistics", () => {
    return { values: statisticsOf(system, shaped(heldOut.data)), shape: [heldOutCount] };
  });
  const fresh = await kept("fresh-statistics", async () => {
    const { values } = await draw(samples, evaluationSeed + FRESH_SEED_OFFSET);
    return { values: statisticsOf(system, shaped(values)), shape: [samples] };
  });
  const earlier = beginningsOf(shaped(training.data), given);
  const conditions = { [EARLIER]: { values: earlier, shape: [trajectories, given, coordinates] } };
  const source = (told: object) => arrayData(training.data, training.shape, { standardize: "channel", ...told });
  return {
    training: { alone: source({}), told: source({ conditions }) },
    heldOut: shaped(heldOut.data),
    statistics: statistics.data,
    fresh: fresh.data,
  };
}
