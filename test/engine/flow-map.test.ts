// A flow map in the engine: trained, sampled in a few steps with log-densities, judged by ODE solvers, saved, loaded and
// resumed, in a worker as on this thread, bit for bit.
import { describe, expect, test } from "vitest";
import type { NumericArray } from "../../src/backends/backend.ts";
import { createLocalRuntime } from "../../src/engine/runtime.ts";
import { fdm } from "../../src/flow/losses/fdm.ts";
import { meanFlow } from "../../src/flow/losses/mean-flow.ts";
import { withOutput } from "../../src/flow/paths/with-output.ts";
import { flowMapSteps } from "../../src/flow/solvers/flow-map.ts";
import {
  arrayData,
  ConfigError,
  classes,
  condOT,
  dopri5,
  load,
  type Model,
  mlp,
  type Network,
  type Runtime,
  resume,
  rk4,
  type TrainerOptions,
} from "../../src/index.ts";
import { logDensityContributions, logDensityGradient, logDensityInterval, mode } from "../../src/likelihoods.ts";
import { flowMap } from "../../src/nn/flow-map.ts";
import { graphConfig, graphNetwork } from "../../src/nn/graph.ts";
import { unet1d } from "../../src/nn/unet1d.ts";
import { frozenField } from "../../src/train/frozen-field.ts";
import { numbers, relativeError, valuesOf } from "../flow/evaluate.ts";
import { gaussianLogDensities, gaussianNetwork } from "../flow/gaussian-network.ts";
import { smallOptions } from "./small.ts";
import { remoteEngine } from "./worker.ts";

const network = () => flowMap({ network: mlp({ dimension: 3, hidden: [8, 8] }), reverse: true });
const options = (changes: Partial<TrainerOptions> = {}) =>
  smallOptions({ network: network(), loss: meanFlow({ anchor: fdm() }), ema: { decay: 0.9 }, ...changes });

/** All that a flow map's model gives. */
async function everything(model: Model) {
  const given = { count: 5, seed: 1 };
  const drawn = [
    await model.sample({ ...given, solver: flowMapSteps({ steps: 2 }), logDensity: true }),
    await model.sample({ ...given, solver: flowMapSteps({ density: "exact" }), logDensity: true, times: [0.5] }),
  ];
  const points = drawn[0]?.values as NumericArray;
  const judged = [
    await model.encode(points, { solver: flowMapSteps({ steps: 2 }), logDensity: true }),
    await model.logDensity(points, { solver: rk4({ steps: 4 }) }),
  ];
  return [...drawn, ...judged].map((one) => ({ ...one, seconds: 0 }));
}

async function trained(runtime: Runtime, steps: number, given = options()) {
  const trainer = await runtime.createTrainer(given);
  for await (const _ of trainer.run({ steps }));
  return trainer;
}

describe.each(["reference", "wasm"] as const)("on %s", (backend) => {
  test("a worker gives what this thread gives; a file alone is the same model, and goes on", async () => {
    using local = await createLocalRuntime({ backend });
    using remote = await remoteEngine(backend);
    const [here, there] = [await trained(local, 4), await trained(remote.runtime, 4)];
    const bytes = await here.checkpoint();
    expect(await there.checkpoint()).toEqual(bytes);
    const expected = await everything(here.model);
    expect(await everything(there.model)).toEqual(expected);
    expect(await everything(await load(remote.runtime, bytes))).toEqual(expected);
    const again = await resume(remote.runtime, bytes);
    for await (const _ of again.run({ steps: 3 }));
    expect(await again.checkpoint()).toEqual(await (await trained(local, 7)).checkpoint());
  });
});

test("the exact map of a Gaussian gives samples and their log-densities in one step, and those of given points", async () => {
  using runtime = await createLocalRuntime({ backend: "reference" });
  const exact = graphNetwork(graphConfig(gaussianNetwork()));
  const trainer = await runtime.createTrainer(smallOptions({ network: exact, loss: meanFlow() }));
  const { model } = trainer;
  for (const density of ["head", "exact"] as const) {
    const solver = flowMapSteps({ density });
    const { values, logDensity } = await model.sample({ count: 50, seed: 4, solver, logDensity: true });
    const expected = gaussianLogDensities(values);
    const judged = await model.logDensity(values, { solver });
    const byFlow = await model.logDensity(values, {
      solver: dopri5({ relativeTolerance: 1e-7, absoluteTolerance: 1e-7 }),
    });
    expected.forEach((value, i) => {
      expect(logDensity?.values[i]).toBeCloseTo(value, 5);
      expect(judged.values[i]).toBeCloseTo(value, 5);
      expect(byFlow.values[i]).toBeCloseTo(value, 4);
    });
  }
});

