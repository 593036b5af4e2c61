/**
 * Recomputation: what reverse mode can make again from what is alive anyway is not kept for it. A norm's rows are centred,
 * divided, scaled and activated; a step of values and tangents would keep each of these, of both. One of them and small
 * statistics are enough: chains that read the others make them on their way, and for a product, which reads memory, a chain
 * stores them again before it. Whatever is alive where the most is, is given up so, until no more can be.
 */
import { Cell, rootView, type View, wordsOf } from "./cells.ts";
import type { Chain } from "./chains.ts";
import { LiveCells, positionOf, type Slot, taskOf } from "./live-cells.ts";
import { lifetimes, peakOf } from "./order.ts";
import { isProductCall } from "./products.ts";
import type { PlanLimits } from "./program.ts";
import { coneOfLoads, type Definition, definitionsOf, type Find, remade } from "./remake.ts";
import { sameLoad } from "./repeats.ts";
import type { Task } from "./tasks.ts";
import { type CallUnit, isDirect, readsOf } from "./units.ts";

/** Elements of the smallest cells that are worth it: a call costs more than the work on fewer. */
const LEAST = 16384;
/** So many times smaller than what is given up is what lives longer for it. */
const SMALL = 8;
/**
 * What an element of a chain takes on WebAssembly, in words that are read or written: a step of arithmetic, any other, and
 * an operation of a product. (On GPUs steps take less, products much less.)
 */
const [LIGHT_STEP, HEAVY_STEP, PRODUCT] = [0.6, 2, 0.25];
const LIGHT = /^(add|subtract|multiply|negate|select|relu.)$/;
/** The most work for a word that is given up. */
const MOST_WORK = 12;
/** The most work for all, as a share of the step's. */
const SHARE = 0.015;
/** The most places that are looked at. */
const MOST_PEAKS = 64;
/** Orders are tried whose peak is not so many times higher than the least. */
const NEAR = 1.1;

/** How a cell is given up from one position to another. */
interface Proposal {
  /** Whose chains make it themselves. */
  readonly inlined: readonly Slot[];
  readonly again: Again | undefined;
  /** Whose chains store it no more. */
  readonly left: readonly Slot[];
  /** Small cells that live longer, and to which slot. */
  readonly longer: ReadonlyMap<Cell, number>;
  /** At most: see `workOf`. */
  readonly work: number;
  /** The last position before that needs it, and the first behind. */
  readonly from: number;
  readonly to: number;
}

interface Again {
  readonly copy: Cell;
  readonly before: Slot;
  readonly chains: readonly Chain[];
  readonly readers: readonly Slot[];
}

/**
 * The tasks in that one of these orders that takes the least memory then. Contract: states get the same values, by the
 * same functions in the same order. Plans without tangents stay as they are.
 *
 * @param arenas - how many arenas a chain may meet; each takes a binding.
 * @param least - elements of the smallest cells that are given up.
 * @param share - of the step's work: as much may come to it.
 */
export function recompute(
  orders: readonly (readonly Task[])[],
  limits: PlanLimits,
  arenas: number,
  least = LEAST,
  share = SHARE,
): Task[] {
  const known = orders.map((tasks) => {
    const spans = lifetimes(tasks);
    // An order that puts weights' gradients off keeps what they read, which is not in its peak then.
    const area = spans.reduce((sum, { cell, size, start, end }) => sum + wordsOf(size, cell) * (end - start), 0);
    return { tasks, peak: peakOf(spans), area };
  });
  const lowest = known.reduce((best, order) => (order.peak < best.peak ? order : best));
  if (!hasTangents(lowest.tasks)) return [...lowest.tasks];
  const near = known.filter(({ peak }) => peak <= NEAR * lowest.peak);
  const { tasks } = near.reduce((best, order) => (order.area < best.area ? order : best));
  const made = new Recomputing(tasks, limits, arenas, least, share).run();
  return peakOf(lifetimes(made)) < lowest.peak ? made : [...lowest.tasks];
}

/** Whether weights' gradients are taken of rows of tangents below those of values. */
function hasTangents(tasks: readonly Task[]): boolean {
  return tasks.some(({ call }) => {
    if (!isProductCall(call) || !call.parameters["transposeLeft"]) return false;
    const { parts } = (call.reads["left"] as View).cell.root;
    return parts.length > 1 && parts.every(({ size, whole }) => size === parts[0]?.size && whole?.stride === 1);
  });
}

class Recomputing {
  private readonly limits: PlanLimits;
  private readonly arenas: number;
  private readonly least: number;
  private readonly cells: LiveCells;
  private readonly definitions: Map<Cell, readonly Definition[]>;
  /** Work that may be done still. */
  private left: number;

