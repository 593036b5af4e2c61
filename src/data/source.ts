/**
 * What a data source is: a graph that draws a batch on the device, anew at each step, and what is known of the
 * distribution exactly. Formulas, and how to add one: docs/data.md.
 */
import type { Update } from "../graph/graph.ts";
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

/** What is known of each point beside itself, such as its class. */
export interface DataCondition {
  /** Of one point; [] of a label. */
  readonly shape: Shape;
  /** Of labels, integers from 0 to `classes` - 1; left out: numbers. */
  readonly classes?: number;
  /** What the labels are called, in order. Left out: they have no names. */
  readonly names?: readonly string[];
  /** Of numbers, from data units to model units, coordinate by coordinate; left out: they are the same. */
  readonly standardization?: Standardization;
}

/** Points [B, D], and what is known of each: f32 [B, ...shape] or u32 [B] by name, in model units. */
export interface Drawn {
  readonly points: Node;
  readonly conditions: ReadonlyMap<string, Node>;
  /** Where each of these points starts from at t = 0: [B, D], in model units. Left out: at noise, N(0, I). */
  readonly start?: Node;
}

/** Where a stream is to begin. */
export interface StreamStart {
  /** Steps done. */
  readonly step: number;
  /** Rows that these have taken: the first one wanted is this, from 0. */
  readonly rows: number;
}

/** Contents of states for one step, by name. */
export type HostBatch = ReadonlyMap<string, Float32Array | Uint32Array>;

/** Rows that the host writes into a source's states, ahead of the steps that take them. */
export interface DataStream {
  /** Names of the states that hold batches of points and conditions, and the number of the next one (u32 [1]). */
  readonly points: string;
  readonly slot: string;
  condition(name: string): string;
  /** Batches of so many rows that the states hold. */
  slots(batchSize: number): number;
  /** Rows as users give them, any number at a time. */
  from(start: StreamStart): AsyncIterable<unknown> | Iterable<unknown>;
  /** Whether `from` makes anew what it gives. */
  readonly isOwn: boolean;
  /** Of batches that the host makes of pairs. */
  readonly pairs?: {
    /** State of the batches' starts. */
    readonly start: string;
    /** Batches that are made ahead of steps, at most. */
    readonly ahead: number;
    /** In place of `from`: whole batches by state name, in model units, without an end. */
    from(start: StreamStart): AsyncIterable<HostBatch>;
  };
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
  /** What a point is, such as [28, 28, 1]; D numbers in all. Left out: [D]. */
  readonly shape?: Shape;
  /** What is known of each point, by name. Left out: nothing. */
  readonly conditions?: Readonly<Record<string, DataCondition>>;
  /**
   * B independent points [B, D], in model units: standardised where there is a `standardization`. With `conditions`, what
   * is known of these points comes along.
   */
  draw(context: DataContext): Node | Drawn;
  /** Contents of the states that `draw` reads, by name; they never change. Names begin with "data.". */
  readonly state?: ReadonlyMap<string, Float32Array | Uint32Array>;
  /** New values of states of its own, after a step of training. Left out: they never change. */
  updates?(): readonly Update[];
  /** Of data that come as they are made: where from, and where to. Left out: `state` has all that `draw` reads. */
  readonly stream?: DataStream;
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

/** Points and conditions of a draw, whichever form the source gave it. */
export function drawnFrom(source: DataSource, context: DataContext): Drawn {
  const drawn = source.draw(context);
  return "points" in drawn ? drawn : { points: drawn, conditions: new Map() };
}
