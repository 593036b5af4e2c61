// Labels as people have them: plain integers where the network says that they are labels, by names that stay the same.
import { describe, expect, test } from "vitest";
import {
  type ArrayDataOptions,
  arrayData,
  type DataSource,
  evaluateLosses,
  fdm,
  mlp,
  type Runtime,
  rk4,
  type TrainerOptions,
} from "../../src/index.ts";
import { classes, numbers } from "../../src/nn/conditions.ts";
import { smallOptions, trainSteps, withRuntime } from "./small.ts";
import { remoteEngine } from "./worker.ts";

const count = 12;
const kinds = Array.from({ length: count }, (_, i) => (i * i) % 3);
const ages = Array.from({ length: count }, (_, i) => 20 + i);
const points = Array.from({ length: count }, (_, i) => [10 + Math.sin(i), Math.cos(i * i)]);
const network = mlp({ dimension: 2, hidden: [4], conditions: { kind: classes(3), age: numbers() } });
type Kinds = NonNullable<ArrayDataOptions["conditions"]>[string];
const of = (kind: Kinds): DataSource =>
  arrayData(points, undefined, { standardize: true, conditions: { kind, age: ages } });
const told = (data: DataSource, more: Partial<TrainerOptions> = {}) =>
  smallOptions({ network, data, batchSize: 4, ...more });
const named = (names: readonly string[]): Kinds => ({ values: kinds, names });

/** All that training, samples and losses give, and the file. */
async function everything(runtime: Runtime, data: DataSource, validation?: TrainerOptions["validation"]) {
  const options = told(data, validation === undefined ? {} : { validation, validateEvery: 2 });
  const trainer = await runtime.createTrainer(options);
  const steps = await trainSteps(trainer, 4);
  const { values } = await trainer.model.sample({
    ...{ count: 3, solver: rk4({ steps: 2 }) },
    conditions: { kind: [0, 1, 2], age: 30 },
  });
  const losses = await evaluateLosses(runtime, trainer.model, { data, loss: fdm(), batches: 2, batchSize: 4 });
  return { steps, values, losses, best: trainer.best, file: await trainer.checkpoint() };
}

describe("plain integers", () => {
  test.each([
    ["an array", kinds],
    ["a Float32Array", Float32Array.from(kinds)],
    ["an array that says it is one number each", { values: kinds, shape: [count] }],
  ])("are labels where the network says so: %s gives what a Uint8Array gives, bit for bit", (_, given) =>
    withRuntime("wasm", async (runtime) => {
      const expected = await everything(runtime, of(Uint8Array.from(kinds)), 0.25);
      expect(await everything(runtime, of(given), 0.25)).toEqual(expected);
      using remote = await remoteEngine("wasm");
      expect(await everything(remote.runtime, of(given), 0.25)).toEqual(expected);
      const apart = await everything(runtime, of(Uint8Array.from(kinds)), of(Uint8Array.from(kinds)));
      expect(await everything(runtime, of(given), of(given))).toEqual(apart);
      for (const { file } of [expected, apart]) {
        const again = { data: of(given), validation: file === apart.file ? of(given) : undefined };
        const trainer = await runtime.resumeTrainer(file, again.validation ? again : { data: again.data });
        expect(trainer.step).toBe(4);
      }
    }),
  );

  test("stay numbers where the network is told numbers", () =>
    withRuntime("wasm", async (runtime) => {
      const plain = mlp({ dimension: 2, hidden: [4], conditions: { kind: numbers(), age: numbers() } });
      const trainer = await runtime.createTrainer(told(of(kinds), { network: plain }));
      expect(trainer.model.conditions["kind"]).toMatchObject({
        shape: [],
        standardization: { mean: [expect.any(Number)] },
      });
      expect(trainer.model.conditions["kind"]?.classes).toBeUndefined();
    }));

  test.each([
    [
      "beyond the classes",
      [...kinds.slice(0, 7), 3, ...kinds.slice(8)],
      /row 7 .*got 3, expected a label, an integer from 0 to 2/,
    ],
    ["below 0", [-1, ...kinds.slice(1)], /row 0 .*got -1/],
    ["no integer", [...kinds.slice(0, -1), 0.5], /row 11 .*got 0.5/],
  ])("%s are refused, by row", (_, wrong, message) =>
    withRuntime("wasm", async (runtime) => {
      await expect(runtime.createTrainer(told(of(wrong)))).rejects.toThrow(message);
      const good = of(Uint8Array.from(kinds));
      await expect(runtime.createTrainer(told(good, { validation: of(wrong) }))).rejects.toThrow(message);
      const { model } = await runtime.createTrainer(told(good));
      await expect(evaluateLosses(runtime, model, { data: of(wrong), loss: fdm() })).rejects.toThrow(message);
    }),
  );
});

describe("names of labels", () => {
  const [own, others] = [
    ["ape", "cat", "wolf"],
    ["ape", "wolf", "cat"],
  ] as const;
  const message = /names of condition "kind" of .*: got "?ape, wolf, cat: label 1 is wolf"?, expected ape, cat, wolf/;

  test("that stand for others in a model are refused, wherever data come to it", () =>
    withRuntime("wasm", async (runtime) => {
      const options = told(of(named(own)), { validation: of(named(own)), validateEvery: 2 });
      const trainer = await runtime.createTrainer(options);
      const file = await trainer.checkpoint();
      const [data, wrong] = [of(named(own)), of(named(others))];
      await expect(runtime.createTrainer({ ...options, validation: wrong })).rejects.toThrow(message);
      await expect(runtime.createTrainer({ ...options, data: wrong, validation: 2, initial: file })).rejects.toThrow(
        message,
      );
      await expect(runtime.resumeTrainer(file, { data: wrong, validation: data })).rejects.toThrow(message);
      await expect(runtime.resumeTrainer(file, { data, validation: wrong })).rejects.toThrow(message);
      await expect(evaluateLosses(runtime, trainer.model, { data: wrong, loss: fdm() })).rejects.toThrow(message);
      expect((await runtime.resumeTrainer(file, { data, validation: data })).step).toBe(0);
    }));

  test("may be fewer, more or none where those that both have are the same", () =>
    withRuntime("wasm", async (runtime) => {
      const { model } = await runtime.createTrainer(told(of(named(own))));
      const few = of({ values: kinds.map((kind) => Math.min(kind, 1)), names: ["ape", "cat"] });
      for (const data of [few, of(kinds)]) {
        expect((await evaluateLosses(runtime, model, { data, loss: fdm(), batches: 1 })).loss).toBeGreaterThan(0);
        expect((await runtime.createTrainer(told(data, { initial: model }))).step).toBe(0);
      }
      const begun = (await runtime.createTrainer(told(few))).model;
      expect((await runtime.createTrainer(told(of(named(own)), { initial: begun }))).step).toBe(0);
    }));
});
