// Models of pairs are judged on pairs: rows held out while training, and losses of a model. With a velocity of 0 everywhere, the
// loss of straight lines is half the mean squared distance of the pairs' ends in two dimensions, which the tests know otherwise.
import { describe, expect, test } from "vitest";
import type { DataSource } from "../../src/data/source.ts";
import { assignment } from "../../src/diagnostics.ts";
import { drawing, type Rows } from "../../src/engine/pair-rows.ts";
import type { Batches } from "../../src/flow/couplings/coupling.ts";
import { type Coupling, defineCoupling, independent, optimalTransport, pairedWith, reflow } from "../../src/flows.ts";
import {
  adam,
  arrayData,
  ConfigError,
  eightGaussians,
  evaluateLosses,
  fdm,
  load,
  moons,
  type Runtime,
  resume,
  sampleData,
  splitRows,
  streamData,
  type TrainerOptions,
  UnsupportedError,
  type ValidationMetrics,
} from "../../src/index.ts";
import { classes, defineNetwork, mlp, numbers, ops } from "../../src/networks.ts";
import { byFirst, identity, options, points } from "./paired.ts";
import { trainSteps, withRuntime } from "./small.ts";
import { remoteEngine } from "./worker.ts";

const still = defineNetwork({
  name: "still",
  sample: [2],
  parameters: [{ name: "rate", shape: [1], initial: { kind: "constant", value: 0 }, torchLayout: "as-is" }],
  apply: ({ x }, values) => ops.multiply(x, values.get("rate") as never),
});
const unmoved = (changes: Partial<TrainerOptions> = {}) =>
  options({ network: still, optimizer: adam({ learningRate: 1e-30 }), start: undefined, ...changes });
const squaresOf = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a, (x, i) => (x - (b[i] as number)) ** 2).reduce((sum, square) => sum + square, 0);
const cost = ({ points: a }: Rows, { points: b }: Rows) =>
  assignment({ values: a, shape: [a.length / 2, 2] }, { values: b, shape: [a.length / 2, 2] }).cost;
const validated = async (runtime: Pick<Runtime, "createTrainer">, changes: Partial<TrainerOptions>, steps = 2) => {
  const trainer = await runtime.createTrainer(unmoved({ validateEvery: 1, ...changes }));
  const found: ValidationMetrics[] = [];
  for await (const { validations = [] } of trainer.run({ steps })) found.push(...validations);
  return { trainer, found };
};

