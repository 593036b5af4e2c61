/**
 * Places in arenas for what lives only during a run. Cells that are never live together share memory; a chain's result
 * takes the place of an operand that it uses up. Each cell goes where its arena grows least, the largest first. Cells
 * of f16 have arenas of their own.
 */
import { LimitError } from "../errors.ts";
import { type Cell, wordsOf } from "./cells.ts";
import { ALIGNMENT } from "./legalize.ts";
import { canOverwrite, type Lifetime, lifetimes, peakOf } from "./order.ts";
import type { PlanLimits } from "./program.ts";
import { Residents } from "./residents.ts";
import type { Task } from "./tasks.ts";
import { readsOf } from "./units.ts";

export interface Memory {
  /** Of each temporary root cell: where its first element is, or would be if any call needed it. */
  readonly places: ReadonlyMap<Cell, { readonly arena: number; readonly offset: number }>;
  /** Words of each arena. */
  readonly arenas: readonly number[];
  /** The most words live at once. */
  readonly lowerBound: number;
}

/** Memory that cells take one after another, each in the place of the one before. */
interface Slot {
  readonly cell: Cell;
  readonly cells: Cell[];
  /** The first element that calls need, of each cell, and how many from there on. */
  readonly from: number;
  readonly size: number;
  readonly start: number;
  end: number;
}

/** @throws {@link LimitError} when a cell is larger than a buffer or a binding may be. */
export function placeCells(tasks: readonly Task[], limits: PlanLimits): Memory {
  const slots = makeSlots(tasks);
  const foes = limits.separateReadAndWrite ? separated(tasks, slots) : new Map<Slot, Set<Slot>>();
  const orders: ((a: Slot, b: Slot) => number)[] = [
    (a, b) => b.size - a.size || a.start - b.start,
    (a, b) => b.size * (b.end - b.start) - a.size * (a.end - a.start),
    (a, b) => a.start - b.start || b.size - a.size,
  ];
  const words = ({ arenas }: Attempt) => arenas.map(({ size, first: { cell } }) => wordsOf(size, cell));
  const total = (attempt: Attempt) => words(attempt).reduce((sum, size) => sum + size, 0);
  const lowerBound = peakOf(slots);
  let best: Attempt | undefined;
  for (const compare of orders) {
    if (best && total(best) <= lowerBound) break;
    const attempt = place([...slots].sort(compare), foes, limits);
    if (!best || total(attempt) < total(best)) best = attempt;
  }
  const places = new Map(
    [...(best as Attempt).places].flatMap(([{ cells, from }, { arena, offset }]) =>
      cells.map((cell) => [cell, { arena, offset: offset - from }] as const),
    ),
  );
  return { places, arenas: words(best as Attempt), lowerBound };
}

function makeSlots(tasks: readonly Task[]): Slot[] {
  const spans = lifetimes(tasks)
    .map(aligned)
    .sort((a, b) => a.start - b.start);
  const spentAt = new Map<number, Lifetime[]>(); // by the last position
  for (const span of spans) spentAt.set(span.end, [...(spentAt.get(span.end) ?? []), span]);
  const slotOf = new Map<Cell, Slot>();
  const slots: Slot[] = [];
  for (const { cell, start, end, from, size } of spans) {
    const task = tasks[start] as Task;
    const spent = spentAt
      .get(start)
      ?.find(
        (old) =>
          old.start < start &&
          old.from === from &&
          !old.cell.half === !cell.half &&
          old.size === size &&
          slotOf.get(old.cell)?.end === start &&
          canOverwrite(task, old.cell, cell),
      );
    const slot = spent && (slotOf.get(spent.cell) as Slot);
    if (slot) {
      slot.cells.push(cell);
      slot.end = end;
      slotOf.set(cell, slot);
    } else {
      const made = { cell, cells: [cell], from, size, start, end };
      slotOf.set(cell, made);
      slots.push(made);
    }
  }
  return slots;
}

/** The lifetime with its first element moved back to where an allocation may begin. */
function aligned({ from, size, ...lifetime }: Lifetime): Lifetime {
  const spare = from % ALIGNMENT;
  return { ...lifetime, from: from - spare, size: size + spare };
}

/** For each slot, those that may not lie in its arena: no kernel but that of chains reads and writes one. */
function separated(tasks: readonly Task[], slots: readonly Slot[]): Map<Slot, Set<Slot>> {
  const slotOf = new Map(slots.flatMap((slot) => slot.cells.map((cell) => [cell, slot] as const)));
  const foes = new Map(slots.map((slot) => [slot, new Set<Slot>()]));
  for (const { call, writes } of tasks) {
    for (const read of call ? readsOf(call) : []) {
      for (const write of writes) {
        const [from, to] = [slotOf.get(read.cell.root), slotOf.get(write.cell.root)];
        if (!from || !to) continue;
        foes.get(from)?.add(to);
        foes.get(to)?.add(from);
      }
    }
  }
  return foes;
}

interface Arena {
  /** In its elements. */
  size: number;
  /** Tells what its elements are. */
  readonly first: Slot;
  readonly residents: Residents;
}

interface Attempt {
  readonly places: Map<Slot, { arena: number; offset: number }>;
  readonly arenas: Arena[];
}

function place(slots: readonly Slot[], foes: ReadonlyMap<Slot, ReadonlySet<Slot>>, limits: PlanLimits): Attempt {
  const most = Math.min(limits.maxBufferBytes, limits.maxBindingBytes);
  const places: Attempt["places"] = new Map();
  const arenas: Arena[] = [];
  for (const slot of slots) {
    const isHalf = slot.cell.half !== undefined;
    const capacity = Math.floor(most / (isHalf ? 2 : 4));
    if (slot.size > capacity) throw tooLarge(slot, most);
    const banned = new Set([...(foes.get(slot) ?? [])].flatMap((foe) => places.get(foe)?.arena ?? []));
    let best: { arena: number; offset: number; growth: number } | undefined;
    arenas.forEach(({ size, first, residents }, arena) => {
      if (banned.has(arena) || !first.cell.half === isHalf) return;
      const offset = residents.lowestGap(slot, size);
      const growth = Math.max(0, offset + slot.size - size);
      if (offset + slot.size <= capacity && !(best && growth >= best.growth)) best = { arena, offset, growth };
    });
    best ??= {
      arena: arenas.push({ size: 0, first: slot, residents: new Residents() }) - 1,
      offset: 0,
      growth: slot.size,
    };
    const { arena, offset } = best;
    places.set(slot, { arena, offset });
    const taken = arenas[arena] as Arena;
    taken.residents.add({
      ...{ start: slot.start, end: slot.end, from: offset },
      to: Math.ceil((offset + slot.size) / ALIGNMENT) * ALIGNMENT,
    });
    taken.size = Math.max(taken.size, offset + slot.size);
  }
  return { places, arenas };
}

function tooLarge({ cell, size }: Slot, most: number): LimitError {
  return new LimitError({
    subject: "a value of the program",
    given: `${4 * wordsOf(size, cell)} bytes`,
    expected: `at most ${most} bytes, the device's limit for one binding`,
    remedy: "Use a smaller batch or a smaller network.",
  });
}
