/** Chains while they come to be, found by what they could share. */
import type { Cell } from "./cells.ts";
import type { CallUnit, StepUnit, Unit } from "./units.ts";

/** Steps that are to be one chain, and the product that it follows, if any. */
export interface Part {
  readonly count: number;
  readonly call: CallUnit | undefined;
  readonly steps: StepUnit[];
  /** Regions that are no arenas: names of states, constants. */
  readonly fixed: Set<string>;
  readonly read: Set<Cell>;
  /** Products that it reads and may follow. */
  readonly products: Set<Unit>;
}

/** All of both, in the first. */
export function joined(part: Part, { steps, fixed, read, products }: Part): Part {
  for (const step of steps) part.steps.push(step);
  for (const region of fixed) part.fixed.add(region);
  for (const cell of read) part.read.add(cell);
  for (const product of products) part.products.add(product);
  return part;
}

/** Parts that others can still join, under the number of their root; always first the one that came to be first. */
export class OpenParts {
  private readonly counts = new Map<number, Set<number>>();
  private readonly readers = new Map<Cell, Map<number, Set<number>>>(); // by the cell, then by their count
  private readonly followers = new Map<Unit, Set<number>>();
  private readonly since = new Map<number, number>();
  private added = 0;

  add(root: number, part: Part): void {
    this.since.set(root, this.added++);
    for (const set of this.setsOf(part)) set.add(root);
  }

  remove(root: number, part: Part): void {
    for (const set of this.setsOf(part)) set.delete(root);
  }

  /** Those of so many elements. */
  ofCount(count: number): Iterable<number> {
    return this.counts.get(count) ?? [];
  }

  /** Those that read what the product writes and may follow it. */
  behind(product: Unit): number[] {
    return [...(this.followers.get(product) ?? [])];
  }

  /** Those of as many elements that read what a part reads, which may grow while they are asked for. */
  *sharing(own: () => Part): Generator<number> {
    let last = -1; // when the one that was given last came to be
    let left: number[] = [];
    for (let added = -1; ; ) {
      if (added !== this.added) {
        added = this.added;
        left = this.readersAlike(own()).filter((root) => this.sinceOf(root) > last);
        left.sort((a, b) => this.sinceOf(b) - this.sinceOf(a));
      }
      const next = left.pop();
      if (next === undefined) return;
      last = this.sinceOf(next);
      yield next;
    }
  }

  private readersAlike({ count, read }: Part): number[] {
    const found = new Set<number>();
    for (const cell of read) for (const root of this.readers.get(cell)?.get(count) ?? []) found.add(root);
    return [...found];
  }

  private sinceOf(root: number): number {
    return this.since.get(root) as number;
  }

  private *setsOf({ count, read, products }: Part): Generator<Set<number>> {
    yield placeIn(this.counts, count, () => new Set());
    for (const cell of read)
      yield placeIn(
        placeIn(this.readers, cell, () => new Map()),
        count,
        () => new Set(),
      );
    for (const product of products) yield placeIn(this.followers, product, () => new Set());
  }
}

/** What the map has under the key, or once `make` has made it. */
function placeIn<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
