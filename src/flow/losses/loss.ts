/** What a loss is: a graph from a batch of noise, data and times to a scalar. */
import type { Node, Shape } from "../../graph/node.ts";
import type { NamedOptions } from "../../graph/options.ts";
import type { Conditions, Network } from "../../nn/network.ts";
import { square } from "../../ops/arithmetic.ts";
import { meanAll } from "../../ops/reduce.ts";
import type { BareNetwork } from "../network-field.ts";
import type { PathScheduler } from "../paths/path.ts";

/**
 * v(x, t): velocities [B, D] at points [B, D] and times [B, 1]. A field that is told conditions knows what each of its B
 * rows is told: {@link onRows} gives the field of other rows.
 */
export interface VelocityField {
  (x: Node, t: Node): Node;
  /** Left out: rows are all alike. */
  readonly rows?: ((change: (perRow: Node) => Node) => VelocityField) | undefined;
  /** What the field is made of, where it is a network's: that, its parameters by name, and what its rows are told. */
  readonly made?: MadeOf | undefined;
  /** The network that this field is, where it is one and nothing else. */
  readonly bare?: BareNetwork | undefined;
}

/** A network, its parameters by name, and what its rows are told. */
export interface MadeOf {
  readonly network: Network;
  readonly parameters: ReadonlyMap<string, Node>;
  readonly conditions?: Conditions | undefined;
}

/**
 * The field of the rows that `change` makes of its own, such as the first ones: it is given values [B, ...] of whatever
 * kind and gives [B', ...].
 */
export function onRows(field: VelocityField, change: (perRow: Node) => Node): VelocityField {
  return field.rows?.(change) ?? field;
}

export const probeKinds = ["rademacher", "gaussian"] as const;
/** Probes of independent -1 or 1, or of independent N(0, 1). */
export type ProbeKind = (typeof probeKinds)[number];

/** The kind of random numbers that a kind of probe is made of. */
export const randomKindOf = { rademacher: "rademacher", gaussian: "normal" } as const;

export interface LossContext {
  readonly network: VelocityField;
  readonly path: PathScheduler;
  /** Noise [B, D]. */
  readonly x0: Node;
  /** Data [B, D]. */
  readonly x1: Node;
  /** Times [B, 1], in [0, 1). */
  readonly t: Node;
  /** Fresh random numbers; every call gives others, independent of all else. */
  random(kind: "rademacher" | "normal" | "uniform", shape: Shape): Node;
}

/** Scalars, shape []. */
export interface LossTerms {
  /** What is minimised. */
  readonly loss: Node;
  /** Mean over rows and coordinates of (v - u)^2, without its weight. */
  readonly velocityLoss: Node;
  /** The divergence term, without its weight; undefined where the loss has none. */
  readonly divergenceLoss: Node | undefined;
}

export interface Loss extends NamedOptions {
  /** Whether it reads the path's score; left out: it does not, or nobody knows. */
  readonly readsScore?: boolean;
  build(context: LossContext): LossTerms;
  /** Of one that training takes by turns: of each `every` steps the first is by `first`, the others by `others`. */
  readonly phases?: { readonly every: number; readonly first: Loss; readonly others: Loss };
  /** Of a user's own: the loss as a graph, which is made for one network on one path. */
  forNetwork?(network: Network, path: PathScheduler): Loss;
}

/** Mean over rows and coordinates of (v - u)^2, shape []. */
export function meanSquare(difference: Node): Node {
  return meanAll(square(difference));
}
