// Sums of columns that chains make on their way: which are taken, what is then not stored, and their values and bits.
import { describe, expect, test } from "vitest";
import { createWasmBackend } from "../../src/backends/wasm/backend.ts";
import type { OwnChain } from "../../src/backends/wasm/chain.ts";
import { SUMS } from "../../src/backends/wasm/chain-sums.ts";
import { networkCalls } from "../../src/backends/wasm/network-calls.ts";
import { reductions } from "../../src/kernels/reduce.ts";
import type { ElementwiseChain, KernelCall, Placement, Program } from "../../src/schedule/program.ts";
import { builds, chainCall, networkCall, numbers, placement, programOf } from "./wasm-calls.ts";

const inArena = (offset: number, length: number): Placement => ({
  region: { kind: "arena", index: 0 },
  offset,
  length,
});

interface Shape {
  readonly outer: number;
  readonly reduced: number;
  readonly columns: number;
}

/** Where things are: what is read, twice it, its negative, results. */
function placesOf({ outer, reduced, columns }: Shape) {
  const count = outer * reduced * columns;
  return { count, twice: inArena(0, count), negative: inArena(count, count) };
}

const load = (count: number) => ({
  placement: placement("x", count),
  divisor: 1,
  modulus: count,
  dtype: "f32" as const,
});

/** s0 = x + x, s1 = -s0, both stored. */
function twiceAndNegative(shape: Shape): ElementwiseChain {
  const { count, twice, negative } = placesOf(shape);
  const x = { from: "load", index: 0 } as const;
  return {
    count,
    loads: [load(count)],
    steps: [
      { function: "add", operands: [x, x], dtype: "f32" },
      { function: "negate", operands: [{ from: "step", index: 0 }], dtype: "f32" },
    ],
    stores: [
      { placement: twice, source: { from: "step", index: 0 }, dtype: "f32" },
      { placement: negative, source: { from: "step", index: 1 }, dtype: "f32" },
    ],
  };
}

function reduceCall(input: Placement, { outer, reduced, columns }: Shape, out: string, scale = 1): KernelCall {
  const parameters = { outer, reduced, inner: columns, kind: reductions.indexOf("sum"), scale };
  const bindings = { in: input, out: placement(out, outer * columns) };
  return { kernel: "reduce", label: "reduce", parameters, bindings, flops: 0, bytes: 0 };
}

/** Temporaries as a plan lists them, all needed from the first call to the last. */
function programWith(calls: readonly KernelCall[], shape: Shape, state: ReadonlyMap<string, Float32Array>): Program {
  const { count, twice, negative } = placesOf(shape);
  const last = calls.length - 1;
  return {
    ...programOf(calls, state),
    arenas: [2 * count],
    temporaries: [
      { name: "t1", placement: twice, firstCall: 0, lastCall: last },
      { name: "t2", placement: negative, firstCall: 0, lastCall: last },
    ],
  };
}

const small: Shape = { outer: 2, reduced: 3, columns: 8 };
const chainOf = ({ calls }: Program, at = 0) => calls[at]?.chain as OwnChain;
const kernelsOf = ({ calls }: Program) => calls.map(({ kernel }) => kernel);

