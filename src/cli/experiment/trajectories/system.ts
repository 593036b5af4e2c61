/** What an experiment on trajectories knows of its system. */
import type { SystemName } from "../../../dynamics.ts";
import type { Node } from "../../../index.ts";
import { ops } from "../../../networks.ts";
import type { PaperFigure } from "../experiment.ts";
import type { Trajectories } from "./measures.ts";

export interface TrajectorySystem {
  /** The experiment's name. */
  readonly name: string;
  /** Its data set: of a system whose motion samples are held to, or of one that has none. */
  readonly set: SystemName | "mixture-trajectories";
  /** In a line, for the list. */
  readonly summary: string;
  /** What the system is, for a sentence of the report that begins so. */
  readonly about: string;
  readonly coordinates: readonly string[];
  /** Between two states of a trajectory, in the system's own time. */
  readonly timeStep: number;
  /** The coordinates that its pictures show; left out: it has one, and a histogram shows it. */
  readonly plane?: readonly [across: number, up: number];
  readonly event: TrajectoryEvent;
  /** Of a trajectory, in nats, where it is known. */
  logDensity?(trajectory: ArrayLike<number>): number;
  /** Metrics that say who won; default: nats, continuations and the event's statistic. */
  readonly headline?: readonly string[];
  /** Settings of its presets: states of a trajectory, and weights of the divergence term on cond-ot and on ve-sde. */
  readonly settings: TrajectoryShape;
  /** What its paper preset has in their place. */
  readonly published?: Partial<TrajectoryShape>;
  readonly paper: readonly PaperFigure[];
}

interface TrajectoryShape {
  readonly length: number;
  readonly weight: number;
  readonly veWeight: number;
}

/** An event C > 0 of a trajectory. */
export interface TrajectoryEvent {
  /** "C = 0.6 - ..., above 0 where ...", in data units. */
  readonly says: string;
  /** C of one trajectory, [length, coordinates]. */
  statistic(trajectory: ArrayLike<number>, length: number): number;
  /** C [B, 1] of samples [B, L, C], as `defineGuidance` takes it. */
  build(inputs: { readonly samples: Node }): Node;
}

/** C of each of them. */
export function statisticsOf({ event }: TrajectorySystem, { values, length, coordinates }: Trajectories): Float64Array {
  const size = length * coordinates;
  const all = Float64Array.from(values);
  return Float64Array.from({ length: values.length / size }, (_, row) =>
    event.statistic(all.subarray(row * size, (row + 1) * size), length),
  );
}

/** One coordinate of samples [B, L, C], as [B, L]. */
export function coordinateOf(samples: Node, coordinate: number): Node {
  const [rows = 0, length = 0] = samples.shape;
  return ops.reshape(ops.slice(samples, 2, coordinate, coordinate + 1), [rows, length]);
}

/** The largest of f over the states of a trajectory. */
export function largest(
  trajectory: ArrayLike<number>,
  length: number,
  of: (at: (coordinate: number) => number) => number,
): number {
  const coordinates = trajectory.length / length;
  let most = Number.NEGATIVE_INFINITY;
  for (let step = 0; step < length; step++) {
    most = Math.max(
      most,
      of((coordinate) => trajectory[step * coordinates + coordinate] as number),
    );
  }
  return most;
}