describe("evaluateLosses", () => {
  const judged = { data: moons(), loss: options().loss, batches: 3, batchSize: 32, seed: 5 };
  const drawn = (start: DataSource | undefined) => {
    const rows = drawing({ data: moons(), start, batchSize: 32, seed: 5, use: "evaluation" });
    return [0, 1, 2].map((batch) => rows(batch) as { readonly data: Rows; readonly start: Rows });
  };

  test.each([undefined, eightGaussians()])("takes pairs as the model's training did, from %o", (start) =>
    withRuntime("wasm", async (runtime) => {
      const model = async (coupling: Coupling) =>
        (await runtime.createTrainer(unmoved({ coupling, ...(start ? { start } : {}) }))).model;
      const lossOf = async (coupling: Coupling, changes = {}) =>
        (await evaluateLosses(runtime, await model(coupling), { ...judged, ...changes })).velocityLoss;
      const apart = drawn(start).reduce((sum, rows) => sum + squaresOf(rows.data.points, rows.start.points), 0) / 192;
      const least = drawn(start).reduce((sum, rows) => sum + cost(rows.start, rows.data), 0) / 192;
      expect(least).toBeLessThan(0.8 * apart);
      expect(await lossOf(optimalTransport())).toBeCloseTo(least, 5);
      expect(await lossOf(independent())).toBeCloseTo(apart, 5);
      expect(await lossOf(optimalTransport(), { coupling: independent() })).toBeCloseTo(apart, 5);
      expect(await lossOf(independent(), { coupling: optimalTransport() })).toBeCloseTo(least, 5);
    }),
  );

  test("of a model from a file takes what the file names, and asks for what it cannot hold", () =>
    withRuntime("wasm", async (runtime) => {
      const fileOf = async (changes: Partial<TrainerOptions>) =>
        load(runtime, await (await runtime.createTrainer(unmoved(changes))).checkpoint());
      const exact = await fileOf({ coupling: optimalTransport() });
      const least = drawn(undefined).reduce((sum, rows) => sum + cost(rows.start, rows.data), 0) / 192;
      expect((await evaluateLosses(runtime, exact, judged)).velocityLoss).toBeCloseTo(least, 5);
      const own = await fileOf({ coupling: byFirst() });
      await expect(evaluateLosses(runtime, own, judged)).rejects.toThrow(
        /coupling of evaluateLosses.*by first coordinate.*not at hand/,
      );
      expect((await evaluateLosses(runtime, own, { ...judged, coupling: byFirst() })).velocityLoss).toBeGreaterThan(
        least,
      );
      const from = await fileOf({ start: points });
      await expect(evaluateLosses(runtime, from, judged)).rejects.toThrow(
        /start of evaluateLosses.*not at hand.*as start/,
      );
      expect((await evaluateLosses(runtime, from, { ...judged, start: points })).velocityLoss).toBeGreaterThan(0);
      await expect(evaluateLosses(runtime, exact, { ...judged, start: points })).rejects.toThrow(/starts from noise/);
      await expect(evaluateLosses(runtime, exact, { ...judged, coupling: 3 as never })).rejects.toThrow(ConfigError);
    }));

  test("takes given pairs as they are, of these data alone", () =>
    withRuntime("wasm", async (runtime) => {
      const starts = sampleData(eightGaussians(), 40, 1);
      const data = arrayData(sampleData(moons(), 40, 1), [40, 2]);
      const { model } = await runtime.createTrainer(unmoved({ data, coupling: pairedWith(starts, [40, 2]) }));
      const { velocityLoss } = await evaluateLosses(runtime, model, { ...judged, data, batches: 400 });
      expect(velocityLoss / (squaresOf(starts, data.values) / 80)).toBeCloseTo(1, 1);
      await expect(evaluateLosses(runtime, model, judged)).rejects.toThrow(/data of evaluateLosses.*arrayData of 40/);
      await expect(
        evaluateLosses(runtime, await load(runtime, await model.checkpoint()), { ...judged, data }),
      ).rejects.toThrow(/"paired-with", which is not at hand/);
      const plain = await runtime.createTrainer(unmoved());
      await expect(
        evaluateLosses(runtime, plain.model, { ...judged, coupling: byFirst(), loss: fdm() }),
      ).rejects.toThrow(/loss of evaluateLosses.*path that has a score/);
    }));

  test("gives the same in a worker, of a function that stayed on the page too", () =>
    withRuntime("wasm", async (runtime) => {
      using remote = await remoteEngine("wasm");
      for (const [coupling, changes] of [
        [optimalTransport(), {}],
        [independent(), { coupling: byFirst() }],
        [byFirst(), {}],
      ] as const) {
        const [here, there] = await Promise.all(
          [runtime, remote.runtime].map(async (at) => {
            const { model } = await at.createTrainer(unmoved({ coupling, start: eightGaussians() }));
            return at.evaluateLosses(model, { ...judged, ...changes });
          }),
        );
        expect(there).toEqual(here);
      }
    }));
});

test("pairs that are drawn row by row are judged as rows without a coupling are, with what they are told", () =>
  withRuntime("wasm", async (runtime) => {
    const conditions = (count: number) => ({
      label: Uint32Array.from({ length: count }, (_, i) => i % 3),
      age: Float64Array.from({ length: count }, (_, i) => 30 + (i % 11)),
    });
    const told = (seed: number) =>
      arrayData(sampleData(moons(), 50, seed), [50, 2], { standardize: true, conditions: conditions(50) });
    const network = mlp({ dimension: 2, hidden: [6], conditions: { label: classes(3), age: numbers() } });
    const shared = { network, data: told(1), validation: 20, start: undefined, validateEvery: 1, seed: 4 };
    const found = [];
    for (const coupling of [independent(), defineCoupling({ name: "same", pair: identity, seesConditions: true })]) {
      const trainer = await runtime.createTrainer(options({ ...shared, coupling }));
      const [step] = await trainSteps(trainer, 1);
      const { velocityLoss } = trainer.best as ValidationMetrics;
      const others = { data: told(2), loss: options().loss, batches: 2, batchSize: 64 };
      found.push([step?.loss, velocityLoss, (await evaluateLosses(runtime, trainer.model, others)).loss]);
    }
    const [plain, paired] = found as [number[], number[]];
    for (const [i, loss] of plain.entries()) expect(paired[i]).toBeCloseTo(loss, 5);
  }));

