/** The systems whose trajectories the tab shows, what is drawn of them, and the events that samples are asked for. */
import type { SystemName } from "divflow/dynamics";
import type { Range } from "../plane.ts";

export type EventName = "stays" | "last" | "spike";

export interface EventKind {
  readonly name: EventName;
  /** Said of the event; "T" is the threshold. */
  readonly title: string;
  /** Of its slider. */
  readonly range: Range;
  readonly start: number;
  /** C of a trajectory [length, coordinates]: the event is that it is above 0. */
  value(row: ArrayLike<number>, coordinates: number, threshold: number): number;
}

export interface ShownSystem {
  readonly name: Extract<SystemName, "lorenz" | "fitzhugh-nagumo">;
  readonly title: string;
  readonly about: string;
  readonly coordinates: readonly string[];
  /** Which two make the large picture, and which is drawn against time. */
  readonly plane: readonly [number, number];
  readonly series: number;
  readonly box: readonly [Range, Range];
  readonly seriesRange: Range;
  /** Time between two states. */
  readonly timeStep: number;
  readonly events: readonly EventKind[];
}

const last: EventKind = {
  ...{ name: "last", title: "ends above T" },
  ...{ range: [-0.8, 0.8], start: 0.4 },
  value: (row, coordinates, threshold) => (row[row.length - coordinates] as number) - threshold,
};

const stays: EventKind = {
  ...{ name: "stays", title: "stays above T" },
  ...{ range: [-0.6, 0.2], start: 0 },
  value(row, coordinates, threshold) {
    let least = Number.POSITIVE_INFINITY;
    for (let at = 0; at < row.length; at += coordinates) least = Math.min(least, row[at] as number);
    return least - threshold;
  },
};

const spike: EventKind = {
  ...{ name: "spike", title: "both cells together rise above T" },
  ...{ range: [0.5, 3.5], start: 2.5 },
  value(row, coordinates, threshold) {
    let most = Number.NEGATIVE_INFINITY;
    for (let at = 0; at < row.length; at += coordinates) {
      most = Math.max(most, ((row[at] as number) + (row[at + 1] as number)) / 2);
    }
    return most - threshold;
  },
};

export const shownSystems: readonly ShownSystem[] = [
  {
    ...{ name: "lorenz", title: "Lorenz", coordinates: ["x", "y", "z"], timeStep: 0.1 },
    about:
      "Air that is warmed from below, in three numbers. It circles one wing, then the other; when it changes cannot be foretold for long.",
    plane: [0, 2],
    series: 0,
    box: [
      [-1.1, 1.1],
      [0, 2.5],
    ],
    seriesRange: [-1.1, 1.1],
    events: [stays, last],
  },
  {
    ...{ name: "fitzhugh-nagumo", title: "FitzHugh-Nagumo", coordinates: ["x1", "x2", "y1", "y2"], timeStep: 6 },
    about: "Two coupled nerve cells. They rest for long, and spike now and then; that both spike together is rare.",
    plane: [0, 1],
    series: 0,
    box: [
      [-2.5, 5.5],
      [-2.5, 5.5],
    ],
    seriesRange: [-2.5, 5.5],
    events: [spike, { ...last, range: [-1.5, 3.5], start: 1.5 }],
  },
];

export const systemNamed = (name: string): ShownSystem => {
  const found = shownSystems.find((one) => one.name === name);
  if (!found) throw new Error(`This page has no system "${name}".`);
  return found;
};

export function eventOf({ events }: ShownSystem, name: string): EventKind | undefined {
  return events.find((one) => one.name === name);
}

/** Share of the trajectories [count, length, coordinates] where an event holds. */
export function holdsIn(
  values: ArrayLike<number>,
  { size, coordinates }: { readonly size: number; readonly coordinates: number },
  event: EventKind,
  threshold: number,
): boolean[] {
  return Array.from({ length: values.length / size }, (_, i) => {
    const row = Array.from({ length: size }, (_, k) => values[i * size + k] as number);
    return event.value(row, coordinates, threshold) > 0;
  });
}
