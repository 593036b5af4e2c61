// When a solve runs its network whole, and how its runs are told their steps.
import { expect, test } from "vitest";
import { CountedSteps, planWhole } from "../../src/engine/whole-network.ts";
import { velocityOnly } from "../../src/flow/likelihood.ts";
import { solverFrom } from "../../src/flow/solvers/registry.ts";
import { mlp } from "../../src/nn/mlp.ts";
import type { Network } from "../../src/nn/network.ts";
import { multiply } from "../../src/ops/arithmetic.ts";
import { limitsByName } from "../schedule/program-error.ts";

const { webgpu, wasm } = limitsByName;

function planned({
  network = mlp({ dimension: 2, hidden: [128, 1] }),
  solver = "heun",
  rows = 10,
  limits = webgpu,
}: {
  network?: Network;
  solver?: string;
  rows?: number;
  limits?: typeof webgpu;
}) {
  const { dimension } = network;
  const points = { rows, dimension, estimates: 0 };
  const field = velocityOnly((x) => multiply(x, 2));
  const plan = solverFrom({ name: solver, options: {} }).plan({ ...points, field, stops: [0, 1] });
  return planWhole(plan, { ...points, network, parameters: "ema", divergence: undefined }, limits);
}

test.each(["euler", "midpoint", "heun", "rk4"])("%s does, and reads the parameters it is told to", (solver) => {
  const { step } = planned({ solver }) ?? {};
  expect(step?.updates[0].value.inputs[1].attributes).toMatchObject({ name: "ema" });
});

test.each([
  ["the backend has no such kernel", { limits: wasm }],
  ["the backend has too few bindings", { limits: { ...webgpu, maxStorageBindings: 6 } }],
  ["the solver chooses its steps", { solver: "dopri5" }],
  ["a layer is too wide", { network: mlp({ dimension: 2, hidden: [8, 129] }) }],
  ["points have too many numbers", { network: mlp({ dimension: 17, hidden: [8] }) }],
  ["the network is no MLP", { network: { ...mlp({ dimension: 2, hidden: [8] }), kind: "other" } }],
  ["the points are too many for a binding", { rows: 2 ** 25 }],
])("not when %s", (_, given) => {
  expect(planned(given)).toBeUndefined();
});

test("the largest network that fits is 128 wide, in 16 dimensions", () => {
  expect(planned({ network: mlp({ dimension: 16, hidden: [128, 128, 128] }) })).toBeDefined();
});

test("a run of n is one run of the program, from the step that the one before it ended with", () => {
  const log: unknown[] = [];
  const program = { run: (times: number) => log.push(`run ${times}`), dispose: () => log.push("dispose") };
  const steps = new CountedSteps(program, (range) => log.push([...range]));
  steps.run(1);
  steps.run(4);
  steps.restart();
  steps.run(2);
  steps.dispose();
  expect(log).toEqual([[0, 1], "run 1", [1, 4], "run 1", [0, 2], "run 1", "dispose"]);
});