describe("rows held out", () => {
  const data = arrayData(sampleData(moons(), 60, 2), [60, 2], { standardize: true });
  const { heldOut } = splitRows(60, 12, 3);
  const others = arrayData(
    Array.from(splitRows(60, 12, 3).training, (row) => Array.from(data.values.subarray(2 * row, 2 * row + 2))),
    undefined,
    { standardize: true },
  );

  test("are paired as in training, in batches as large, and never with what is trained on", () =>
    withRuntime("wasm", async (runtime) => {
      const seen: Batches[] = [];
      const coupling = defineCoupling({
        name: "seen",
        pair(batches) {
          seen.push(batches);
          return identity(batches);
        },
      });
      const trainer = await runtime.createTrainer(
        unmoved({ data, coupling, batchSize: 5, validation: 12, validateEvery: 1 }),
      );
      expect(seen.length).toBeGreaterThan(0);
      expect(new Set(seen.map(({ seed }) => seed)).size).toBe(seen.length);
      const made = seen.splice(0);
      const { standardization } = others;
      const inUnits = (x: number, i: number) =>
        (x - (standardization?.mean[i % 2] as number)) / (standardization?.std[i % 2] as number);
      const own = new Map(
        Array.from(heldOut, (row): [string, number] => [inUnits(data.values[2 * row] as number, 0).toFixed(9), 0]),
      );
      const times = made.flatMap(({ data }) =>
        Array.from({ length: data.length / 2 }, (_, i) => data[2 * i]?.toFixed(9)),
      );
      for (const x of times) own.set(x as string, Number(own.get(x as string) ?? Number.NaN) + 1);
      expect(new Set(own.values()).size).toBe(1);
      for (const { count } of made) expect(count).toBeLessThanOrEqual(5);
      const starts = made.flatMap(({ start }) => Array.from(start));
      const square = starts.reduce((sum, z) => sum + z * z, 0) / starts.length;
      expect(Math.abs(square - 1)).toBeLessThan(4 * Math.sqrt(2 / starts.length));
      const wanted = made.reduce((sum, one) => sum + squaresOf(one.start, one.data), 0) / starts.length;
      const found: ValidationMetrics[] = [];
      for await (const { validations = [] } of trainer.run({ steps: 3 })) found.push(...validations);
      expect(found).toHaveLength(3);
      for (const { velocityLoss } of found) expect(velocityLoss).toBeCloseTo(wanted, 5);
      for (const { start, seed } of seen) {
        for (const one of made) expect([start[0] === one.start[0], seed === one.seed]).toEqual([false, false]);
      }
    }));

  test("bring the starts that they were given", () =>
    withRuntime("wasm", async (runtime) => {
      const starts = Float64Array.from(sampleData(eightGaussians(), 60, 1));
      const { found } = await validated(runtime, {
        data,
        coupling: pairedWith(starts, [60, 2]),
        validation: 12,
      });
      const wanted = Array.from(heldOut).flatMap((row) =>
        [0, 1].map(
          (k) =>
            (((data.values[2 * row + k] as number) - (starts[2 * row + k] as number)) /
              (others.standardization?.std[k] as number)) **
            2,
        ),
      );
      const half = wanted.reduce((a, b) => a + b) / wanted.length;
      for (const { velocityLoss } of found) expect(velocityLoss / half).toBeCloseTo(1, 4);
      // Training takes the starts of its own rows: others change nothing.
      const losses = async (given: Float64Array) => {
        const one = await runtime.createTrainer(
          options({ start: undefined, data, coupling: pairedWith(given, [60, 2]), validation: 12 }),
        );
        return (await trainSteps(one, 3)).map(({ loss }) => loss);
      };
      const at = (row: number) => starts.map((x, i) => (Math.floor(i / 2) === row ? 1e3 : x));
      const before = await losses(starts);
      expect(await losses(at(heldOut[3] as number))).toEqual(before);
      const changed = await losses(
        Float64Array.from(starts, (x, i) => (heldOut.includes(Math.floor(i / 2)) ? x : x + 1)),
      );
      expect(changed).not.toEqual(before);
    }));

  test("are more than are looked at: some of them, each still with its start", () =>
    withRuntime("wasm", async (runtime) => {
      const starts = Float64Array.from({ length: 9000 }, (_, i) => Math.sin(i) * 10);
      const ends = arrayData(
        starts.map((x, i) => x + 3 + (i % 2)),
        [4500, 2],
      );
      const { found } = await validated(
        runtime,
        { data: ends, coupling: pairedWith(starts, [4500, 2]), validation: 4400 },
        1,
      );
      expect(found[0]?.velocityLoss).toBeCloseTo(25 / 2, 4);
    }));

  test("have a likelihood where starts are noise, and none elsewhere", () =>
    withRuntime("wasm", async (runtime) => {
      const shared = { data, validation: 12, earlyStopping: true };
      const paired = await validated(runtime, { ...shared, coupling: optimalTransport() });
      const alone = await validated(runtime, shared);
      expect(paired.found[0]?.negativeLogLikelihood).toBeCloseTo(alone.found[0]?.negativeLogLikelihood as number, 6);
      expect(paired.found[0]?.velocityLoss).not.toBeCloseTo(alone.found[0]?.velocityLoss as number, 3);
      const { found, trainer } = await validated(runtime, { ...shared, start: eightGaussians() });
      expect(found[0]?.negativeLogLikelihood).toBeUndefined();
      expect(trainer.best?.velocityLoss).toBe(found[0]?.velocityLoss);
      const by = { by: "negativeLogLikelihood" } as const;
      await expect(validated(runtime, { ...shared, start: eightGaussians(), earlyStopping: by })).rejects.toThrow(
        /by of earlyStopping beside a start/,
      );
    }));

  test("change no bit of training, and stand where they stood on resume, in a worker too", async () => {
    using remote = await remoteEngine("wasm");
    await withRuntime("wasm", async (runtime) => {
      const changes = { start: eightGaussians(), coupling: optimalTransport(), data };
      const given = options({ ...changes, validation: [...heldOut], validateEvery: 2 });
      const trainer = await runtime.createTrainer(given);
      const first = await trainSteps(trainer, 3);
      const bytes = await trainer.checkpoint();
      const wanted = [...first, ...(await trainSteps(trainer, 3))];
      for (const at of [runtime, remote.runtime]) {
        const again = await at.resumeTrainer(bytes, { data });
        expect([...first, ...(await trainSteps(again, 3))]).toEqual(wanted);
        expect(again.best).toEqual(trainer.best);
      }
      const plain = await runtime.createTrainer(options({ ...changes, data: others }));
      expect(await trainSteps(plain, 6)).toEqual(wanted);
    });
  });

  test("are refused where they have no start", () =>
    withRuntime("wasm", async (runtime) => {
      const rows = streamData({
        shape: [2],
        batches: function* () {
          for (;;) yield [[0, 1]];
        },
      });
      const stream = await validated(runtime, { data, validation: 12, start: rows }).catch((error) => error);
      expect(stream).toBeInstanceOf(UnsupportedError);
      expect(stream.message).toMatch(/start of createTrainer beside validation/);
      const coupling = pairedWith(data.values, [60, 2]);
      const source = await validated(runtime, { data, coupling, validation: moons() }).catch((error) => error);
      expect(source).toBeInstanceOf(ConfigError);
      expect(source.message).toMatch(/beside the coupling pairedWith.*rows of the data/);
    }));

  test("of a reflow go with their starts, and the run is resumed by the same pairs", () =>
    withRuntime("wasm", async (runtime) => {
      const { model } = await runtime.createTrainer(options({ start: undefined, data }));
      const pairs = await reflow(model, { count: 50 });
      const trainer = await runtime.createTrainer(options({ start: undefined, ...pairs, validation: 10 }));
      const first = await trainSteps(trainer, 2);
      const again = await resume(runtime, await trainer.checkpoint(), await reflow(model, { count: 50 }));
      expect([...first, ...(await trainSteps(again, 2))]).toEqual([...first, ...(await trainSteps(trainer, 2))]);
      expect(again.heldOutRows).toEqual(trainer.heldOutRows);
    }));
});
