/**
 * What a coupling is: which start of a batch goes with which data point of it. Pairs are made on the host, a few batches ahead of
 * the steps that take them (engine/pairs.ts), by the rows as the network sees them.
 */
import type { NamedOptions } from "../../graph/options.ts";
import type { Pairs } from "../../transport/draw-pairs.ts";

/** Values of one condition: [count, width], in model units; labels as they are, of width 1. */
export interface PairedCondition {
  readonly width: number;
  readonly isLabel: boolean;
  /** Of the starts: their own where they have some, else those of the data they were drawn beside. */
  readonly start: Float64Array;
  readonly data: Float64Array;
}

/** Two batches of as many rows, drawn independently, in model units. */
export interface Batches {
  readonly count: number;
  readonly dimension: number;
  /** Row-major [count, dimension]. */
  readonly start: Float64Array;
  readonly data: Float64Array;
  readonly conditions: Readonly<Record<string, PairedCondition>>;
  /** Steps done before the one that takes these pairs. */
  readonly step: number;
  /** Another for each step and seed of a trainer, from 0 to 2^53 - 1: pairs that are drawn by it come again on resume. */
  readonly seed: number;
}

export interface Coupling extends NamedOptions {
  /**
   * `count` pairs of rows of the start with rows of the data; left out: row i goes with row i. What takes long asks now and then
   * whether they are still wanted: it throws where they are not.
   */
  readonly pair?: (batches: Batches, stillWanted?: () => void) => Pairs | Promise<Pairs>;
  /** Whether pairs depend on the conditions where there are such. */
  readonly seesConditions?: boolean;
  /** Of {@link PAIRED_WITH}: what each row of the data starts from, row-major [count, D], in data units. */
  readonly starts?: Float32Array | Float64Array;
}

/** The coupling of a user's own: its function stays where it was written. */
export const OWN = "own";

/** The coupling of pairs that are given: what is drawn is their number. Files hold a fingerprint of the starts. */
export const PAIRED_WITH = "paired-with";
