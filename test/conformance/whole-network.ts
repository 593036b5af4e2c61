/**
 * Sampling and judging with the network run whole, through the public API, against the f64 reference: what a real GPU
 * does with small MLPs. The software adapter does so only when told to, as here.
 */
import type { Backend } from "../../src/backends/backend.ts";
import { createWebGPUBackend } from "../../src/backends/webgpu/backend.ts";
import { createLocalRuntime, LocalRuntime } from "../../src/engine/runtime.ts";
import { StateStore } from "../../src/engine/state-store.ts";
import { wholeNetworkPlan } from "../../src/flow/whole-network.ts";
import {
  arrayData,
  cfm,
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
import { type MLPStructure, mlpStructure } from "../../src/nn/mlp.ts";
import { parameterLayout, parameterViews } from "../../src/nn/network.ts";
import { multiply } from "../../src/ops/arithmetic.ts";
import { state } from "../../src/ops/sources.ts";
import { HostRandom } from "../../src/ops/threefry.ts";
import { compile } from "../../src/schedule/compile.ts";
import { flowUnit } from "../../src/schedule/flow-unit.ts";
import { writeCheckpoint } from "../../src/train/checkpoint.ts";
import { assert, assertClose, assertEqual } from "./assert.ts";
import type { Check, Context } from "./check.ts";

const TOLERANCE = 2e-5;

/** A model of these parameters; else one whose field bends: initial weights, doubled. */
function modelFile(
  network: Network,
  parameters: Float32Array = initialParameters(network, 11).map((value) => 2 * value),
): Uint8Array {
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

/** Calls with each method and each way to take the divergence, shared out: compiling a variant is what takes long. */
interface Workload {
  readonly network: Network;
  readonly samples: Readonly<Record<string, SampleOptions>>;
  readonly judgements: Readonly<Record<string, LogDensityOptions>>;
}

const plane = mlp({ dimension: 2, hidden: [128, 128], activation: "silu" });
const odd = mlp({ dimension: 5, hidden: [17, 5, 13], activation: "tanh" });

const workloads: Readonly<Record<string, Workload>> = {
  "[128, 128] in 2 dimensions": {
    network: plane,
    samples: {
      "sample, euler": { count: 45, solver: euler({ steps: 7 }), seed: 3 },
      "sample, rk4, exact divergence": { count: 11, solver: rk4({ steps: 3 }), logDensity: true },
    },
    judgements: {
      "logDensity, heun, exact": { solver: heun({ steps: 3 }) },
      "logDensity, euler, one probe": { solver: euler({ steps: 5 }), divergence: "hutchinson", probes: 1, seed: 9 },
    },
  },
  "[17, 5, 13] in 5 dimensions": {
    network: odd,
    samples: {
      "sample, midpoint, along the way": { count: 3, solver: midpoint({ steps: 5 }), times: [0, 0.3, 1] },
      "sample, heun, two probes": {
        count: 21,
        solver: heun({ steps: 4 }),
        seed: 2 ** 40,
        logDensity: { divergence: "hutchinson", probes: 2 },
      },
    },
    judgements: {
      "logDensity, rk4, five probes": { solver: rk4({ steps: 3 }), divergence: "hutchinson", probes: 5 },
    },
  },
};

async function checkAgreement(
  { samples, judgements }: Workload,
  whole: Model,
  reference: Model,
  runs: readonly Run[],
): Promise<void> {
  for (const [label, options] of Object.entries(samples)) {
    const [found, expected] = [await whole.sample(options), await reference.sample(options)];
    assertClose(found.values, expected.values, TOLERANCE, label);
    assertEqual((await whole.sample(options)).values, found.values, `${label}, again`); // in other runs: they grow
    if (expected.trajectory) {
      assertClose(found.trajectory?.values ?? [], expected.trajectory.values, TOLERANCE, `${label}, trajectory`);
    }
    if (expected.logDensity) {
      assertClose(found.logDensity?.values ?? [], expected.logDensity.values, TOLERANCE, `${label}, log-density`);
    }
  }
  const points = new HostRandom(4).normal(13 * whole.dimension, 0);
  for (const [label, options] of Object.entries(judgements)) {
    const found = await whole.logDensity(Float32Array.from(points), options);
    const expected = await reference.logDensity(Float32Array.from(points), options);
    assertClose(found.values, expected.values, TOLERANCE, label);
  }
  const steps = runs.filter(({ calls }) => calls.includes("mlpFlow"));
  assert(steps.length > 0, "The network never ran whole.");
  for (const { name, calls, times } of steps) assertEqual([calls.join(), times], ["mlpFlow", 1], name);
  assert(!runs.some(({ calls }) => calls.includes("linear")), "A solve ran layer by layer.");
}

/** Doubling a solver's steps divides its error by 2^order, within half an order. */
async function checkOrder(whole: Model, reference: Model): Promise<void> {
  const exact = (
    await reference.sample({ count: 8, solver: dopri5({ relativeTolerance: 1e-10, absoluteTolerance: 1e-12 }) })
  ).values;
  const solvers = { euler: [euler, 1, 16], midpoint: [midpoint, 2, 8], heun: [heun, 2, 8], rk4: [rk4, 4, 2] } as const;
  for (const [name, [solver, order, steps]] of Object.entries(solvers)) {
    const errors: number[] = [];
    for (const count of [steps, 2 * steps]) {
      const { values } = await whole.sample({ count: 8, solver: solver({ steps: count }) });
      errors.push(
        Float64Array.from(values).reduce((most, value, i) => Math.max(most, Math.abs(value - (exact[i] as number))), 0),
      );
    }
    const found = Math.log2((errors[0] as number) / (errors[1] as number));
    assert(Math.abs(found - order) < 0.5, `${name}: order ${found} of errors ${errors}, expected ${order}.`);
  }
}

/** One seed, one result; and where a solve is cut into runs does not change a bit. */
async function checkBits({ gpu }: Context): Promise<void> {
  const backend = await createWebGPUBackend({ ...(gpu && { gpu }), wholeNetworks: true });
  const layout = parameterLayout(odd);
  const parameters = state({ name: "parameters", shape: [layout.total], dtype: "f32" });
  const views = parameterViews(parameters, layout);
  const points = { rows: 37, dimension: odd.dimension, estimates: 0 };
  const stepwise = heun({ steps: 6 }).plan({
    ...points,
    field: (x, t) => ({ velocity: odd.apply(views, x, t), divergences: undefined }),
    stops: [0, 1],
  });
  const structure = mlpStructure(odd) as MLPStructure;
  const plan = wholeNetworkPlan(stepwise, { ...points, structure, parameters, divergence: undefined });
  assert(plan, "Heun's method has no plan for a whole network.");
  const store = new StateStore(backend);
  try {
    const program = compile(plan.step, backend.limits, flowUnit);
    store.declare(program.state);
    store.write("parameters", initialParameters(odd, 11));
    store.write("solve.times", Float32Array.from(plan.initial.get("solve.times") ?? []));
    const executable = await backend.load(program, store.buffers(program.state.map(({ name }) => name)));
    const solve = async (...counts: number[]) => {
      const points = new HostRandom(1).normal(37 * odd.dimension, 0);
      store.write(plan.flow.name, Float64Array.of(...points, ...new Float64Array(points.length))); // nothing lost yet
      let done = 0;
      for (const count of counts) {
        store.write(plan.range.name, Uint32Array.of(done, count));
        executable.run(1);
        done += count;
      }
      return store.read(plan.flow.name);
    };
    const whole = await solve(6);
    assertEqual(await solve(6), whole, "the same once more");
    assertEqual(await solve(1, 3, 2), whole, "in three runs");
    executable.dispose();
  } finally {
    store.dispose();
    backend.dispose();
  }
}

/**
 * Ten thousand steps of a velocity that is one number everywhere, along with a divergence that is one: sums of equal terms,
 * which f32 rounds to the same side again and again. relu(y) - relu(-y) = y makes the linear field of a perceptron.
 */
async function checkManySteps({ gpu }: Context): Promise<void> {
  const backend = await createWebGPUBackend({ ...(gpu && { gpu }), wholeNetworks: true });
  using runtime = new LocalRuntime({ backend, reason: "A test." });
  const network = mlp({ dimension: 1, hidden: [2], activation: "relu" });
  // The weight [(x, t), hidden] of y = 0.3 x; its bias; the weight [hidden, 1]; its bias 0.7.
  const parameters = Float32Array.of(0.3, -0.3, 0, 0, 0, 0, 1, -1, 0.7);
  const model = await runtime.loadModel(modelFile(network, parameters));
  const steps = 10_000;
  const points = Float32Array.of(0.1, -0.6, 2);
  const { values } = await model.logDensity(points, { solver: euler({ steps }), divergence: "exact" });
  // Backwards from t = 1: x -= (0.3 x + 0.7) / steps, and the log-density of x there, less 0.3 each step.
  const [slope, offset] = [0.3, 0.7].map(Math.fround) as [number, number];
  const expected = Array.from(points, (point) => {
    const fixed = -offset / slope;
    const x = fixed + (point - fixed) * (1 - slope / steps) ** steps;
    return -0.5 * (x * x + Math.log(2 * Math.PI)) - slope;
  });
  assertClose(values, expected, 5e-7, "log-densities after ten thousand steps");
}

/** What is like an MLP and is none is solved as it says, not as an MLP. */
async function checkOthers({ gpu }: Context): Promise<void> {
  const { backend, runs } = watched(await createWebGPUBackend({ ...(gpu && { gpu }), wholeNetworks: true }));
  using runtime = new LocalRuntime({ backend, reason: "A test." });
  using exact = await createLocalRuntime({ backend: "reference" });
  const network: Network = { ...odd, apply: (...inputs) => multiply(odd.apply(...inputs), 10) };
  const sampled = async (runtime: LocalRuntime) => {
    const data = arrayData(new HostRandom(2).normal(8 * odd.dimension, 0), [8, odd.dimension]);
    const { model } = await runtime.createTrainer({
      network,
      data,
      path: condOT(),
      loss: cfm(),
      batchSize: 4,
      seed: 6,
    });
    return (await model.sample({ count: 9, solver: euler({ steps: 3 }), seed: 1 })).values;
  };
  assertClose(await sampled(runtime), await sampled(exact), TOLERANCE, "samples of ten times an MLP");
  assert(!runs.some(({ calls }) => calls.includes("mlpFlow")), "Ten times an MLP ran as the MLP.");
}

export const checks: Check[] = [
  ...Object.entries(workloads).map(
    ([label, workload]): Check => ({
      name: `whole networks agree with f64: ${label}`,
      backend: "webgpu",
      seconds: 180,
      run: (context) => withModels(context, workload.network, (...models) => checkAgreement(workload, ...models)),
    }),
  ),
  {
    name: "whole networks: solvers keep their order",
    backend: "webgpu",
    run: (context) => withModels(context, odd, checkOrder),
  },
  {
    name: "whole networks: where a solve is cut into runs does not change a bit",
    backend: "webgpu",
    run: checkBits,
  },
  {
    name: "whole networks: ten thousand steps lose nothing to rounding",
    backend: "webgpu",
    run: checkManySteps,
  },
  { name: "whole networks: another field than the network's is none", backend: "webgpu", run: checkOthers },
];
