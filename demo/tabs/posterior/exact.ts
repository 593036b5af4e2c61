/** Posteriors that are known: prior times likelihood, on a grid over the prior's box. */

import type { Range } from "../plane.ts";
import { simulatorOf } from "./script/simulator.ts";

/** log p(x | theta) in nats, of parameters that are given once. */
export interface LogLikelihood {
  /** Of rows [count, 2]: the log-likelihood of x by a row's number. */
  given(thetas: ArrayLike<number>): (row: number, x: ArrayLike<number>) => number;
  /** Cells along a side of a grid that has its finest detail. */
  readonly grid: number;
}

const LOG_2PI = Math.log(2 * Math.PI);
const silent = { normal: () => 0, uniform: () => 0.5 };

/** Of a simulator that adds normal noise of these deviations to what it computes without. */
export function spreadAround(code: string, [across, up]: readonly [number, number]): LogLikelihood {
  return {
    grid: 128,
    given(thetas) {
      const simulator = simulatorOf(code);
      const all = new Float64Array(thetas.length);
      for (let i = 0; i < all.length; i += 2)
        all.set(simulator.run([thetas[i] as number, thetas[i + 1] as number], silent), i);
      const least = -LOG_2PI - Math.log(across * up);
      return (row, x) => {
        const a = ((x[0] as number) - (all[2 * row] as number)) / across;
        const b = ((x[1] as number) - (all[2 * row + 1] as number)) / up;
        return least - 0.5 * (a * a + b * b);
      };
    },
  };
}

/** Of a closed form. */
export function closedForm(
  grid: number,
  logLikelihood: (theta: readonly [number, number], x: ArrayLike<number>) => number,
): LogLikelihood {
  return {
    grid,
    given: (thetas) => (row, x) => logLikelihood([thetas[2 * row] as number, thetas[2 * row + 1] as number], x),
  };
}

/** Densities at the middles of cells over a box; row-major from the bottom left, the first coordinate fastest. */
export interface DensityGrid {
  readonly side: number;
  readonly box: readonly [Range, Range];
  /** [side, side], per area; its sum times a cell's area is 1. */
  readonly values: Float64Array;
}

/** Middles of cells over a box, [side * side, 2]. */
export function middlesOf([[left, right], [bottom, top]]: readonly [Range, Range], side: number): Float64Array {
  const middles = new Float64Array(2 * side * side);
  for (let i = 0; i < side * side; i++) {
    middles[2 * i] = left + ((right - left) * ((i % side) + 0.5)) / side;
    middles[2 * i + 1] = bottom + ((top - bottom) * (Math.floor(i / side) + 0.5)) / side;
  }
  return middles;
}

export const cellArea = ({ box: [[left, right], [bottom, top]], side }: Omit<DensityGrid, "values">): number =>
  ((right - left) * (top - bottom)) / side ** 2;

/** A posterior's exact density for an observation, of a prior that is even over the box. */
export class ExactPosterior {
  readonly likelihood: LogLikelihood;
  readonly #box: readonly [Range, Range];
  readonly #ofCell: (row: number, x: ArrayLike<number>) => number;

  constructor(likelihood: LogLikelihood, box: readonly [Range, Range]) {
    this.likelihood = likelihood;
    this.#box = box;
    this.#ofCell = likelihood.given(middlesOf(box, likelihood.grid));
  }

  /** Undefined where no parameters of the box could give the observation. */
  densityOf(x: ArrayLike<number>): DensityGrid | undefined {
    const { logs, most } = this.#logs(x);
    if (most === Number.NEGATIVE_INFINITY) return undefined;
    const values = logs.map((log) => Math.exp(log - most));
    const grid = { side: this.likelihood.grid, box: this.#box };
    const mass = values.reduce((total, value) => total + value, 0) * cellArea(grid);
    return { ...grid, values: values.map((value) => value / mass) };
  }

  /** log p(theta | x) - log p(theta) in nats, what each x tells of the theta it came from, of rows [count, 2]. */
  gains(thetas: ArrayLike<number>, xs: ArrayLike<number>): number[] {
    const own = this.likelihood.given(thetas);
    return Array.from({ length: thetas.length / 2 }, (_, i) => {
      const x = [xs[2 * i] as number, xs[2 * i + 1] as number];
      const { logs, most } = this.#logs(x);
      const mean = logs.reduce((sum, log) => sum + Math.exp(log - most), 0) / logs.length;
      return own(i, x) - most - Math.log(mean);
    });
  }

  #logs(x: ArrayLike<number>): { logs: Float64Array; most: number } {
    const logs = new Float64Array(this.likelihood.grid ** 2);
    let most = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < logs.length; i++) {
      const log = this.#ofCell(i, x);
      logs[i] = log;
      if (log > most) most = log;
    }
    return { logs, most };
  }
}

/** Draws of a density on a grid: cells by their mass, evenly within each. [count, 2]. */
export function drawsOf({ side, box, values }: DensityGrid, count: number, uniform: () => number): Float64Array {
  const sums = new Float64Array(values.length);
  let total = 0;
  for (const [i, value] of values.entries()) {
    total += value;
    sums[i] = total;
  }
  const draws = new Float64Array(2 * count);
  const [[left, right], [bottom, top]] = box;
  for (let i = 0; i < count; i++) {
    const cell = firstAbove(sums, uniform() * total);
    draws[2 * i] = left + ((right - left) * ((cell % side) + uniform())) / side;
    draws[2 * i + 1] = bottom + ((top - bottom) * (Math.floor(cell / side) + uniform())) / side;
  }
  return draws;
}

function firstAbove(sums: Float64Array, wanted: number): number {
  let [low, high] = [0, sums.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sums[middle] as number) > wanted) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The density of which those above hold this share of the mass. */
export function levelOf({ values }: DensityGrid, share: number): number {
  const sorted = values.slice().sort().reverse();
  const total = sorted.reduce((sum, value) => sum + value, 0);
  let sum = 0;
  for (const value of sorted) {
    sum += value;
    if (sum >= share * total) return value;
  }
  return 0;
}
