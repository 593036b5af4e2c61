/**
 * planning: from what is computed to what runs. The passes, in order: `lowering` (nodes that are kernel calls), `legalizing`
 * (what each reads and writes), `rematerialize` (what reverse mode makes again), `bindState` (where state is written),
 * `makingTasks` (chains), `storeHalves` (what is f16 in memory, where that is asked for), `ordersOf`, `placeCells`.
 */
import { LimitError } from "../errors.ts";
import { type Graph, type StateDeclaration, topologicalOrder } from "../graph/graph.ts";
import { isNodeOf, sizeOf } from "../graph/node.ts";
import { stateOp } from "../ops/sources.ts";
import { bindState } from "./bind-state.ts";
import type { CallMaker } from "./call-units.ts";
import { emitCalls } from "./emit.ts";
import { legalizing } from "./legalize.ts";
import { lowering } from "./lower.ts";
import { placeCells } from "./memory.ts";
import type { MorePasses } from "./more-passes.ts";
import { lowest, ordersOf } from "./order.ts";
import type { InParts } from "./parts.ts";
import type { KernelCall, PlanLimits, Program } from "./program.ts";
import { rematerialize } from "./rematerialize.ts";
import { sumsWithin } from "./sums-within.ts";
import { makingTasks } from "./tasks.ts";

/** Passes that {@link planning} tells of; all but the first may come again. */
export const PASSES = 7;

/**
 * A program that computes the graph's updates within the limits, in parts; undefined where it takes `more` passes.
 *
 * @param optional - makes the calls of optional kernels: with whoever puts their ops into graphs.
 * @throws {@link LimitError} when a state or a temporary is larger than the device allows, or an elementwise function
 * needs more bindings than it has.
 */
export function* planning(
  graph: Graph,
  limits: PlanLimits,
  optional?: CallMaker,
  more?: MorePasses,
): InParts<Program | undefined> {
  const recompute = sumsWithin(graph) ? more?.recompute : lowest;
  if (!recompute) return undefined;
  const state = declaredState(graph);
  for (const declaration of state) checkState(declaration, limits);
  const lowered = yield* lowering(graph, limits, more);
  if (!lowered || (limits.halvesFrom !== undefined && !more)) return undefined;

  // How many arenas there will be is known only after placing; chains must not meet more than was assumed.
  let assumed = limits.separateReadAndWrite ? 3 : 1;
  for (;;) {
    yield 1;
    const units = yield* legalizing(lowered, optional);
    yield 2;
    const constraints = bindState(units, rematerialize(units.units));
    yield 3;
    const { tasks, after } = yield* makingTasks(units.units, constraints, limits, assumed);
    yield 4;
    if (limits.halvesFrom !== undefined) more?.storeHalves(tasks, limits.halvesFrom);
    const ordered = recompute(ordersOf(tasks, after), limits, assumed);
    yield 5;
    const memory = placeCells(ordered, limits);
    yield 6;
    const { calls, temporaries } = emitCalls(ordered, memory);
    const excess = calls.find((call) => call.chain && bindingsOf(call) > limits.maxStorageBindings);
    if (excess && assumed < memory.arenas.length) {
      assumed = memory.arenas.length;
      continue;
    }
    if (excess) throw tooManyBindings(excess, limits);
    return {
      name: graph.name,
      state,
      calls,
      arenas: memory.arenas,
      temporaries,
      constants: Uint32Array.from(units.constants),
      peakBytes: 4 * memory.arenas.reduce((sum, size) => sum + size, 0),
      lowerBoundBytes: 4 * memory.lowerBound,
      graph,
    };
  }
}

/** All state that the graph reads or writes, by first appearance. */
function declaredState({ updates }: Graph): StateDeclaration[] {
  const declared = new Map<string, StateDeclaration>();
  for (const node of topologicalOrder(updates.map((update) => update.value))) {
    if (isNodeOf(node, stateOp.op)) declared.set(node.attributes.name, node.attributes);
  }
  for (const { state } of updates) if (!declared.has(state.name)) declared.set(state.name, state);
  return [...declared.values()];
}

function checkState({ name, shape }: StateDeclaration, limits: PlanLimits): void {
  const bytes = 4 * sizeOf(shape);
  const most = Math.min(limits.maxBufferBytes, limits.maxBindingBytes);
  if (bytes <= most) return;
  throw new LimitError({
    subject: `state "${name}" of shape [${shape.join(", ")}]`,
    given: `${bytes} bytes`,
    expected: `at most ${most} bytes, the device's limit for one buffer or binding`,
    remedy: "Use a smaller network or data set, or another device.",
  });
}

/** Bindings of a call: one for each operand of its kernel, and one for each region that its chain touches. */
function bindingsOf({ bindings, chain }: KernelCall): number {
  const operands = [...(chain?.loads ?? []), ...(chain?.stores ?? [])];
  const regions = new Set(operands.map(({ placement }) => JSON.stringify(placement.region)));
  return Object.keys(bindings).length + regions.size;
}

function tooManyBindings(call: KernelCall, limits: PlanLimits): LimitError {
  return new LimitError({
    subject: `elementwise call "${call.label}"`,
    given: `${bindingsOf(call)} storage bindings`,
    expected: `at most ${limits.maxStorageBindings}`,
    remedy: "Use a device with more bindings.",
  });
}
