// Weights that no call of a program writes are packed once for all its runs; those that one writes, by each call.
import { describe, expect, test } from "vitest";
import type { Backend, StateBuffer } from "../../src/backends/backend.ts";
import { createWasmBackend } from "../../src/backends/wasm/backend.ts";
import type { KernelCall } from "../../src/schedule/program.ts";
import { builds, chainCall, numbers, placement, programOf } from "./wasm-calls.ts";

const [rows, columns, depth] = [70, 72, 90]; // large enough to be shared by threads
const lengths = { left: rows * depth, right: depth * columns, out: rows * columns, more: rows * columns };

/** target = left right. */
function product(target: string, transposeRight = 0): KernelCall {
  return {
    kernel: "linear",
    label: target,
    parameters: { rows, columns, depth, transposeLeft: 0, transposeRight, biasRows: 0 },
    bindings: {
      left: placement("left", lengths.left),
      right: placement("right", lengths.right),
      out: placement(target, lengths.out),
    },
    flops: 0,
    bytes: 0,
  };
}

/** right = 2 right. */
const double = chainCall({
  count: lengths.right,
  loads: [{ placement: placement("right", lengths.right), divisor: 1, modulus: lengths.right, dtype: "f32" }],
  steps: [
    {
      function: "add",
      operands: [
        { from: "load", index: 0 },
        { from: "load", index: 0 },
      ],
      dtype: "f32",
    },
  ],
  stores: [{ placement: placement("right", lengths.right), source: { from: "step", index: 0 }, dtype: "f32" }],
});

class Bench {
  readonly backend: Backend;
  readonly #state: ReadonlyMap<string, Float32Array>;
  readonly #buffers: ReadonlyMap<string, StateBuffer>;

  constructor(backend: Backend) {
    this.backend = backend;
    this.#state = new Map(Object.entries(lengths).map(([name, length]) => [name, new Float32Array(length)]));
    this.#buffers = new Map(Object.entries(lengths).map(([name, n]) => [name, backend.createState(name, n)]));
    this.write("left", numbers(lengths.left, 1));
  }

  load(calls: readonly KernelCall[]) {
    return this.backend.load(programOf(calls, this.#state), this.#buffers);
  }

  write(name: string, values: Float32Array) {
    this.backend.write(this.#buffers.get(name)!, 0, values);
  }

  read(name: string) {
    return this.backend.read(this.#buffers.get(name)!, 0, lengths.out, "f32");
  }
}

describe.each(builds.flatMap((build) => [1, 2].map((threads) => ({ ...build, threads }))))("%o", (options) => {
  test("each submission takes the weights as they are when it begins", async () => {
    const bench = new Bench(await createWasmBackend(options));
    const executable = await bench.load([product("out"), product("more")]);
    for (const seed of [2, 3]) {
      bench.write("right", numbers(lengths.right, seed));
      executable.run(3);
      const out = await bench.read("out");
      expect(await bench.read("more")).toEqual(out);
      bench.write(
        "right",
        numbers(lengths.right, seed).map((value) => 2 * value),
      );
      executable.run(1);
      expect(await bench.read("out")).toEqual(out.map((value) => 2 * value));
    }
    bench.backend.dispose();
  });

  test("weights that the program writes are read anew", async () => {
    const bench = new Bench(await createWasmBackend(options));
    bench.write("right", numbers(lengths.right, 2));
    (await bench.load([product("out")])).run(1);
    const once = await bench.read("out");
    (await bench.load([product("out"), double, product("more")])).run(3);
    expect(await bench.read("out")).toEqual(once.map((value) => 4 * value));
    expect(await bench.read("more")).toEqual(once.map((value) => 8 * value));
    bench.backend.dispose();
  });
});

test("what is packed is counted once for all calls that pack it alike, and given back", async () => {
  const bench = new Bench(await createWasmBackend());
  const before = bench.backend.memory();
  const buffers: number[] = [];
  for (const calls of [
    [product("out"), double],
    [product("out"), product("more")],
    [product("out"), product("more", 1)],
  ]) {
    const executable = await bench.load(calls);
    buffers.push(bench.backend.memory().buffers - before.buffers);
    executable.dispose();
    expect(bench.backend.memory()).toEqual(before);
  }
  const [none, one, two] = buffers as [number, number, number];
  expect([one - none, two - none]).toEqual([1, 2]);
  bench.backend.dispose();
});
