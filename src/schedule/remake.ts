/** Chains put together from what others compute: a value that is in memory no more is made again by what reads it. */
import { type Cell, rootView, sameElements, type View } from "./cells.ts";
import { type Chain, type ChainLoad, stepKey } from "./chains.ts";
import type { ElementwiseOperand, ElementwiseStep } from "./program.ts";
import { sameLoad } from "./repeats.ts";
import type { Task } from "./tasks.ts";
import { isDirect } from "./units.ts";

/** A store of a chain: what these elements are. */
export interface Definition {
  readonly chain: Chain;
  /** Of the root cell. */
  readonly view: View;
  readonly store: Chain["stores"][number];
}

/** By root cell: of those that nothing but chains writes, none of them a product as it is. */
export type Definitions = ReadonlyMap<Cell, readonly Definition[]>;

export function definitionsOf(tasks: readonly Task[]): Map<Cell, Definition[]> {
  const definitions = new Map<Cell, Definition[]>();
  const others = new Set<Cell>();
  for (const { chain, writes } of tasks) {
    if (!chain) for (const { cell } of writes) others.add(cell.root);
    for (const store of chain?.stores ?? []) {
      const view = rootView(store.view);
      if (store.source.from === "product") others.add(view.cell);
      const known = definitions.get(view.cell) ?? [];
      known.push({ chain: chain as Chain, view, store });
      definitions.set(view.cell, known);
    }
  }
  for (const cell of others) definitions.delete(cell);
  return definitions;
}

/** Where a root cell's elements lie when a chain runs; undefined where they are to be made again. */
export type Find = (cell: Cell) => Cell | undefined;

/** The most steps that a chain gets beside its own. */
const MOST_STEPS = 40;

/**
 * A chain of as many elements that stores the same; undefined where that cannot be.
 *
 * @param own - the chain itself, where it is one that takes another's place: it may take its product, and draw numbers.
 */
export function remade(
  stores: readonly (Definition & { readonly to: View })[],
  definitions: Definitions,
  find: Find,
  own?: Chain,
): Chain | undefined {
  const count = stores[0]?.chain.count ?? 0;
  const remaking = new Remaking(count, definitions, find, own);
  const made: Chain["stores"][number][] = [];
  for (const { chain, store, to } of stores) {
    const source = remaking.take(chain, store.source);
    if (!source) return undefined;
    made.push({ ...store, view: to, source });
  }
  return { count, loads: remaking.loads, steps: remaking.steps, stores: made };
}

/** What a chain of `count` elements loads and computes for these loads of what is made again; undefined as above. */
export function coneOfLoads(
  given: readonly ChainLoad[],
  count: number,
  definitions: Definitions,
  find: Find,
): Chain | undefined {
  const remaking = new Remaking(count, definitions, find, undefined);
  if (!given.every((load) => remaking.load(load))) return undefined;
  return { count, loads: remaking.loads, steps: remaking.steps, stores: [] };
}

class Remaking {
  readonly loads: ChainLoad[] = [];
  readonly steps: ElementwiseStep[] = [];
  private readonly known = new Map<string, ElementwiseOperand>();
  private readonly results = new Map<Chain, (ElementwiseOperand | undefined)[]>();
  private readonly count: number;
  private readonly definitions: Definitions;
  private readonly find: Find;
  private readonly own: Chain | undefined;
  private readonly most: number;

  constructor(count: number, definitions: Definitions, find: Find, own: Chain | undefined) {
    this.count = count;
    this.definitions = definitions;
    this.find = find;
    this.own = own;
    this.most = (own?.steps.length ?? 0) + MOST_STEPS;
  }

  /** Another chain's operand as one of this. */
  take(chain: Chain, operand: ElementwiseOperand): ElementwiseOperand | undefined {
    if (operand.from === "constant") return operand;
    if (operand.from === "load") return this.load(chain.loads[operand.index] as ChainLoad);
    if (operand.from === "step") return this.step(chain, operand.index);
    if (chain === this.own) return operand;
    const kept = chain.stores.find(({ source }) => source.from === "product" && source.index === operand.index);
    return kept && this.load({ view: kept.view, divisor: 1, modulus: this.count, dtype: kept.dtype });
  }

  load(load: ChainLoad): ElementwiseOperand | undefined {
    const view = rootView(load.view);
    const cell = this.find(view.cell);
    if (cell) {
      const from = { ...load, view: { ...view, cell } };
      const known = this.loads.findIndex((other) => other.view.cell === cell && sameLoad(other, from));
      return { from: "load", index: known >= 0 ? known : this.loads.push(from) - 1 };
    }
    if (load.terms || !isDirect(load, this.count)) return undefined;
    const made = this.definitions.get(view.cell)?.find((definition) => sameElements(definition.view, view));
    return made && this.take(made.chain, made.store.source);
  }

  private step(chain: Chain, index: number): ElementwiseOperand | undefined {
    const results = this.results.get(chain) ?? [];
    this.results.set(chain, results);
    if (!(index in results)) results[index] = this.makeStep(chain, chain.steps[index] as ElementwiseStep);
    return results[index];
  }

  private makeStep(chain: Chain, step: ElementwiseStep): ElementwiseOperand | undefined {
    if (step.random && chain !== this.own) return undefined; // takes longer than a load
    const operands: ElementwiseOperand[] = [];
    for (const operand of step.operands) {
      const taken = this.take(chain, operand);
      if (!taken) return undefined;
      operands.push(taken);
    }
    const key = stepKey(step, operands);
    const known = this.known.get(key);
    if (known) return known;
    if (this.steps.length >= this.most) return undefined;
    const made = { from: "step", index: this.steps.push({ ...step, operands }) - 1 } as const;
    this.known.set(key, made);
    return made;
  }
}
