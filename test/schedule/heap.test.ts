import { expect, test } from "vitest";
import { HostRandom } from "../../src/ops/threefry.ts";
import { Heap } from "../../src/schedule/heap.ts";

test.each([1, 2, 3])("gives the least rank first, of equals the one that is to come first, seed %i", (seed) => {
  const ranks = new HostRandom(seed).index(200, 20, 0);
  const heap = new Heap();
  const left: { rank: number; then: number }[] = [];
  ranks.forEach((rank, then) => {
    heap.push(rank, then, then);
    left.push({ rank, then });
    if (then % 3 > 0) return;
    left.sort((a, b) => a.rank - b.rank || a.then - b.then);
    const [first] = left.splice(0, 1) as [(typeof left)[0]];
    expect([heap.least, heap.pop()]).toEqual([first.rank, first.then]);
  });
  const rest = left.sort((a, b) => a.rank - b.rank || a.then - b.then).map(({ then }) => then);
  expect(rest.map(() => heap.pop())).toEqual(rest);
  expect(heap.least).toBeUndefined();
});
