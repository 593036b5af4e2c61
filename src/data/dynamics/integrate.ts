/**
 * Solutions of x' = f(x) in f64 on the host, by extrapolation (Gragg, Bulirsch and Stoer): the modified midpoint rule with
 * 2, 4, ..., 12 substeps has an error in even powers of the step alone, so that six of them make a result of order 12.
 * Few long steps, which is what tolerances near rounding want. For data, not for flows: those are solved on a device.
 *
 * @see Hairer, Norsett and Wanner, Solving Ordinary Differential Equations I, II.9.
 */
import { NumericError } from "../../errors.ts";

/** Writes f(state) to `into`. */
export type Rate = (state: Float64Array, into: Float64Array) => void;

const COLUMNS = 6;
/** Of the estimate, which is that of the column before. */
const ORDER = 2 * COLUMNS - 1;
const MOST_STEPS = 1_000_000;

/** A solution on its way. */
export class Solution {
  /** Where it is: a copy's own. */
  readonly state: Float64Array;
  readonly #rate: Rate;
  readonly #tolerance: number;
  /** T_j of the newest row, each of the state's length. */
  readonly #row: Float64Array[];
  readonly #work: readonly Float64Array[];
  #size: number;

  /**
   * @param tolerance - error of a step, relative to the largest |coordinate| on it, or to 1e-3 where that is less.
   * @param size - of the first step that is tried, in units of time.
   */
  constructor(rate: Rate, start: ArrayLike<number>, tolerance: number, size: number) {
    this.state = Float64Array.from(start);
    this.#rate = rate;
    this.#tolerance = tolerance;
    this.#size = size;
    const one = () => new Float64Array(this.state.length);
    this.#row = Array.from({ length: COLUMNS }, one);
    this.#work = Array.from({ length: 4 }, one);
  }

  /**
   * Goes on by this time, which is positive.
   *
   * @throws {@link NumericError} when it leaves the numbers, or no step is short enough.
   */
  advance(time: number): void {
    let left = time;
    for (let tries = 0; left > 0; tries++) {
      const isLast = this.#size >= left;
      const size = isLast ? left : this.#size;
      const error = this.#attempt(size);
      if (!(this.#size > 1e-13 * time) || tries > MOST_STEPS) {
        throw tries > MOST_STEPS || error <= 1 ? tooLong(time) : lost(this.state, tries);
      }
      const factor = Number.isFinite(error) ? Math.min(4, Math.max(0.2, 0.8 * error ** (-1 / ORDER))) : 0.1;
      if (error <= 1) {
        this.state.set(this.#row[0] as Float64Array);
        left = isLast ? 0 : left - size;
        if (isLast) this.#size = Math.max(this.#size, size * factor);
        else this.#size = size * factor;
      } else {
        this.#size = size * Math.min(factor, 0.8);
      }
    }
  }

  /** A step of this size: its result in the row's first place, its error in units of the tolerance. */
  #attempt(size: number): number {
    const row = this.#row;
    let error = Number.NaN;
    for (let column = 0; column < COLUMNS; column++) {
      // Neville's scheme in place: row[k] becomes the extrapolation of the columns k to `column`.
      const substeps = 2 * (column + 1);
      this.#midpoint(size, substeps, row[column] as Float64Array);
      for (let k = column - 1; k >= 0; k--) {
        const ratio = (substeps / (2 * (k + 1))) ** 2;
        const [wide, narrow] = [row[k] as Float64Array, row[k + 1] as Float64Array];
        const isEnd = column === COLUMNS - 1 && k === 0;
        error = isEnd ? 0 : error;
        for (let i = 0; i < wide.length; i++) {
          const better = narrow[i] + (narrow[i] - wide[i]) / (ratio - 1);
          if (isEnd) {
            const scale = Math.max(1e-3, Math.abs(better), Math.abs(this.state[i]));
            error = Math.max(error, Math.abs(better - narrow[i]) / (scale * this.#tolerance));
          }
          wide[i] = better;
        }
      }
    }
    return error;
  }

  /** Gragg's rule, without his smoothing of the end: extrapolation needs none. */
  #midpoint(size: number, substeps: number, into: Float64Array): void {
    const [before, now, slope] = this.#work as unknown as [Float64Array, Float64Array, Float64Array];
    const h = size / substeps;
    before.set(this.state);
    this.#rate(before, slope);
    for (let i = 0; i < now.length; i++) now[i] = before[i] + h * slope[i];
    for (let step = 1; step < substeps; step++) {
      this.#rate(now, slope);
      for (let i = 0; i < now.length; i++) {
        const next = before[i] + 2 * h * slope[i];
        before[i] = now[i];
        now[i] = next;
      }
    }
    into.set(now);
  }
}

function lost(state: Float64Array, tries: number): NumericError {
  return new NumericError({
    subject: "solution of a dynamical system",
    given: `${tries} steps, at [${[...state].join(", ")}]`,
    expected: "one that stays finite",
    remedy: "Start where the system is bounded.",
  });
}

function tooLong(time: number): NumericError {
  return new NumericError({
    subject: "solution of a dynamical system",
    given: `a time of ${time}`,
    expected: `one that ${MOST_STEPS} steps reach`,
    remedy: "Go on by a shorter time.",
  });
}
