// The WASM backend but for its two large kernels (wasm-linear, wasm-functions): features, memory, chains' ways of
// reading and storing, random numbers bit for bit, reductions, rows, copies, life and death of buffers and programs.
import { beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { createWasmBackend } from "../../src/backends/wasm/backend.ts";
import { wasmFeatures } from "../../src/backends/wasm/features.ts";
import { WasmMemory } from "../../src/backends/wasm/memory.ts";
import { DisposedError, LimitError, OutOfMemoryError, UnsupportedError } from "../../src/errors.ts";
import { randomKinds } from "../../src/kernels/random.ts";
import { randomBits, randomNumber } from "../../src/ops/threefry.ts";
import type { ElementwiseChain } from "../../src/schedule/program.ts";
import { builds, callKernel, chainCall, numbers, placement, programOf, runOn, type Values } from "./wasm-calls.ts";

describe("features", () => {
  test("each is what compiling says", () => {
    const features = wasmFeatures();
    expect(features.simd).toBe(true); // every Node that divflow supports
    expect(features.threads).toBe(true);
  });

  test("relaxed SIMD asked for where there is none is refused; the default takes what there is", async () => {
    const { relaxedSimd } = wasmFeatures();
    const backend = await createWasmBackend();
    expect(backend.device).toContain(relaxedSimd ? "relaxed SIMD" : "plain SIMD");
    backend.dispose();
    if (relaxedSimd) (await createWasmBackend({ relaxed: true })).dispose();
    else await expect(createWasmBackend({ relaxed: true })).rejects.toBeInstanceOf(UnsupportedError);
  });
});

describe("memory", () => {
  test("ranges are zeroed, aligned, disjoint; a range given back is used again", () => {
    const memory = new WasmMemory();
    const sizes = [4, 1000, 256, 300_000, 1];
    const allocations = sizes.map((bytes) => memory.allocate("test", bytes));
    allocations.forEach(({ address, bytes }, i) => {
      expect(address % 256).toBe(0);
      expect(bytes).toBeGreaterThanOrEqual(sizes[i]!);
      memory.words(address, bytes / 4).fill(i + 1);
    });
    allocations.forEach(({ address, bytes }, i) => {
      expect(memory.words(address, bytes / 4).every((word) => word === i + 1)).toBe(true);
    });
    memory.release(allocations[1]!);
    memory.release(allocations[2]!); // joins with the one before
    const again = memory.allocate("test", 1024 + 256);
    expect(again.address).toBe(allocations[1]!.address);
    expect(memory.words(again.address, 320).every((word) => word === 0)).toBe(true);
  });

  test("everything given back, in any order, is one range again", () => {
    const memory = new WasmMemory();
    const size = memory.memory.buffer.byteLength;
    const allocations = [5, 3000, 100_000, 700, 70_000].map((bytes) => memory.allocate("test", bytes));
    for (const i of [3, 0, 4, 2, 1]) memory.release(allocations[i]!);
    const all = memory.allocate("test", size - 65536); // all but the first page
    expect(all.address).toBe(65536);
    expect(memory.memory.buffer.byteLength).toBe(size);
  });

  test("it grows, and what it held stays", () => {
    const memory = new WasmMemory();
    const small = memory.allocate("test", 256);
    memory.words(small.address, 64).fill(9);
    const large = memory.allocate("test", 5_000_000);
    expect(memory.words(large.address, 1_250_000).every((word) => word === 0)).toBe(true);
    expect(memory.words(small.address, 64).every((word) => word === 9)).toBe(true);
  });

  test("too much is a typed error, and harms nothing", async () => {
    const backend = await createWasmBackend();
    const before = backend.memory();
    expect(() => backend.createState("huge", 2 ** 30)).toThrow(LimitError);
    expect(() => backend.createState("large", 2 ** 30 - 2 ** 15)).toThrow(OutOfMemoryError);
    expect(backend.memory()).toEqual(before);
    const state = backend.createState("small", 3);
    expect([...(await backend.read(state, 0, 3, "f32"))]).toEqual([0, 0, 0]);
    backend.dispose();
  });
});

describe.each(builds)("kernels, relaxed $relaxed", (options) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await createWasmBackend(options);
  });

  describe("chains", () => {
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

  describe.each(randomKinds.map((kind, index) => ({ kind, index })))("random $kind", ({ kind, index }) => {
    test.each([1, 2, 7, 8, 9, 1001])("%i numbers are the reference's, bit for bit", async (count) => {
      const bound = kind === "index" ? 3_000_000_019 : 0;
      const isInteger = kind === "index" || kind === "bits";
      const drawn = await callKernel(
        backend,
        "random",
        { count, kind: index, stream: 5, bound },
        { seed: Uint32Array.of(0x9e3779b9, 3), counter: Uint32Array.of(4_000_000_000) },
        { name: "out", length: count, dtype: isInteger ? "u32" : "f32" },
      );
      const bits = randomBits([0x9e3779b9, 3], 5, 4_000_000_000, count);
      expect([...drawn]).toEqual(Array.from(bits, (word) => randomNumber(kind, word, bound)));
    });
  });

  describe("reduce", () => {
    test.each([
      [1, 1, 1],
      [1, 100_003, 1],
      [7, 13, 1],
      [1, 1009, 2],
      [3, 5, 7],
      [2, 3, 1030],
      [1, 200, 513],
    ])("[%i, %i, %i]", async (outer, reduced, inner) => {
      const x = numbers(outer * reduced * inner, 10);
      for (const kind of [0, 1]) {
        const parameters = { outer, reduced, inner, kind, scale: 0.375 };
        const output = { name: "out", length: outer * inner };
        const y = await callKernel(backend, "reduce", parameters, { in: x }, output);
        const expected = new Float64Array(outer * inner);
        for (let o = 0; o < outer; o++) {
          for (let i = 0; i < inner; i++) {
            let total = kind ? -Infinity : 0;
            for (let r = 0; r < reduced; r++) {
              const value = x[(o * reduced + r) * inner + i]!;
              total = kind ? Math.max(total, value) : total + value;
            }
            expected[o * inner + i] = 0.375 * total;
          }
        }
        // Sums are carried in f64 and rounded once.
        y.forEach((value: number, i: number) => {
          expect(Math.abs(value - expected[i]!)).toBeLessThanOrEqual(1e-7 * Math.abs(expected[i]!) + 1e-12);
        });
      }
    });
  });

  describe("rows and copies", () => {
    test.each([1, 3, 16, 65])("gather, scatterAdd, replaceRow with rows of %i", async (width) => {
      const indices = Uint32Array.of(4, 0, 4, 2, 4);
      const table = numbers(6 * width, 11);
      const gathered = await callKernel(
        backend,
        "gather",
        { count: 5, width, rows: 6 },
        { table, indices },
        { name: "out", length: 5 * width },
      );
      expect([...gathered]).toEqual([...indices].flatMap((row) => [...table.slice(row * width, (row + 1) * width)]));

      const values = numbers(5 * width, 12);
      const sums = new Float32Array(6 * width);
      indices.forEach((row, m) => {
        for (let i = 0; i < width; i++) sums[row * width + i] = sums[row * width + i]! + values[m * width + i]!;
      });
      const scattered = await callKernel(
        backend,
        "scatterAdd",
        { count: 5, width, rows: 6 },
        { values, indices },
        { name: "out", length: 6 * width },
      );
      expect(scattered).toEqual(sums);

      const row = numbers(width, 13);
      const call = {
        kernel: "replaceRow",
        label: "",
        parameters: { rows: 6, width },
        bindings: {
          index: placement("index", 1),
          row: placement("row", width),
          table: placement("table", 6 * width),
        },
        flops: 0,
        bytes: 0,
      };
      const state = new Map<string, Values>([
        ["index", Uint32Array.of(15)], // 15 mod 6 = 3
        ["row", row],
        ["table", table],
      ]);
      const expected = table.slice();
      expected.set(row, 3 * width);
      expect((await runOn(backend, [call], state)).get("table")).toEqual(expected);
    });

    test.each([
      { name: "a transposition", sizes: [1, 2, 37, 21], source: [0, 777, 1, 37], target: [0, 777, 21, 1] },
      { name: "a broadcast", sizes: [2, 3, 4, 5], source: [4, 0, 1, 0], target: [60, 20, 5, 1] },
      { name: "columns into wider rows", sizes: [1, 1, 9, 12], source: [0, 0, 12, 1], target: [0, 0, 30, 1] },
      { name: "an axis order of four", sizes: [3, 4, 5, 6], source: [1, 3, 12, 60], target: [120, 30, 6, 1] },
    ])("copy: $name", async ({ sizes, source, target }) => {
      const x = Uint32Array.from({ length: 3000 }, (_, i) => i + 1);
      const fields = (prefix: string, values: readonly number[]) =>
        Object.fromEntries(values.map((value, axis) => [`${prefix}${axis}`, value]));
      const copied = await callKernel(
        backend,
        "copy",
        {
          ...fields("size", sizes),
          ...fields("sourceStride", source),
          ...fields("targetStride", target),
          sourceStart: 4,
          targetStart: 2,
        },
        { source: x },
        { name: "target", length: 2000, dtype: "u32" },
      );
      const expected = new Uint32Array(2000).fill(77);
      const [s0, s1, s2, s3] = sizes as [number, number, number, number];
      const at = (strides: readonly number[], ...i: number[]) =>
        i.reduce((sum, n, axis) => sum + n * strides[axis]!, 0);
      for (let i = 0; i < s0; i++) {
        for (let j = 0; j < s1; j++) {
          for (let k = 0; k < s2; k++) {
            for (let l = 0; l < s3; l++) expected[2 + at(target, i, j, k, l)] = x[4 + at(source, i, j, k, l)]!;
          }
        }
      }
      expect([...copied]).toEqual([...expected]);
    });
  });
});

