// When a solve runs its network whole, and how its runs are told their steps.
import { expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { createReferenceBackend } from "../../src/backends/reference/backend.ts";
import { createLocalRuntime, LocalRuntime } from "../../src/engine/runtime.ts";
import { CountedSteps, planWhole } from "../../src/engine/whole-network.ts";
import { OutOfMemoryError, UnsupportedError } from "../../src/errors.ts";
import { velocityOnly, withDivergence } from "../../src/flow/likelihood.ts";
import type { VelocityField } from "../../src/flow/losses/loss.ts";
import { networkField } from "../../src/flow/network-field.ts";
import { solverFrom } from "../../src/flow/solvers/registry.ts";
import { euler, rk4, type SampleOptions } from "../../src/index.ts";
import { mlp } from "../../src/nn/mlp.ts";
import type { Network } from "../../src/nn/network.ts";
import { multiply } from "../../src/ops/arithmetic.ts";
import type { Program } from "../../src/schedule/program.ts";
import { relativeError } from "../differences.ts";
import { limitsByName } from "../schedule/limits.ts";
import { smallOptions } from "./small.ts";

const { webgpu, wasm } = limitsByName;

interface Given {
  network?: Network;
  /** What is made of the network's field. */
  change?: (field: VelocityField) => VelocityField;
  solver?: string;
  rows?: number;
  limits?: typeof webgpu;
}

const plain = mlp({ dimension: 2, hidden: [128, 1] });

function planned({ network = plain, change = (field) => field, solver = "heun", rows = 10, limits = webgpu }: Given) {
  const { dimension } = network;
  const points = { rows, dimension, estimates: 0 };
  const field = velocityOnly(change(networkField(network, "ema")));
  const plan = solverFrom({ name: solver, options: {} }).plan({ ...points, field, stops: [0, 1] });
  return planWhole(plan, { ...points, divergence: undefined }, limits);
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
  ["the field is made of the network's", { change: (field) => (x, t) => multiply(field(x, t), 100) }],
  ["the field has nothing to do with a network", { change: () => (x) => x }],
  [
    "the network has an MLP's parameters and another function",
    { network: { ...plain, apply: (...inputs) => multiply(plain.apply(...inputs), 100) } },
  ],
] satisfies [string, Given][])("not when %s", (_, given) => {
  expect(planned(given)).toBeUndefined();
});

test("the largest network that fits is 128 wide, in 16 dimensions", () => {
  expect(planned({ network: mlp({ dimension: 16, hidden: [128, 128, 128] }) })).toBeDefined();
});

test("log-densities know the network too", () => {
  const field = networkField(plain, "ema");
  expect(withDivergence(field).bare).toBe(field.bare);
  expect(withDivergence((x, t) => field(x, t)).bare).toBeUndefined();
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

/** The f64 reference, which has the op of the kernel, with limits that say so; `refuse` throws at a program's loading. */
function offering(refuse: (program: Program) => void = () => {}): { runtime: LocalRuntime; loaded: string[] } {
  const reference = createReferenceBackend();
  const limits = { ...reference.limits, optionalKernels: ["mlpFlow"] };
  const loaded: string[] = [];
  const load: Backend["load"] = async (program, state) => {
    refuse(program);
    loaded.push(program.name);
    return reference.load(program, state);
  };
  return { runtime: new LocalRuntime({ backend: { ...reference, limits, load }, reason: "A test." }), loaded };
}

const sampleOptions: SampleOptions = {
  ...{ count: 6, solver: rk4({ steps: 5 }), seed: 4, times: [0.2, 1] },
  logDensity: { divergence: "hutchinson", probes: 3 },
};

/** Samples, trajectory and log-densities of a fresh model, then log-densities of points. */
async function results(runtime: LocalRuntime): Promise<number[]> {
  const { model } = await runtime.createTrainer(smallOptions());
  const { values, trajectory, logDensity } = await model.sample(sampleOptions);
  const judged = await model.logDensity(values, { solver: euler({ steps: 3 }) });
  return [values, trajectory?.values ?? [], logDensity?.values ?? [], judged.values].flatMap((each) => [...each]);
}

test("a model gives the same results whole and step by step", async () => {
  const { runtime, loaded } = offering();
  using stepwise = await createLocalRuntime({ backend: "reference" });
  using whole = runtime;
  const [found, expected] = [await results(whole), await results(stepwise)];
  expect(loaded).toEqual(expect.arrayContaining(["rk4-steps of a whole network", "euler-steps of a whole network"]));
  expect(loaded).not.toContain("rk4-step");
  // Results are rounded to f32: a sum in another order may move one by its last bit.
  expect(relativeError(found, expected)).toBeLessThan(1e-7);
});

test("a network that is an MLP's, a hundredfold, is solved as it is", async () => {
  const { runtime, loaded } = offering();
  using stepwise = await createLocalRuntime({ backend: "reference" });
  using whole = runtime;
  const base = smallOptions().network;
  const network: Network = { ...base, apply: (...inputs) => multiply(base.apply(...inputs), 100) };
  const sampled = async (runtime: LocalRuntime) => {
    const { model } = await runtime.createTrainer(smallOptions({ network }));
    return (await model.sample({ count: 5, solver: euler({ steps: 3 }) })).values;
  };
  expect(await sampled(whole)).toEqual(await sampled(stepwise));
  expect(loaded).toContain("euler-step");
});

test("a device whose compiler refuses the kernel goes step by step; other errors pass", async () => {
  const refusing = (error: Error) =>
    offering(({ calls }) => {
      if (calls.some(({ kernel }) => kernel === "mlpFlow")) throw error;
    });
  const facts = { subject: "kernel", given: "a refusal", expected: "a kernel", remedy: "Update." };
  const { runtime, loaded } = refusing(new UnsupportedError(facts));
  using stepwise = await createLocalRuntime({ backend: "reference" });
  using whole = runtime;
  expect(await results(whole)).toEqual(await results(stepwise));
  expect(loaded).toEqual(expect.arrayContaining(["rk4-step", "euler-step"]));
  using failing = refusing(new OutOfMemoryError(facts)).runtime;
  await expect(results(failing)).rejects.toThrow(OutOfMemoryError);
});
