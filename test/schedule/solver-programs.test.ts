/** Kernel calls of a solver's step and of what surrounds a solve; compiled and not run. */
import { describe, expect, test } from "vitest";
import {
  type DivergenceOptions,
  drawPrior,
  estimateCount,
  finishLogDensity,
  velocityOnly,
  withDivergence,
} from "../../src/flow/likelihood.ts";
import { dopri5 } from "../../src/flow/solvers/dopri5.ts";
import { euler } from "../../src/flow/solvers/euler.ts";
import { rk4 } from "../../src/flow/solvers/rk4.ts";
import type { Solver } from "../../src/flow/solvers/solver.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { mlp } from "../../src/nn/mlp.ts";
import { parameterLayout, parameterViews } from "../../src/nn/network.ts";
import { state } from "../../src/ops/sources.ts";
import { compile } from "../../src/schedule/compile.ts";
import type { PlanLimits } from "../../src/schedule/program.ts";
import { limitsByName } from "./limits.ts";

const network = mlp({ dimension: 2, hidden: [128, 128, 128, 128] });
const PRODUCTS = 5;
const layout = parameterLayout(network);
const parameters = parameterViews(state({ name: "parameters", shape: [layout.total], dtype: "f32" }), layout);

function planOf(solver: Solver, divergence?: DivergenceOptions) {
  const velocity = (x: Parameters<typeof network.apply>[1], t: typeof x) => network.apply(parameters, x, t);
  const points = { rows: 4096, dimension: 2, estimates: divergence ? estimateCount(divergence) : 0 };
  const field = divergence ? withDivergence(velocity, divergence) : velocityOnly(velocity);
  return { points, plan: solver.plan({ ...points, stops: [0, 1], field }) };
}

describe.each(["webgpu", "wasm"])("limits of %s", (name) => {
  const limits = limitsByName[name] as PlanLimits;
  const callsOf = (graph: Graph) => compile(graph, limits).calls.length;
  const hutchinson = { estimator: "hutchinson" } as const;

  test.each([
    ["euler", euler(), 1],
    ["rk4", rk4(), 4],
    ["dopri5", dopri5(), 6],
  ] as const)(
    "a step of %s: a call a product, a chain before each evaluation and a few around",
    (_label, solver, stages) => {
      for (const divergence of [undefined, hutchinson]) {
        const calls = callsOf(planOf(solver, divergence).plan.step);
        expect(calls).toBeLessThanOrEqual(stages * (PRODUCTS + 1) + (solver.name === "dopri5" ? 6 : 3));
      }
    },
  );

  test("an exact divergence's products all have epilogues, in as many calls as the backend's groups ask for", () => {
    const { calls } = compile(planOf(euler(), { estimator: "exact" }).plan.step, limits);
    const hidden = calls.filter(({ kernel, parameters }) => kernel === "linear" && parameters["columns"] === 128);
    expect(hidden.every(({ chain }) => chain !== undefined)).toBe(true);
    expect(hidden.length).toBe((PRODUCTS - 1) * Math.ceil(3 / Math.min(3, limits.maxEpilogueGroups)));
    expect(calls.length - hidden.length).toBe(5);
  });

  test("what comes before and after a solve is one call each", () => {
    const { points } = planOf(euler(), hutchinson);
    expect(callsOf(drawPrior(points, 1))).toBe(1);
    expect(callsOf(finishLogDensity(points, 1))).toBe(1);
  });
});
