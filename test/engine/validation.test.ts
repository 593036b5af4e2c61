// Rows held out: never trained on, judged while training, and the training none the wiser.
import { describe, expect, test } from "vitest";
import {
  arrayData,
  ConfigError,
  cfm,
  checkerboard,
  DataError,
  ema,
  mlp,
  type Progress,
  rk4,
  splitRows,
  type Trainer,
  type TrainerOptions,
  type ValidationMetrics,
} from "../../src/index.ts";
import { HostRandom } from "../../src/ops/threefry.ts";
import { smallOptions, trainSteps, withRuntime } from "./small.ts";

const normal = new HostRandom(5).normal(80, 0);
const rows = Array.from({ length: 40 }, (_, row) => [
  100 + 3 * (normal[2 * row] as number),
  normal[2 * row + 1] as number,
]);
const data = arrayData(rows, undefined, { standardize: true, columns: ["a", "b"] });

const earlyStopping = { patience: Number.POSITIVE_INFINITY, by: "velocityLoss" } as const;
const options = (changes: Partial<TrainerOptions> = {}) =>
  smallOptions({ data, validation: 0.25, validateEvery: 3, earlyStopping, batchSize: 4, ...changes });

async function validations(trainer: Trainer, steps: number, progressEvery?: number) {
  const made: ValidationMetrics[] = [];
  const reports: Progress[] = [];
  for await (const report of trainer.run({ steps, ...(progressEvery === undefined ? {} : { progressEvery }) })) {
    made.push(...(report.validations ?? []));
    reports.push(report);
  }
  return { made, reports };
}

describe("what is held out", () => {
  test("are rows drawn by seed, the same as splitRows gives", () =>
    withRuntime("wasm", async (runtime) => {
      const trainer = await runtime.createTrainer(options());
      const { training, heldOut } = splitRows(40, 0.25, 3);
      expect(trainer.heldOutRows).toEqual(heldOut);
      expect(trainer.trainingRows).toEqual(training);
      expect(heldOut.length).toBe(10);
    }));

  test("changes nothing of training: other values there, the same parameters; other values in training, others", () =>
    withRuntime("wasm", async (runtime) => {
      const { heldOut, training } = splitRows(40, 0.25, 3);
      const changed = (row: number) =>
        arrayData(rows.with(row, [1e4, -1e4]), undefined, { standardize: true, columns: ["a", "b"] });
      const trained = async (source: typeof data) => {
        const trainer = await runtime.createTrainer(options({ data: source }));
        await trainSteps(trainer, 7);
        const { values } = await trainer.model.sample({ count: 5, best: false, solver: rk4({ steps: 2 }) });
        return [...values];
      };
      const before = await trained(data);
      expect(await trained(changed(heldOut[4] as number))).toEqual(before);
      expect(await trained(changed(training[4] as number))).not.toEqual(before);
    }));

  test("training on the other rows alone gives the same bits", () =>
    withRuntime("wasm", async (runtime) => {
      const { training } = splitRows(40, 0.25, 3);
      const others = arrayData(
        Array.from(training, (row) => rows[row] as number[]),
        undefined,
        { standardize: true },
      );
      const split = await trainSteps(await runtime.createTrainer(options()), 8);
      const alone = await trainSteps(await runtime.createTrainer(smallOptions({ data: others, batchSize: 4 })), 8);
      expect(split).toEqual(alone);
    }));

  test("may be given by count, by number, or as a source", () =>
    withRuntime("wasm", async (runtime) => {
      expect((await runtime.createTrainer(options({ validation: 7 }))).heldOutRows?.length).toBe(7);
      const chosen = [39, 0, 5];
      expect((await runtime.createTrainer(options({ validation: chosen }))).heldOutRows).toEqual(
        Uint32Array.of(0, 5, 39),
      );
      const fresh = await runtime.createTrainer(smallOptions({ data: checkerboard(), validation: checkerboard() }));
      expect(fresh.heldOutRows).toBeUndefined();
      expect(fresh.trainingRows).toBeUndefined();
    }));

  test.each<[string, Partial<TrainerOptions>]>([
    ["all rows", { validation: 40 }],
    ["no row", { validation: 0 }],
    ["all of them as a share", { validation: 1.5 }],
    ["a row twice", { validation: [1, 1] }],
    ["a row that is not there", { validation: [40] }],
    ["a row between two", { validation: [0.5] }],
    ["an empty list", { validation: [] }],
    ["text", { validation: "0.1" as never }],
    ["a share of a generator", { data: checkerboard() }],
    ["a source of another dimension", { validation: arrayData([[1], [2]]) }],
    ["validateEvery 0", { validateEvery: 0 }],
    ["patience 0", { earlyStopping: { patience: 0 } }],
    ["an unknown criterion", { earlyStopping: { by: "loss" as never } }],
    ["a misspelt option", { earlyStopping: { patients: 3 } as never }],
    [
      "early stopping of nothing",
      { validation: undefined as never, validateEvery: undefined as never, earlyStopping: true },
    ],
    ["validateEvery of nothing", { validation: undefined as never }],
    ["negative jitter", { jitter: -1 }],
    [
      "jitter of a generator",
      { data: checkerboard(), validation: undefined as never, validateEvery: undefined as never, jitter: 0.1 },
    ],
  ])("%s: ConfigError", (_name, changes) =>
    withRuntime("wasm", async (runtime) => {
      const before = await runtime.memory();
      await expect(runtime.createTrainer(options(changes))).rejects.toThrow(ConfigError);
      expect(await runtime.memory()).toEqual(before);
    }),
  );
});

