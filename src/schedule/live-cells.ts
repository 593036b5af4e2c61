/** Which cells are alive when, in an order of tasks that changes: tasks get other chains, new ones come between. */
import { type Cell, rootView, type View, wordsOf } from "./cells.ts";
import type { Chain } from "./chains.ts";
import { lifetimes } from "./order.ts";
import { Profile } from "./profile.ts";
import type { Task } from "./tasks.ts";
import { type CallUnit, readsOf, writesOf } from "./units.ts";

/** A task in its place: `at` is its position; of one that was added, less than that of the task it is for by a part. */
export interface Slot {
  readonly at: number;
  /** Undefined when nothing is left of it to do. */
  task: Task | undefined;
}

/** What is known of a root cell that lies in an arena. */
export interface Life {
  readonly words: number;
  readonly start: number;
  end: number;
  readonly reads: Set<Slot>;
  readonly writes: Set<Slot>;
  /** What holds the same elements later on. */
  heir: Cell | undefined;
}

/** The position at which a task of the order runs, or the one that an added task is for. */
export const positionOf = (at: number) => Math.ceil(at);

export class LiveCells {
  readonly lives = new Map<Cell, Life>();
  private readonly slots: readonly Slot[];
  private readonly added: Slot[] = [];
  private readonly profile: Profile;
  /** By name of state: where it is first written. */
  private readonly overwritten = new Map<string, number>();

  constructor(tasks: readonly Task[]) {
    this.slots = tasks.map((task, at) => ({ at, task }));
    this.profile = new Profile(tasks.length);
    for (const { cell, size, start, end } of lifetimes(tasks)) {
      const words = wordsOf(size, cell);
      this.lives.set(cell, { words, start, end, reads: new Set(), writes: new Set(), heir: undefined });
      this.profile.add(start, end, words);
    }
    for (const slot of this.slots) {
      this.register(slot);
      for (const { cell } of slot.task?.writes ?? []) {
        const name = cell.root.boundTo?.name;
        if (name !== undefined && !this.overwritten.has(name)) this.overwritten.set(name, slot.at);
      }
    }
  }

  /** All tasks, in their order. */
  get tasks(): Task[] {
    return [...this.added, ...this.slots].sort((a, b) => a.at - b.at).flatMap(({ task }) => task ?? []);
  }

  get peak(): { readonly at: number; readonly words: number } {
    return this.profile.peak();
  }

  lifeOf(cell: Cell): Life {
    return this.lives.get(cell) as Life;
  }

  /** Whether what a root cell outside of arenas holds before the run is there at a slot. */
  isThere({ origin, boundTo }: Cell, at: number): boolean {
    if (!origin || boundTo) return false;
    return !("name" in origin) || at < (this.overwritten.get(origin.name) ?? Number.POSITIVE_INFINITY);
  }

  /** Gives a slot another task. */
  replace(slot: Slot, task: Task | undefined): void {
    for (const { cell } of slot.task?.reads ?? []) this.lives.get(cell.root)?.reads.delete(slot);
    for (const { cell } of slot.task?.writes ?? []) this.lives.get(cell.root)?.writes.delete(slot);
    slot.task = task;
    this.register(slot);
  }

  private register(slot: Slot): void {
    for (const { cell } of slot.task?.reads ?? []) this.lives.get(cell.root)?.reads.add(slot);
    for (const { cell } of slot.task?.writes ?? []) this.lives.get(cell.root)?.writes.add(slot);
  }

  /** Adds tasks before a slot that write `copy`: what is in `cell`, for the slots that read it from there on. */
  insert(before: Slot, tasks: readonly Task[], cell: Cell, copy: Cell, readers: readonly Slot[]): void {
    const at = (positionOf(before.at) - 1 + before.at) / 2;
    const life = this.lifeOf(cell);
    this.lives.set(copy, {
      words: life.words,
      start: at,
      end: life.end,
      reads: new Set(),
      writes: new Set(),
      heir: undefined,
    });
    life.heir = copy;
    for (const task of tasks) {
      const slot = { at, task };
      this.added.push(slot);
      this.register(slot);
    }
    for (const slot of readers) this.replace(slot, movedTo(slot.task as Task, cell, copy));
  }

  /** Lets a cell live on to a slot. */
  extend(cell: Cell, at: number): void {
    const life = this.lifeOf(cell);
    const end = positionOf(at);
    if (end <= life.end) return;
    this.profile.add(positionOf(life.end) + 1, end, life.words);
    life.end = end;
  }

  /** Lets a cell live no longer than to a position; between that and `to` it did. */
  shorten(cell: Cell, end: number, to: number): void {
    const life = this.lifeOf(cell);
    const from = Math.max(end + 1, positionOf(life.start));
    if (from < to) this.profile.add(from, to - 1, -life.words);
    life.end = end;
  }
}

/** The task, where it reads what is in one cell from another. */
function movedTo({ call, chain }: Task, cell: Cell, copy: Cell): Task {
  const moved = (view: View): View => (view.cell.root === cell ? { ...rootView(view), cell: copy } : view);
  const reads = Object.entries(call?.reads ?? {}).map(([name, view]) => [name, moved(view)] as const);
  return taskOf(
    call && { ...call, reads: Object.fromEntries(reads) },
    chain && { ...chain, loads: chain.loads.map((load) => ({ ...load, view: moved(load.view) })) },
  );
}

export function taskOf(call: CallUnit | undefined, chain: Chain | undefined): Task {
  const reads = [...(call ? readsOf(call) : []), ...(chain?.loads.map(({ view }) => view) ?? [])];
  return { call, chain, reads, writes: chain?.stores.map(({ view }) => view) ?? (call ? writesOf(call) : []) };
}
