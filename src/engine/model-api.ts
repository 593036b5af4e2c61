/** What users hold of a model: what it is asked, and what it gives. */
import type { Numbers } from "../data/numbers.ts";
import type { DataCondition, DataSource } from "../data/source.ts";
import type { Coupling } from "../flow/couplings/coupling.ts";
import type { Guidance } from "../flow/guidance/define-guidance.ts";
import type { Loss } from "../flow/losses/loss.ts";
import type { PathScheduler } from "../flow/paths/path.ts";
import type { Solver } from "../flow/solvers/solver.ts";

/**
 * What a model is told of one condition, for all points or for each of them, in data units: numbers, flat or in rows; a
 * label, or its name where labels have names; null: not told, where the network learned to do without.
 */
export type ConditionGiven =
  | number
  | string
  | null
  | Numbers
  | readonly (number | string | null)[]
  | readonly unknown[];

/** By name, all of the model's {@link Model.conditions}. */
export type ConditionsGiven = Readonly<Record<string, ConditionGiven>>;

/** What is known of one of a model's conditions. */
export interface ModelCondition extends DataCondition {
  /** Whether the model can do without: null is then a value. */
  readonly optional: boolean;
}

/** Options of every solve of a model's flow. */
export interface SolveOptions {
  /** What the points are told: see {@link Model.conditions}. */
  readonly conditions?: ConditionsGiven;
  /**
   * Strength w of classifier-free guidance, any finite number: the field v_0 + w (v_1 - v_0) of what the model learned
   * without (v_0) and with (v_1) the conditions that it can do without. 0: as if they were null; 1 (default): as they are
   * told, for half the work; above it samples are more of what is told, and less alike. Log-densities are those of the
   * guided flow.
   */
  readonly guidance?: number;
  /** Default: dopri5(). */
  readonly solver?: Solver;
  /** Of noise and probes; an integer from 0 to 2^53 - 1. Default 0. */
  readonly seed?: number;
  readonly signal?: AbortSignal;
  /** Use the best parameters of a run with validation. Default: where the model has them, and `ema` is left out. */
  readonly best?: boolean;
  /** Use the averaged parameters, or with false the last ones. Default: where the model has them. */
  readonly ema?: boolean;
  /**
   * Called now and then with the points solved so far and of how many: with 0 when the program is planned and the work
   * begins, at the end with all. Points half the way count half. An error that it throws ends the call.
   */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Options of {@link Model.velocity}. */
export interface VelocityOptions {
  /** What the points are told: see {@link Model.conditions}. */
  readonly conditions?: ConditionsGiven;
  /** See {@link SolveOptions.guidance}. */
  readonly guidance?: number;
  readonly signal?: AbortSignal;
  /** Use the best parameters of a run with validation. Default: where the model has them, and `ema` is left out. */
  readonly best?: boolean;
  /** Use the averaged parameters, or with false the last ones. Default: where the model has them. */
  readonly ema?: boolean;
}

/** Options of {@link evaluateLosses}. */
export interface EvaluateLossesOptions {
  readonly data: DataSource;
  /** What paths begin at, of a model that was trained from a start which is not at hand: one from a file, of points. */
  readonly start?: DataSource;
  /**
   * How starts are paired with data, in batches of `batchSize`: default as in the model's training; independent() judges pairs
   * that were drawn apart. Of a model from a file, one of a user's own or of given pairs has to be said.
   */
  readonly coupling?: Coupling;
  readonly loss: Loss;
  /** Default: the model's own. */
  readonly path?: PathScheduler;
  /** Default 512. */
  readonly batchSize?: number;
  /** Default 20. */
  readonly batches?: number;
  /** Of the batches; an integer from 0 to 2^53 - 1. Default 0. */
  readonly seed?: number;
  readonly signal?: AbortSignal;
  /** Use the best parameters of a run with validation. Default: where the model has them, and `ema` is left out. */
  readonly best?: boolean;
  /** Use the averaged parameters, or with false the last ones. Default: where the model has them. */
  readonly ema?: boolean;
}

/** Means over batches; the divergence loss of a loss without one is 0. */
export type LossMeans = Readonly<Record<"loss" | "velocityLoss" | "divergenceLoss", number>>;

/** How the divergence of the velocity is taken, whose integral is the change of the log-density. */
export interface DivergenceOptions {
  /**
   * "exact" (default): D jvps an evaluation; "hutchinson": `probes` of them, with a standard error. "hutch++": 3 `probes`, for
   * Jacobians with few large directions: exact on a subspace of as many dimensions as probes, with a standard error of the rest.
   */
  readonly divergence?: "exact" | "hutchinson" | "hutch++";
  /** Rademacher probes, 1 to 256, fixed during a solve; with 1 the standard error is NaN. Default 8. */
  readonly probes?: number;
}

/** What is known of samples. Where they are done, known coordinates have these values, whatever `by` says. */
export interface KnownValues {
  /** In data units, of one sample for all, or of each, row-major [count, D]; what the mask leaves out may be anything. */
  readonly values: Numbers;
  /** 1 or true for each coordinate that is known, else 0 or false: [D], or of each sample [count, D]. */
  readonly mask: Numbers | readonly boolean[];
  /**
   * "guidance" (default): samples are moved to where the model's estimates of known coordinates are right, by their
   * gradient. "replacement": known coordinates go along the path from the noise they began with, and the others follow, for
   * a third of the work; they learn less of what is known. Both are approximate: docs/guidance.md has figures.
   */
  readonly by?: "guidance" | "replacement";
  /** Of guidance, default 1. */
  readonly strength?: number;
  /**
   * Standard deviation of the data's coordinates, which guidance reckons with: in model units, default 1, which is right where
   * data are standardised.
   */
  readonly deviation?: number;
}

/** Options of {@link Model.sample}. */
export interface SampleOptions extends SolveOptions {
  /** How many; left out where `noise` or `start` is given. */
  readonly count?: number;
  /**
   * Noise to start from, the points at t = 0 in model units, row-major [count, D] or rows of D, instead of N(0, s^2 I)
   * drawn by the seed (s: the path's `priorDeviation`): such as {@link Model.encode} gives.
   */
  readonly noise?: Numbers;
  /**
   * Points to start from, in data units, row-major [count, D] or rows of D: of a model that was trained from a start. Left out:
   * `count` points of that, drawn by the seed, where it is at hand.
   */
  readonly start?: Numbers;
  /**
   * Guide samples by a function of them, which `defineGuidance` of `divflow/networks` makes: to where an event C > 0 holds, or
   * by a log-weight of the density. `strength` (default 1) multiplies the log-weight's gradient. Beside `guidance` it guides
   * the field that this makes.
   */
  readonly guide?: Guidance | { readonly by: Guidance; readonly strength?: number };
  /** Coordinates of the samples that are known (inpainting). */
  readonly known?: KnownValues;
  /** Also compute the log-density of each sample while sampling; not beside `guide` and `known`. */
  readonly logDensity?: boolean | DivergenceOptions;
  /** Also give the samples on their way, at these times: ascending, in [0, 1]. */
  readonly times?: Numbers;
}

/** Options of {@link Model.encode}. */
export interface EncodeOptions extends SolveOptions {
  /** Also compute the log-density of each point on the way. */
  readonly logDensity?: boolean | DivergenceOptions;
}

/** What {@link Model.encode} gives. */
export interface Encoding {
  /** The noise of each point, row-major [count, dimension], in model units: `sample({ noise: values })` leads back. */
  readonly values: Float32Array;
  readonly count: number;
  readonly dimension: number;
  readonly logDensity?: LogDensity;
  readonly seconds: number;
}

/** Options of {@link Model.logDensity}. */
export interface LogDensityOptions extends SolveOptions, DivergenceOptions {}

/** Log-densities of points under a model, with their errors. */
export interface LogDensity {
  /** In nats and data units, per point: [count]. */
  readonly values: Float64Array;
  /** Of each value, over the probes; zeros when exact. */
  readonly standardError: Float64Array;
}

/** What {@link Model.sample} gives. */
export interface Samples {
  /**
   * Row-major [count, dimension], in data units: f64 where the model has a standardisation, whose mean may be so large
   * beside its deviation that f32 would leave no digit; else f32.
   */
  readonly values: Float32Array | Float64Array;
  readonly count: number;
  readonly dimension: number;
  /** [count, ...shape of one sample]. */
  readonly shape: readonly number[];
  readonly logDensity?: LogDensity;
  /** `values` row-major [times, count, dimension], in data units; f64 where those of the samples are. */
  readonly trajectory?: { readonly times: readonly number[]; readonly values: Float32Array | Float64Array };
  readonly seconds: number;
}

/** A velocity field with its path and units: it samples and judges. It holds device memory until it is disposed of. */
export interface Model extends Disposable {
  /** Numbers per sample, D. */
  readonly dimension: number;
  /** What a sample is, such as [28, 28, 1]; [D] where its data were points. */
  readonly shape: readonly number[];
  /** What it must be told to sample and to judge, by name; empty: nothing. */
  readonly conditions: Readonly<Record<string, ModelCondition>>;
  /** Training steps behind the parameters that it uses by default. */
  readonly step: number;
  /** Names of the coordinates, where the data had some. */
  readonly columns: readonly string[] | undefined;
  /**
   * Draws samples by solving the flow from noise at t = 0 to t = 1. Equal options and seeds give equal bits on one
   * backend.
   *
   * @throws {@link StiffnessError} when an adaptive solver meets its smallest step.
   * @throws {@link NumericError} when a sample is not finite.
   * @throws the signal's reason, within one submission of its abort.
   */
  sample(options: SampleOptions): Promise<Samples>;
  /**
   * Log-density of points under the model, by solving the flow backwards from t = 1 to 0.
   *
   * `"exact"` costs D jvps an evaluation, `"hutchinson"` costs `probes` and has a standard error. Equal seeds give
   * equal bits on one backend.
   *
   * @param points - row-major [count, D] or rows of D, in data units (standardisation and its Jacobian are accounted
   * for). Copied before the call returns.
   * @throws {@link DataError} when something is no number, the length is no multiple of D or a value is not finite.
   * @throws {@link StiffnessError} when an adaptive solver meets its smallest step.
   * @throws {@link NumericError} when a log-density is not finite.
   * @example
   * const { values } = await model.logDensity(new Float32Array([0.1, -0.4]), { divergence: "exact" });
   * const bitsPerDimension = -values[0] / (2 * Math.LN2); // D = 2
   */
  logDensity(points: Numbers, options?: LogDensityOptions): Promise<LogDensity>;
  /**
   * The noise that each point comes from, by solving the flow backwards from t = 1 to 0: distributed as the path's prior
   * where points are as the model's samples are. {@link Model.sample} leads from it back to the points, within the
   * solver's tolerance.
   *
   * @param points - row-major [count, D] or rows of D, in data units. Copied before the call returns.
   * @throws {@link DataError} when something is no number, the length is no multiple of D or a value is not finite.
   * @throws {@link StiffnessError} when an adaptive solver meets its smallest step.
   * @throws {@link NumericError} when a result is not finite.
   * @example
   * const from = await model.encode([[0, 0]]), to = await model.encode([[1, 2]]);
   * const between = from.values.map((value, i) => (value + to.values[i]) / Math.SQRT2); // of unit variance again
   * const { values } = await model.sample({ noise: between });
   */
  encode(points: Numbers, options?: EncodeOptions): Promise<Encoding>;
  /**
   * Velocities dx/dt [count, D] at points [count, D] and times [count] in [0, 1], all in data units; f64 where the model
   * has a standardisation. Points and times are copied before the call returns.
   *
   * @throws {@link DataError} when lengths do not fit, a value is not finite or a time is outside [0, 1].
   */
  velocity(points: Numbers, times: Numbers, options?: VelocityOptions): Promise<Float32Array | Float64Array>;
  /** Weights and what is needed to use them, as bytes of a safetensors file. */
  checkpoint(): Promise<Uint8Array>;
  dispose(): void;
}