describe("validations", () => {
  test("come at multiples of validateEvery, whatever is reported, and have the same numbers", () =>
    withRuntime("wasm", async (runtime) => {
      const whole = await validations(await runtime.createTrainer(options()), 12);
      expect(whole.made.map(({ step }) => step)).toEqual([3, 6, 9, 12]);
      const cut = await runtime.createTrainer(options());
      const pieces = [];
      for (const steps of [1, 4, 1, 6]) pieces.push(...(await validations(cut, steps, 5)).made);
      expect(pieces).toEqual(whole.made);
      const last = whole.reports.at(-1);
      expect(last?.validation).toEqual(whole.made.at(-1));
    }));

  test("change no bit of training", () =>
    withRuntime("wasm", async (runtime) => {
      const [often, seldom] = [options({ validateEvery: 2 }), options({ validateEvery: 1000 })];
      const [a, b] = [await runtime.createTrainer(often), await runtime.createTrainer(seldom)];
      expect(await trainSteps(a, 8)).toEqual(await trainSteps(b, 8));
    }));

  test("take the loss on the rows held out, each equally often, and their likelihood", () =>
    withRuntime("wasm", async (runtime) => {
      const trainer = await runtime.createTrainer(
        options({ validateEvery: 4, loss: cfm(), earlyStopping: { by: "negativeLogLikelihood", patience: 99 } }),
      );
      const { made } = await validations(trainer, 4);
      const [metrics] = made as [ValidationMetrics];
      const points = Array.from(trainer.heldOutRows ?? [], (row) => rows[row] as number[]).flat();
      const { values } = await trainer.model.logDensity(Float64Array.from(points));
      const mean = -values.reduce((sum, value) => sum + value, 0) / 10;
      const variance = values.reduce((sum, value) => sum + (value + mean) ** 2, 0) / 9;
      expect(metrics.negativeLogLikelihood).toBeCloseTo(mean, 3);
      expect(metrics.standardError).toBeCloseTo(Math.sqrt(variance / 10), 3);
      // The same loss by batches drawn from the same rows: 4,000 draws of one each have an error of some hundredths.
      const { velocityLoss } = await runtime.evaluateLosses(trainer.model, {
        data: arrayData(Float64Array.from(points), [10, 2]),
        loss: cfm(),
        batchSize: 500,
        batches: 40,
      });
      expect(Math.abs(metrics.velocityLoss / velocityLoss - 1)).toBeLessThan(0.1);
    }));

  test("keep the best parameters: the model uses them, says their step, and files hold them", () =>
    withRuntime("wasm", async (runtime) => {
      const trainer = await runtime.createTrainer(options({ validateEvery: 2, ema: ema({ decay: 0.5 }) }));
      expect(trainer.best).toBeUndefined();
      await expect(trainer.model.sample({ count: 1, best: true })).rejects.toThrow(ConfigError);
      const { made } = await validations(trainer, 9);
      const best = made.filter((one) => one.best).at(-1);
      expect(trainer.best).toEqual(best);
      expect(Math.min(...made.map(({ velocityLoss }) => velocityLoss))).toBe(best?.velocityLoss);
      expect(trainer.model.step).toBe(best?.step);
      const short = await runtime.createTrainer(options({ validateEvery: 2, ema: ema({ decay: 0.5 }) }));
      await trainSteps(short, best?.step as number);
      const how = { count: 4, solver: rk4({ steps: 2 }) };
      const sampled = await trainer.model.sample(how);
      expect(sampled.values).toEqual((await short.model.sample({ ...how, ema: true })).values);
      expect(sampled.values).not.toEqual((await trainer.model.sample({ ...how, ema: true })).values);
      await expect(trainer.model.sample({ ...how, best: true, ema: true })).rejects.toThrow(ConfigError);
      for (const bytes of [await trainer.checkpoint(), await trainer.model.checkpoint()]) {
        const model = await runtime.loadModel(bytes);
        expect(model.step).toBe(best?.step);
        expect(model.columns).toEqual(["a", "b"]);
        expect((await model.sample(how)).values).toEqual(sampled.values);
        const { values } = await model.sample({ ...how, best: false, ema: false });
        expect(values).toEqual((await trainer.model.sample({ ...how, ema: false })).values);
      }
    }));
});

