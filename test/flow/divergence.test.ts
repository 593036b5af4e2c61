// The exact divergence of many dimensions, taken in blocks of unit vectors, is the trace of the Jacobian.
import { expect, test } from "vitest";
import { jacobianProducts, traceOf, unitVectors, withExactDivergence } from "../../src/flow/divergence.ts";
import { topologicalOrder } from "../../src/graph/graph.ts";
import { mlp } from "../../src/nn/mlp.ts";
import { parameterLayout, parameterViews } from "../../src/nn/network.ts";
import { state } from "../../src/ops/sources.ts";
import { HostRandom } from "../../src/ops/threefry.ts";
import { valuesOf } from "./evaluate.ts";

const rows = 3;

function nodesOf(dimension: number) {
  const network = mlp({ dimension, hidden: [5, 4], activation: "tanh" });
  const layout = parameterLayout(network);
  const views = parameterViews(state({ name: "parameters", shape: [layout.total], dtype: "f32" }), layout);
  const x = state({ name: "x", shape: [rows, dimension], dtype: "f32" });
  const t = state({ name: "t", shape: [rows, 1], dtype: "f32" });
  const v = network.apply(views, x, t);
  const blocks = withExactDivergence((points, times) => network.apply(views, points, times), x, t);
  return { ...blocks, v, x, total: layout.total };
}

// Sums of some 100 terms of size 1 in f64: 1e-12 leaves room for their order.
test.each([1, 2, 64, 65, 67, 81, 100])("of %i dimensions", (dimension) => {
  const { velocity, divergence, v, x, total } = nodesOf(dimension);
  const random = new HostRandom(1);
  const draw = (count: number, stream: number) => random.uniform(count, stream).map((u) => 2 * u - 1);
  const states = new Map([
    ["parameters", draw(total, 1)],
    ["x", draw(rows * dimension, 2)],
    ["t", draw(rows, 3)],
  ]);
  const trace = traceOf(jacobianProducts(v, x, unitVectors(x.shape)));
  const [velocities, divergences, right, traces] = valuesOf([velocity, divergence, v, trace], states);
  expect(velocities).toEqual(right);
  expect(divergences?.length).toBe(rows);
  for (let row = 0; row < rows; row++) {
    expect(Math.abs((divergences?.[row] as number) - (traces?.[row] as number))).toBeLessThan(1e-12);
  }
});

test("the graph grows as the root of the dimension", () => {
  const [few, many] = [100, 900].map((dimension) => topologicalOrder([nodesOf(dimension).divergence]).length);
  expect(many).toBeLessThan(3.2 * (few as number));
});
