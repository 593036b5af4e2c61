/**
 * Sampling and judging with the network run whole, through the public API, against the f64 reference: what a real GPU
 * does with small MLPs. The software adapter does so only when told to, as here.
 */
import type { Backend } from "../../src/backends/backend.ts";
import { createWebGPUBackend } from "../../src/backends/webgpu/backend.ts";
import { createLocalRuntime, LocalRuntime } from "../../src/engine/runtime.ts";
import {
  condOT,
  dopri5,
  euler,
  heun,
  type LogDensityOptions,
  type Model,
  midpoint,
  mlp,
  type Network,
  rk4,
  type SampleOptions,
} from "../../src/index.ts";
import { initialParameters } from "../../src/nn/initialize.ts";
import { HostRandom } from "../../src/ops/threefry.ts";
import { writeCheckpoint } from "../../src/train/checkpoint.ts";
import { assert, assertClose, assertEqual } from "./assert.ts";
import type { Check, Context } from "./check.ts";

const TOLERANCE = 2e-5;

/** A model whose field bends: initial weights, doubled. */
function modelFile(network: Network): Uint8Array {
  const parameters = initialParameters(network, 11, 0).map((value) => 2 * value);
  const path = condOT();
  return writeCheckpoint({
    ...{ network, path, parameters, step: 0, backend: "webgpu" },
    ...{ standardization: undefined, average: undefined, training: undefined },
  });
}

/** A program that a backend ran: its name, how many kernel calls it has, and `times` of each run. */
interface Run {
  readonly name: string;
  readonly calls: readonly string[];
  readonly times: number;
}

/** The backend, and all its runs from now on. */
function watched(backend: Backend): { backend: Backend; runs: Run[] } {
  const runs: Run[] = [];
  const load: Backend["load"] = async (program, state) => {
    const executable = await backend.load(program, state);
    const calls = program.calls.map(({ kernel }) => kernel);
    return {
      run(times) {
        runs.push({ name: program.name, calls, times });
        executable.run(times);
      },
      dispose: () => executable.dispose(),
    };
  };
  return { backend: { ...backend, load }, runs };
}

/** Runs `use` with the model on the GPU, its network run whole; on the reference; and with what the GPU runs. */
async function withModels(
  { gpu }: Context,
  network: Network,
  use: (whole: Model, reference: Model, runs: Run[]) => Promise<void>,
): Promise<void> {
  const { backend, runs } = watched(await createWebGPUBackend({ ...(gpu && { gpu }), wholeNetworks: true }));
  using runtime = new LocalRuntime({ backend, reason: "A test." });
  using exact = await createLocalRuntime({ backend: "reference" });
  const file = modelFile(network);
  await use(await runtime.loadModel(file), await exact.loadModel(file), runs);
}

const networks = {
  "[128, 128] in 2 dimensions": mlp({ dimension: 2, hidden: [128, 128], activation: "silu" }),
  "[17, 5, 13] in 5 dimensions": mlp({ dimension: 5, hidden: [17, 5, 13], activation: "tanh" }),
};

const sampleOptions: Readonly<Record<string, SampleOptions>> = {
  "sample, euler": { count: 45, solver: euler({ steps: 7 }), seed: 3 },
  "sample, midpoint, along the way": { count: 3, solver: midpoint({ steps: 5 }), times: [0, 0.3, 1] },
  "sample, heun, two probes": {
    count: 21,
    solver: heun({ steps: 4 }),
    seed: 2 ** 40,
    logDensity: { divergence: "hutchinson", probes: 2 },
  },
  "sample, rk4, exact divergence": { count: 11, solver: rk4({ steps: 3 }), logDensity: true },
};

const judgeOptions: Readonly<Record<string, LogDensityOptions>> = {
  "logDensity, rk4, exact": { solver: rk4({ steps: 3 }) },
  "logDensity, euler, one probe": { solver: euler({ steps: 5 }), divergence: "hutchinson", probes: 1, seed: 9 },
  "logDensity, heun, five probes": { solver: heun({ steps: 3 }), divergence: "hutchinson", probes: 5 },
};

