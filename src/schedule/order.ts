/** The order of calls: of those tried, the one in which the fewest bytes are live at once. */
import { type Cell, extentOf, meet, rootView, sameElements, wordsOf } from "./cells.ts";
import { Heap } from "./heap.ts";
import type { Task } from "./tasks.ts";
import { readsOf } from "./units.ts";

/** First and last position of the calls that need a cell, and which of its elements they need. */
export interface Lifetime {
  readonly cell: Cell;
  readonly start: number;
  readonly end: number;
  /** The first element. */
  readonly from: number;
  /** How many, up to the last. */
  readonly size: number;
}

/** The tasks in some orders. */
export function ordersOf(tasks: readonly Task[], after: readonly (readonly number[])[]): Task[][] {
  const cells = tasks.map((task) => [...temporaries(task)]);
  const readers = new Map<Cell, number>(); // tasks that touch it
  for (const list of cells) for (const cell of list) readers.set(cell, (readers.get(cell) ?? 0) + 1);
  const writers = new Map<Cell, number>();
  for (const { writes } of tasks) {
    for (const cell of new Set(writes.map((view) => view.cell.root))) writers.set(cell, (writers.get(cell) ?? 0) + 1);
  }
  const whole = (cell: Cell) => wordsOf(cell.size, cell);
  const shared = (cell: Cell) => whole(cell) / (writers.get(cell) ?? 1);
  const orders = [
    asTheyCome(after),
    leastGrowth(cells, readers, after, whole),
    leastGrowth(cells, readers, after, shared),
  ];
  return orders.map((order) => order.map((number) => tasks[number] as Task));
}

/** The order in which the least is live at once. */
export const lowest = (orders: readonly Task[][]) =>
  orders.reduce((best, order) => (peakWords(order) < peakWords(best) ? order : best));

/** Root cells that lie in an arena and that the task reads or writes. */
function temporaries({ reads, writes }: Task): Set<Cell> {
  const roots = [...reads, ...writes].map((view) => view.cell.root);
  return new Set(roots.filter(isPlaced));
}

/** Whether a root cell lies in an arena. */
export const isPlaced = ({ isTemporary, boundTo }: Cell) => isTemporary && !boundTo;

export function lifetimes(tasks: readonly Task[]): Lifetime[] {
  const spans = new Map<Cell, { start: number; end: number; from: number; to: number }>();
  tasks.forEach(({ reads, writes }, position) => {
    for (const view of [...reads, ...writes].map(rootView)) {
      if (!isPlaced(view.cell)) continue;
      const [from, to] = [view.offset, view.offset + extentOf(view)];
      const span = spans.get(view.cell);
      if (!span) {
        spans.set(view.cell, { start: position, end: position, from, to });
        continue;
      }
      span.end = position;
      span.from = Math.min(span.from, from);
      span.to = Math.max(span.to, to);
    }
  });
  return [...spans].map(([cell, { start, end, from, to }]) => ({ cell, start, end, from, size: to - from }));
}

/** The most words live at once, nothing being written in place. */
function peakWords(tasks: readonly Task[]): number {
  return peakOf(lifetimes(tasks));
}

/** The most words of intervals that share a position; both ends belong to them. */
export function peakOf(intervals: readonly { cell: Cell; size: number; start: number; end: number }[]): number {
  const last = intervals.reduce((latest, { end }) => Math.max(latest, end), 0);
  const change = new Float64Array(last + 2);
  for (const { cell, size, start, end } of intervals) {
    const words = wordsOf(size, cell);
    change[start] = (change[start] as number) + words;
    change[end + 1] = (change[end + 1] as number) - words;
  }
  let live = 0;
  return change.reduce((peak, difference) => {
    live += difference;
    return Math.max(peak, live);
  }, 0);
}

/** Of the tasks that are free to come, always the first. */
function asTheyCome(after: readonly (readonly number[])[]): number[] {
  const free = new Heap();
  return schedule(
    after,
    (number) => free.push(number, 0, number),
    () => free.pop(),
  );
}

/**
 * Of the tasks that are free to come, always one that frees the most memory or takes the least; of several the one that
 * has been free for longest.
 *
 * @param cost - words that the first task to write a cell is charged. With all of them, what many tasks write in parts
 * (the gradient) is put off, and with it all that its parts would free; so there is an order for a share of them too.
 */
function leastGrowth(
  cells: readonly (readonly Cell[])[],
  readers: ReadonlyMap<Cell, number>,
  after: readonly (readonly number[])[],
  cost: (cell: Cell) => number,
): number[] {
  const left = new Map(readers);
  const live = new Set<Cell>();
  const touching = new Map<Cell, number[]>();
  cells.forEach((list, number) => {
    for (const cell of list) {
      const others = touching.get(cell);
      if (others) others.push(number);
      else touching.set(cell, [number]);
    }
  });
  const growth = (number: number) => {
    let total = 0;
    for (const cell of cells[number] as readonly Cell[]) {
      if (!live.has(cell)) total += cost(cell);
      if (left.get(cell) === 1) total -= wordsOf(cell.size, cell);
    }
    return total;
  };
  const free = new Heap(); // a task again when its growth changes: only the last of its entries counts
  const known = new Map<number, { growth: number; readonly since: number }>();
  let freed = 0;
  const enter = (number: number) => {
    const entry = { growth: growth(number), since: freed++ };
    known.set(number, entry);
    free.push(entry.growth, entry.since, number);
  };
  const reckonAgain = (number: number) => {
    const entry = known.get(number);
    if (!entry) return;
    const now = growth(number);
    if (now === entry.growth) return;
    entry.growth = now;
    free.push(now, entry.since, number);
  };
  const choose = () => {
    for (;;) {
      const grows = free.least;
      const chosen = free.pop();
      if (known.get(chosen)?.growth !== grows) continue;
      known.delete(chosen);
      for (const cell of cells[chosen] as readonly Cell[]) {
        const isNew = !live.has(cell);
        const others = (left.get(cell) as number) - 1;
        live.add(cell);
        left.set(cell, others);
        if (isNew || others === 1) for (const number of touching.get(cell) as number[]) reckonAgain(number);
      }
      return chosen;
    }
  };
  return schedule(after, enter, choose);
}

/** @param enter - takes a task that is free to come; `choose` gives one of those back. */
function schedule(
  after: readonly (readonly number[])[],
  enter: (number: number) => void,
  choose: () => number,
): number[] {
  const waiting = after.map((list) => list.length);
  const next: number[][] = after.map(() => []);
  after.forEach((list, number) => {
    for (const before of list) next[before]?.push(number);
  });
  waiting.forEach((count, number) => {
    if (count === 0) enter(number);
  });
  const order: number[] = [];
  while (order.length < after.length) {
    const chosen = choose();
    order.push(chosen);
    for (const number of next[chosen] as number[]) {
      waiting[number] = (waiting[number] as number) - 1;
      if (waiting[number] === 0) enter(number);
    }
  }
  return order;
}

/** For reads and writes of a chain: whether a store over a load touches only what it may. */
export function canOverwrite(task: Task, old: Cell, next: Cell): boolean {
  if (!task.chain || (task.call && readsOf(task.call).some((view) => view.cell.root === old))) return false;
  const { loads, stores, count } = task.chain;
  const from = loads.filter(({ view }) => view.cell.root === old);
  const to = stores.filter(({ view }) => view.cell.root === next).map(({ view }) => rootView(view));
  return from.every((load) => {
    const source = rootView(load.view);
    const direct = load.divisor === 1 && load.modulus === count;
    return to.every((target) => (sameElements(source, target) ? direct : !meet(source, target)));
  });
}
