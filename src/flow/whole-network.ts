/**
 * A solve by the op `mlpFlow`, which takes many steps at once: a fixed-step solver's plan for an MLP, rewritten. Points
 * and log-densities are one state there, "solve.flow", for the op changes one value.
 */
import type { Graph, StateDeclaration, Update } from "../graph/graph.ts";
import { isNodeOf, type Node, sizeOf } from "../graph/node.ts";
import { rewrite } from "../graph/rewrite.ts";
import type { MLPStructure } from "../nn/mlp.ts";
import { mlpFlow } from "../ops/mlp-flow.ts";
import { concat, reshape, slice } from "../ops/shape.ts";
import { state, stateOp } from "../ops/sources.ts";
import { type DivergenceOptions, drawProbes } from "./likelihood.ts";
import { lostState } from "./solvers/compensated.ts";
import { logDensityState, pointState } from "./solvers/problem.ts";
import type { SolvePlan, SolveProblem } from "./solvers/solver.ts";
import type { Tableau } from "./solvers/tableau.ts";

export interface WholeNetworkProblem extends Pick<SolveProblem, "rows" | "dimension" | "estimates"> {
  readonly structure: MLPStructure;
  /** The network's flat vector. */
  readonly parameters: Node;
  readonly divergence: Required<DivergenceOptions> | undefined;
}

/** As {@link SolvePlan}, with "solve.flow" for "solve.x" and "solve.logDensity". */
export interface WholeNetworkPlan extends SolvePlan {
  /** Points [S, D], then log-densities [S, P], then what each of these lacks by rounding: 0 at the start of a solve. */
  readonly flow: StateDeclaration;
  /** u32 [2], written before each run of `step`: the number of the step it begins with, and how many it takes. */
  readonly range: StateDeclaration;
  /** Another graph of the solve, its points and log-densities in "solve.flow". */
  packed(graph: Graph): Graph;
}

const rangeState: StateDeclaration = { name: "solve.range", shape: [2], dtype: "u32" };

/** For each stage the weight of the stage before it, or undefined where one uses an earlier one as well. */
export function weightsOfStageBefore({ a }: Tableau): number[] | undefined {
  const isSimple = a.every((row, i) => row.every((weight, j) => weight === 0 || j === i - 1));
  return isSimple ? a.map((row) => row.at(-1) ?? 0) : undefined;
}

/** The plan of a fixed-step solver for an MLP, or undefined where its method is none that the op can do. */
export function wholeNetworkPlan(plan: SolvePlan, problem: WholeNetworkProblem): WholeNetworkPlan | undefined {
  const { tableau, initial } = plan;
  const a = tableau && weightsOfStageBefore(tableau);
  const intervals = initial.get("solve.intervals");
  if (!a || !intervals) return undefined;
  const grid = [intervals[0] as number, ...Array.from(intervals).filter((_, i) => i % 2 === 1)];
  const times: StateDeclaration = { name: "solve.times", shape: [grid.length], dtype: "f32" };
  const { rows, dimension, structure, divergence } = problem;
  const solved = [pointState(problem), ...(problem.estimates > 0 ? [logDensityState(problem)] : [])];
  const members = [...solved, ...solved.map(lostState)];
  const total = members.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const flow: StateDeclaration = { name: "solve.flow", shape: [total], dtype: "f32" };
  const exact = divergence?.estimator === "exact";
  const probes = divergence ? (exact ? dimension : divergence.probes) : 0;
  const probe = probes > 0 && !exact ? probeState([probes, rows, dimension]) : undefined;

  const value = mlpFlow(
    {
      flow: state(flow),
      parameters: problem.parameters,
      layers: structure.layers,
      times: state(times),
      range: state(rangeState),
      probe: probe && state(probe),
    },
    {
      ...{ rows, dimension, probes, exact },
      ...{ hidden: structure.hidden, activation: structure.activation },
      ...{ a, b: tableau.b, c: tableau.c },
    },
  );
  return {
    ...plan,
    state: [flow, times, rangeState, ...(probe ? [probe] : [])],
    initial: new Map([[times.name, grid]]),
    start: probe && divergence && drawing(probe, drawProbes(divergence, [rows, dimension])),
    step: { name: `${plan.step.name}s of a whole network`, updates: [{ state: flow, value }] },
    flow,
    range: rangeState,
    packed: (graph) => packed(graph, members, flow),
  };
}

function probeState(shape: readonly number[]): StateDeclaration {
  return { name: "solve.probe", shape, dtype: "f32" };
}

function drawing(probe: StateDeclaration, directions: readonly Node[]): Graph {
  const value = concat(
    directions.map((z) => reshape(z, [1, ...z.shape])),
    0,
  );
  return { name: "draw-probes", updates: [{ state: probe, value }] };
}

/** The graph with the members in one state, one after another. */
function packed(graph: Graph, members: readonly StateDeclaration[], whole: StateDeclaration): Graph {
  let end = 0;
  const views = new Map(
    members.map(({ name, shape }) => {
      const start = end;
      end += sizeOf(shape);
      return [name, reshape(slice(state(whole), 0, start, end), shape)];
    }),
  );
  const { name, updates } = rewrite(graph, (node) =>
    isNodeOf(node, stateOp.op) ? (views.get(node.attributes.name) ?? node) : node,
  );
  const others = updates.filter((update) => !views.has(update.state.name));
  const parts = members.map((member) => {
    const value =
      updates.find((update) => update.state.name === member.name)?.value ?? (views.get(member.name) as Node);
    return reshape(value, [sizeOf(member.shape)]);
  });
  const all: Update = { state: whole, value: parts.length === 1 ? (parts[0] as Node) : concat(parts, 0) };
  return { name, updates: [...others, all] };
}
