// An engine in a worker gives what one on this thread gives: values bit for bit, errors by class, aborts by reason.
import { queryObjects } from "node:v8";
import { describe, expect, test } from "vitest";
import { createLocalRuntime } from "../../src/engine/runtime.ts";
import { LocalTrainer } from "../../src/engine/trainer.ts";
import {
  arrayData,
  CheckpointError,
  ConfigError,
  createRuntime,
  DataError,
  DeviceLostError,
  DisposedError,
  dopri5,
  ema,
  euler,
  evaluateLosses,
  fdm,
  linearVP,
  NumericError,
  product,
  type Runtime,
  rk4,
  StiffnessError,
  type TrainerOptions,
  UnsupportedError,
  verifyCase,
  warmUp,
} from "../../src/index.ts";
import { adamW } from "../../src/train/adam.ts";
import { collect } from "../collect.mjs";
import { smallOptions, trainSteps } from "./small.ts";
import { remoteEngine } from "./worker.ts";

const numbers = Float64Array.from({ length: 40 }, (_, i) => Math.sin(i * i) * (i % 2 === 0 ? 3 : 1) + (i % 2));

const variants: Readonly<Record<string, () => TrainerOptions>> = {
  plain: () => smallOptions(),
  "every part another": () =>
    smallOptions({
      path: linearVP(),
      loss: fdm({ form: "slice", probe: "gaussian", fraction: 0.5 }),
      optimizer: adamW({ learningRate: product(1e-2, warmUp({ steps: 3 })) }),
      data: arrayData(numbers, [20, 2], { standardize: true }),
      ema: ema({ decay: 0.9 }),
      maximumGradientNorm: 0.5,
    }),
  "rows held out, and noise upon the others": () =>
    smallOptions({
      data: arrayData(numbers, [20, 2], { standardize: true, columns: ["a", "b"] }),
      validation: 0.2,
      validateEvery: 2,
      earlyStopping: { patience: 50 },
      jitter: 0.2,
    }),
};

/** All that a run and its model give. */
async function everything(runtime: Runtime, options: TrainerOptions) {
  const trainer = await runtime.createTrainer(options);
  const rows = await trainSteps(trainer, 5, 2);
  const samples = await trainer.model.sample({ count: 7, solver: rk4({ steps: 3 }), logDensity: true, times: [0.5] });
  const file = await trainer.checkpoint();
  const { data } = options;
  const again = await runtime.resumeTrainer(file, data.name === "array" ? { data } : {});
  const model = await runtime.loadModel(await trainer.model.checkpoint());
  return {
    rows,
    step: trainer.step,
    modelStep: trainer.model.step,
    describe: await trainer.describe(),
    standing: [trainer.best, trainer.stopped, trainer.trainingRows, trainer.heldOutRows, trainer.warnings],
    columns: [trainer.model.columns, model.columns],
    file,
    samples: { ...samples, seconds: 0 },
    resumed: await trainSteps(again, 3),
    resumedStep: again.model.step,
    density: await model.logDensity(samples.values, {
      divergence: "hutchinson",
      probes: 2,
      solver: euler({ steps: 4 }),
    }),
    velocity: await model.velocity(samples.values, new Float32Array(7).fill(0.3)),
    losses: await evaluateLosses(runtime, model, { data, loss: options.loss, batchSize: 8, batches: 2 }),
    dimension: model.dimension,
  };
}

describe.each(Object.entries(variants))("%s", (_name, options) => {
  test.each(["wasm", "reference"] as const)("the same bits on %s", async (backend) => {
    using remote = await remoteEngine(backend);
    using local = await createLocalRuntime({ backend });
    expect(await everything(remote.runtime, options())).toEqual(await everything(local, options()));
    expect(remote.runtime.device).toBe(local.device);
    expect(remote.runtime.reason).toBe(local.reason);
  });
});

test("memory is the engine's, and goes when things are disposed of", async () => {
  using remote = await remoteEngine("wasm");
  const { runtime } = remote;
  const before = await runtime.memory();
  const trainer = await runtime.createTrainer(smallOptions());
  await trainSteps(trainer, 2);
  expect((await runtime.memory()).bytes).toBeGreaterThan(before.bytes);
  trainer.dispose();
  trainer.dispose();
  expect(await runtime.memory()).toEqual(before);
  await expect(trainer.describe()).rejects.toThrow(DisposedError);
  await expect(trainer.model.sample({ count: 1 })).rejects.toThrow(DisposedError);
  await expect(trainSteps(trainer, 1)).rejects.toThrow(DisposedError);
});

test("a run that is left in the middle without a word goes with its trainer", async () => {
  using remote = await remoteEngine("wasm");
  const abandon = async () => {
    for (let i = 0; i < 5; i++) {
      const trainer = await remote.runtime.createTrainer(smallOptions());
      await trainer.run({ steps: 9, progressEvery: 3 }).next();
      trainer.dispose();
    }
  };
  const count = async () => {
    await collect();
    return queryObjects(LocalTrainer, { format: "count" });
  };
  const before = await count();
  await abandon();
  await remote.runtime.memory(); // behind the last message
  expect(await count()).toBeLessThanOrEqual(before);
});