describe("which sums a chain makes", () => {
  const { count, twice, negative } = placesOf(small);
  const made = (calls: readonly KernelCall[]) => networkCalls(programWith(calls, small, new Map()));
  const chain = chainCall(twiceAndNegative(small));
  const copied = chainCall({ count, loads: [{ ...load(count), placement: twice }], steps: [], stores: [] });

  test("what is only added up is not stored, and not negated either", () => {
    const program = made([chain, reduceCall(negative, small, "a", 0.5), reduceCall(twice, small, "b")]);
    expect(kernelsOf(program)).toEqual(["elementwise", SUMS, SUMS]);
    expect(chainOf(program).stores).toEqual([]);
    expect(chainOf(program)).toMatchObject({ row: 8, period: 24 });
    expect(chainOf(program).steps.map((step) => [step.function, step.call])).toEqual([
      ["add", undefined],
      [SUMS, 1],
      [SUMS, 2],
    ]);
    expect(
      chainOf(program)
        .steps.slice(1)
        .map(({ operands }) => operands),
    ).toEqual(Array(2).fill([{ from: "step", index: 0 }]));
    expect(program.calls[1]?.parameters).toEqual({ columns: 8, period: 24, scale: -0.5, of: 0 });
  });

  test("what is read after it is stored too, be it before the sum", () => {
    const sum = reduceCall(twice, small, "a");
    for (const calls of [
      [chain, copied, sum],
      [chain, sum, copied],
    ]) {
      const program = made(calls);
      expect(kernelsOf(program).filter((kernel) => kernel === SUMS)).toHaveLength(1);
      expect(chainOf(program).stores.map((store) => store.placement)).toEqual([twice, negative]);
    }
  });

  test("what is written over before it is added up is not the chain's", () => {
    const over = chainCall({ ...twiceAndNegative(small), stores: twiceAndNegative(small).stores.slice(0, 1) });
    const program = made([chain, { ...over, chain: { ...over.chain!, count: 8 } }, reduceCall(twice, small, "a")]);
    expect(kernelsOf(program)).toEqual(["elementwise", "elementwise", "reduce"]);
  });

  test.each<[string, Shape, Placement]>([
    ["some of its elements", { ...small, outer: 1 }, { ...twice, length: count / 2 }],
    ["12 columns", { outer: 2, reduced: 2, columns: 12 }, twice],
    ["a row for each element", { outer: count, reduced: 1, columns: 1 }, twice],
  ])("a sum of %s is none", (_, shape, input) => {
    expect(kernelsOf(made([chain, reduceCall(input, shape, "a")]))).toEqual(["elementwise", "reduce"]);
  });

  test("sums that end where others go on are side by side; of other columns, or ends between, not", () => {
    const all = { outer: 1, reduced: 6, columns: 8 };
    const both = made([chain, reduceCall(twice, small, "a"), reduceCall(negative, all, "b")]);
    expect(both.calls.slice(1).map(({ parameters }) => parameters["period"])).toEqual([24, 48]);
    const wider = made([
      chain,
      reduceCall(twice, small, "a"),
      reduceCall(twice, { ...all, reduced: 3, columns: 16 }, "b"),
    ]);
    expect(kernelsOf(wider)).toEqual(["elementwise", SUMS, "reduce"]);
  });

  test("maxima are none", () => {
    const { parameters, ...call } = reduceCall(twice, small, "a");
    const kind = reductions.indexOf("max");
    expect(kernelsOf(made([chain, { ...call, parameters: { ...parameters, kind } }]))).toEqual([
      "elementwise",
      "reduce",
    ]);
  });
});

describe.each(builds)("relaxed $relaxed", (options) => {
  // Sums of one unit, of several, of units that go on beyond a sum's end; blocks of rows that do not fill them.
  test.each<Shape>([
    { outer: 3, reduced: 5, columns: 8 },
    { outer: 4, reduced: 257, columns: 24 },
    { outer: 2, reduced: 784, columns: 96 },
    { outer: 1, reduced: 2000, columns: 40 },
    { outer: 90, reduced: 3, columns: 512 },
  ])("$outer sums of $reduced rows of $columns: f64's, the same on three threads", async (shape) => {
    const { outer, reduced, columns } = shape;
    const { count, twice, negative } = placesOf(shape);
    const x = numbers(count, 7);
    const state = new Map<string, Float32Array>([
      ["x", x],
      ["sum", new Float32Array(outer * columns)],
      ["mean", new Float32Array(outer * columns)],
      ["all", new Float32Array(columns)],
      ...networkCall.state,
    ]);
    const everything = { outer: 1, reduced: outer * reduced, columns };
    const calls = [
      chainCall(twiceAndNegative(shape)),
      reduceCall(twice, shape, "sum"),
      reduceCall(negative, shape, "mean", 1 / reduced),
      reduceCall(twice, everything, "all"),
      networkCall.call,
    ];
    const expected = { sum: new Float64Array(outer * columns), all: new Float64Array(columns) };
    x.forEach((value, i) => {
      const column = i % columns;
      expected.sum[Math.floor(i / (reduced * columns)) * columns + column]! += 2 * value;
      expected.all[column]! += 2 * value;
    });
    const [alone, team] = [await resultsOf(options, 1), await resultsOf(options, 3)];
    expect(team).toEqual(alone);
    for (const [name, values] of Object.entries({ ...expected, mean: expected.sum.map((sum) => -sum / reduced) })) {
      for (const [i, value] of alone.get(name)!.entries()) {
        expect(value).toBeCloseTo(values[i]!, name === "all" ? 3 : 4);
      }
    }

    async function resultsOf(given: { relaxed: boolean }, threads: number) {
      const backend = await createWasmBackend({ ...given, threads });
      const buffers = new Map([...state].map(([name, { length }]) => [name, backend.createState(name, length)]));
      for (const [name, values] of state) backend.write(buffers.get(name)!, 0, values);
      const executable = await backend.load(programWith(calls, shape, state), buffers);
      executable.run(2);
      const results = new Map<string, number[]>();
      for (const name of ["sum", "mean", "all"]) {
        results.set(name, [...(await backend.read(buffers.get(name)!, 0, state.get(name)!.length, "f32"))]);
      }
      backend.dispose();
      return results;
    }
  });
});