test("an abort at any moment leaves the state of its step, the validation that is due there included", () =>
  withRuntime("wasm", async (runtime) => {
    const undisturbed = await runtime.createTrainer(options());
    const files = [await undisturbed.checkpoint()];
    for await (const _ of undisturbed.run({ steps: 6, progressEvery: 1 })) files.push(await undisturbed.checkpoint());
    const ends = new Set<number>();
    for (let moment = 1; ; moment++) {
      const trainer = await runtime.createTrainer(options());
      const controller = new AbortController();
      const { signal } = controller;
      let reads = 0;
      Object.defineProperty(signal, "aborted", {
        get() {
          if (++reads === moment) controller.abort();
          return Reflect.get(AbortSignal.prototype, "aborted", signal);
        },
      });
      const run = async () => {
        for await (const _ of trainer.run({ steps: 6, signal })) void _;
      };
      await run().catch((error) => expect(error).toBe(signal.reason));
      const { step } = trainer;
      ends.add(step);
      if (moment % 2 === 0) await trainer.model.velocity([1, 2], [0.5]); // it too finds what is due done
      expect(trainer.best?.step ?? 0).toBeLessThanOrEqual(step);
      expect(await trainer.checkpoint(), `aborted at look ${moment}, step ${step}`).toEqual(files[step]);
      trainer.dispose();
      if (reads < moment) break; // it was never aborted
    }
    expect([...ends]).toEqual(expect.arrayContaining([0, 3, 6]));
  }));

test("few rows are judged by their likelihood at each validation, many by the velocity loss", () =>
  withRuntime("wasm", async (runtime) => {
    for (const [validation, isFew] of [
      [64, true],
      [65, false],
    ] as const) {
      const many = arrayData(Array.from({ length: 80 }, (_, i) => [Math.sin(i), Math.cos(i * i)]));
      const trainer = await runtime.createTrainer(smallOptions({ data: many, validation, validateEvery: 1 }));
      const { made } = await validations(trainer, 1);
      expect(made[0]?.negativeLogLikelihood !== undefined).toBe(isFew);
    }
  }));

describe("early stopping", () => {
  // A rate that makes the model worse from some step on.
  const stopping = () => options({ validateEvery: 2, earlyStopping: { patience: 3, by: "velocityLoss" }, loss: cfm() });

  test("ends a run after so many validations without a better one, for good, however it is cut or resumed", () =>
    withRuntime("wasm", async (runtime) => {
      const whole = await runtime.createTrainer(stopping());
      const { made, reports } = await validations(whole, 5000);
      const stop = whole.step;
      expect(whole.stopped).toBe(true);
      expect(stop).toBeLessThan(5000);
      expect(reports.at(-1)?.stopped).toBe(true);
      expect(reports.slice(0, -1).every(({ stopped }) => stopped === undefined)).toBe(true);
      expect(made.slice(-4).map(({ best }) => best)).toEqual([true, false, false, false]);
      expect(stop).toBe((whole.best?.step as number) + 6);
      expect((await whole.run({ steps: 5 }).next()).done).toBe(true);

      const cut = await runtime.createTrainer(stopping());
      await trainSteps(cut, stop - 3); // in the middle of the window
      const resumed = await runtime.resumeTrainer(await cut.checkpoint(), { data });
      expect(resumed.best).toEqual(whole.best);
      expect(resumed.stopped).toBe(false);
      await trainSteps(resumed, 5000);
      expect(resumed.step).toBe(stop);
      expect(await resumed.checkpoint()).toEqual(await whole.checkpoint());
      const again = await runtime.resumeTrainer(await whole.checkpoint(), { data });
      expect(again.stopped).toBe(true);
      expect((await again.run({ steps: 5 }).next()).done).toBe(true);
    }));

  test("an abort at any place changes neither numbers nor stop", () =>
    withRuntime("wasm", async (runtime) => {
      const whole = await runtime.createTrainer(stopping());
      await trainSteps(whole, 5000);
      const cut = await runtime.createTrainer(stopping());
      for (let tries = 0; !cut.stopped && tries < 1000; tries++) {
        const signal = AbortSignal.timeout(2 + 5 * (tries % 9));
        try {
          for await (const _ of cut.run({ steps: 5000, signal })) void _;
        } catch (error) {
          expect(error).toBe(signal.reason);
        }
      }
      expect(await cut.checkpoint()).toEqual(await whole.checkpoint());
    }));
});

