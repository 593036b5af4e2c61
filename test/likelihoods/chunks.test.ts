// Samples in chunks: the bits of all at once, whatever the chunk; errors; what happens when training goes on between.
import { afterAll, beforeAll, expect, test } from "vitest";
import { ConfigError } from "../../src/errors.ts";
import {
  arrayData,
  cfm,
  classes,
  createRuntime,
  eightGaussians,
  euler,
  heun,
  type Model,
  mlp,
  type Samples,
  type Trainer,
} from "../../src/index.ts";
import { type SampleChunksOptions, sampleChunks } from "../../src/likelihoods.ts";
import { defineGuidance } from "../../src/networks.ts";
import { slice } from "../../src/ops/shape.ts";
import { smallOptions, trainSteps } from "../engine/small.ts";
import { type RemoteEngine, remoteEngine } from "../engine/worker.ts";

let remote: RemoteEngine;
const trainers: Record<string, Trainer> = {};
beforeAll(async () => {
  remote = await remoteEngine("wasm");
  const local = await createRuntime({ backend: "wasm" });
  for (const [name, runtime] of Object.entries({ "on this thread": local, "in a worker": remote.runtime })) {
    trainers[name] = await runtime.createTrainer(smallOptions());
    await trainSteps(trainers[name], 3);
  }
});
afterAll(() => remote[Symbol.dispose]());

async function all(model: Model, options: SampleChunksOptions): Promise<Samples[]> {
  const chunks = [];
  for await (const chunk of sampleChunks(model, options)) chunks.push(chunk);
  return chunks;
}
const joined = (chunks: readonly Samples[], of: (one: Samples) => ArrayLike<number> = ({ values }) => values) =>
  chunks.flatMap((one) => [...(of(one) as Float32Array)]);

// 4,096 points at most are solved at once: 9,000 are three parts of 3,000.
test.each([
  ["on this thread", 9000],
  ["on this thread", 700],
  ["in a worker", 4096],
  ["in a worker", 100_000],
] as const)("%s, by %i: the bits of all at once", async (where, chunk) => {
  const { model } = trainers[where] as Trainer;
  const options = { count: 9000, seed: 5, solver: heun({ steps: 2 }) };
  const chunks = await all(model, { ...options, chunk });
  const { values } = await model.sample(options);
  expect(joined(chunks)).toEqual([...values]);
  expect(chunks.map(({ count }) => count)).toEqual(
    Array.from({ length: Math.ceil(9000 / chunk) }, (_, i) => Math.min(chunk, 9000 - i * chunk)),
  );
  for (const { count, shape, values: own } of chunks) {
    expect(shape).toEqual([count, 2]);
    expect(own.length).toBe(2 * count);
  }
});

test.each(Object.keys({ "on this thread": 0, "in a worker": 0 }))(
  "%s: log-densities, ways and noise come along",
  async (where) => {
    const { model } = trainers[where] as Trainer;
    const noise = Float32Array.from({ length: 2 * 5000 }, (_, i) => Math.sin(1.7 * i));
    const options = { noise, logDensity: true, times: [0, 0.5, 1], solver: euler({ steps: 4 }) } as const;
    const whole = await model.sample(options);
    const chunks = await all(model, { ...options, chunk: 1999 });
    expect(joined(chunks)).toEqual([...whole.values]);
    expect(joined(chunks, (one) => one.logDensity?.values as Float64Array)).toEqual([
      ...(whole.logDensity?.values ?? []),
    ]);
    for (const time of [0, 1, 2]) {
      const there = ({ trajectory, count }: Samples) =>
        (trajectory?.values ?? []).slice(2 * time * count, 2 * (time + 1) * count) as Float32Array;
      expect(joined(chunks, there)).toEqual([...there(whole)]);
    }
  },
);

test("guided samples too, in a worker", async () => {
  const { model } = trainers["in a worker"] as Trainer;
  const guide = defineGuidance({ name: "right", build: ({ samples }) => slice(samples, 1, 0, 1) });
  const options = { count: 5000, guide, solver: euler({ steps: 3 }) };
  expect(joined(await all(model, { ...options, chunk: 3000 }))).toEqual([...(await model.sample(options)).values]);
});

test("progress is that of all; an end before the last leaves nothing behind", async () => {
  const { model } = trainers["on this thread"] as Trainer;
  const told: number[] = [];
  const onProgress = (done: number) => void told.push(done);
  for await (const chunk of sampleChunks(model, {
    count: 9000,
    chunk: 3000,
    solver: euler({ steps: 2 }),
    onProgress,
  })) {
    if (told.at(-1) === 6000) break;
    expect(chunk.count).toBe(3000);
  }
  expect(told.at(-1)).toBe(6000);
  expect([...told].sort((a, b) => a - b)).toEqual(told);
  expect((await model.sample({ count: 1, solver: euler({ steps: 1 }) })).count).toBe(1);
});

