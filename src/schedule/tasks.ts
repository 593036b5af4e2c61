/** Tasks: what becomes one kernel call each, with what each reads, writes and waits for. */
import { type Cell, overlap, rootView, type View, writtenCells } from "./cells.ts";
import { buildChains, type Chain } from "./chains.ts";
import { fusing, type Group } from "./fuse.ts";
import type { InParts } from "./parts.ts";
import type { PlanLimits } from "./program.ts";
import { elementOrder } from "./reachability.ts";
import { type CallUnit, type Constraint, readsOf, type Unit, writesOf } from "./units.ts";

/** The call of a kernel, or a chain, or a product with a chain as its epilogue. */
export interface Task {
  readonly call: CallUnit | undefined;
  readonly chain: Chain | undefined;
  readonly reads: readonly View[];
  readonly writes: readonly View[];
}

/** Tasks in a possible order, and for each the positions of those it must run after. */
export function* makingTasks(
  units: readonly Unit[],
  constraints: readonly Constraint[],
  limits: PlanLimits,
  arenas: number,
): InParts<{ tasks: Task[]; after: number[][] }> {
  const groups = sortGroups(yield* fusing(units, constraints, limits, arenas), constraints);
  yield;
  const chains = buildChains(groups);
  yield;
  const tasks: Task[] = [];
  const taskOf = new Map<Unit, number>();
  groups.forEach(({ call, steps }, i) => {
    const chain = chains[i];
    if (!call && !chain) return;
    for (const unit of unitsOf({ call, steps })) taskOf.set(unit, tasks.length);
    const reads = [...(call ? readsOf(call) : []), ...(chain?.loads.map(({ view }) => view) ?? [])];
    tasks.push({ call, chain, reads, writes: chain?.stores.map(({ view }) => view) ?? (call ? writesOf(call) : []) });
  });
  const readers = new Map<Cell, Map<Task, View[]>>(); // by root cell
  for (const task of tasks) {
    for (const view of task.reads) {
      const ofCell = readers.get(view.cell.root) ?? new Map<Task, View[]>();
      readers.set(view.cell.root, ofCell.set(task, [...(ofCell.get(task) ?? []), view]));
    }
  }
  const kept = tasks.map((task) => keepProduct(task, readers));

  const after = kept.map(({ reads }, number) => {
    const list = new Set<number>();
    for (const cell of reads.flatMap(writtenCells)) {
      for (const writer of cell.writers) list.add(taskOf.get(writer) as number);
    }
    list.delete(number);
    return list;
  });
  for (const constraint of constraints) {
    const [before, then] = [taskOf.get(constraint.before), taskOf.get(constraint.after)];
    if (before !== undefined && then !== undefined && before !== then) after[then]?.add(before);
  }
  return { tasks: kept, after: after.map((list) => [...list]) };
}

const unitsOf = ({ call, steps }: Group): Unit[] => (call ? [call, ...steps] : [...steps]);

/** A product with an epilogue, which stores those row groups of the product that others read. */
function keepProduct(task: Task, readers: ReadonlyMap<Cell, ReadonlyMap<Task, readonly View[]>>): Task {
  const { call, chain } = task;
  const product = call?.writes["out"];
  if (!chain || !product) return task;
  const { count } = chain;
  const { cell, offset } = rootView(product);
  const others = [...(readers.get(cell) ?? [])].filter(([other]) => other !== task).flatMap(([, reads]) => reads);
  const stores = Array.from({ length: product.length / count }, (_, index) => ({
    view: { cell, offset: offset + index * count, length: count, stride: 1 },
    source: { from: "product", index } as const,
    dtype: cell.dtype,
  })).filter(({ view }) => cell.boundTo || others.some((read) => overlap(read, view)));
  const kept = { ...chain, stores: [...chain.stores, ...stores] };
  return { ...task, chain: kept, writes: kept.stores.map(({ view }) => view) };
}

/** The groups, each after those that it reads from. */
function sortGroups(groups: readonly Group[], constraints: readonly Constraint[]): Group[] {
  const partOf = new Map(groups.flatMap((group, part) => unitsOf(group).map((unit) => [unit, part] as const)));
  const numberOf = (unit: Unit) => partOf.get(unit) as number;
  const inputs = groups.map((group, part) => {
    const list = new Set<number>();
    for (const unit of unitsOf(group)) {
      for (const operand of unit.kind === "step" ? unit.operands : []) {
        if (operand.from === "step") list.add(numberOf(operand.unit));
      }
      for (const cell of readsOf(unit).flatMap(writtenCells)) {
        for (const writer of cell.writers) list.add(numberOf(writer));
      }
    }
    list.delete(part);
    return list;
  });
  for (const { before, after } of constraints) {
    if (numberOf(before) !== numberOf(after)) inputs[numberOf(after)]?.add(numberOf(before));
  }
  return elementOrder(inputs.map((list) => [...list])).map((part) => groups[part] as Group);
}