test("a file of a run on a source of its own asks for that source again, where it cannot be made", () =>
  withRuntime("wasm", async (runtime) => {
    const [training, held] = [arrayData(rows.slice(0, 20)), arrayData(rows.slice(20))];
    const trainer = await runtime.createTrainer(options({ data: training, validation: held }));
    await trainSteps(trainer, 4);
    const bytes = await trainer.checkpoint();
    await expect(runtime.resumeTrainer(bytes, { data: training })).rejects.toThrow(DataError);
    await expect(runtime.resumeTrainer(bytes, { data: training, validation: training })).rejects.toThrow(DataError);
    const again = await runtime.resumeTrainer(bytes, { data: training, validation: held });
    expect((await validations(again, 5)).made).toEqual((await validations(trainer, 5)).made);
  }));

test("columns in another order are refused on resuming", () =>
  withRuntime("wasm", async (runtime) => {
    const bytes = await (await runtime.createTrainer(options())).checkpoint();
    const swapped = arrayData(rows, undefined, { standardize: true, columns: ["b", "a"] });
    await expect(runtime.resumeTrainer(bytes, { data: swapped })).rejects.toThrow("columns");
  }));

describe("jitter", () => {
  test("is noise upon the rows, none on those held out, and files keep it", () =>
    withRuntime("wasm", async (runtime) => {
      const plain = await runtime.createTrainer(options({ validateEvery: 1 }));
      const noisy = await runtime.createTrainer(options({ validateEvery: 1, jitter: 0.3 }));
      const [before, after] = [await validations(plain, 1), await validations(noisy, 1)];
      expect(after.reports[0]?.loss).not.toBe(before.reports[0]?.loss);
      const resumed = await runtime.resumeTrainer(await noisy.checkpoint(), { data });
      expect(await trainSteps(resumed, 4)).toEqual(await trainSteps(noisy, 4));
    }));

  test("is in standardised units, also of data that are not standardised", () =>
    withRuntime("wasm", async (runtime) => {
      // All rows alike in one coordinate, spread in the other: a velocity network of zeros has loss mean |x1 - x0|^2.
      const spread = arrayData(Array.from({ length: 64 }, (_, i) => [0, i % 2 === 0 ? -50 : 50]));
      const loss = async (jitter: number) => {
        const trainer = await runtime.createTrainer(
          smallOptions({
            data: spread,
            jitter,
            batchSize: 4096,
            loss: cfm(),
            network: mlp({ dimension: 2, hidden: [2] }),
          }),
        );
        return (await trainSteps(trainer, 1))[0]?.loss as number;
      };
      // Noise of half a deviation, 25, adds 625 to one of two coordinates' squares; a constant one has deviation 1.
      expect((await loss(0.5)) - (await loss(0))).toBeGreaterThan(250);
      expect((await loss(0.5)) - (await loss(0))).toBeLessThan(380);
    }));
});

describe("warnings", () => {
  test("say when there are fewer rows than parameters", () =>
    withRuntime("wasm", async (runtime) => {
      const few = await runtime.createTrainer(
        options({ validation: undefined as never, validateEvery: undefined as never, earlyStopping: false }),
      );
      expect(few.warnings).toEqual([expect.stringContaining("40 rows to train on, and 71 parameters")]);
      expect(few.warnings[0]).toMatch(/add noise \(jitter: "auto"\)/);
      const only = { validation: undefined as never, validateEvery: undefined as never, earlyStopping: false };
      const one = await runtime.createTrainer(options({ data: arrayData([1, 2], [1, 2]), ...only }));
      expect(one.warnings).toEqual([expect.stringMatching(/^1 row to train on, and/)]);
      const values = Array.from({ length: 1000 }, (_, i) => Math.sin(i));
      const large = mlp({ dimension: 2, hidden: [32, 32] });
      const many = await runtime.createTrainer(options({ network: large, data: arrayData(values, [500, 2]) }));
      expect(many.warnings[0]).toMatch(/375 rows to train on/);
      expect(many.warnings[0]).not.toMatch(/jitter/); // "auto" would be none: it makes models of so many rows worse
      const small = mlp({ dimension: 2, hidden: [2] });
      const enough = await runtime.createTrainer(options({ network: small }));
      expect(enough.warnings).toEqual([]);
    }));
});
