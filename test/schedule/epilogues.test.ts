/** Which chains follow a product in its call, and what is kept of the product: on programs, run by the interpreter. */
import { describe, expect, test } from "vitest";
import type { Graph } from "../../src/graph/graph.ts";
import type { Node, Shape } from "../../src/graph/node.ts";
import { activation } from "../../src/ops/activation.ts";
import { add, multiply } from "../../src/ops/arithmetic.ts";
import { linear, linearOp } from "../../src/ops/linear.ts";
import { matmul } from "../../src/ops/matmul.ts";
import { sum } from "../../src/ops/reduce.ts";
import { concat, reshape, slice, transpose } from "../../src/ops/shape.ts";
import { state } from "../../src/ops/sources.ts";
import { compile } from "../../src/schedule/compile.ts";
import type { KernelCall, PlanLimits } from "../../src/schedule/program.ts";
import { drawState, graphOf } from "./graphs.ts";
import { limitsByName } from "./limits.ts";
import { programError } from "./program-error.ts";

const named = (name: string, ...shape: Shape) => state({ name, shape, dtype: "f32" });
const [x, w, b, y] = [named("x", 6, 5), named("w", 5, 7), named("b", 7), named("y", 6, 7)];
const silu = (node: Node, order = 0) => activation([node], { kind: "silu", order });

const wasm = limitsByName["wasm"] as PlanLimits;
const webgpu = limitsByName["webgpu"] as PlanLimits;

/** The calls of a graph, after a check of what they compute. */
function callsOf(graph: Graph, limits = wasm): readonly KernelCall[] {
  expect(programError(graph, drawState(graph), limits)).toBeLessThan(2e-6);
  return compile(graph, limits).calls;
}

const kernels = (calls: readonly KernelCall[]) => calls.map(({ kernel }) => kernel);
const keepsProduct = ({ chain }: KernelCall) => chain?.stores.some(({ source }) => source.from === "product");

describe.each([
  ["wasm", wasm],
  ["webgpu", webgpu],
])("limits of %s", (_name, limits) => {
  test("an activation and what is multiplied and added to it follow the product", () => {
    const calls = callsOf(graphOf(add(multiply(silu(linear(x, w, b)), y), y)), limits);
    expect(kernels(calls)).toEqual(["linear"]);
    expect(calls[0]?.chain?.steps.map((step) => step.function)).toEqual(["silu0", "multiply", "add"]);
    expect(calls[0]?.bindings["out"]).toBeUndefined();
    expect(keepsProduct(calls[0] as KernelCall)).toBe(false);
  });

  test("a matrix that is added, and a sum of two products, are additions that follow a product", () => {
    for (const [other, count] of [
      [y, 1],
      [matmul(named("z", 6, 3), named("v", 3, 7)), 2],
    ] as const) {
      const calls = callsOf(graphOf(add(other, matmul(x, w))), limits);
      expect(kernels(calls)).toEqual(Array(count).fill("linear"));
      expect(calls.at(-1)?.chain?.steps.map((step) => step.function)).toEqual(["add"]);
    }
  });

  test("a product that another call reads is kept beside what follows it", () => {
    const a = linear(x, w, b);
    const calls = callsOf(graphOf(silu(a), matmul(a, named("v", 7, 2))), limits);
    expect(kernels(calls)).toEqual(["linear", "linear"]);
    expect(keepsProduct(calls[0] as KernelCall)).toBe(true);
  });

  test("a primal and its tangent follow in two groups", () => {
    const a = linear(x, w, b);
    const tangent = multiply(silu(a, 1), matmul(named("z", 6, 5), w));
    const calls = callsOf(graphOf(silu(a), tangent), limits);
    expect(kernels(calls)).toEqual(["elementwise", "linear"]); // x and z are stacked first
    expect(calls[1]?.parameters).toMatchObject({ rows: 12, groups: 2, biasRows: 6 });
  });

  test("what the product reads is not overwritten by what follows it", () => {
    const square = named("square", 5, 5);
    const stepped = add(x, silu(matmul(x, square)));
    const graph: Graph = { name: "residual", updates: [{ state: x.attributes, value: stepped }] };
    expect(kernels(callsOf(graph, limits))).toEqual(["linear", "elementwise"]);
  });

  test("a bias's gradient is summed beside its weight's, over the rows that have a bias", () => {
    const cotangent = multiply(named("c", 12, 7), 2);
    const gradients = [
      matmul(named("h", 12, 5), cotangent, { transposeLeft: true }),
      reshape(sum(slice(cotangent, 0, 0, 6), [0]), [7]),
    ];
    const calls = callsOf(graphOf(...gradients), limits);
    expect(kernels(calls)).toEqual(["elementwise", "linear"]);
    expect(calls[1]?.parameters["sumsDepth"]).toBe(6);
  });
});

test("sums that the product waits for, and of rows in the middle, are calls of their own", () => {
  const [h, c] = [named("h", 12, 5), named("c", 12, 7)];
  const total = sum(c, [0]);
  const waiting = matmul(multiply(h, slice(total, 1, 0, 5)), c, { transposeLeft: true });
  expect(kernels(callsOf(graphOf(waiting, total))).filter((kernel) => kernel === "reduce").length).toBe(1);
  const middle = graphOf(matmul(h, c, { transposeLeft: true }), sum(slice(c, 0, 2, 8), [0]));
  expect(kernels(callsOf(middle)).filter((kernel) => kernel === "reduce").length).toBe(1);
});

test.each([
  ["of rows from other groups", (a: Node) => multiply(slice(a, 0, 0, 3), slice(a, 0, 2, 5))],
  ["of a product that is transposed", (a: Node) => multiply(transpose(a, [1, 0]), 2)],
  ["of row sums", (a: Node) => multiply(sum(a, [1]), 2)],
])("work %s does not follow the product", (_name, work) => {
  const calls = callsOf(graphOf(work(matmul(x, w))));
  expect(calls.filter(({ kernel }) => kernel === "linear").every(({ chain }) => chain === undefined)).toBe(true);
});

test("more groups than a backend takes stay a chain of their own", () => {
  const a = linearOp([concat([x, named("x2", 12, 5)], 0), w, b], { biasRows: 6 });
  const [first, second, third] = [0, 6, 12].map((start) => slice(a, 0, start, start + 6)) as [Node, Node, Node];
  const graph = graphOf(silu(first), multiply(silu(first, 1), second), multiply(silu(first, 1), third));
  const linearOf = (limits: PlanLimits) => callsOf(graph, limits).find(({ kernel }) => kernel === "linear");
  expect(linearOf(wasm)?.parameters["groups"]).toBe(3);
  expect(linearOf(webgpu)?.chain).toBeUndefined();
});
