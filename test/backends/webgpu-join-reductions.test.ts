// Reductions that WebGPU runs together: which they are, and that programs mean the same then.
import { describe, expect, test } from "vitest";
import { joinReductions } from "../../src/backends/webgpu/join-reductions.ts";
import { lower } from "../../src/backends/webgpu/lower.ts";
import { networkForms } from "../../src/backends/webgpu/network-forms.ts";
import { type Member, type TogetherShape, togetherDispatches } from "../../src/backends/webgpu/reduce-together.ts";
import type { KernelCall, Placement, Region } from "../../src/schedule/program.ts";
import { kernelCall } from "../conformance/kernel-programs.ts";

const arena = (index: number, offset: number, length: number): Placement => ({
  region: { kind: "arena", index },
  offset,
  length,
});
const ofState = (offset: number, length: number): Placement => ({
  region: { kind: "state", name: "s" },
  offset,
  length,
});

/** A sum; of mean and gradient scales no test depends. */
function reduce(sizes: readonly [number, number, number], from: Placement, out: Placement, scale = 1): KernelCall {
  const [outer, reduced, inner] = sizes;
  return kernelCall("reduce", { outer, reduced, inner, kind: 0, scale }, { in: from, out });
}

/** out = 2 from. */
function chain(from: Placement, out: Placement): KernelCall {
  const count = from.length;
  const load = { placement: from, divisor: 1, modulus: count, dtype: "f32" } as const;
  const source = { from: "load", index: 0 } as const;
  const stores = [{ placement: out, source, dtype: "f32" }] as const;
  return { ...kernelCall("elementwise", {}, {}), chain: { count, loads: [load], steps: [], stores } };
}

const counted = (calls: readonly KernelCall[]) =>
  joinReductions(calls).map(({ members, others, at, shape: { within } }) => ({
    ...{ members: members.length, within, at },
    others: [...others].sort((a, b) => a - b),
  }));

