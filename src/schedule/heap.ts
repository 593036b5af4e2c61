/** Numbers with a rank, the least first. */
export class Heap {
  /** Each entry's children are at twice its place and one, two more; none is less than its parent. */
  private readonly entries: { readonly rank: number; readonly then: number; readonly value: number }[] = [];

  /** Adds a value; among those of equal rank the one with the least `then` comes first. */
  push(rank: number, then: number, value: number): void {
    const { entries } = this;
    let place = entries.push({ rank, then, value }) - 1;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!this.isLess(place, parent)) return;
      this.swap(place, parent);
      place = parent;
    }
  }

  /** The least rank. */
  get least(): number | undefined {
    return this.entries[0]?.rank;
  }

  /** Takes the first value out; there must be one. */
  pop(): number {
    const { entries } = this;
    const [first] = entries as [(typeof entries)[number]];
    this.swap(0, entries.length - 1);
    entries.pop();
    for (let place = 0; ; ) {
      const [left, right] = [2 * place + 1, 2 * place + 2];
      if (left >= entries.length) return first.value;
      const child = right < entries.length && this.isLess(right, left) ? right : left;
      if (!this.isLess(child, place)) return first.value;
      this.swap(child, place);
      place = child;
    }
  }

  private isLess(a: number, b: number): boolean {
    const [one, other] = [this.entries[a], this.entries[b]] as [(typeof this.entries)[0], (typeof this.entries)[0]];
    return one.rank < other.rank || (one.rank === other.rank && one.then < other.then);
  }

  private swap(a: number, b: number): void {
    const { entries } = this;
    [entries[a], entries[b]] = [entries[b], entries[a]] as [(typeof entries)[0], (typeof entries)[0]];
  }
}
