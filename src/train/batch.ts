/** The losses of one batch as a graph: data with their starts, times, noise and probes drawn on the device, then the loss. */
import { type DataSource, drawnFrom } from "../data/source.ts";
import type { Loss, LossTerms } from "../flow/losses/loss.ts";
import { fieldOf } from "../flow/network-field.ts";
import type { PathScheduler } from "../flow/paths/path.ts";
import type { DType, Node, Shape } from "../graph/node.ts";
import type { Network } from "../nn/network.ts";
import { add, multiply } from "../ops/arithmetic.ts";
import { type RandomKind, random } from "../ops/random.ts";
import { state, table } from "../ops/sources.ts";
import { type BatchUse, type StreamPurpose, Streams } from "../ops/streams.ts";
import { toldConditions } from "./told.ts";

export interface BatchOptions {
  readonly network: Network;
  readonly path: PathScheduler;
  readonly loss: Loss;
  readonly data: DataSource;
  readonly batchSize: number;
  /** Standard deviation of Gaussian noise upon the data, per coordinate in their model units; default none. */
  readonly jitter?: readonly number[] | undefined;
}

/** Where a batch's random numbers come from. */
export interface BatchRandom {
  /** u32 [2]. */
  readonly seed: Node;
  /** u32 [1]. */
  readonly counter: Node;
  /** Batches of another use are other ones, also where seed and counter are equal; default "training". */
  readonly use?: BatchUse;
}

/** Changes of units: of points [B, D], and of a condition [B, ...shape]. */
export interface BatchUnits {
  points(x: Node): Node;
  condition(name: string, value: Node): Node;
}

/**
 * The losses of the batch that `seed` and `counter` draw.
 *
 * @param parameters - the network's, by name.
 * @param units - what takes the data's own model units to the network's, where they differ.
 */
export function buildBatchLosses(
  { network, path, loss, data, batchSize: rows, jitter }: BatchOptions,
  parameters: ReadonlyMap<string, Node>,
  { seed, counter, use = "training" }: BatchRandom,
  units: Partial<BatchUnits> = {},
): LossTerms {
  const streams = new Streams(use);
  const draw = (purpose: StreamPurpose, kind: RandomKind, shape: Shape, bound?: number) =>
    random(kind, shape, { seed, counter, stream: streams.next(purpose), ...(bound === undefined ? {} : { bound }) });

  const { points, conditions, start } = drawnFrom(data, {
    rows,
    random: (kind, shape, { bound } = {}) => draw("data", kind, shape, bound),
    state: (name: string, shape: Shape, dtype: DType) => state({ name, shape, dtype }),
  });
  const told = new Map([...conditions].map(([name, value]) => [name, units.condition?.(name, value) ?? value]));
  const drops = use === "training" ? () => draw("drops", "uniform", [rows, 1]) : undefined;
  const noisy = (x: Node) =>
    jitter ? add(x, multiply(draw("jitter", "normal", x.shape), table(jitter, [1, jitter.length]))) : x;
  return loss.build({
    network: fieldOf(network, parameters, toldConditions(network, told, rows, drops)),
    path,
    x0: start ? (units.points?.(start) ?? start) : draw("noise", "normal", [rows, network.dimension]),
    x1: units.points?.(noisy(points)) ?? noisy(points),
    t: draw("times", "uniform", [rows, 1]),
    random: (kind, shape) => draw("loss", kind, shape),
  });
}
