/** The losses of one batch as a graph: data, times, noise and probes drawn on the device, then the loss. */
import type { DataSource } from "../data/source.ts";
import type { Loss, LossTerms } from "../flow/losses/loss.ts";
import type { PathScheduler } from "../flow/paths/path.ts";
import type { DType, Node, Shape } from "../graph/node.ts";
import type { Network } from "../nn/network.ts";
import { type RandomKind, random } from "../ops/random.ts";
import { state } from "../ops/sources.ts";

/** Random streams: every use of random numbers has its own. Initial parameters take one for each tensor. */
export const streams = { times: 0, noise: 1, loss: 0x100, data: 0x200, parameters: 0x1000 } as const;

export interface BatchOptions {
  readonly network: Network;
  readonly path: PathScheduler;
  readonly loss: Loss;
  readonly data: DataSource;
  readonly batchSize: number;
}

/** Where a batch's random numbers come from: u32 [2] and [1]. */
export interface BatchRandom {
  readonly seed: Node;
  readonly counter: Node;
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
  source: BatchRandom,
  toModelUnits: (x: Node) => Node = (x) => x,
): LossTerms {
  const draw = (stream: number, kind: RandomKind, shape: Shape, bound?: number) =>
    random(kind, shape, { ...source, stream, ...(bound === undefined ? {} : { bound }) });

  let dataStream: number = streams.data;
  const drawn = data.draw({
    rows,
    random: (kind, shape, { bound } = {}) => draw(dataStream++, kind, shape, bound),
    state: (name: string, shape: Shape, dtype: DType) => state({ name, shape, dtype }),
  });
  let lossStream: number = streams.loss;
  return loss.build({
    network: (x, t) => network.apply(parameters, x, t),
    path,
    x0: draw(streams.noise, "normal", [rows, network.dimension]),
    x1: toModelUnits(drawn),
    t: draw(streams.times, "uniform", [rows, 1]),
    random: (kind, shape) => draw(lossStream++, kind, shape),
  });
}