async function checkAgreement(whole: Model, reference: Model, runs: Run[]): Promise<void> {
  for (const [label, options] of Object.entries(sampleOptions)) {
    const [found, expected] = [await whole.sample(options), await reference.sample(options)];
    assertClose(found.values, expected.values, TOLERANCE, label);
    if (expected.trajectory) {
      assertClose(found.trajectory?.values ?? [], expected.trajectory.values, TOLERANCE, `${label}, trajectory`);
    }
    if (expected.logDensity) {
      assertClose(found.logDensity?.values ?? [], expected.logDensity.values, TOLERANCE, `${label}, log-density`);
    }
  }
  const points = new HostRandom(4).normal(13 * whole.dimension, 0);
  for (const [label, options] of Object.entries(judgeOptions)) {
    const found = await whole.logDensity(Float32Array.from(points), options);
    const expected = await reference.logDensity(Float32Array.from(points), options);
    assertClose(found.values, expected.values, TOLERANCE, label);
  }
  const steps = runs.filter(({ calls }) => calls.includes("mlpFlow"));
  assert(steps.length > 0, "The network never ran whole.");
  for (const { name, calls, times } of steps) assertEqual([calls.join(), times], ["mlpFlow", 1], name);
  assert(!runs.some(({ calls }) => calls.includes("linear")), "A solve ran layer by layer.");
}

/** A solver of this order: doubling its steps divides its error by 2^order, up to what half a step more would. */
async function checkOrder(whole: Model, reference: Model): Promise<void> {
  const exact = (
    await reference.sample({ count: 8, solver: dopri5({ relativeTolerance: 1e-10, absoluteTolerance: 1e-12 }) })
  ).values;
  const solvers = { euler: [euler, 1, 16], midpoint: [midpoint, 2, 8], heun: [heun, 2, 8], rk4: [rk4, 4, 2] } as const;
  for (const [name, [solver, order, steps]] of Object.entries(solvers)) {
    const errors: number[] = [];
    for (const count of [steps, 2 * steps]) {
      const { values } = await whole.sample({ count: 8, solver: solver({ steps: count }) });
      errors.push(values.reduce((most, value, i) => Math.max(most, Math.abs(value - (exact[i] as number))), 0));
    }
    const found = Math.log2((errors[0] as number) / (errors[1] as number));
    assert(Math.abs(found - order) < 0.5, `${name}: order ${found} of errors ${errors}, expected ${order}.`);
  }
}

/** One seed, one result, however the steps are cut into runs: later solves take more of them at once. */
async function checkBits(whole: Model, runs: Run[]): Promise<void> {
  const options: SampleOptions = { count: 70, solver: heun({ steps: 40 }), seed: 5, logDensity: true };
  const results = [await whole.sample(options), await whole.sample(options), await whole.sample(options)];
  const [first, ...others] = results.map(({ values, logDensity }) => [...values, ...(logDensity?.values ?? [])]);
  others.forEach((other, i) => {
    assertEqual(other, first, `sample ${i + 2}`);
  });
  const solves = runs.filter(({ calls }) => calls.includes("mlpFlow")).length;
  assert(solves < 3 * 40, `Three solves of 40 steps took ${solves} runs: steps are not taken together.`);
}

export const checks: Check[] = [
  ...Object.entries(networks).map(
    ([label, network]): Check => ({
      name: `whole networks agree with f64: ${label}`,
      backend: "webgpu",
      seconds: 180,
      run: (context) => withModels(context, network, checkAgreement),
    }),
  ),
  {
    name: "whole networks: solvers keep their order",
    backend: "webgpu",
    run: (context) => withModels(context, networks["[17, 5, 13] in 5 dimensions"], checkOrder),
  },
  {
    name: "whole networks: equal seeds give equal bits, however many steps run at once",
    backend: "webgpu",
    run: (context) =>
      withModels(context, networks["[17, 5, 13] in 5 dimensions"], (whole, _, runs) => checkBits(whole, runs)),
  },
];