test("a model that is trained on between two chunks is an error, with other models nothing is", async () => {
  const trainer = await remote.runtime.createTrainer({
    ...smallOptions(),
    network: mlp({ dimension: 2, hidden: [4] }),
  });
  const chunks = sampleChunks(trainer.model, { count: 9000, chunk: 3000, solver: euler({ steps: 1 }) });
  expect((await chunks.next()).done).toBe(false);
  await trainSteps(trainer, 1);
  await expect(chunks.next()).rejects.toThrow(/one of step 1, after chunks of step 0/);
});

test("wrong options are refused at once", () => {
  const { model } = trainers["on this thread"] as Trainer;
  expect(() => sampleChunks(model, { count: 0 })).toThrow(ConfigError);
  expect(() => sampleChunks(model, {})).toThrow(ConfigError);
  expect(() => sampleChunks(model, { count: 5, chunk: 0 })).toThrow(/chunk of sampleChunks/);
  expect(() => sampleChunks(model, { count: 5, chunks: 2 } as never)).toThrow(/Did you mean chunk\?/);
  expect(() => sampleChunks(5 as never, { count: 5 })).toThrow(ConfigError);
});

test("points to start from are taken, as model.sample takes them", async () => {
  using runtime = await createRuntime({ backend: "wasm" });
  const { data } = smallOptions();
  const { model } = await runtime.createTrainer(smallOptions({ start: data, loss: cfm() }));
  const options = {
    start: [
      [1, 2],
      [3, 4],
      [5, 6],
    ],
    solver: euler({ steps: 2 }),
  } as never as SampleChunksOptions;
  expect(joined(await all(model, { ...options, chunk: 2 }))).toEqual([...(await model.sample(options)).values]);
});

test.each(["on this thread", "in a worker"])(
  "%s: many starts, drawn or given, are those of all at once",
  async (where) => {
    using local = await createRuntime({ backend: "wasm" });
    const runtime = where === "on this thread" ? local : remote.runtime;
    const { model } = await runtime.createTrainer(smallOptions({ start: eightGaussians(), loss: cfm() }));
    const solver = heun({ steps: 2 });
    const start = Float32Array.from({ length: 2 * 9000 }, (_, i) => Math.sin(1.7 * i));
    for (const options of [
      { count: 9000, seed: 3, solver },
      { start, solver },
      { count: 5000, seed: 3, solver },
    ]) {
      expect(joined(await all(model, { ...options, chunk: 3500 }))).toEqual([...(await model.sample(options)).values]);
    }
  },
);

test("what each of many is told is told to the right one, with a value for all beside it", async () => {
  using runtime = await createRuntime({ backend: "wasm" });
  const labels = Array.from({ length: 30 }, (_, i) => i % 3);
  const data = arrayData(
    Float64Array.from({ length: 60 }, (_, i) => Math.sin(i)),
    [30, 2],
    { conditions: { kind: { values: labels, classes: 3 }, place: { values: new Float64Array(60), shape: [30, 2] } } },
  );
  const conditions = { kind: classes(3, { drop: 0.1 }), place: { shape: [2] } };
  const network = mlp({ dimension: 2, hidden: [8], conditions });
  const trainer = await runtime.createTrainer(smallOptions({ data, network, loss: cfm() }));
  await trainSteps(trainer, 3);
  const count = 5000;
  const kind = Array.from({ length: count }, (_, i) => [null, 0, 1, 2][i % 4] as number);
  const place = Float32Array.from({ length: 2 * count }, (_, i) => Math.cos(i));
  const solver = euler({ steps: 2 });
  const nested = Array.from({ length: count }, (_, i) => [...place.slice(2 * i, 2 * i + 2)]);
  for (const told of [
    { kind, place },
    { kind: 1, place: nested },
    { kind, place: [1, 2] },
  ]) {
    const options = { count, solver, conditions: told as never };
    expect(joined(await all(trainer.model, { ...options, chunk: 4999 }))).toEqual([
      ...(await trainer.model.sample(options)).values,
    ]);
  }
  const wrong = (told: object) => () => sampleChunks(trainer.model, { count, solver, conditions: told as never });
  expect(wrong({ kind: [1, 2], place: [1, 2] })).toThrow(/condition "kind" of sampleChunks: got "2 labels".*5000/);
  expect(wrong({ kind: 1, place: [1, 2, 3] })).toThrow(
    /condition "place".*got "3 numbers".*2 for all points, or 10000/,
  );
  expect(() => sampleChunks(trainer.model, { count: 4, noise: [1, 2] })).toThrow(/count of sampleChunks: got 4/);
});
