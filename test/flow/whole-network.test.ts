// A whole-network plan against the plan it was made of: the op mlpFlow is a fixed-step solver's step, repeated; and the
// plan is one kernel call however many steps it takes.
import { describe, expect, test } from "vitest";
import { type DivergenceOptions, estimateCount, velocityOnly, withDivergence } from "../../src/flow/likelihood.ts";
import { dopri5 } from "../../src/flow/solvers/dopri5.ts";
import { fixedStep } from "../../src/flow/solvers/fixed-step.ts";
import { solverFrom } from "../../src/flow/solvers/registry.ts";
import { type WholeNetworkPlan, wholeNetworkPlan } from "../../src/flow/whole-network.ts";
import { initialParameters } from "../../src/nn/initialize.ts";
import { type MLPStructure, mlp, mlpStructure } from "../../src/nn/mlp.ts";
import { parameterLayout, parameterViews } from "../../src/nn/network.ts";
import { add, negate } from "../../src/ops/arithmetic.ts";
import { state } from "../../src/ops/sources.ts";
import { HostRandom } from "../../src/ops/threefry.ts";
import { compile } from "../../src/schedule/compile.ts";
import { flowUnit } from "../../src/schedule/flow-unit.ts";
import { limitsByName } from "../schedule/limits.ts";
import { relativeError, runGraph, solve } from "./evaluate.ts";

const [rows, dimension] = [5, 3];
const stops = [0, 0.4, 1];
const network = mlp({ dimension, hidden: [7, 4], activation: "geluTanh" });
const layout = parameterLayout(network);
const parameters = state({ name: "parameters", shape: [layout.total], dtype: "f32" });
const numbers = initialParameters(network, 3).map((value) => 3 * value);

const divergences: Readonly<Record<string, Required<DivergenceOptions> | undefined>> = {
  none: undefined,
  exact: { estimator: "exact", probes: 1, probe: "rademacher" },
  "two Gaussian probes": { estimator: "hutchinson", probes: 2, probe: "gaussian" },
};

function plansFor(solver: string, divergence: Required<DivergenceOptions> | undefined) {
  const estimates = divergence ? estimateCount(divergence) : 0;
  const field = (x: Parameters<typeof network.apply>[1], t: Parameters<typeof network.apply>[2]) =>
    network.apply(parameterViews(parameters, layout), x, t);
  const points = { rows, dimension, estimates };
  const plan = solverFrom({ name: solver, options: { steps: 5 } }).plan({
    ...points,
    field: divergence ? withDivergence(field, divergence) : velocityOnly(field),
    stops,
  });
  const structure = mlpStructure(network) as MLPStructure;
  return { plan, whole: wholeNetworkPlan(plan, { ...points, structure, parameters, divergence }) as WholeNetworkPlan };
}

describe.each(["euler", "midpoint", "heun", "rk4"])("%s", (solver) => {
  test.each(Object.entries(divergences))("with divergence: %s", (_, divergence) => {
    const { plan, whole } = plansFor(solver, divergence);
    const x = new HostRandom(1).normal(rows * dimension, 0);
    const states = new Map<string, ArrayLike<number>>([["parameters", numbers]]);
    const expected = solve({ ...plan, initial: new Map([...plan.initial, ["parameters", [...numbers]]]) }, x);

    states.set("solve.seed", [1, 0]).set("solve.chunk", [0]);
    states.set("solve.flow", [...x, ...new Float64Array(whole.flow.shape[0] - x.length)]);
    for (const [name, values] of whole.initial) states.set(name, values);
    if (whole.start) runGraph(whole.start, states);
    let done = 0;
    whole.segments.forEach(({ steps = 0 }, i) => {
      // Cut in two where it can be: a run goes on where the one before it ended.
      for (const count of steps > 1 ? [1, steps - 1] : [steps]) {
        states.set("solve.range", [done, count]);
        runGraph(whole.step, states);
        done += count;
      }
      const points = Array.from(states.get("solve.flow") as ArrayLike<number>).slice(0, x.length);
      expect(relativeError(points, expected.stops[i])).toBeLessThan(1e-13);
    });
    const flow = Array.from(states.get("solve.flow") as ArrayLike<number>);
    expect(relativeError(flow.slice(x.length, flow.length / 2), expected.logDensity ?? [])).toBeLessThan(1e-13);
  });
});

test.each(Object.entries(divergences))("many steps are one kernel call, in place; divergence: %s", (_, divergence) => {
  const { calls, arenas } = compile(plansFor("rk4", divergence).whole.step, limitsByName["webgpu"], flowUnit);
  expect(calls.map(({ kernel }) => kernel)).toEqual(["mlpFlow"]);
  expect(calls[0].bindings["flow"].region).toEqual({ kind: "state", name: "solve.flow" });
  expect(arenas).toEqual([]);
});

test("graphs on points and log-densities become graphs on the one state that holds both", () => {
  const { whole } = plansFor("euler", divergences["two Gaussian probes"]);
  const [x, logDensity] = [
    state({ name: "solve.x", shape: [rows, dimension], dtype: "f32" }),
    state({ name: "solve.logDensity", shape: [rows, 2], dtype: "f32" }),
  ];
  const size = rows * (dimension + 2);
  const before = Array.from({ length: 2 * size }, (_, i) => i); // the second half is what is lost, and stays
  const run = (updates: Parameters<typeof whole.packed>[0]["updates"]) => {
    const states = new Map<string, ArrayLike<number>>([["solve.flow", before]]);
    runGraph(whole.packed({ name: "test", updates }), states);
    return Array.from(states.get("solve.flow") as ArrayLike<number>);
  };
  const doubled = [
    { state: logDensity.attributes, value: add(logDensity, logDensity) },
    { state: x.attributes, value: negate(x) },
  ];
  const changed = (points: (value: number) => number) =>
    before.map((value) => (value < rows * dimension ? points(value) : value < size ? 2 * value : value));
  expect(run(doubled)).toEqual(changed((value) => -value));
  expect(run(doubled.slice(0, 1))).toEqual(changed((value) => value));
});

test("only fixed-step solvers have such a plan, and of them those whose stages use the one before alone", () => {
  const field = velocityOnly((x, t) => network.apply(parameterViews(parameters, layout), x, t));
  const points = { rows, dimension, estimates: 0 };
  const structure = mlpStructure(network) as MLPStructure;
  const problem = { ...points, structure, parameters, divergence: undefined };
  const adaptive = dopri5().plan({ ...points, field, stops });
  expect(wholeNetworkPlan(adaptive, problem)).toBeUndefined();
  const kutta = { a: [[], [1 / 2], [-1, 2]], b: [1 / 6, 2 / 3, 1 / 6], c: [0, 1 / 2, 1] };
  const plan = fixedStep("kutta3", kutta, { steps: 2 }).plan({ ...points, field, stops });
  expect(wholeNetworkPlan(plan, problem)).toBeUndefined();
});
