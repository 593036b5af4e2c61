/** Attention by kernels: one call for a value and its tangents, one for what comes back, and nothing copied between. */
import { describe, expect, test } from "vitest";
import { jvpProbes } from "../../src/autodiff/jvp.ts";
import { gradient, vjp } from "../../src/autodiff/vjp.ts";
import type { Node, Shape } from "../../src/graph/node.ts";
import { add, multiply, square } from "../../src/ops/arithmetic.ts";
import { selfAttention } from "../../src/ops/attention.ts";
import { linear } from "../../src/ops/linear.ts";
import { sumAll } from "../../src/ops/reduce.ts";
import { reshape } from "../../src/ops/shape.ts";
import { state } from "../../src/ops/sources.ts";
import { compile } from "../../src/schedule/compile.ts";
import { drawState, graphOf } from "./graphs.ts";
import { limitsByName } from "./limits.ts";
import { programError } from "./program-error.ts";

const named = (name: string, ...shape: Shape) => state({ name, shape, dtype: "f32" });
const kernels = ["attention", "attentionReverse"];
const [batch, length, width] = [2, 5, 12];

/** A value with its tangents along so many directions, and what all of their cotangents give. */
function withReverse(tangents: number, heads = 3, size = width) {
  const joined = named("joined", batch, length, 3 * size);
  const along = Array.from({ length: tangents }, (_, i) => named(`along${i}`, batch, length, 3 * size));
  const value = selfAttention(joined, heads);
  const moved = jvpProbes(
    [value],
    [joined],
    along.map((tangent) => [tangent]),
  ).map(([tangent]) => tangent as Node);
  const results = [value, ...moved];
  const cotangents = results.map((_, i) => named(`cotangent${i}`, batch, length, size));
  return { results, gradients: vjp(results, cotangents, [joined, ...along]) };
}

describe.each(["webgpu", "wasm", "no epilogues"])("limits of %s", (name) => {
  const limits = { ...limitsByName[name]!, optionalKernels: kernels };
  const kernelsOf = (...outputs: Node[]) => {
    const graph = graphOf(...outputs);
    expect(programError(graph, drawState(graph), limits)).toBeLessThan(1e-5);
    const counts: Record<string, number> = {};
    for (const { kernel } of compile(graph, limits).calls) counts[kernel] = (counts[kernel] ?? 0) + 1;
    return counts;
  };

  test.each([0, 1, 3])("one call, and one for the reverse, with %i tangents", (tangents) => {
    const { results, gradients } = withReverse(tangents);
    const counts = kernelsOf(...results, ...gradients);
    expect(counts).toMatchObject({ attention: 1, attentionReverse: 1 });
    for (const other of ["matmulEach", "copy", "reduce"]) expect(counts).not.toHaveProperty(other);
  });

  test("several where there are more tangents than registers hold", () => {
    const { results, gradients } = withReverse(5);
    expect(kernelsOf(...results, ...gradients)).toMatchObject({ attention: 2, attentionReverse: 2 });
  });

  test("none for heads that are too wide", () => {
    const { results, gradients } = withReverse(1, 1, 65);
    const counts = kernelsOf(...results, ...gradients);
    for (const kernel of kernels) expect(counts).not.toHaveProperty(kernel);
    expect(counts["matmulEach"]).toBeGreaterThan(6);
  });

  test("two for the reverse where the parts of a sum are read apart", () => {
    const { gradients } = withReverse(1);
    const [total] = gradients as [Node];
    const [first, second] = total.inputs as [Node, Node];
    expect(kernelsOf(total, first, second)).toMatchObject({ attentionReverse: 2 });
  });

  test("stacks of products are read and written where they lie", () => {
    const x = named("x", batch * length, width);
    const dx = named("dx", batch * length, width);
    const [w, b] = [named("w", width, 3 * width), named("b", 3 * width)];
    const [w2, b2] = [named("w2", width, width), named("b2", width)];
    const joined = reshape(linear(multiply(x, 2), w, b), [batch, length, 3 * width]);
    const attended = reshape(selfAttention(joined, 3), [batch * length, width]);
    const y = linear(attended, w2, b2);
    const [[dy]] = jvpProbes([y], [x], [[dx]]) as [[Node]];
    const loss = add(sumAll(square(y)), sumAll(square(dy)));
    const counts = kernelsOf(loss, ...gradient(loss, [w, b, w2, b2]));
    expect(counts).toMatchObject({ attention: 1, attentionReverse: 1, linear: 5 });
    expect(counts).not.toHaveProperty("copy");
  });
});