describe("errors", () => {
  test("come back in their class, with their facts", async () => {
    using remote = await remoteEngine("wasm");
    const { runtime } = remote;
    const trainer = await runtime.createTrainer(smallOptions());
    await expect(runtime.createTrainer(smallOptions({ batchSize: -1 }))).rejects.toThrow(ConfigError);
    await expect(runtime.createTrainer({} as TrainerOptions)).rejects.toThrow(ConfigError);
    await expect(runtime.loadModel(new Uint8Array(5))).rejects.toThrow(CheckpointError);
    await expect(verifyCase(runtime, "[", "mine.json")).rejects.toThrow("mine.json");
    await expect(trainer.model.sample({ count: -3 })).rejects.toMatchObject({
      code: "config",
      facts: { subject: "count of sample", given: -3 },
    });
    await expect(trainer.model.logDensity(Float32Array.of(1, Number.NaN))).rejects.toThrow(DataError);
    const stiff = dopri5({ maximumSteps: 1, relativeTolerance: 1e-12 });
    await expect(trainer.model.sample({ count: 1, solver: stiff })).rejects.toThrow(StiffnessError);
    await expect(trainSteps(trainer, -1)).rejects.toThrow(ConfigError);
    await expect(evaluateLosses(runtime, {} as never, { data: smallOptions().data, loss: fdm() })).rejects.toThrow(
      ConfigError,
    );
  });

  test("a bad step is named, and the trainer stands where the last good one left it", async () => {
    using remote = await remoteEngine("wasm");
    const bad = smallOptions({ optimizer: adamW({ learningRate: 1e30 }) });
    const trainer = await remote.runtime.createTrainer(bad);
    using local = await createLocalRuntime({ backend: "wasm" });
    const same = await local.createTrainer(bad);
    const wrong = trainSteps(trainer, 50).catch((error: unknown) => error);
    const alike = trainSteps(same, 50).catch((error: unknown) => error);
    expect(await wrong).toBeInstanceOf(NumericError);
    expect((await wrong) as Error).toHaveProperty("message", ((await alike) as Error).message);
    expect(trainer.step).toBe(same.step);
  });

  test("what cannot be sent is refused with a way out", async () => {
    using remote = await remoteEngine("reference");
    const { runtime } = remote;
    const { path } = smallOptions();
    const own = { ...path, name: "my-path" };
    await expect(runtime.createTrainer(smallOptions({ path: own }))).rejects.toThrow(/worker: false/);
    const trainer = await runtime.createTrainer(smallOptions());
    const withFunction = { count: (() => 3) as unknown as number };
    await expect(trainer.model.sample(withFunction)).rejects.toThrow(ConfigError);
  });
});

describe("aborts", () => {
  test("reject with the signal's own reason, and the trainer can go on", async () => {
    using remote = await remoteEngine("reference");
    const trainer = await remote.runtime.createTrainer(smallOptions());
    const abort = new AbortController();
    const reason = new Error("enough");
    const run = (async () => {
      for await (const { step } of trainer.run({ steps: 1e6, signal: abort.signal, progressEvery: 1 })) {
        if (step === 2) abort.abort(reason);
      }
    })();
    await expect(run).rejects.toBe(reason);
    const { step } = trainer;
    expect(step).toBeGreaterThanOrEqual(2);
    expect((await trainSteps(trainer, 1))[0]?.step).toBe(step + 1);
    await expect(trainer.model.sample({ count: 1, signal: abort.signal })).rejects.toBe(reason);
    const later = new AbortController();
    const sampling = trainer.model.sample({ count: 64, solver: euler({ steps: 100_000 }), signal: later.signal });
    setTimeout(() => later.abort(reason), 20);
    await expect(sampling).rejects.toBe(reason);
  });

  test("leaving the loop ends the run, so that another may begin", async () => {
    using remote = await remoteEngine("reference");
    const trainer = await remote.runtime.createTrainer(smallOptions());
    for await (const { step } of trainer.run({ steps: 100, progressEvery: 3 })) if (step === 6) break;
    expect(trainer.step).toBe(6);
    expect((await trainSteps(trainer, 1))[0]?.step).toBe(7);
  });
});

test("dispose ends the worker and whoever waits for it", async () => {
  const remote = await remoteEngine("reference");
  const trainer = await remote.runtime.createTrainer(smallOptions());
  const sampling = trainer.model.sample({ count: 64, solver: euler({ steps: 100_000 }) });
  remote.runtime.dispose();
  remote.runtime.dispose();
  await expect(sampling).rejects.toThrow(DisposedError);
  expect(remote.terminated).toBe(true);
  await expect(remote.runtime.memory()).rejects.toThrow(DisposedError);
  trainer.dispose();
});

test("a worker that dies is a lost device to whoever waits and whoever comes later", async () => {
  using remote = await remoteEngine("reference");
  const trainer = await remote.runtime.createTrainer(smallOptions());
  const training = trainSteps(trainer, 1e6);
  remote.die("out of memory");
  await expect(training).rejects.toThrow(/out of memory/);
  await expect(training).rejects.toThrow(DeviceLostError);
  await expect(trainer.checkpoint()).rejects.toThrow(DeviceLostError);
});

describe("createRuntime", () => {
  test("stays on this thread where there is no page", async () => {
    using runtime = await createRuntime({ backend: "reference" });
    expect(runtime.reason).not.toMatch(/thread/);
  });

  test("refuses a worker together with a device", async () => {
    await expect(createRuntime({ worker: true, device: {} as GPUDevice })).rejects.toThrow(ConfigError);
  });

  test("says that there is no worker to be had, when one is asked for", async () => {
    await expect(createRuntime({ worker: true, backend: "wasm" })).rejects.toThrow(UnsupportedError);
  });
});
