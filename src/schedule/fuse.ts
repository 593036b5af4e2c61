/** Which elementwise steps become one chain: a chain reads each operand once and keeps what is between in registers. */

import { dependencies } from "./dependencies.ts";
import type { PlanLimits } from "./program.ts";
import { elementOrder, Reachability } from "./reachability.ts";
import { type Constraint, readsOf, type StepUnit, type Unit, writesOf } from "./units.ts";

/** Chains of no shared operand are merged all the same up to this many elements: a call costs more than the work. */
const SMALL = 65536;

/**
 * Groups of steps of equal count, in an order in which each runs after what it needs.
 *
 * @param arenas - how many arenas a chain may meet; each takes a binding.
 */
export function fuse(
  units: readonly Unit[],
  constraints: readonly Constraint[],
  limits: PlanLimits,
  arenas: number,
): StepUnit[][] {
  const inputs = dependencies(units, constraints);
  const reachability = new Reachability(inputs);
  const numbers = new Map(units.map((unit, number) => [unit, number]));
  const numberOf = (unit: Unit) => numbers.get(unit) as number;
  const groups = new Map<number, Group>();
  const order = elementOrder(inputs).filter((number) => units[number]?.kind === "step");
  for (const number of order) groups.set(number, groupOf(units[number] as StepUnit));

  const merge = (a: StepUnit, b: StepUnit): boolean => {
    const [rootA, rootB] = [reachability.root(numberOf(a)), reachability.root(numberOf(b))];
    if (rootA === rootB) return true;
    const [groupA, groupB] = [groups.get(rootA) as Group, groups.get(rootB) as Group];
    const fixed = new Set([...groupA.fixed, ...groupB.fixed]);
    if (groupA.count !== groupB.count || fixed.size + arenas > limits.maxStorageBindings) return false;
    if (!reachability.canMerge(rootA, rootB)) return false;
    const merged = {
      count: groupA.count,
      members: [...groupA.members, ...groupB.members],
      fixed,
      read: new Set([...groupA.read, ...groupB.read]),
    };
    groups.delete(rootA);
    groups.delete(rootB);
    groups.set(reachability.merge(rootA, rootB), merged);
    return true;
  };

  // A step with what feeds it first, then with what reads the same memory or is too small to be alone.
  for (const number of order) {
    const unit = units[number] as StepUnit;
    for (const operand of unit.operands) if (operand.from === "step") merge(operand.unit, unit);
  }
  for (const number of order) {
    const unit = units[number] as StepUnit;
    for (const [root, group] of groups) {
      const own = reachability.root(number);
      if (own === root || group.count !== unit.count) continue;
      const shares = [...(groups.get(own) as Group).read].some((cell) => group.read.has(cell));
      if (shares || unit.count <= SMALL) merge(group.members[0] as StepUnit, unit);
    }
  }
  const position = new Map(order.map((number, i) => [units[number] as Unit, i]));
  const place = (unit: StepUnit) => position.get(unit) as number;
  return [...groups.values()].map(({ members }) => members.sort((a, b) => place(a) - place(b)));
}

interface Group {
  readonly count: number;
  readonly members: StepUnit[];
  /** Regions that are no arenas: names of states, constants. */
  readonly fixed: ReadonlySet<string>;
  readonly read: ReadonlySet<unknown>;
}

function groupOf(unit: StepUnit): Group {
  const fixed = new Set<string>();
  for (const { cell } of [...readsOf(unit), ...writesOf(unit)]) {
    const { origin, boundTo } = cell.root;
    if (boundTo) fixed.add(`state ${boundTo.name}`);
    else if (origin) fixed.add("name" in origin ? `state ${origin.name}` : "constants");
  }
  return { count: unit.count, members: [unit], fixed, read: new Set(readsOf(unit).map(({ cell }) => cell.root)) };
}
