// Chains of networks' programs: two steps as one, and loads that blocks share, with the bits that the chain has by itself.
import { describe, expect, test } from "vitest";
import { createWasmBackend } from "../../src/backends/wasm/backend.ts";
import { type pairs, withPairs } from "../../src/backends/wasm/chain-pairs.ts";
import { withoutIdleSteps } from "../../src/backends/wasm/network-calls.ts";
import type { ElementwiseChain, ElementwiseLoad, ElementwiseOperand } from "../../src/schedule/program.ts";
import { builds, chainCall, networkCall, numbers, placement, runOn } from "./wasm-calls.ts";

const step = (index: number): ElementwiseOperand => ({ from: "step", index });
const load = (index: number): ElementwiseOperand => ({ from: "load", index });

type Steps = readonly (readonly [name: string, ...operands: ElementwiseOperand[]])[];

/** A chain over `loads` of these steps, the results of the last `kept` stored one after the other. */
function chainOf(count: number, loads: readonly ElementwiseLoad[], steps: Steps, kept = 1): ElementwiseChain {
  const first = steps.length - kept;
  return {
    count,
    loads,
    steps: steps.map(([name, ...operands]) => ({ function: name, operands, dtype: "f32" })),
    stores: Array.from({ length: kept }, (_, i) => ({
      placement: placement("y", count, i * count),
      source: step(first + i),
      dtype: "f32",
    })),
  };
}

const inOrder = (name: string, count: number): ElementwiseLoad => {
  return { placement: placement(name, count), divisor: 1, modulus: count, dtype: "f32" };
};

const COUNT = 1030; // blocks of 512, and a rest of a vector
const three = ["a", "b", "c"].map((name) => inOrder(name, COUNT));
const [a, b, c] = [0, 1, 2].map(load) as [ElementwiseOperand, ElementwiseOperand, ElementwiseOperand];

const both: readonly (readonly [(typeof pairs)[number], Steps])[] = [
  [
    "ab + c",
    [
      ["multiply", a, b],
      ["add", step(0), c],
    ],
  ],
  [
    "ab + c",
    [
      ["multiply", a, b],
      ["add", c, step(0)],
    ],
  ],
  [
    "ab - c",
    [
      ["multiply", a, b],
      ["subtract", step(0), c],
    ],
  ],
  [
    "c - ab",
    [
      ["multiply", a, b],
      ["subtract", c, step(0)],
    ],
  ],
  [
    "ab c",
    [
      ["multiply", a, b],
      ["multiply", c, step(0)],
    ],
  ],
  [
    "a + b + c",
    [
      ["add", a, b],
      ["add", c, step(0)],
    ],
  ],
  [
    "-ab",
    [
      ["multiply", a, b],
      ["negate", step(0)],
    ],
  ],
];

test.each(both)("%s is a pair", (name, steps) => {
  const chain = withoutIdleSteps(withPairs(chainOf(COUNT, three, steps)));
  expect(chain.steps.map((each) => each.function)).toEqual([name]);
  expect(chain.stores[0]?.source).toEqual(step(0));
});

test.each<readonly [string, Steps, number]>([
  [
    "stored",
    [
      ["multiply", a, b],
      ["add", step(0), c],
    ],
    2,
  ],
  [
    "read twice",
    [
      ["multiply", a, b],
      ["add", step(0), step(0)],
    ],
    1,
  ],
  [
    "read by another",
    [
      ["multiply", a, b],
      ["add", step(0), c],
      ["less", step(0), step(1)],
    ],
    1,
  ],
  [
    "a sum under a product",
    [
      ["add", a, b],
      ["multiply", step(0), c],
    ],
    1,
  ],
])("what is %s stays", (_, steps, kept) => {
  expect(withoutIdleSteps(withPairs(chainOf(COUNT, three, steps, kept))).steps).toHaveLength(steps.length);
});

describe.each(builds)("relaxed $relaxed", (options) => {
  const bitsOf = async (chain: ElementwiseChain, isNetwork: boolean) => {
    const backend = await createWasmBackend({ ...options, all: true });
    const state = new Map<string, Float32Array>([
      ...["a", "b", "c"].map((name, i) => [name, numbers(COUNT * 8, i)] as const),
      ["y", new Float32Array(chain.count * chain.stores.length)],
      ...networkCall.state,
    ]);
    const calls = [chainCall(chain), ...(isNetwork ? [networkCall.call] : [])];
    const values = (await runOn(backend, calls, state)).get("y")!;
    backend.dispose();
    return values;
  };

  test.each(both)("%s has the bits of its steps", async (_, steps) => {
    const chain = chainOf(COUNT, three, steps);
    expect(await bitsOf(chain, true)).toEqual(await bitsOf(chain, false));
  });

  // Rows of 96, of which blocks of 480 hold whole ones, 2400 to a sample: groups of 3 channels read a number each.
  test("blocks that read the same share it, but not beyond a sample's end", async () => {
    const count = 3 * 2400;
    const within = (name: string, divisor: number, modulus: number, stride: number): ElementwiseLoad => ({
      ...{ placement: placement(name, 3 * stride), divisor, modulus, dtype: "f32" },
      terms: [{ divisor: 2400, modulus: 3, stride }],
    });
    const row: ElementwiseLoad = { placement: placement("c", 96), divisor: 1, modulus: 96, dtype: "f32" };
    const chain = chainOf(
      count,
      [inOrder("a", count), within("b", 3, 32, 32), row, within("c", 1, 96, 96)],
      [
        ["subtract", load(0), load(1)],
        ["multiply", step(0), load(2)],
        ["add", step(1), load(3)],
        ["divide", step(2), load(1)],
      ],
      2,
    );
    const found = await bitsOf(chain, true);
    expect(found).toEqual(await bitsOf(chain, false));
    const [x, y, z] = [numbers(COUNT * 8, 0), numbers(COUNT * 8, 1), numbers(COUNT * 8, 2)];
    for (let i = 0; i < count; i++) {
      const sample = Math.floor(i / 2400),
        column = i % 96;
      const group = y[sample * 32 + Math.floor(column / 3)]!;
      expect(found[i]).toBeCloseTo((x[i]! - group) * z[column]! + z[sample * 96 + column]!, 5);
    }
  });
});
