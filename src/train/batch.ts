/** The losses of one batch as a graph: data, times, noise and probes drawn on the device, then the loss. */
import type { DataSource } from "../data/source.ts";
import type { Loss, LossTerms } from "../flow/losses/loss.ts";
import type { PathScheduler } from "../flow/paths/path.ts";
import type { DType, Node, Shape } from "../graph/node.ts";
import type { Network } from "../nn/network.ts";
import { type RandomKind, random } from "../ops/random.ts";
import { state } from "../ops/sources.ts";
import { type BatchUse, type StreamPurpose, Streams } from "../ops/streams.ts";

export interface BatchOptions {
  readonly network: Network;
  readonly path: PathScheduler;
  readonly loss: Loss;
  readonly data: DataSource;
  readonly batchSize: number;
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

/**
 * The losses of the batch that `seed` and `counter` draw.
 *
 * @param parameters - the network's, by name.
 * @param toModelUnits - what takes the data's own model units [B, D] to the network's, where they differ.
 */
export function buildBatchLosses(
  { network, path, loss, data, batchSize: rows }: BatchOptions,
  parameters: ReadonlyMap<string, Node>,
  { seed, counter, use }: BatchRandom,
  toModelUnits: (x: Node) => Node = (x) => x,
): LossTerms {
  const streams = new Streams(use);
  const draw = (purpose: StreamPurpose, kind: RandomKind, shape: Shape, bound?: number) =>
    random(kind, shape, { seed, counter, stream: streams.next(purpose), ...(bound === undefined ? {} : { bound }) });

  const drawn = data.draw({
    rows,
    random: (kind, shape, { bound } = {}) => draw("data", kind, shape, bound),
    state: (name: string, shape: Shape, dtype: DType) => state({ name, shape, dtype }),
  });
  return loss.build({
    network: (x, t) => network.apply(parameters, x, t),
    path,
    x0: draw("noise", "normal", [rows, network.dimension]),
    x1: toModelUnits(drawn),
    t: draw("times", "uniform", [rows, 1]),
    random: (kind, shape) => draw("loss", kind, shape),
  });
}
