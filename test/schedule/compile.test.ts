/** Programs compute what their graphs say: run by a plain interpreter and held against the f64 value of the graph. */
import { describe, expect, test } from "vitest";
import type { Graph } from "../../src/graph/graph.ts";
import { compile } from "../../src/schedule/compile.ts";
import type { PlanLimits } from "../../src/schedule/program.ts";
import { drawState, trainStep, valuesOf } from "./graphs.ts";
import { interpret } from "./interpret.ts";

const webgpu: PlanLimits = {
  maxBufferBytes: 2 ** 28,
  maxBindingBytes: 2 ** 27,
  maxStorageBindings: 8,
  separateReadAndWrite: true,
};
const wasm: PlanLimits = { ...webgpu, maxStorageBindings: 1000, separateReadAndWrite: false };

/** Largest difference between what the program and the graph write, relative to the largest number of each state. */
function error(graph: Graph, limits: PlanLimits, seed = 1): number {
  const state = drawState(graph, seed);
  const expected = valuesOf(graph, state);
  const found = interpret(compile(graph, limits), state, limits);
  let largest = 0;
  for (const [name, { data }] of expected) {
    const size = data.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-6);
    const values = found.get(name)?.data as Float64Array;
    data.forEach((value, i) => {
      const difference = Math.abs(value - (values[i] as number)) / size;
      largest = Math.max(largest, Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference);
    });
  }
  return largest;
}

describe.each([
  ["webgpu", webgpu],
  ["wasm", wasm],
] as const)("training steps, limits of %s", (_name, limits) => {
  test.each([
    "cfm" as const,
    {},
    { probes: 3 },
    { estimator: "exact" as const },
    { form: "slice" as const },
    { fraction: 0.5 },
  ])("%j", (loss) => {
    const graph = trainStep(loss);
    expect(error(graph, limits)).toBeLessThan(2e-5);
  });
});