test("the field of a file teaches: its averaged parameters, in a worker as here, and a run goes on without the file", async () => {
  using local = await createLocalRuntime({ backend: "reference" });
  using remote = await remoteEngine("reference");
  const field = await trained(local, 3, smallOptions({ ema: { decay: 0.5 } }));
  const teacher = await frozenField(await field.checkpoint());
  const points = [0.3, -0.2, 1, 0.5];
  const expected = await field.model.velocity(points, [0.2, 0.7]);
  const tables = new Map(
    teacher.network.parameters.map(({ name, shape }) => [name, numbers(teacher.parameters.get(name) ?? [], shape)]),
  );
  const [found] = valuesOf([teacher.network.apply(tables, numbers(points, [2, 2]), numbers([0.2, 0.7], [2, 1]))]);
  expect(relativeError(found as Float64Array, expected)).toBeLessThan(1e-6);
  expect(
    relativeError(found as Float64Array, await field.model.velocity(points, [0.2, 0.7], { ema: false })),
  ).toBeGreaterThan(1e-4);

  const taught = options({ loss: meanFlow({ teacher, estimator: "exact" }) });
  const bytes = await (await trained(local, 4, taught)).checkpoint();
  expect(await (await trained(remote.runtime, 4, taught)).checkpoint()).toEqual(bytes);
  const again = await resume(remote.runtime, await (await trained(local, 2, taught)).checkpoint());
  for await (const _ of again.run({ steps: 2 }));
  expect(await again.checkpoint()).toEqual(bytes);
  await expect(frozenField(new Uint8Array([1, 2]))).rejects.toThrow("file of the teacher");
});

test("any network with a channel more is one, with conditions and places", async () => {
  using runtime = await createLocalRuntime({ backend: "wasm" });
  const inner = unet1d({ sample: [8, 2], channels: [8], blocks: [1], edgeChannels: 4, frequencies: 4 });
  const map: Network = flowMap({ network: inner });
  expect([map.sample, map.dimension, map.parameters]).toEqual([[8, 1], 8, inner.parameters]);
  const labelled = flowMap({ network: mlp({ dimension: 3, hidden: [8], conditions: { label: classes(2) } }) });
  expect(labelled.conditions).toEqual({ label: { shape: [], classes: 2 } });
  const values = Float64Array.from({ length: 40 * 8 }, (_, i) => Math.sin(i));
  const trainer = await trained(runtime, 2, options({ network: map, data: arrayData(values, [40, 8, 1]) }));
  const { shape, logDensity } = await trainer.model.sample({
    count: 3,
    solver: flowMapSteps({ steps: 2 }),
    logDensity: true,
  });
  expect(shape).toEqual([3, 8, 1]);
  for (const value of logDensity?.values ?? []) expect(Number.isFinite(value)).toBe(true);
});

test("what a model cannot give is said in a sentence", async () => {
  using runtime = await createLocalRuntime({ backend: "reference" });
  const forth = flowMap({ network: mlp({ dimension: 3, hidden: [8] }) });
  const { model } = await trained(runtime, 1, options({ network: forth }));
  const solver = flowMapSteps();
  await expect(model.logDensity([0, 0], { solver })).rejects.toThrow("a start s after the end e");
  for (const [probes, given] of [
    [4, "4 probes"],
    [1, "1 probe"],
  ] as const) {
    const wanted = model.sample({ count: 2, solver, logDensity: { divergence: "hutchinson", probes } });
    await expect(wanted).rejects.toThrow(/logDensity beside flowMapSteps: got .*divergence \\"hutchinson\\" by /);
    await expect(wanted).rejects.toThrow(given);
  }
  for (const asked of [logDensityInterval, logDensityGradient, mode, logDensityContributions]) {
    await expect(asked(model, [0, 0], { solver })).rejects.toThrow(/solver of .* got "flowMapSteps\(\)"/);
  }
  const plain = await trained(runtime, 1, smallOptions());
  await expect(plain.model.sample({ count: 2, solver })).rejects.toThrow("a field that is no flow map's");
  const noise = { network: forth, path: withOutput("noise", condOT()), loss: fdm() };
  const ofNoise = (await trained(runtime, 1, options(noise))).model.sample({ count: 2, solver });
  await expect(ofNoise).rejects.toThrow(/network's output is no velocity.*a flow map on the path itself/);
  await expect(runtime.createTrainer(smallOptions({ loss: meanFlow() }))).rejects.toThrow(ConfigError);
});

test("a loss that trains no averages is warned of", async () => {
  using runtime = await createLocalRuntime({ backend: "reference" });
  const warned = async (loss: TrainerOptions["loss"]) => (await runtime.createTrainer(options({ loss }))).warnings;
  expect((await warned(fdm())).join()).toContain("no averages for flowMapSteps()");
  expect((await warned(meanFlow())).join()).not.toContain("averages");
});
