import { expect, test } from "vitest";
import { HostRandom } from "../../src/ops/threefry.ts";
import { elementOrder, Reachability } from "../../src/schedule/reachability.ts";

/** Parts and their edges the slow way: the definition that Reachability has to keep to. */
class Parts {
  readonly part: number[];
  readonly edges: [number, number][];

  constructor(inputs: readonly (readonly number[])[]) {
    this.part = inputs.map((_, i) => i);
    this.edges = inputs.flatMap((list, to) => list.map((from): [number, number] => [from, to]));
  }

  next(part: number): Set<number> {
    const ends = this.edges.filter(([from]) => this.part[from] === part).map(([, to]) => this.part[to] as number);
    return new Set(ends.filter((end) => end !== part));
  }

  reaches(from: number, to: number, direct = true): boolean {
    const [start, end] = [this.part[from] as number, this.part[to] as number];
    const seen = new Set<number>();
    const open = [...this.next(start)].filter((part) => direct || part !== end);
    while (open.length > 0) {
      const part = open.pop() as number;
      if (part === end) return true;
      if (seen.has(part)) continue;
      seen.add(part);
      open.push(...this.next(part));
    }
    return false;
  }

  canMerge(a: number, b: number): boolean {
    return this.part[a] === this.part[b] || !(this.reaches(a, b, false) || this.reaches(b, a, false));
  }

  merge(a: number, b: number): void {
    const [kept, gone] = [this.part[a] as number, this.part[b] as number];
    this.part.forEach((part, i) => {
      if (part === gone) this.part[i] = kept;
    });
  }
}

test.each([1, 2, 3, 4, 5])("agrees with a search through the graph while parts are merged, seed %i", (seed) => {
  const count = 24;
  const random = new HostRandom(seed);
  const draws = random.index(400, count, 0);
  let draw = 0;
  const next = () => draws[draw++ % draws.length] as number;
  const inputs = Array.from({ length: count }, (_, i) =>
    Array.from({ length: 2 }, next).filter((input) => input < i && i % 7 !== 0),
  );
  const parts = new Parts(inputs);
  const reachability = new Reachability(inputs);
  for (let round = 0; round < 40; round++) {
    const [a, b] = [next(), next()];
    expect(reachability.canMerge(a, b)).toBe(parts.canMerge(a, b));
    if (round % 3 === 0 && !parts.reaches(b, a) && parts.part[a] !== parts.part[b]) {
      reachability.addEdge(a, b);
      parts.edges.push([a, b]);
    } else if (parts.canMerge(a, b)) {
      reachability.merge(a, b);
      parts.merge(a, b);
    }
    for (let from = 0; from < count; from += 3) {
      for (let to = 0; to < count; to += 2) {
        if (parts.part[from] === parts.part[to]) continue;
        expect(reachability.reaches(from, to)).toBe(parts.reaches(from, to));
      }
    }
  }
});

test("several merged at once are as if merged one after another", () => {
  const inputs = [[], [], [], [0], [1], [2], [3], [4, 5]];
  const [atOnce, oneByOne] = [new Reachability(inputs), new Reachability(inputs)];
  atOnce.merge(3, 4, 5);
  oneByOne.merge(3, 4);
  oneByOne.merge(3, 5);
  for (let from = 0; from < inputs.length; from++) {
    for (let to = 0; to < inputs.length; to++) {
      expect(atOnce.reaches(from, to)).toBe(oneByOne.reaches(from, to));
    }
  }
  expect(atOnce.reaches(0, 7)).toBe(true);
  expect(atOnce.connects(3, 5)).toBe(true);
  expect(atOnce.connects(6, 7)).toBe(false);
});

test("elementOrder puts each element after its inputs, else lower numbers first", () => {
  expect(elementOrder([[3], [], [1], [], [0, 2]])).toEqual([3, 0, 1, 2, 4]);
});
