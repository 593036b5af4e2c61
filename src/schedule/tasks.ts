/** Tasks: what becomes one kernel call each, with what each reads, writes and waits for. */
import { type View, writtenCells } from "./cells.ts";
import { buildChains, type Chain } from "./chains.ts";
import { fuse } from "./fuse.ts";
import type { PlanLimits } from "./program.ts";
import { elementOrder } from "./reachability.ts";
import type { CallUnit, Constraint, StepUnit, Unit } from "./units.ts";

export interface Task {
  /** The call of a kernel, or a chain. */
  readonly work: CallUnit | Chain;
  readonly reads: readonly View[];
  readonly writes: readonly View[];
}

export const isChain = (work: CallUnit | Chain): work is Chain => "loads" in work;

/** Tasks in a possible order, and for each the positions of those it must run after. */
export function makeTasks(
  units: readonly Unit[],
  constraints: readonly Constraint[],
  limits: PlanLimits,
  arenas: number,
): { tasks: Task[]; after: number[][] } {
  const groups = fuse(units, constraints, limits, arenas);
  const sorted = sortGroups(groups, units, constraints);
  const chains = buildChains(sorted);

  const tasks: Task[] = [];
  const taskOf = new Map<Unit, number>();
  sorted.forEach((members, i) => {
    const chain = chains[i];
    if (!chain) return;
    for (const unit of members) taskOf.set(unit, tasks.length);
    tasks.push({
      work: chain,
      reads: chain.loads.map(({ view }) => view),
      writes: chain.stores.map(({ view }) => view),
    });
  });
  for (const unit of units) {
    if (unit.kind === "step") continue;
    taskOf.set(unit, tasks.length);
    tasks.push({ work: unit, reads: Object.values(unit.reads), writes: Object.values(unit.writes) });
  }

  const after = tasks.map(({ reads }, number) => {
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
  return { tasks, after: after.map((list) => [...list]) };
}

/** The groups, each after those that it reads from, in memory or through other units. */
function sortGroups(
  groups: readonly StepUnit[][],
  units: readonly Unit[],
  constraints: readonly Constraint[],
): StepUnit[][] {
  const parts: (readonly Unit[])[] = [...groups, ...units.filter(({ kind }) => kind === "call").map((unit) => [unit])];
  const partOf = new Map(parts.flatMap((members, part) => members.map((unit) => [unit, part] as const)));
  const numberOf = (unit: Unit) => partOf.get(unit) as number;
  const inputs = parts.map((members, part) => {
    const list = new Set<number>();
    for (const unit of members) {
      const views = unit.kind === "call" ? Object.values(unit.reads) : [];
      for (const operand of unit.kind === "step" ? unit.operands : []) {
        if (operand.from === "step") list.add(numberOf(operand.unit));
        if (operand.from === "load") views.push(operand.view);
      }
      for (const cell of views.flatMap(writtenCells)) for (const writer of cell.writers) list.add(numberOf(writer));
    }
    list.delete(part);
    return list;
  });
  for (const { before, after } of constraints) {
    if (numberOf(before) !== numberOf(after)) inputs[numberOf(after)]?.add(numberOf(before));
  }
  return elementOrder(inputs.map((list) => [...list]))
    .filter((part) => part < groups.length)
    .map((part) => groups[part] as StepUnit[]);
}
