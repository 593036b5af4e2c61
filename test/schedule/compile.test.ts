/** Programs compute what their graphs say: run by a plain interpreter and held against the f64 value of the graph. */
import { describe, expect, test } from "vitest";
import type { Node } from "../../src/graph/node.ts";
import type { HostTensor } from "../../src/graph/op.ts";
import { hasKernel } from "../../src/kernels/optional.ts";
import { ops } from "../../src/ops/registry.ts";
import { state } from "../../src/ops/sources.ts";
import { HostRandom } from "../../src/ops/threefry.ts";
import { drawState, graphOf, trainStep } from "./graphs.ts";
import { limitsByName } from "./limits.ts";
import { programError } from "./program-error.ts";
import { randomGraph } from "./random-graphs.ts";

// States are what the others read.
const cases = ops
  .filter(({ op }) => op.name !== "state")
  .flatMap(({ op, cases }) =>
    cases.map((given, i) => ({ op, given, label: `${op.name} ${i}: ${JSON.stringify(given.attributes)}` })),
  );

describe.each(Object.entries(limitsByName))("limits of %s", (_name, limits) => {
  // f32 results of f64 sums: 2e-5 is the promise to users, and leaves room for what cancels in a step.
  test.each([
    "cfm" as const,
    {},
    { probes: 3 },
    { estimator: "exact" as const },
    { form: "slice" as const },
    { fraction: 0.5 },
    { detachVelocity: true },
  ])("a training step on %j", (loss) => {
    const graph = trainStep(loss);
    expect(programError(graph, drawState(graph), limits)).toBeLessThan(2e-5);
  });

  test.each(cases.filter(({ op }) => hasKernel(op.name, limits)))("$label", ({ op, given }) => {
    const values = new Map<string, HostTensor>();
    const draws = new HostRandom(1);
    const inputs = given.shapes.map((shape, i): Node => {
      const integers = given.integers?.[i];
      const drawn = draws.draw(
        "normal",
        shape.reduce((a, b) => a * b, 1),
        i,
      );
      const data = integers ? Float64Array.from(integers) : drawn.map((x) => given.domain?.(x, i) ?? x);
      values.set(`in${i}`, { shape, data });
      return state({ name: `in${i}`, shape, dtype: integers ? "u32" : "f32" });
    });
    const shape = op.shape(given.shapes, given.attributes);
    const dtype =
      op.dtype?.(
        inputs.map((input) => input.dtype),
        given.attributes,
      ) ?? "f32";
    const graph = graphOf({ op, inputs, attributes: given.attributes, shape, dtype });
    expect(programError(graph, values, limits)).toBeLessThan(2e-6);
  });

  test.each(Array.from({ length: 60 }, (_, seed) => seed))("random graph %i", (seed) => {
    const graph = randomGraph(seed, 12 + 2 * seed);
    expect(programError(graph, drawState(graph, seed), limits, 1)).toBeLessThan(1e-5);
  });
});
