// Chains on WASM: ways of reading and storing, in place, and values that live on.
import { beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { createWasmBackend } from "../../src/backends/wasm/backend.ts";
import type { ElementwiseChain } from "../../src/schedule/program.ts";
import { builds, chainCall, numbers, placement, runOn, type Values } from "./wasm-calls.ts";

describe.each(builds)("chains, relaxed $relaxed", (options) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await createWasmBackend(options);
  });

  // Each count: below a vector, below a block of 512, one block, several with a rest.
  const counts = [1, 3, 6, 510, 512, 1536, 2051];

  test.each(counts)("%i elements read by row, column, both and scalar", async (count) => {
    const source = numbers(4096, 5);
    const reads = [
      [1, count],
      [1, 1],
      [count, 7],
      [1, 2],
      [1, 3],
      [1, 16],
      [1, 18],
      [1, 700],
      [2, 2048],
      [3, 1100],
      [5, 4],
      [700, 3],
      [16, 128],
    ] as const;
    for (const [divisor, modulus] of reads) {
      const chain: ElementwiseChain = {
        count,
        loads: [{ placement: placement("x", 4000, 13), divisor, modulus, dtype: "f32" }],
        steps: [{ function: "negate", operands: [{ from: "load", index: 0 }], dtype: "f32" }],
        stores: [{ placement: placement("y", count, 3), source: { from: "step", index: 0 }, dtype: "f32" }],
      };
      const state = new Map<string, Values>([
        ["x", source],
        ["y", new Float32Array(count + 10)],
      ]);
      const y = (await runOn(backend, [chainCall(chain)], state)).get("y")!;
      const expected = Float32Array.from({ length: count + 10 }, (_, i) =>
        i < 3 || i >= count + 3 ? 0 : -source[13 + (Math.floor((i - 3) / divisor) % modulus)]!,
      );
      expect(y, `divisor ${divisor}, modulus ${modulus}`).toEqual(expected);
    }
  });

  test.each(counts)("%i elements in place: a swap, an update, a copy and a constant", async (count) => {
    const a = numbers(count, 6);
    const b = numbers(count, 7);
    const c = numbers(count, 8);
    const inOrder = (name: string) =>
      ({ placement: placement(name, count), divisor: 1, modulus: count, dtype: "f32" }) as const;
    const load = (index: number) => ({ from: "load", index }) as const;
    const step = (index: number) => ({ from: "step", index }) as const;
    const chain: ElementwiseChain = {
      count,
      loads: [inOrder("a"), inOrder("b"), inOrder("c")],
      steps: [
        { function: "add", operands: [load(2), { from: "constant", value: 0.25 }], dtype: "f32" }, // overwrites c
        { function: "multiply", operands: [load(2), step(0)], dtype: "f32" }, // reads c after that
        { function: "subtract", operands: [step(1), load(0)], dtype: "f32" },
      ],
      stores: [
        { placement: placement("c", count), source: step(0), dtype: "f32" },
        { placement: placement("a", count), source: load(1), dtype: "f32" },
        { placement: placement("b", count), source: load(0), dtype: "f32" },
        { placement: placement("d", count), source: step(2), dtype: "f32" },
        { placement: placement("e", count), source: step(2), dtype: "f32" },
        { placement: placement("f", count), source: { from: "constant", value: -1.5 }, dtype: "f32" },
        { placement: placement("g", count), source: { from: "constant", value: 4e9 }, dtype: "u32" },
      ],
    };
    const state = new Map<string, Values>([
      ["a", a],
      ["b", b],
      ["c", c],
      ...["d", "e", "f"].map((name): [string, Values] => [name, new Float32Array(count)]),
      ["g", new Uint32Array(count)],
    ]);
    const after = await runOn(backend, [chainCall(chain)], state);
    const sum = c.map((value) => value + 0.25);
    const difference = c.map((value, i) => Math.fround(value * sum[i]!) - a[i]!);
    expect(after.get("a")).toEqual(b);
    expect(after.get("b")).toEqual(a);
    expect(after.get("c")).toEqual(sum);
    expect(after.get("d")).toEqual(difference);
    expect(after.get("e")).toEqual(difference);
    expect(after.get("f")).toEqual(new Float32Array(count).fill(-1.5));
    expect(after.get("g")).toEqual(new Uint32Array(count).fill(4e9));
  });

  test("a long chain whose values live on: slots are shared, none is lost", async () => {
    const count = 1111;
    const x = numbers(count, 9);
    const steps: ElementwiseChain["steps"][number][] = [
      {
        function: "add",
        operands: [
          { from: "load", index: 0 },
          { from: "load", index: 1 },
        ],
        dtype: "f32",
      },
    ];
    let expected = [x.map((value, i) => value + x[i % 11]!)];
    for (let k = 1; k < 40; k++) {
      const other = Math.floor(k / 3);
      const operands = [
        { from: "step", index: k - 1 },
        { from: "step", index: other },
      ] as const;
      steps.push({ function: k % 2 ? "subtract" : "maximum", operands, dtype: "f32" });
      const [a, b] = [expected[k - 1]!, expected[other]!];
      expected = [...expected, a.map((value, i) => (k % 2 ? value - b[i]! : Math.max(value, b[i]!)))];
    }
    const chain: ElementwiseChain = {
      count,
      loads: [
        { placement: placement("x", count), divisor: 1, modulus: count, dtype: "f32" },
        { placement: placement("x", 11), divisor: 1, modulus: 11, dtype: "f32" },
      ],
      steps,
      stores: [{ placement: placement("y", count), source: { from: "step", index: 39 }, dtype: "f32" }],
    };
    const state = new Map([
      ["x", x],
      ["y", new Float32Array(count)],
    ]);
    expect((await runOn(backend, [chainCall(chain)], state)).get("y")).toEqual(expected[39]);
  });
});
