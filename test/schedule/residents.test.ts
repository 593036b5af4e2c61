import { expect, test } from "vitest";
import { HostRandom } from "../../src/ops/threefry.ts";
import { type Resident, Residents } from "../../src/schedule/residents.ts";

/** The definition: of the gaps between residents live at the same time, the first of the smallest that fit. */
function slowGap(all: readonly Resident[], slot: { start: number; end: number; size: number }, arena: number): number {
  const live = all.filter(({ start, end }) => start <= slot.end && slot.start <= end);
  const isFree = (offset: number) => !live.some(({ from, to }) => from <= offset && offset < to);
  const gaps: { offset: number; room: number }[] = [];
  for (let offset = 0; offset < arena; offset++) {
    if (!isFree(offset) || (offset > 0 && isFree(offset - 1))) continue;
    let end = offset;
    while (end < arena && isFree(end)) end++;
    gaps.push({ offset, room: end - offset });
  }
  const fitting = gaps.filter(({ room }) => room >= slot.size);
  const [best] = fitting.sort((a, b) => a.room - b.room || a.offset - b.offset);
  return best?.offset ?? Math.max(0, ...live.map(({ to }) => to));
}

test.each([1, 2, 3, 4, 5, 6])("room is found where it is least, seed %i", (seed) => {
  const draws = new HostRandom(seed).index(600, 12, 0);
  let draw = 0;
  const next = (below: number) => (draws[draw++] as number) % below;
  const [residents, all] = [new Residents(), [] as Resident[]];
  let arena = 0;
  for (let i = 0; i < 60; i++) {
    const start = 2 * next(12) + next(2);
    const slot = { start, end: start + next(8), size: 1 + next(6) };
    const from = residents.lowestGap(slot, arena);
    expect(from).toBe(slowGap(all, slot, arena));
    const resident = { ...slot, from, to: from + slot.size };
    residents.add(resident);
    all.push(resident);
    arena = Math.max(arena, resident.to);
  }
});
