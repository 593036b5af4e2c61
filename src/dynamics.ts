/**
 * The entry `divflow/dynamics`: trajectories of dynamical systems as data, and events of them that samples are guided by. Apart
 * from `divflow`, so that a page which has none of it downloads none.
 */
export type { ArrayData } from "./data/array.ts";
export { fitzHughNagumoEvent, lorenzEvent } from "./data/dynamics/events.ts";
export type { SystemName } from "./data/dynamics/systems.ts";
export {
  advance,
  doublePendulum,
  fitzHughNagumo,
  harmonicOscillator,
  lorenz,
  mixtureTrajectories,
  type TrajectoriesName,
  type TrajectoryOptions,
  trajectoriesNamed,
  trajectoryNames,
} from "./data/dynamics/trajectories.ts";