describe("which reductions become one", () => {
  // Of values and tangents: over places, then over the four channels of a group, through one temporary.
  const [x, dx, sums] = [arena(0, 0, 960), arena(0, 960, 960), arena(1, 0, 32)];
  const norm = [
    reduce([2, 30, 16], x, sums),
    reduce([8, 4, 1], sums, arena(0, 1920, 8), 0.25),
    reduce([2, 30, 16], dx, sums),
    reduce([8, 4, 1], sums, arena(0, 1984, 8), 0.25),
  ];

  test("two stages each, of values and tangents", () => {
    expect(counted(norm)).toEqual([{ members: 2, within: 4, at: 1, others: [0, 2, 3] }]);
    const [{ shape, members } = { shape: {} as TogetherShape, members: [] as Member[] }] = joinReductions(norm);
    expect(shape).toEqual({ outer: 2, reduced: 30, inner: 16, within: 4, squares: false, scale: 0.25 });
    expect(members.map((member) => [member.in, member.out])).toEqual([
      [x, arena(0, 1920, 8)],
      [dx, arena(0, 1984, 8)],
    ]);
  });

  test("what is between is read elsewhere: the stages stay apart", () => {
    const read = [...norm, chain(sums, ofState(0, 32))];
    expect(counted(read).map(({ within }) => within)).toEqual([4, 1, 1]);
    const overwritten = [...norm, chain(ofState(64, 32), sums), chain(sums, ofState(0, 32))];
    expect(counted(overwritten)).toHaveLength(1);
    const partly = [...norm, chain(ofState(64, 31), arena(1, 0, 31)), chain(sums, ofState(0, 32))];
    expect(counted(partly)).toHaveLength(3);
    const inParts = [...partly.slice(0, 5), chain(ofState(64, 1), arena(1, 31, 1)), ...partly.slice(5)];
    expect(counted(inParts)).toHaveLength(1);
    const strided = chain(ofState(64, 32), sums);
    const stores = [{ ...strided.chain?.stores[0], stride: 2 }];
    const columns = { ...strided, chain: { ...strided.chain, stores } } as KernelCall; // every second is left
    expect(counted([...norm, columns, chain(sums, ofState(0, 32))])).toHaveLength(3);
    const scattered = kernelCall("replaceRow", {}, { index: ofState(0, 1), row: ofState(64, 1), table: sums });
    expect(counted([...norm, scattered])).toHaveLength(3);
  });

  test("the second's result lies where the first reads: the stages stay apart, for workgroups are in no order", () => {
    const sumsOf = (out: Placement) => [reduce([2, 30, 16], x, sums), reduce([8, 4, 1], sums, out, 0.25)];
    expect(counted(sumsOf(arena(0, 960, 8))).map(({ within }) => within)).toEqual([4]);
    expect(counted(sumsOf(arena(0, 959, 8))).map(({ within }) => within)).toEqual([1, 1]);
    expect(counted(sumsOf(arena(0, 0, 8))).map(({ within }) => within)).toEqual([1, 1]);
  });

  test("neighbours of more than one row are no group", () => {
    const calls = [
      reduce([2, 4, 3], arena(0, 0, 24), arena(1, 0, 6)),
      reduce([3, 2, 1], arena(1, 0, 6), ofState(0, 3)),
    ];
    expect(counted(calls).map(({ within }) => within)).toEqual([1, 1]);
  });

  test("what waits for another stays behind it", () => {
    const first = reduce([4, 4, 16], x, arena(1, 0, 64));
    const needs = reduce([4, 4, 16], arena(1, 0, 256), arena(0, 0, 64));
    expect(counted([first, needs])).toHaveLength(2);
    const through = [first, chain(arena(1, 0, 64), arena(0, 1024, 64)), reduce([4, 4, 16], arena(0, 960, 256), sums)];
    expect(counted(through)).toHaveLength(2);
  });

  test("a reduction waits for one behind it where it cannot come before", () => {
    const calls = [
      reduce([4, 4, 16], x, arena(1, 0, 64)),
      chain(arena(1, 256, 64), dx),
      reduce([4, 4, 16], dx, arena(1, 128, 64)),
    ];
    expect(counted(calls)).toEqual([{ members: 2, within: 1, at: 2, others: [0] }]);
  });

  test("other sizes, scales and kinds, and maxima, stay apart", () => {
    const plain = reduce([4, 4, 16], x, arena(1, 0, 64));
    const others = [
      reduce([4, 3, 16], x, arena(1, 64, 64)),
      reduce([4, 4, 16], x, arena(1, 128, 64), 2),
      kernelCall("reduce", { ...plain.parameters, kind: 2 }, { in: x, out: arena(1, 192, 64) }),
    ];
    for (const other of others) expect(counted([plain, other])).toHaveLength(2);
    const maximum = kernelCall("reduce", { ...plain.parameters, kind: 1 }, { in: x, out: arena(1, 256, 64) });
    expect(counted([maximum, maximum])).toEqual([]);
  });

  test("lowered, they are one dispatch, and the others none; adapters that are CPUs keep them", () => {
    const on = (software: boolean) =>
      lower({ calls: norm }, { traits: { software }, forms: { networks: networkForms } });
    const { dispatches, calls } = on(false);
    expect(dispatches.map(({ workgroups, label }) => [workgroups, label])).toEqual([[[2, 2, 1], "reduce; reduce"]]);
    expect(calls).toEqual([1]);
    expect(on(true).dispatches).toHaveLength(4);
  });
});

describe("a program means the same", () => {
  /** Numbers in [0, 1) that follow from a seed. */
  const random = (seed: number) => () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 32;
  };

  test.each(Array.from({ length: 300 }, (_, seed) => seed))("random calls %i", (seed) => {
    const draw = random(seed * 7919 + 1);
    const pick = <Value>(values: readonly Value[]) => values[Math.floor(draw() * values.length)] as Value;
    const calls: KernelCall[] = [];
    const place = (length: number, not?: Region): Placement => {
      const places = [arena(0, 0, length), arena(1, 0, length), ofState(0, length)];
      const allowed = places.filter(({ region }) => JSON.stringify(region) !== JSON.stringify(not));
      return { ...pick(allowed), offset: 8 * Math.floor(draw() * 5) };
    };
    while (calls.length < 24) {
      const sizes = pick([
        [1, 2, 4],
        [1, 3, 8],
        [2, 2, 4],
        [2, 2, 4],
      ] as const);
      const [outer, reduced, inner] = sizes;
      const from = place(outer * reduced * inner);
      const out = place(outer * inner, from.region);
      calls.push(draw() < 0.25 ? chain(from, place(from.length, from.region)) : reduce(sizes, from, out));
      if (draw() > 0.6) continue;
      const sums = { ...out, offset: out.offset + (draw() < 0.2 ? 4 : 0) }; // others too, a few times
      calls.push(reduce([(outer * inner) / 2, 2, 1], sums, place((outer * inner) / 2, out.region)));
    }
    const [before, after] = [valuesOf(inTurn(calls)), valuesOf(together(calls))];
    expect(after).toEqual(before);
    expect(valuesOf(together(calls, true))).toEqual(before); // members are in no order
  });
});

