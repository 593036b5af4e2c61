/**
 * What a data source is: a graph that draws a batch on the device, anew at each step, and what is known of the
 * distribution exactly. Formulas, and how to add one: docs/data.md.
 */
import type { DType, Node, Shape } from "../graph/node.ts";
import type { NamedOptions } from "../graph/options.ts";
import type { RandomKind } from "../ops/random.ts";
import type { Standardization } from "./standardize.ts";

/** What a draw is made of. */
export interface DataContext {
  /** Points to draw, B. */
  readonly rows: number;
  /** Fresh random numbers; every call gives others, independent of all else. `bound` is for "index". */
  random(kind: RandomKind, shape: Shape, options?: { readonly bound?: number }): Node;
  /** Reads a state whose contents are in the source's `state`. */
  state(name: string, shape: Shape, dtype: DType): Node;
}

/**
 * A distribution to learn. `name` and `options` (plain JSON) are what a checkpoint keeps of it; the points of a user's
 * own array are not among them.
 */
export interface DataSource extends NamedOptions {
  /** Numbers per point, D. */
  readonly dimension: number;
  /** Names of the coordinates, in order. Left out: they have none. */
  readonly columns?: readonly string[];
  /** B independent points [B, D], in model units: standardised where there is a `standardization`. */
  draw(context: DataContext): Node;
  /** Contents of the states that `draw` reads, by name; they never change. Names begin with "data.". */
  readonly state?: ReadonlyMap<string, Float32Array | Uint32Array>;
  /** From data units to model units; left out: they are the same. */
  readonly standardization?: Standardization;
  /**
   * Exact log-density of one point [D], in nats and data units; -Infinity outside the support. Left out: not known.
   *
   * @throws {@link DataError} when the point has another length.
   */
  logDensity?(point: ArrayLike<number>): number;
  /** Gradient [D] of `logDensity` at one point [D]. Left out: not known, or not a function. */
  score?(point: ArrayLike<number>): number[];
  /** Differential entropy in nats, data units: no model has a lower mean negative log-likelihood. Left out: not known. */
  readonly entropy?: number;
}
