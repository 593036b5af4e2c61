// What a caller hands in is theirs again when the call returns: filling it anew changes no result, with or without a
// worker.
import { expect, test } from "vitest";
import { everyBackend } from "../../src/engine/choose-backend.ts";
import { LocalModel } from "../../src/engine/model.ts";
import { createLocalRuntime, LocalRuntime } from "../../src/engine/runtime.ts";
import { LocalTrainer } from "../../src/engine/trainer.ts";
import { arrayData, checkerboard, ema, euler, fdm, type Model, type Runtime, type Trainer } from "../../src/index.ts";
import { logDensityGradient, totalVariationBound } from "../../src/likelihoods.ts";
import { smallOptions, withRuntime } from "./small.ts";
import { remoteEngine } from "./worker.ts";

interface Made {
  readonly runtime: Runtime;
  readonly trainer: Trainer;
  readonly model: Model;
  readonly file: Uint8Array;
}

interface Call {
  readonly arguments: (made: Made) => unknown[];
  /** What the call gives, as plain data. */
  readonly result: (made: Made, ...given: never[]) => Promise<unknown>;
}

const solver = euler({ steps: 3 });
const points = () => Float32Array.from({ length: 2 * 40 }, (_, i) => Math.sin(i));
const times = () => Float64Array.from({ length: 40 }, (_, i) => i / 40);
const untimed = <Result extends object>(result: Result) => ({ ...result, seconds: 0 });
const values = points();
const data = arrayData(values, [40, 2], { standardize: true });

/** Every call of a runtime, a trainer or a model that takes an argument, by its name. */
const calls: Readonly<Record<string, Call>> = {
  sample: {
    arguments: () => [{ count: 5, solver, seed: 4, times: [0.25, 1], logDensity: { divergence: "exact" } }],
    result: async ({ model }, ...given: Parameters<Model["sample"]>) => untimed(await model.sample(...given)),
  },
  "sample from noise": {
    arguments: () => [{ noise: points(), solver, times: new Float64Array([0.25, 1]) }],
    result: async ({ model }, ...given: Parameters<Model["sample"]>) => untimed(await model.sample(...given)),
  },
  encode: {
    arguments: () => [points(), { solver, logDensity: { divergence: "hutchinson", probes: 2 } }],
    result: async ({ model }, ...given: Parameters<Model["encode"]>) => untimed(await model.encode(...given)),
  },
  logDensity: {
    arguments: () => [points(), { solver, divergence: "hutchinson", probes: 2, seed: 3 }],
    result: ({ model }, ...given: Parameters<Model["logDensity"]>) => model.logDensity(...given),
  },
  velocity: {
    arguments: () => [points(), times(), { ema: false }],
    result: ({ model }, ...given: Parameters<Model["velocity"]>) => model.velocity(...given),
  },
  "more: the gradient": {
    arguments: () => [points(), { solver, seed: 3 }],
    result: ({ model }, ...given: [Float32Array, object]) => logDensityGradient(model, ...given),
  },
  "more: the bound": {
    arguments: () => [points(), { bins: 3, seed: 3 }],
    result: ({ model }, ...given: [Float32Array, object]) => totalVariationBound(model, ...given),
  },
  evaluateLosses: {
    arguments: ({ model }) => [model, { data, loss: fdm(), batchSize: 8, batches: 2, seed: 5 }],
    result: ({ runtime }, ...given: Parameters<Runtime["evaluateLosses"]>) => runtime.evaluateLosses(...given),
  },
  loadModel: {
    arguments: ({ file }) => [file.slice(), { source: "mine" }],
    result: async ({ runtime }, ...given: Parameters<Runtime["loadModel"]>) => {
      using model = await runtime.loadModel(...given);
      return await model.checkpoint();
    },
  },
  resumeTrainer: {
    arguments: ({ file }) => [file.slice().buffer, { data, source: "mine" }],
    result: async ({ runtime }, ...given: Parameters<Runtime["resumeTrainer"]>) => {
      using trainer = await runtime.resumeTrainer(...given);
      return await trainer.checkpoint();
    },
  },
  createTrainer: {
    arguments: () => [{ ...smallOptions({ seed: 8, batchSize: 4 }) }],
    result: async ({ runtime }, ...given: Parameters<Runtime["createTrainer"]>) => {
      using trainer = await runtime.createTrainer(...given);
      return await trainer.checkpoint();
    },
  },
  run: {
    arguments: () => [{ steps: 3, progressEvery: 2 }],
    result: async ({ trainer }, ...given: Parameters<Trainer["run"]>) => {
      const before = trainer.step;
      const run = trainer.run(...given);
      await Promise.resolve(); // a generator's body begins when it is asked for its first value
      let after = before;
      for await (const { step } of run) after = step;
      return after - before;
    },
  },
};