  constructor(tasks: readonly Task[], limits: PlanLimits, arenas: number, least: number, share: number) {
    this.limits = limits;
    this.arenas = arenas;
    this.least = least;
    this.cells = new LiveCells(tasks);
    this.definitions = definitionsOf(tasks);
    const work = tasks.map(({ call, chain }) => (call ? PRODUCT * call.flops : 0) + workOf(chain));
    this.left = share * work.reduce((sum, each) => sum + each, 0);
  }

  run(): Task[] {
    for (let peaks = 0; peaks < MOST_PEAKS; peaks++) {
      const { at } = this.cells.peak;
      let given = 0;
      for (const { cell, price } of this.offers(at)) {
        const now = this.propose(cell, at); // others given up may have made it dearer: then it waits
        if (!now || now.work > price + this.cells.lifeOf(cell).words || !this.give(cell, now)) continue;
        given++;
        if (this.cells.peak.at !== at) break;
      }
      if (given === 0) break;
    }
    return this.cells.tasks;
  }

  /** Cells alive at a position that can be given up: first those that take the least work for a word, and live longest. */
  private offers(at: number): { readonly cell: Cell; readonly price: number }[] {
    const offers = [...this.cells.lives].flatMap(([cell, { start, end, words }]) => {
      if (start >= at || at > end || cell.size < this.least || !this.definitions.has(cell)) return [];
      const proposal = this.propose(cell, at);
      return proposal ? [{ cell, price: proposal.work, rank: proposal.work / words, length: end - start }] : [];
    });
    return offers.sort((a, b) => a.rank - b.rank || b.length - a.length);
  }

  private propose(cell: Cell, at: number): Proposal | undefined {
    const { reads, writes, start, end, words } = this.cells.lifeOf(cell);
    const later = laterThan(reads, at);
    if (later.length === 0 || laterThan(writes, at).length > 0) return undefined;
    const before = [...reads, ...writes].map((slot) => positionOf(slot.at)).filter((position) => position < at);
    const isReadBefore = [...reads].some((slot) => positionOf(slot.at) < at);

    const longer = new Map<Cell, number>();
    let work = isReadBefore ? 0 : -words;
    const inlined: Slot[] = [];
    for (const slot of later) {
      const added = this.added(slot, cell, longer);
      if (added === undefined || added > MOST_WORK * words) break;
      inlined.push(slot);
      work += added;
    }
    const readers = later.slice(inlined.length);
    const again = readers.length > 0 ? this.again(readers, cell, longer) : undefined;
    if (readers.length > 0 && (!again || positionOf(again.before.at) <= at)) return undefined;
    for (const chain of again?.chains ?? []) work += workOf(chain);
    if (work > MOST_WORK * words) return undefined;

    let grown = 0;
    for (const [small, to] of longer) {
      const life = this.cells.lifeOf(small);
      if (life.end < at && at <= to) grown += life.words;
    }
    if (2 * grown > words) return undefined;
    const from = isReadBefore ? Math.max(...before) : positionOf(start) - 1;
    const to = again ? positionOf(again.before.at) : positionOf(end) + 1;
    return { inlined, again, left: isReadBefore ? [] : [...writes], longer, work, from, to };
  }

  /** What a slot's chain has to do when it makes the cell itself, steps that it has anyway among it. */
  private added({ at, task }: Slot, cell: Cell, longer: Map<Cell, number>): number | undefined {
    const { call, chain } = task as Task;
    if (!chain || (call && readsOf(call).some((view) => view.cell.root === cell))) return undefined;
    const more = new Map(longer);
    const own = chain.loads.filter(({ view }) => view.cell.root === cell);
    const cone = coneOfLoads(own, chain.count, this.definitions, this.finder(at, cell, more));
    if (!cone) return undefined;
    for (const [small, to] of more) longer.set(small, to);
    const loads = cone.loads.filter((load) => !chain.loads.some((known) => sameLoad(known, load)));
    return workOf({ ...cone, loads }) - wordsIn(own.map(({ view }) => view));
  }

  /** A slot's chain that makes the cell itself. */
  private inline({ at, task }: Slot, cell: Cell): Chain | undefined {
    const { call, chain } = task as Task & { chain: Chain };
    const own = new Set(chain.loads.map(({ view }) => view.cell.root));
    const find = this.finder(at, cell, new Map());
    const made = this.copied(chain, chain.stores, (root) => (root !== cell && own.has(root) ? root : find(root)));
    return made && this.fits(made, call) ? made : undefined;
  }

  /** A slot's chain that does not store the cell; undefined where nothing is left of it. */
  private without({ task }: Slot, cell: Cell): Chain | undefined {
    const chain = task?.chain as Chain;
    const stores = chain.stores.filter(({ view }) => view.cell.root !== cell);
    return stores.length > 0 ? this.copied(chain, stores, (root) => root) : undefined;
  }