describe("buffers and programs", () => {
  const double = chainCall({
    count: 3,
    loads: [{ placement: placement("x", 3), divisor: 1, modulus: 3, dtype: "f32" }],
    steps: [{ function: "add", operands: [0, 0].map(() => ({ from: "load", index: 0 }) as const), dtype: "f32" }],
    stores: [{ placement: placement("x", 3), source: { from: "step", index: 0 }, dtype: "f32" }],
  });
  const contents = new Map<string, Values>([["x", Float32Array.of(1, -2, 3)]]);

  test("a program runs n times in order; growth of the memory in between does not matter", async () => {
    const backend = await createWasmBackend();
    const x = backend.createState("x", 3);
    backend.write(x, 0, Float64Array.of(1, -2, 3));
    const executable = await backend.load(programOf([double], contents), new Map([["x", x]]));
    executable.run(2);
    backend.createState("large", 3_000_000);
    executable.run(1);
    expect([...(await backend.read(x, 0, 3, "f32"))]).toEqual([8, -16, 24]);
    const y = backend.createState("y", 3);
    backend.copy(x, y);
    expect([...(await backend.read(y, 1, 2, "f32"))]).toEqual([-16, 24]);
    backend.dispose();
  });

  test("everything disposed leaves what was there before; twice does nothing; use after it is refused", async () => {
    const backend = await createWasmBackend();
    const before = backend.memory();
    const x = backend.createState("x", 3);
    const executable = await backend.load(programOf([double], contents), new Map([["x", x]]));
    expect(backend.memory().buffers).toBeGreaterThan(before.buffers + 1);
    executable.run(1);
    const between = backend.memory();
    executable.run(100);
    expect(backend.memory()).toEqual(between);
    x.dispose();
    x.dispose();
    expect(() => executable.run(1)).toThrow(DisposedError);
    executable.dispose();
    executable.dispose();
    expect(() => executable.run(1)).toThrow(DisposedError);
    await expect(backend.read(x, 0, 1, "f32")).rejects.toBeInstanceOf(DisposedError);
    expect(backend.memory()).toEqual(before);
    backend.dispose();
    backend.dispose();
    expect(backend.memory()).toEqual({ buffers: 0, bytes: 0 });
    expect(() => backend.createState("x", 1)).toThrow(DisposedError);
  });

  test("reading or writing past a state is refused", async () => {
    const backend = await createWasmBackend();
    const x = backend.createState("x", 3);
    expect(() => backend.write(x, 2, Float32Array.of(1, 2))).toThrow(LimitError);
    await expect(backend.read(x, -1, 2, "f32")).rejects.toBeInstanceOf(LimitError);
    backend.dispose();
  });
});
