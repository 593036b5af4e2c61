/**
 * Questions that few pages ask a model: functions of the entries `divflow/likelihoods` and `divflow/flows` ask them by `model.more`,
 * which imports the answers (more.ts) on demand, here or in a worker. All of it is plain data.
 */
import type { Standardization } from "../data/standardize.ts";
import type { MixtureParts } from "../flow/mixture.ts";
import type { NamedOptions } from "../graph/options.ts";
import type { LogDensity, LogDensityOptions, SampleOptions, Samples, SolveOptions } from "./api.ts";

type Divergence = { readonly divergence?: "exact" | "hutchinson"; readonly probes?: number };

/** Rows from `first` on of `total`: of samples, or of points that are judged. */
export interface Block {
  readonly first: number;
  readonly total: number;
}

/**
 * The samples that are solved at once from row `block` on, of `total`. Options are of some rows from there on, of which as many are
 * made as go to the device at once, so that a question does not grow with `total`.
 */
export interface AskedBlock extends SampleOptions {
  readonly of: "block";
  readonly block: number;
  readonly total: number;
}

/** How many of `total` rows are solved at once, by options of samples; where log-densities of points are asked, by their `logDensity`. */
export interface AskedRows extends SampleOptions {
  readonly of: "rows";
  readonly total: number;
}

/** Log-densities of points that are rows from `block` on of `total`; `block` is a multiple of the rows that are solved at once. */
export interface AskedDensities extends LogDensityOptions {
  readonly of: "densities";
  readonly block: number;
  readonly total: number;
}

/** Estimates of log-densities, each by a probe of its own. */
export interface AskedEstimates extends SolveOptions {
  readonly of: "estimates";
  readonly probes: number;
}

/** Log-densities of points and their gradients by the points. */
export interface AskedGradient extends SolveOptions, Divergence {
  readonly of: "gradient";
}

/** Log-densities of points as sums of what each coordinate contributes. */
export interface AskedContributions extends SolveOptions {
  readonly of: "contributions";
}

/** Residuals of the continuity equation where the path leads from noise to these points. */
export interface AskedResiduals extends SolveOptions, Divergence {
  readonly of: "residuals";
  /** In time, equally wide, from 0 to `until`. */
  readonly bins: number;
  readonly until: number;
  /** What the points were drawn from, in data units, where the marginal's velocity and score are to be taken. */
  readonly mixture?: MixtureParts;
}

/** What the model is beside what it shows: its units, and where its flow begins. */
export interface AskedFacts {
  readonly of: "facts";
}

export type AskedMore =
  | AskedFacts
  | AskedBlock
  | AskedRows
  | AskedDensities
  | AskedEstimates
  | AskedGradient
  | AskedContributions
  | AskedResiduals;

export interface Gradients extends LogDensity {
  /** [count, D], in data units. */
  readonly gradient: Float64Array;
}

export interface Contributions {
  /** Of the noise that the points come from: [count]. */
  readonly prior: Float64Array;
  /** [count, D]: minus the integral of each diagonal element of the Jacobian, in data units. */
  readonly contributions: Float64Array;
}

export interface Residuals {
  /** Of each row, by bins: [bins, rows / bins]. */
  readonly residuals: Float64Array;
}

export interface ModelFacts {
  /** Of points, from data units to model units. */
  readonly standardization: Standardization | undefined;
  /** What it samples from; undefined: N(0, priorDeviation^2 I). */
  readonly start: NamedOptions | undefined;
  readonly priorDeviation: number;
}

export interface Answers {
  readonly facts: ModelFacts;
  readonly block: Samples;
  readonly rows: number;
  readonly densities: LogDensity;
  /** [count, probes], in data units. */
  readonly estimates: Float64Array;
  readonly gradient: Gradients;
  readonly contributions: Contributions;
  readonly residuals: Residuals;
}