/** Takes a caller's arguments back: buffers are filled with other numbers, options emptied. */
function spoil(given: unknown): void {
  if (ArrayBuffer.isView(given)) new Uint8Array(given.buffer).fill(63);
  else if (given instanceof ArrayBuffer) new Uint8Array(given).fill(63);
  else if (Array.isArray(given)) {
    given.forEach(spoil);
    if (typeof given[0] === "number") given.fill(0.5);
  } else if (typeof given === "object" && given !== null && Object.getPrototypeOf(given) === Object.prototype) {
    if ("name" in given || "kind" in given) return; // a part that divflow made, which nobody changes
    for (const [key, value] of Object.entries(given)) {
      spoil(value);
      Object.assign(given, { [key]: undefined });
    }
  }
}

const engines = {
  "on this thread, reference": () => createLocalRuntime({ backend: "reference" }).then((runtime) => ({ runtime })),
  "on this thread, WASM": () => createLocalRuntime({ backend: "wasm" }).then((runtime) => ({ runtime })),
  "in a worker": () => remoteEngine("wasm"),
};

test.each(Object.entries(engines))("arguments are used up when a call returns, %s", async (_name, engine) => {
  const { runtime } = await engine();
  try {
    const trainer = await runtime.createTrainer(smallOptions({ data, ema: ema({ decay: 0.9 }) }));
    const made = { runtime, trainer, model: trainer.model, file: await trainer.checkpoint() };
    for (const [name, call] of Object.entries(calls)) {
      const result = call.result as (made: Made, ...given: unknown[]) => Promise<unknown>;
      const expected = await result(made, ...call.arguments(made));
      const given = call.arguments(made);
      const promise = result(made, ...given);
      spoil(given);
      expect(await promise, name).toEqual(expected);
    }
  } finally {
    runtime.dispose();
  }
});

test("no call is left out", () => {
  const takeNothing = ["constructor", "memory", "checkpoint", "describe", "dispose", "prepared"];
  const takeText = ["verifyCase"];
  const inner = ["limits", "use", "check", "own", "release", "field", "solve", "stillWanted", "told", "work", "blocks"];
  const methods = [LocalRuntime, LocalTrainer, LocalModel].flatMap(({ prototype }) =>
    Object.getOwnPropertyNames(prototype).filter(
      (name) => typeof Object.getOwnPropertyDescriptor(prototype, name)?.value === "function",
    ),
  );
  const names = Object.keys(calls).map((name) => name.split(/:| /)[0]);
  expect(new Set([...names, ...takeNothing, ...takeText, ...inner])).toEqual(new Set(methods));
});

test("a part of a large array sends that part alone to a worker", async () => {
  let largest = 0;
  using remote = await remoteEngine("wasm", {}, (bytes) => {
    largest = Math.max(largest, bytes);
  });
  const trainer = await remote.runtime.createTrainer(smallOptions({ data: checkerboard() }));
  const file = await trainer.checkpoint();
  const large = new Float32Array(1 << 20);
  const bytes = new Uint8Array(1 << 22);
  bytes.set(file, 64);
  await trainer.model.logDensity(large.subarray(10, 20), { solver });
  await trainer.model.velocity(large.subarray(10, 20), large.subarray(0, 5));
  await trainer.model.encode(large.subarray(10, 20), { solver });
  await trainer.model.sample({ solver, times: large.subarray(0, 1), noise: large.subarray(10, 20) });
  await remote.runtime.loadModel(bytes.subarray(64, 64 + file.length));
  await remote.runtime.resumeTrainer(bytes.subarray(64, 64 + file.length));
  expect(large.length).toBe(1 << 20); // ours still, not moved there
  expect(largest).toBeLessThan(2 * file.length);
});

test("results come from a worker without being copied, and are right", async () => {
  let copied = 0;
  using remote = await remoteEngine(
    "wasm",
    {},
    () => {},
    everyBackend,
    (bytes) => {
      copied += bytes;
    },
  );
  const trainer = await remote.runtime.createTrainer(smallOptions({ data: checkerboard() }));
  const logDensity = { divergence: "exact" } as const;
  const results = async (trainer: Trainer) => [
    await trainer.checkpoint(),
    untimed(await trainer.model.sample({ count: 3, solver, times: [0.5, 1], logDensity })),
    untimed(await trainer.model.logDensity(points(), { solver })),
    untimed(await trainer.model.encode(points(), { solver, logDensity })),
    await trainer.model.velocity(points(), times()),
  ];
  const first = await results(trainer);
  expect(copied).toBe(0);
  expect(await results(trainer)).toEqual(first); // nothing that the engine needs went away
  await withRuntime("wasm", async (runtime) => {
    expect(await results(await runtime.createTrainer(smallOptions({ data: checkerboard() })))).toEqual(first);
  });
});
