/** How trajectories are judged, in plain arrays: against their true continuation, by a statistic of theirs, by their system. */
import { advance, type SystemName } from "../../../dynamics.ts";
import { extremes } from "../../report/numbers.ts";
import type { Range } from "../../report/rows.ts";
import { meanAndDeviation, standardErrorOf } from "../../statistics.ts";

/** Row-major [count, length, coordinates]. */
export interface Trajectories {
  readonly values: ArrayLike<number>;
  readonly length: number;
  readonly coordinates: number;
}

/** A mean and its standard error: what a metric has. */
export interface Estimate {
  readonly value: number;
  readonly error: number;
}

export const countOf = ({ values, length, coordinates }: Trajectories) => values.length / (length * coordinates);

/** One of them, [length, coordinates]. */
export function trajectoryOf({ values, length, coordinates }: Trajectories, row: number): Float64Array {
  const size = length * coordinates;
  return Float64Array.from({ length: size }, (_, i) => values[row * size + i] as number);
}

/** Their first states, row-major [count, states, coordinates]. */
export function beginningsOf(trajectories: Trajectories, states: number): Float64Array {
  const { coordinates } = trajectories;
  const size = states * coordinates;
  const all = new Float64Array(countOf(trajectories) * size);
  for (let row = 0; row < all.length / size; row++) {
    all.set(trajectoryOf(trajectories, row).subarray(0, size), row * size);
  }
  return all;
}

/** Relative errors of trajectories: at each step the mean over all, and of each the mean over the steps from `from` on. */
export interface RelativeErrors {
  readonly bySteps: readonly number[];
  readonly byTrajectory: readonly number[];
}

/**
 * |x - y| / (|x| + |y|) of states x and y, sums of absolute values over their coordinates: 0 where they are equal, at most 1.
 *
 * @param truth - as many as the others, in the same order.
 * @param from - the first step that counts for a trajectory's own error.
 */
export function relativeErrors(made: Trajectories, truth: Trajectories, from = 0): RelativeErrors {
  const { length, coordinates } = made;
  const count = countOf(made);
  const bySteps = new Array<number>(length).fill(0);
  const byTrajectory = new Array<number>(count).fill(0);
  for (let row = 0; row < count; row++) {
    for (let step = 0; step < length; step++) {
      let [difference, size] = [0, 0];
      for (let c = 0; c < coordinates; c++) {
        const at = (row * length + step) * coordinates + c;
        const [x, y] = [made.values[at] as number, truth.values[at] as number];
        difference += Math.abs(x - y);
        size += Math.abs(x) + Math.abs(y);
      }
      const error = size > 0 ? difference / size : 0;
      bySteps[step] = (bySteps[step] as number) + error / count;
      if (step >= from) byTrajectory[row] = (byTrajectory[row] as number) + error / (length - from);
    }
  }
  return { bySteps, byTrajectory };
}

export function estimateOf(values: ArrayLike<number>): Estimate {
  const { mean, deviation } = meanAndDeviation(Array.from(values));
  return { value: mean, error: standardErrorOf(deviation, values.length) };
}

/** How often C > 0, with the standard error of a share. */
export function shareAboveZero(values: ArrayLike<number>): Estimate {
  const count = values.length;
  let above = 0;
  for (let i = 0; i < count; i++) if ((values[i] as number) > 0) above++;
  const value = count > 0 ? above / count : Number.NaN;
  return { value, error: Math.sqrt((value * (1 - value)) / count) };
}

/** What a histogram of such values spans; a single value gets a width. */
export function spanOf(values: ArrayLike<number>): Range {
  const { least, most } = extremes(Array.from(values));
  return most > least ? { low: least, high: most } : { low: least - 0.5, high: least + 0.5 };
}

/**
 * Half the sum of absolute differences of two histograms: 0 where they are equal, 1 where they have nothing in common. Parts are
 * of equal width in the range; below and above it there is one more each. Of few values it is not 0 even where both are drawn
 * alike: compare it with that of fresh ones.
 */
export function histogramDistance(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  { range: { low, high }, parts }: { readonly range: Range; readonly parts: number },
): number {
  const difference = new Float64Array(parts + 2);
  const add = (values: ArrayLike<number>, weight: number) => {
    for (let i = 0; i < values.length; i++) {
      const value = values[i] as number;
      // The range's upper end is its own: the largest value that it was taken from is inside.
      const part = value === high ? parts - 1 : Math.floor((parts * (value - low)) / (high - low));
      const at = Math.max(-1, Math.min(parts, part)) + 1;
      difference[at] = (difference[at] as number) + weight / values.length;
    }
  };
  add(a, 1);
  add(b, -1);
  return difference.reduce((sum, one) => sum + Math.abs(one), 0) / 2;
}

/**
 * How far states lie from where the system leads those before them, beside how far it leads: the ratio of root mean squares over
 * the first `most` trajectories. 0 of what the system does; where states stand still all is lost.
 */
export async function defectOf(
  set: SystemName,
  trajectories: Trajectories,
  most: number,
  turn: () => Promise<void>,
): Promise<number> {
  const { length, coordinates } = trajectories;
  let [missed, moved] = [0, 0];
  for (let row = 0; row < Math.min(most, countOf(trajectories)); row++) {
    const states = trajectoryOf(trajectories, row);
    const stateAt = (step: number) => states.subarray(step * coordinates, (step + 1) * coordinates);
    for (let step = 1; step < length; step++) {
      const [before, now] = [stateAt(step - 1), stateAt(step)];
      for (const [c, led] of advance(set, before).entries()) {
        missed += ((now[c] as number) - led) ** 2;
        moved += (led - (before[c] as number)) ** 2;
      }
    }
    await turn();
  }
  return Math.sqrt(missed / moved);
}
