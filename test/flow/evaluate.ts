// Runs graphs on the host for the tests of flow/: in f64 by the ops' reference rules, or the same with every result
// rounded to f32, which is what a device does whose functions are exact but for their last rounding.

import type { SolvePlan, SolveProgress } from "../../src/flow/solvers/solver.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { topologicalOrder } from "../../src/graph/graph.ts";
import { type Node, type Shape, sizeOf } from "../../src/graph/node.ts";
import type { HostTensor } from "../../src/graph/op.ts";
import { state, stateOp, table } from "../../src/ops/sources.ts";

export type Precision = "f64" | "f32";
export type HostStates = ReadonlyMap<string, ArrayLike<number>>;

/** Values of nodes. A state's value is looked up by name. */
export function valuesOf(outputs: readonly Node[], states: HostStates = new Map(), precision: Precision = "f64") {
  const values = new Map<Node, HostTensor>();
  for (const node of topologicalOrder(outputs)) {
    const value = node.op === stateOp.op ? stateValue(node, states) : reference(node, values);
    values.set(node, precision === "f32" && node.dtype === "f32" ? rounded(value) : value);
  }
  return outputs.map((output) => (values.get(output) as HostTensor).data);
}

function reference(node: Node, values: ReadonlyMap<Node, HostTensor>): HostTensor {
  const inputs = node.inputs.map((input) => values.get(input) as HostTensor);
  return node.op.reference(inputs, node.attributes, node.shape);
}

function stateValue({ attributes, shape }: Node, states: HostStates): HostTensor {
  const { name } = attributes as { name: string };
  const data = states.get(name);
  if (data?.length !== sizeOf(shape)) throw new Error(`state ${name}: ${data?.length} numbers for [${shape}]`);
  return { shape, data: Float64Array.from(data) };
}

function rounded({ shape, data }: HostTensor): HostTensor {
  return { shape, data: data.map(Math.fround) };
}

/** The values that a graph's updates give, as one run: all at once. */
export function runGraph(graph: Graph, states: Map<string, ArrayLike<number>>, precision: Precision = "f64"): void {
  const results = valuesOf(
    graph.updates.map(({ value }) => value),
    states,
    precision,
  );
  graph.updates.forEach((update, i) => {
    states.set(update.state.name, results[i]);
  });
}

export interface Solution {
  /** x at the end of each segment. */
  readonly stops: Float64Array[];
  /** "solve.logDensity" at the end; undefined without estimates. */
  readonly logDensity: ArrayLike<number> | undefined;
  readonly progress: SolveProgress | undefined;
}

/** Follows a plan as a runner does, until it ends or fails. */
export function solve(plan: SolvePlan, x: ArrayLike<number>, seed = 1, precision: Precision = "f64"): Solution {
  const states = new Map<string, ArrayLike<number>>(
    plan.state.map(({ name, shape }) => [name, new Float64Array(sizeOf(shape))]),
  );
  states.set("solve.seed", [seed, 0]).set("solve.chunk", [0]).set("solve.noise", [seed, 1]).set("solve.x", x);
  for (const [name, values] of plan.initial) states.set(name, values);
  if (plan.start) runGraph(plan.start, states, precision);
  const stops: Float64Array[] = [];
  let progress: SolveProgress | undefined;
  for (const segment of plan.segments) {
    for (const [name, values] of segment.writes) states.set(name, values);
    if (segment.steps !== undefined) for (let i = 0; i < segment.steps; i++) runGraph(plan.step, states, precision);
    else {
      do {
        runGraph(plan.step, states, precision);
        progress = plan.progress?.read(states.get(plan.progress.state) as ArrayLike<number>);
      } while (progress?.status === 0);
    }
    const isWithin = plan.dense !== undefined && segment !== plan.segments.at(-1);
    if (plan.dense && isWithin) {
      states.set("solve.at", states.get("solve.end") as ArrayLike<number>);
      runGraph(plan.dense, states, precision);
    }
    stops.push(Float64Array.from(states.get(isWithin ? "solve.there" : "solve.x") as ArrayLike<number>));
    if (progress && progress.status > 1) break;
  }
  return { stops, logDensity: states.get("solve.logDensity"), progress };
}

/** A node with these values, u32 or f32. */
export function numbers(values: ArrayLike<number>, shape: Shape = [values.length], dtype: "f32" | "u32" = "f32"): Node {
  return table(Array.from(values), shape, dtype);
}

/** A variable: a node that derivatives can be taken by. */
export function variable(name: string, shape: Shape): Node {
  return state({ name, shape, dtype: "f32" });
}

/** The largest |difference|, relative to the largest |expected|; NaN counts as infinite. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let scale = 0;
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    scale = Math.max(scale, Math.abs(expected[i]));
    largest = Math.max(largest, Math.abs(actual[i] - expected[i]));
  }
  return Number.isNaN(largest) ? Number.POSITIVE_INFINITY : largest / (scale || 1);
}
