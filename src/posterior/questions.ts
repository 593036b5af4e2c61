/** What a posterior is asked, and what it answers. */
import type { Numbers } from "../data/numbers.ts";
import type { CoordinateCalibration, IntervalCoverage, TARP } from "../diagnostics/calibration.ts";
import type { SolveOptions } from "../engine/api.ts";

/** Options of every question to a posterior. */
export interface AskOptions extends Omit<SolveOptions, "conditions" | "guidance"> {
  /** What was observed; default: the observation that the posterior was made with. Any other one costs no training. */
  readonly observation?: number | Numbers;
}

export interface PosteriorSampleOptions extends AskOptions {
  /** Samples; default 1000. */
  readonly count?: number;
}

export interface PosteriorSamples {
  /** Row-major [count, D], in the parameters' own units, all within the prior's bounds. */
  readonly values: Float64Array;
  readonly count: number;
  readonly dimension: number;
  /** [count, D]. */
  readonly shape: readonly number[];
  /** Names of the D numbers. */
  readonly columns: readonly string[];
  /** By name: [count], of parameters that are arrays row-major [count, size]; "parameters" where the prior has no names. */
  readonly parameters: Readonly<Record<string, Float64Array>>;
  /** What speaks against them, such as an observation unlike every simulation. */
  readonly warnings: readonly string[];
}

export interface PosteriorModeOptions extends AskOptions {
  /** Samples of the posterior to climb from; default 20. */
  readonly starts?: number;
  /** Steps at most; default 50. */
  readonly iterations?: number;
}

export interface PosteriorMode {
  /** The most probable parameters, by name. */
  readonly parameters: Readonly<Record<string, Float64Array>>;
  /** [D]. */
  readonly values: Float64Array;
  /** In nats, in the parameters' own units. */
  readonly logDensity: number;
  readonly converged: boolean;
  /** Numbers that are highest at a bound of the prior: the mode lies there, or beyond what simulations tell. */
  readonly atBound: readonly string[];
}

/** Of one number of the posterior. */
export interface ParameterSummary {
  readonly name: string;
  readonly mean: number;
  readonly deviation: number;
  readonly median: number;
  /** Ends of the central interval. */
  readonly lower: number;
  readonly upper: number;
}

export interface PosteriorSummaryOptions extends PosteriorSampleOptions {
  /** Of the interval; default 0.9. */
  readonly level?: number;
}

export interface PosteriorCalibrationOptions extends Omit<AskOptions, "observation"> {
  /** Fresh simulations; default 200. */
  readonly simulations?: number;
  /** Draws of the posterior of each; default 100. */
  readonly draws?: number;
  readonly concurrency?: number;
}

/** Whether posteriors hold what they say, over the prior. */
export interface PosteriorCalibration {
  /** Of each number of the parameters, in the order of `columns`. */
  readonly sbc: readonly CoordinateCalibration[];
  readonly tarp: TARP;
  readonly coverage: readonly IntervalCoverage[];
  readonly columns: readonly string[];
  /** Simulations judged by, and those that failed. */
  readonly count: number;
  readonly failed: number;
  /** The least p-value of all tests, times their number: below 0.05 posteriors are off. */
  readonly pValue: number;
  /** The truths [count, D] and the draws [count, draws, D], for tests of your own. */
  readonly truths: Float64Array;
  readonly draws: Float64Array;
}