  /** The chain with these of its stores. */
  private copied(chain: Chain, stores: Chain["stores"], find: Find): Chain | undefined {
    const kept = stores.map((store) => ({ chain, view: rootView(store.view), store, to: store.view }));
    return remade(kept, this.definitions, find, chain);
  }

  /** Chains that store the cell's elements once more, for the first of its readers and all behind that. */
  private again(readers: readonly Slot[], cell: Cell, longer: Map<Cell, number>): Again | undefined {
    const [before] = readers as [Slot];
    const copy = new Cell(cell.size, cell.dtype);
    copy.half = cell.half;
    const byCount = new Map<number, (Definition & { to: View })[]>();
    for (const definition of this.definitions.get(cell) as readonly Definition[]) {
      const { count } = definition.chain;
      const others = byCount.get(count) ?? [];
      byCount.set(count, others);
      others.push({ ...definition, to: { ...definition.view, cell: copy } });
    }
    const find = this.finder(before.at, cell, longer);
    const chains: Chain[] = [];
    for (const stores of byCount.values()) {
      const made = remade(stores, this.definitions, find);
      if (!made || !this.fits(made)) return undefined;
      chains.push(made);
    }
    return { copy, before, chains, readers };
  }

  /**
   * Finds what a chain at a slot loads, when `given` is given up; of small cells also what lived no longer.
   *
   * @param longer - takes these.
   */
  private finder(at: number, given: Cell, longer: Map<Cell, number>): Find {
    const isAlive = (cell: Cell) => {
      const { start, end } = this.cells.lifeOf(cell);
      return cell !== given && start < at && at <= end;
    };
    return (cell) => {
      const life = this.cells.lives.get(cell);
      if (!life) return this.cells.isThere(cell, at) ? cell : undefined;
      for (let found: Cell | undefined = cell; found; found = this.cells.lifeOf(found).heir) {
        if (isAlive(found)) return found;
      }
      if (life.start >= at || life.words * SMALL > this.cells.lifeOf(given).words) return undefined;
      longer.set(cell, Math.max(at, longer.get(cell) ?? 0));
      return cell;
    };
  }

  /** Whether the device has the bindings. */
  private fits({ loads, stores }: Chain, call?: CallUnit): boolean {
    const fixed = [...loads, ...stores].flatMap(({ view }) => {
      const { origin, boundTo } = view.cell.root;
      return boundTo?.name ?? (origin ? ("name" in origin ? origin.name : "") : []);
    });
    const operands = call ? readsOf(call).length : 0;
    return operands + new Set(fixed).size + this.arenas <= this.limits.maxStorageBindings;
  }

  /** Changes the tasks; false where it would be too much work after all, or more bindings than the device has. */
  private give(cell: Cell, { inlined, again, left, longer, from, to }: Proposal): boolean {
    const changed = [
      ...inlined.map((slot) => ({ slot, chain: this.inline(slot, cell) })),
      ...left.map((slot) => ({ slot, chain: this.without(slot, cell) })),
    ];
    if (changed.some(({ chain }, i) => !chain && i < inlined.length)) return false;
    const added = changed.map(({ slot, chain }) => workOf(chain) - workOf(slot.task?.chain));
    const work = [...added, ...(again?.chains.map(workOf) ?? [])].reduce((sum, each) => sum + each, 0);
    if (work > this.left) return false;

    this.left -= work;
    for (const [small, at] of longer) this.cells.extend(small, at);
    for (const { slot, chain } of changed) this.cells.replace(slot, chain && taskOf(slot.task?.call, chain));
    if (again) {
      const { before, copy, chains, readers } = again;
      const tasks = chains.map((chain) => taskOf(undefined, chain));
      this.definitions.set(copy, this.definitions.get(cell) as readonly Definition[]);
      this.cells.insert(before, tasks, cell, copy, readers);
    }
    this.cells.shorten(cell, from, to);
    return true;
  }
}

const wordsIn = (views: readonly View[]) =>
  views.reduce((sum, { cell, length }) => sum + wordsOf(length, cell.root), 0);

/** What a chain takes, in words read or written. */
function workOf(chain: Chain | undefined): number {
  if (!chain) return 0;
  const { count, loads, steps, stores } = chain;
  const spread = loads.filter((load) => !isDirect(load, count)).length;
  const computed = steps.reduce((sum, { function: name }) => sum + (LIGHT.test(name) ? LIGHT_STEP : HEAVY_STEP), 0);
  return wordsIn([...loads, ...stores].map(({ view }) => view)) + count * (spread + computed);
}

/** Of slots, those at a position and behind it, in their order. */
const laterThan = (slots: ReadonlySet<Slot>, position: number) =>
  [...slots].filter(({ at }) => positionOf(at) >= position).sort((a, b) => a.at - b.at);