type Memory = Map<string, Float64Array>;
type Work = (memory: Memory) => void;

/** The state that programs leave, once its and the arenas' first values were all different. */
function valuesOf(works: readonly Work[]): Float64Array {
  const memory: Memory = new Map(
    ["arena 0", "arena 1", "s"].map((name, k) => [name, Float64Array.from({ length: 64 }, (_, i) => 1 + i + 64 * k)]),
  );
  for (const work of works) work(memory);
  return memory.get("s") as Float64Array;
}

function elements(memory: Memory, { region, offset }: Pick<Placement, "region" | "offset">): Float64Array {
  const name = region.kind === "arena" ? `arena ${region.index}` : "s";
  return (memory.get(name) as Float64Array).subarray(offset);
}

function inTurn(calls: readonly KernelCall[]): Work[] {
  return calls.map(({ bindings, parameters, chain: own }) => (memory) => {
    if (own) {
      const [load, store] = [own.loads[0], own.stores[0]].map((each) => elements(memory, each?.placement as Placement));
      for (let i = 0; i < own.count; i++) store![i] = (2 * (load?.[i] as number)) % 1009;
      return;
    }
    const shape = { ...parameters, within: 1, squares: false } as unknown as TogetherShape;
    reduceAll(memory, shape, [bindings as unknown as Member]);
  });
}

/** The calls as WebGPU runs them. */
function together(calls: readonly KernelCall[], backwards = false): Work[] {
  const works: (Work | undefined)[] = inTurn(calls);
  for (const { shape, members, at, others } of joinReductions(calls)) {
    const ordered = backwards ? [...members].reverse() : members;
    works[at] = (memory) => {
      // Workgroups are in no order: what one writes may be there before another reads.
      const size = (shape.outer * shape.inner) / shape.within;
      for (const { out } of members) elements(memory, out as Placement).fill(-1, 0, size);
      reduceAll(memory, shape, ordered);
    };
    for (const other of others) works[other] = undefined;
  }
  return works.filter((work) => work !== undefined);
}

function reduceAll(
  memory: Memory,
  { outer, reduced, inner, within, scale }: TogetherShape,
  members: readonly Member[],
) {
  for (const member of members) {
    const from = elements(memory, member.in as Placement);
    const out = elements(memory, member.out as Placement);
    const sums = new Float64Array((outer * inner) / within);
    for (let o = 0; o < outer; o++) {
      for (let r = 0; r < reduced; r++) {
        for (let i = 0; i < inner; i++) {
          const j = Math.floor((o * inner + i) / within);
          sums[j] = ((sums[j] as number) + (from[(o * reduced + r) * inner + i] as number)) % 1009;
        }
      }
    }
    out.set(sums.map((sum) => (scale * sum) % 1009));
  }
}

describe("sizes", () => {
  const of = (sizes: readonly [number, number, number, number], count: number) => {
    const [outer, reduced, inner, within] = sizes;
    const member = { in: arena(0, 0, 1), out: arena(1, 0, 1) };
    const shape = { outer, reduced, inner, within, squares: false, scale: 1 };
    const made = togetherDispatches("sums", shape, new Array(count).fill(member));
    return made && [...made.dispatches.map(({ workgroups }) => workgroups.join(" ")), made.scratch];
  };

  test("of norms: one dispatch, whose groups are whole", () => {
    expect(of([64, 30, 48, 4], 2)).toEqual(["192 2 1", 0]);
    expect(of([64, 49, 96, 3], 2)).toEqual(["410 2 1", 0]); // 15 of 16 columns
    expect(of([64, 784, 32, 1], 1)).toEqual(["128 1 1", 0]);
  });

  test("of columns: one dispatch where they are few, else segments and their join", () => {
    expect(of([1, 1920, 48, 1], 2)).toEqual(["12 2 1", 0]);
    expect(of([1, 50176, 32, 1], 2)).toEqual(["2 2 49", "4 2 1", 2 * 49 * 32]);
  });

  test("more than a dispatch may have: none", () => {
    expect(of([2 ** 21, 40, 16, 1], 2)).toBeUndefined();
  });
});
