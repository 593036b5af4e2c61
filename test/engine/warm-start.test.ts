// A run that begins at another model's parameters.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { arrayData, ConfigError, cfm, DataError, ema, type Model, mlp, rk4 } from "../../src/index.ts";
import { readCheckpoint } from "../../src/train/read-checkpoint.ts";
import { smallOptions, trainSteps, withRuntime } from "./small.ts";
import { remoteEngine } from "./worker.ts";

const solver = rk4({ steps: 2 });
const last = async (model: Model) => (await model.sample({ count: 5, solver, best: false, ema: false })).values;

test.each(["wasm", "reference"] as const)(
  "begins at the best parameters, else the average, else the last, on %s",
  (backend) =>
    withRuntime(backend, async (runtime) => {
      const data = arrayData(Array.from({ length: 30 }, (_, i) => [Math.sin(i * i), Math.cos(i)]));
      const before = await runtime.createTrainer(
        smallOptions({ data, ema: ema({ decay: 0.8 }), validation: 10, validateEvery: 2 }),
      );
      await trainSteps(before, 7);
      const file = await before.checkpoint();
      const { model } = before;
      for (const [from, how] of [
        [{}, { best: true }],
        [{ ema: true }, { ema: true }],
        [{ ema: false }, { ema: false }],
      ] as const) {
        const expected = (await model.sample({ count: 5, solver, ...how })).values;
        for (const given of [model, file, new Uint8Array(await model.checkpoint()).buffer]) {
          const initial = Object.keys(from).length > 0 ? { from: given, ...from } : given;
          const trainer = await runtime.createTrainer(smallOptions({ initial, ema: ema({ decay: 0.5 }) }));
          expect(trainer.step).toBe(0);
          expect(await last(trainer.model)).toEqual(expected);
          expect((await trainer.model.sample({ count: 5, solver })).values).toEqual(expected); // the average begins there
        }
      }
    }),
);

test("is validated before the first step, so that training cannot make it worse", () =>
  withRuntime("wasm", async (runtime) => {
    const data = arrayData(Array.from({ length: 30 }, (_, i) => [Math.sin(i * i), Math.cos(i)]));
    const options = smallOptions({ data, validation: 10, validateEvery: 5 });
    const before = await runtime.createTrainer(options);
    await trainSteps(before, 10);
    const trainer = await runtime.createTrainer({ ...options, initial: before.model });
    const steps: number[] = [];
    for await (const { validations } of trainer.run({ steps: 10 }))
      steps.push(...(validations ?? []).map(({ step }) => step));
    expect(steps).toEqual([0, 5, 10]);
  }));

test("a buffer that its owner uses again changes nothing", () =>
  withRuntime("wasm", async (runtime) => {
    const before = await runtime.createTrainer(smallOptions());
    await trainSteps(before, 3);
    const file = await before.checkpoint();
    const made = runtime.createTrainer(smallOptions({ initial: file }));
    file.fill(0);
    expect(await last((await made).model)).toEqual(await last(before.model));
  }));

test("crosses to a worker, from a model there or elsewhere", async () => {
  using remote = await remoteEngine("wasm");
  const before = await remote.runtime.createTrainer(smallOptions());
  await trainSteps(before, 3);
  const expected = await last(before.model);
  const there = await remote.runtime.createTrainer(smallOptions({ initial: before.model }));
  expect(await last(there.model)).toEqual(expected);
  await withRuntime("wasm", async (runtime) => {
    const here = await runtime.createTrainer(smallOptions({ initial: before.model }));
    expect(await last(here.model)).toEqual(expected);
  });
});

test("begins at a PyTorch file of another network, in a worker too", { timeout: 60_000 }, async () => {
  const file = new Uint8Array(readFileSync(new URL("../networks/cnn-classes.safetensors", import.meta.url)));
  using remote = await remoteEngine("wasm");
  await withRuntime("wasm", async (runtime) => {
    const { network } = await readCheckpoint(file, { config: { sample: [14, 4] } });
    const values = Array.from({ length: 4 * 14 * 4 }, (_, i) => Math.sin(i));
    const label = Uint8Array.of(0, 1, 2, 3).map((one) => one % (network.conditions?.["label"]?.classes ?? 1));
    const data = arrayData(values, [4, 14, 4], { conditions: { label } });
    const told = { conditions: { label: 1 } };
    const velocities = async ({ model }: { readonly model: Model }) => model.velocity(values.slice(0, 56), [0.5], told);
    using loadedModel = await runtime.loadModel(file, { config: { sample: [14, 4] } });
    const expected = await velocities({ model: loadedModel });
    for (const where of [runtime, remote.runtime]) {
      for (const initial of [file, { from: file }]) {
        const trainer = await where.createTrainer(smallOptions({ network, data, batchSize: 2, loss: cfm(), initial }));
        expect(await velocities(trainer)).toEqual(expected);
      }
    }
  });
});

test("what does not fit is refused", () =>
  withRuntime("wasm", async (runtime) => {
    const other = await runtime.createTrainer(smallOptions({ network: mlp({ dimension: 2, hidden: [4] }) }));
    await expect(runtime.createTrainer(smallOptions({ initial: other.model }))).rejects.toThrow(
      "the network to be trained",
    );
    const same = await runtime.createTrainer(smallOptions());
    const initial = { from: same.model, ema: true };
    await expect(runtime.createTrainer(smallOptions({ initial }))).rejects.toThrow(ConfigError);
    for (const wrong of [5, "model.safetensors", null, {}, [1]]) {
      await expect(runtime.createTrainer(smallOptions({ initial: wrong as never }))).rejects.toThrow(DataError);
    }
  }));
