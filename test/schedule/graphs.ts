/** Graphs that the tests of passes share, and what they ask about one: its values, and how many nodes of an op it has. */
import type { DataSource } from "../../src/data/source.ts";
import { cfm } from "../../src/flow/losses/cfm.ts";
import { type FDMOptions, fdm } from "../../src/flow/losses/fdm.ts";
import { condOT } from "../../src/flow/paths/cond-ot.ts";
import { evaluate } from "../../src/graph/evaluate.ts";
import { type Graph, type StateDeclaration, topologicalOrder } from "../../src/graph/graph.ts";
import { isNodeOf, type Node, sizeOf } from "../../src/graph/node.ts";
import type { HostTensor } from "../../src/graph/op.ts";
import { mlp } from "../../src/nn/mlp.ts";
import { stateOp } from "../../src/ops/sources.ts";
import { HostRandom } from "../../src/ops/threefry.ts";
import { adam } from "../../src/train/adam.ts";
import { ema } from "../../src/train/ema.ts";
import { buildTrainStep } from "../../src/train/step.ts";

/** A graph that writes these nodes to states "out0", "out1", ... */
export function graphOf(...outputs: readonly Node[]): Graph {
  const updates = outputs.map((value, i) => ({
    state: { name: `out${i}`, shape: value.shape, dtype: value.dtype },
    value,
  }));
  return { name: "test", updates };
}

export function nodesOf(graph: Graph): Node[] {
  return topologicalOrder(graph.updates.map((update) => update.value));
}

/** How many nodes of each op. */
export function countOps(graph: Graph): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { op } of nodesOf(graph)) counts[op.name] = (counts[op.name] ?? 0) + 1;
  return counts;
}

/** Draws for every state that the graph reads: normals, and small integers for u32. */
export function drawState(graph: Graph, seed = 1): Map<string, HostTensor> {
  const random = new HostRandom(seed);
  const values = new Map<string, HostTensor>();
  for (const node of nodesOf(graph)) {
    if (!isNodeOf(node, stateOp.op)) continue;
    const { name, shape, dtype } = node.attributes as StateDeclaration;
    const kind = dtype === "u32" ? "index" : "normal";
    const drawn = random.draw(kind, sizeOf(shape), values.size, 0, 5);
    const data = name === "adam.second" ? drawn.map((value) => value * value) : drawn;
    if (name === "ok") data.fill(1);
    values.set(name, { shape, data });
  }
  return values;
}

/** New values of the states, by name. */
export function valuesOf(graph: Graph, state: ReadonlyMap<string, HostTensor>): Map<string, HostTensor> {
  const values = evaluate(
    graph.updates.map((update) => update.value),
    state,
  );
  return new Map(graph.updates.map(({ state: { name } }, i) => [name, values[i] as HostTensor]));
}

/** The largest difference between what the two graphs write, relative to the largest number of that state. */
export function largestDifference(before: Graph, after: Graph, seed = 1): number {
  const state = drawState(before, seed);
  const [expected, found] = [valuesOf(before, state), valuesOf(after, state)];
  let largest = 0;
  for (const [name, { data, shape }] of expected) {
    const other = found.get(name) ?? state.get(name); // an update that changes nothing may be gone
    if (!other || other.shape.join() !== shape.join()) return Number.POSITIVE_INFINITY;
    const size = data.reduce((most, value) => Math.max(most, Math.abs(value)), Number.MIN_VALUE);
    data.forEach((value, i) => {
      const difference = Math.abs(value - (other.data[i] as number)) / size;
      largest = Math.max(largest, Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference);
    });
  }
  return largest;
}

const normals = (dimension: number): DataSource => ({
  name: "normals",
  options: {},
  dimension,
  draw: ({ rows, random }) => random("normal", [rows, dimension]),
});

export interface StepOptions {
  /** Of points; default 2. */
  readonly dimension?: number;
  /** Default: normals of that dimension. */
  readonly data?: DataSource;
  readonly hidden?: readonly number[];
  readonly batchSize?: number;
  /** Without clipping and EMA. */
  readonly plain?: boolean;
}

/** A training step with Adam, on FDM with these options or on CFM; by default of a small MLP of two hidden layers. */
export function trainStep(
  loss: FDMOptions | "cfm" = {},
  { dimension = 2, data = normals(dimension), hidden = [8, 12], batchSize = 6, plain = false }: StepOptions = {},
): Graph {
  return buildTrainStep({
    network: mlp({ dimension, hidden }),
    path: condOT(),
    loss: loss === "cfm" ? cfm() : fdm(loss),
    optimizer: adam({ learningRate: 1e-3 }),
    data,
    batchSize,
    ...(plain ? {} : { ema: ema({ decay: 0.99 }), maximumGradientNorm: 1 }),
  });
}
