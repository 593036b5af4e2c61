/** What a network's graph needs for one row: how large its values are, how many stay, how much there is to plan. */
import { topologicalOrder } from "../graph/graph.ts";
import { type Node, type Shape, sizeOf } from "../graph/node.ts";
import type { OpDefinition } from "../graph/op.ts";
import { conditionValues } from "../nn/conditions.ts";
import type { Network } from "../nn/network.ts";
import { stopGradientOp } from "../ops/control.ts";
import { randomOp } from "../ops/random.ts";
import { maxOp, sumOp } from "../ops/reduce.ts";
import { gatherOp } from "../ops/rows.ts";
import { broadcastOp, concatOp, reshapeOp, sliceOp, transposeOp } from "../ops/shape.ts";
import { constantOp, state, stateOp, tableOp } from "../ops/sources.ts";

export interface NetworkSizes {
  /** Numbers of the largest value that a row makes anywhere. */
  readonly widest: number;
  /** Products and what else is computed by itself: matrices, convolutions, attention. */
  readonly layers: number;
  /** Numbers of the largest of their results. */
  readonly largest: number;
  /** Of all their results but the last: what reverse mode reads. */
  readonly hidden: number;
  /** The most at once of what is stored, where each value goes when it is read for the last time: skips stay. */
  readonly kept: number;
}

/** What is part of the kernels around it, or small beside them. */
const passing: ReadonlySet<unknown> = new Set<unknown>(
  [
    ...[reshapeOp, broadcastOp, transposeOp, concatOp, sliceOp, sumOp, maxOp],
    ...[gatherOp, randomOp, stopGradientOp, stateOp, constantOp, tableOp],
  ].map(({ op }) => op),
);

/** Of the graph that `apply` builds for one row, of which nothing is planned. */
export function sizesPerRow(network: Network): NetworkSizes {
  const input = (name: string, shape: Shape, dtype: "f32" | "u32" = "f32") => state({ name, shape, dtype });
  const parameters = new Map(network.parameters.map(({ name, shape }) => [name, input(`parameter ${name}`, shape)]));
  const told = conditionValues(network.conditions).map(({ name, shape, dtype }) => {
    return [name, input(`condition ${name}`, [1, ...shape], dtype)] as const;
  });
  const [x, t] = [input("x", [1, network.dimension]), input("t", [1, 1])];
  const velocity = network.apply(parameters, x, t, new Map(told));
  const order = topologicalOrder([velocity]);

  // Values that differ from row to row; those of parameters alone are there once.
  const perRow = new Set<Node>([x, t, ...told.map(([, node]) => node)]);
  for (const node of order) if (node.inputs.some((one) => perRow.has(one))) perRow.add(node);
  const values = order.filter((node) => perRow.has(node));
  const made = values.filter((node) => node.op !== (broadcastOp.op as OpDefinition)); // what is repeated is read where it lies
  const results = values.filter(({ op }) => !op.elementwise && !passing.has(op));
  return {
    widest: Math.max(1, ...made.map(({ shape }) => sizeOf(shape))),
    layers: results.length,
    largest: Math.max(1, ...results.map(({ shape }) => sizeOf(shape))),
    hidden: results.slice(0, -1).reduce((sum, { shape }) => sum + sizeOf(shape), 0),
    kept: mostKept(values, storedOf(values, results)),
  };
}

/** Results, and sums and the like that more than one value reads: those of a residual network, say. */
function storedOf(values: readonly Node[], results: readonly Node[]): ReadonlySet<Node> {
  const readers = new Map<Node, number>();
  for (const input of values.flatMap(({ inputs }) => inputs)) readers.set(input, (readers.get(input) ?? 0) + 1);
  const shared = values.filter((node) => node.op.elementwise && (readers.get(node) ?? 0) > 1);
  return new Set([...results, ...shared]);
}

/** See {@link NetworkSizes.kept}. */
function mostKept(order: readonly Node[], stored: ReadonlySet<Node>): number {
  // What each value is made of among those, through all that is part of other kernels.
  const sources = new Map<Node, ReadonlySet<Node>>();
  const lastReader = new Map<Node, Node>();
  for (const node of order) {
    const read = new Set<Node>();
    for (const input of node.inputs) for (const one of sources.get(input) ?? []) read.add(one);
    for (const one of read) if (stored.has(node)) lastReader.set(one, node);
    sources.set(node, stored.has(node) ? new Set([node]) : read);
  }
  let [now, most] = [0, 1];
  const ending = new Map<Node, number>();
  for (const [one, reader] of lastReader) ending.set(reader, (ending.get(reader) ?? 0) + sizeOf(one.shape));
  for (const node of order) {
    if (!stored.has(node)) continue;
    now += sizeOf(node.shape) - (ending.get(node) ?? 0);
    most = Math.max(most, now);
  }
  return most;
}
