/**
 * Where new values of state are written: into the state at once, when all that reads its old value can run before, else
 * into a temporary, and from there into the state when nothing reads it any more.
 */
import type { StateDeclaration } from "../graph/graph.ts";
import { Cell, cellTree, meet, rootView, sameElements, type View, viewOf } from "./cells.ts";
import { dependencies } from "./dependencies.ts";
import { Reachability } from "./reachability.ts";
import {
  type Assignment,
  type CallUnit,
  type Constraint,
  isDirect,
  readsOf,
  type StepUnit,
  type Unit,
  type Units,
  writesOf,
} from "./units.ts";

/**
 * Binds each assigned cell to its state, adding units where needed; returns what must run before what.
 *
 * @param known - what must anyway.
 */
export function bindState({ units, assignments }: Units, known: readonly Constraint[] = []): Constraint[] {
  const constraints: Constraint[] = [...known];
  const largestFirst = [...assignments].sort((a, b) => b.cell.size - a.cell.size);
  for (const call of units.filter((unit): unit is CallUnit => unit.kind === "call" && unit.initial !== undefined)) {
    if (!assignments.some((assignment) => startsAsOld(call, assignment))) startFrom(call, units, constraints);
  }

  let numbers = new Map(units.map((unit, number) => [unit, number]));
  let reachability = new Reachability(dependencies(units, constraints));
  /** Adds the edges to `reachability` up to the first that would close a cycle. */
  const canAdd = (added: readonly Constraint[]) =>
    added.every(({ before, after }) => {
      const [from, to] = [numbers.get(before) as number, numbers.get(after) as number];
      if (reachability.reaches(to, from)) return false;
      reachability.addEdge(from, to);
      return true;
    });
  for (const { state, cell } of largestFirst) {
    const readers = units.filter((unit) => readsOf(unit).some((view) => isOld(view, state)));
    const writers = writersOf(cell);
    const added = before(readers, writers, state);
    const isSafe = writers.every(
      (writer) => !readers.includes(writer) || (writer.kind === "step" && !clash(writer, writer, state)),
    );
    if (isSafe && canAdd(added)) {
      cell.boundTo = state;
      constraints.push(...added);
      continue;
    }
    for (const call of writers) if (call.kind === "call" && call.initial) startFrom(call, units, constraints);
    const last = storeAgain(cell, units);
    constraints.push(...before(readers, [last], state));
    (last.home as Cell).boundTo = state;
    numbers = new Map(units.map((unit, number) => [unit, number]));
    reachability = new Reachability(dependencies(units, constraints));
  }
  return constraints;
}

const writersOf = (cell: Cell): Unit[] => cellTree(cell).flatMap(({ writers }) => writers);

/** Whether the view is of the state's value before the run. */
function isOld({ cell: { origin } }: View, { name }: StateDeclaration): boolean {
  return origin !== undefined && "name" in origin && origin.name === name;
}

/** Whether the call changes a part of the very state that takes its result. */
function startsAsOld({ initial, writes }: CallUnit, { state, cell }: Assignment): boolean {
  return (
    initial !== undefined &&
    isOld(initial, state) &&
    initial.length === cell.size &&
    Object.values(writes)[0]?.cell === cell
  );
}

/** Stores what a call's cell holds before it. */
function startFrom(call: CallUnit, units: Unit[], constraints: Constraint[]): void {
  const { cell } = Object.values(call.writes)[0] as View;
  const initial = call.initial as View;
  const load = { from: "load", view: initial, divisor: 1, modulus: cell.size, dtype: cell.dtype } as const;
  const unit: StepUnit = {
    kind: "step",
    count: cell.size,
    function: undefined,
    operands: [load],
    dtype: cell.dtype,
    home: cell,
  };
  cell.writers.push(unit);
  units.push(unit);
  constraints.push({ before: unit, after: call, apart: false });
}

/** A copy of the cell's value in a cell of its own. */
function storeAgain(cell: Cell, units: Unit[]): StepUnit {
  const home = new Cell(cell.size, cell.dtype);
  const load = { from: "load", view: viewOf(cell), divisor: 1, modulus: cell.size, dtype: cell.dtype } as const;
  const unit: StepUnit = {
    kind: "step",
    count: cell.size,
    function: undefined,
    operands: [load],
    dtype: cell.dtype,
    home,
  };
  home.writers.push(unit);
  units.push(unit);
  return unit;
}

/** What reads elements of the old value runs before what writes their new ones. */
function before(readers: readonly Unit[], writers: readonly Unit[], state: StateDeclaration): Constraint[] {
  return writers.flatMap((after) =>
    readers
      .filter((reader) => reader !== after && meets(reader, after, state))
      .map((reader) => ({ before: reader, after, apart: clash(reader, after, state) })),
  );
}

/** Whether the reader takes old elements whose new values the writer writes. */
function meets(reader: Unit, writer: Unit, state: StateDeclaration): boolean {
  const places = writesOf(writer).map(rootView);
  return readsOf(reader).some((view) => isOld(view, state) && places.some((place) => meet(view, place)));
}

/** Whether one call could not do both: it would overwrite elements of the old value that others of its own need. */
function clash(reader: Unit, writer: Unit, state: StateDeclaration): boolean {
  if (reader.kind !== "step" || writer.kind !== "step") return true;
  if (!writer.home) return false;
  const place = rootView(viewOf(writer.home));
  return reader.operands.some((operand) => {
    if (operand.from !== "load" || !isOld(operand.view, state)) return false;
    const { view } = operand;
    const inPlace = isDirect(operand, writer.count) && sameElements(view, place);
    return !inPlace && meet(view, place);
  });
}
