// Reflow: the pairs that a model's flow makes, what trains on them, and how straight flows are.
import { describe, expect, test } from "vitest";
import type { Drawn } from "../../src/data/source.ts";
import type { Standardization } from "../../src/data/standardize.ts";
import { withStartRows } from "../../src/data/started.ts";
import { eulerMaruyama, onGrid, pairedWith, reflow, straightness } from "../../src/flows.ts";
import { evaluate } from "../../src/graph/evaluate.ts";
import type { Node } from "../../src/graph/node.ts";
import {
  adam,
  arrayData,
  ConfigError,
  createTrainer,
  DataError,
  eightGaussians,
  euler,
  fdm,
  load,
  type Model,
  mlp,
  moons,
  type Runtime,
  resume,
  sampleData,
  type TrainerOptions,
  ve,
} from "../../src/index.ts";
import { classes, numbers } from "../../src/networks.ts";
import { state } from "../../src/ops/sources.ts";
import { gaussianNetwork, mean, scale } from "../flow/gaussian-network.ts";
import { options } from "./paired.ts";
import { trainSteps, withRuntime } from "./small.ts";
import { remoteEngine } from "./worker.ts";

const trained = async (runtime: Pick<Runtime, "createTrainer">, changes: Partial<TrainerOptions> = {}, steps = 3) => {
  const trainer = await runtime.createTrainer(options({ start: undefined, ...changes }));
  await trainSteps(trainer, steps);
  return trainer.model;
};
const far = arrayData(
  sampleData(moons(), 64, 2).map((x) => 100 + 20 * x),
  [64, 2],
  { standardize: true, columns: ["a", "b"] },
);
const expectClose = (found: ArrayLike<number>, wanted: ArrayLike<number>, digits: number) => {
  expect(found.length).toBe(wanted.length);
  for (let i = 0; i < found.length; i++) expect(found[i]).toBeCloseTo(wanted[i] as number, digits);
};

describe("pairs of a model's flow", () => {
  test("are its samples and what they started from, here and in a worker", async () => {
    using remote = await remoteEngine("wasm");
    await withRuntime("wasm", async (local) => {
      for (const [runtime, data] of [
        [local, moons()],
        [remote.runtime, far],
      ] as const) {
        const model = await trained(runtime, { data });
        const pairs = await reflow(model, { count: 33, seed: 4 });
        expect(pairs.data.values).toEqual((await model.sample({ count: 33, seed: 4 })).values);
        expect(pairs.start).toBeUndefined();
        const starts = pairs.coupling.starts as Float64Array;
        const standardization = far.standardization as Standardization;
        const z = Array.from(starts, (x, i) =>
          data === far ? (x - standardization.mean[i % 2]) / standardization.std[i % 2] : x,
        );
        expectClose(z, (await model.encode(pairs.data.values)).values, 3);
        expectClose((await model.sample({ noise: z })).values, pairs.data.values, data === far ? 3 : 5);
        expect(pairs.data.standardization).toEqual(data.standardization);
        expect(pairs.data.columns).toEqual(data.columns);
      }
    });
  });

  test("bring what they were told along, in the model's units", () =>
    withRuntime("wasm", async (runtime) => {
      const given = (count: number) => ({
        label: Array.from({ length: count }, (_, i) => ["cat", "dog"][i % 2] as string),
        age: Float64Array.from({ length: count }, (_, i) => 10 + (i % 7)),
      });
      const network = mlp({
        dimension: 2,
        hidden: [6],
        conditions: { label: classes(2, { drop: 0.1 }), age: numbers() },
      });
      const data = arrayData(sampleData(moons(), 40, 2), [40, 2], { standardize: true, conditions: given(40) });
      const model = await trained(runtime, { network, data });
      const pairs = await reflow(model, { count: 20, conditions: given(20), guidance: 2 });
      expect(Array.from(pairs.data.conditionValues?.["label"] ?? [])).toEqual(
        Array.from({ length: 20 }, (_, i) => i % 2),
      );
      expect(pairs.data.conditionValues?.["age"]).toEqual(given(20).age);
      expect(pairs.data.conditions).toEqual(data.conditions);
      expect((await model.sample({ count: 20, conditions: given(20), guidance: 2 })).values).toEqual(pairs.data.values);
      await trained(runtime, { network, ...pairs, initial: model });
      const all = await reflow(model, { count: 6, conditions: { label: 1, age: 12 } });
      expect(Array.from(all.data.conditionValues?.["label"] ?? [])).toEqual([1, 1, 1, 1, 1, 1]);
      await expect(reflow(model, { count: 6, conditions: { label: null, age: 12 } })).rejects.toThrow(
        /"label" of reflow/,
      );
    }));

  test("from a start go on from it: a generator as it is, points as those that were drawn", () =>
    withRuntime("wasm", async (runtime) => {
      const model = await trained(runtime, { start: eightGaussians() });
      const pairs = await reflow(model, { count: 12, seed: 2 });
      expect(pairs.start).toMatchObject({ name: "eight-gaussians" });
      expectClose(pairs.coupling.starts as Float32Array, sampleData(eightGaussians(), 12, 2), 6);
      const own = arrayData(sampleData(eightGaussians(), 50, 1), [50, 2]);
      const ofPoints = await trained(runtime, { start: own });
      const points = await reflow(ofPoints, { start: [[0, 1]] });
      expect(points.start).toMatchObject({ name: "array", count: 1 });
      expect(Array.from(points.coupling.starts ?? [])).toEqual([0, 1]);
    }));

  test("start from N(0, I) whatever the deviation of the model's noise", () =>
    withRuntime("wasm", async (runtime) => {
      const model = await trained(runtime, { path: ve() });
      const { coupling } = await reflow(model, { count: 500 });
      const squares = Array.from(coupling.starts ?? [], (x) => x * x).reduce((a, b) => a + b) / 1000;
      expect(Math.abs(squares - 1)).toBeLessThan(4 * Math.sqrt(2 / 1000));
    }));

  test("are none of solvers that draw noise on the way", () =>
    withRuntime("wasm", async (runtime) => {
      const model = await trained(runtime);
      for (const solver of [eulerMaruyama({ steps: 2 }), onGrid(eulerMaruyama(), [0, 0.5, 1])]) {
        await expect(reflow(model, { solver })).rejects.toThrow(ConfigError);
        await expect(straightness(model, { solver })).rejects.toThrow(/solver of straightness/);
      }
      await expect(reflow(model, { count: 0 })).rejects.toThrow(ConfigError);
      await expect(reflow({} as Model)).rejects.toThrow(/model of reflow/);
    }));
});

describe("pairedWith", () => {
  test("draws a pair by one number, with what is told of it", () => {
    const ends = arrayData(
      Array.from({ length: 9 }, (_, i) => [i, 10 * i]),
      undefined,
      { standardize: true, conditions: { age: Float64Array.from({ length: 9 }, (_, i) => i) } },
    );
    const starts = Float64Array.from({ length: 18 }, (_, i) => 100 + i);
    const source = withStartRows(ends, starts);
    const rows = Uint32Array.of(3, 0, 8, 3);
    let draws = 0;
    const states = new Map<string, { shape: readonly number[]; data: Float64Array }>();
    const drawn = source.draw({
      rows: 4,
      random: (kind, shape, { bound } = {}) => {
        expect([kind, shape, bound, ++draws]).toEqual(["index", [4], 9, 1]);
        return state({ name: "rows", shape, dtype: "u32" });
      },
      state(name, shape, dtype) {
        states.set(name, { shape, data: Float64Array.from(source.state?.get(name) ?? []) });
        return state({ name, shape, dtype });
      },
    }) as Required<Drawn>;
    states.set("rows", { shape: [4], data: Float64Array.from(rows) });
    const age = drawn.conditions.get("age") as Node;
    const [points, start, told] = evaluate([drawn.points, drawn.start, age], states).map(({ data }) => data);
    const { mean, std } = ends.standardization as Standardization;
    const inUnits = (x: number, column: number) => (x - (mean[column] as number)) / (std[column] as number);
    const { mean: [m = 0] = [], std: [s = 1] = [] } = ends.conditions?.["age"]?.standardization ?? {};
    for (const [i, row] of rows.entries()) {
      expect(points?.[2 * i]).toBeCloseTo(inUnits(row, 0), 6);
      expect(points?.[2 * i + 1]).toBeCloseTo(inUnits(10 * row, 1), 6);
      expect(start?.[2 * i]).toBeCloseTo(inUnits(100 + 2 * row, 0), 5);
      expect(start?.[2 * i + 1]).toBeCloseTo(inUnits(101 + 2 * row, 1), 5);
      expect(told?.[i]).toBeCloseTo((row - m) / s, 6);
    }
  });

  test("wants rows of the data, as many as starts", () =>
    withRuntime("wasm", async (runtime) => {
      const coupling = pairedWith(Array.from({ length: 5 }, (_, i) => [i, i]));
      for (const data of [moons(), far]) {
        const error = await trained(runtime, { data, coupling }).catch((error) => error);
        expect(error).toBeInstanceOf(ConfigError);
        expect(error.message).toMatch(/beside the coupling pairedWith.*arrayData of 5 points/);
      }
      expect(() => pairedWith([[1, Number.NaN]])).toThrow(DataError);
    }));

  test("is known to files: what asks for a score is refused, densities and samples are not", () =>
    withRuntime("wasm", async (runtime) => {
      const first = await trained(runtime, { data: far });
      const pairs = await reflow(first, { count: 20 });
      const trainer = await createTrainer(runtime, options({ start: undefined, ...pairs, initial: first }));
      await trainSteps(trainer, 2);
      expect(trainer.warnings.join()).not.toMatch(/conditionCost|third power/);
      const file = await trainer.checkpoint();
      for (const model of [trainer.model, await load(runtime, file)]) {
        const { logDensity } = await model.sample({ count: 2, logDensity: true, solver: euler({ steps: 2 }) });
        expect(logDensity?.values.every(Number.isFinite)).toBe(true);
        expect((await reflow(model, { count: 3 })).start).toBeUndefined();
        const noisy = model.sample({ count: 2, solver: eulerMaruyama({ steps: 2 }) });
        await expect(noisy).rejects.toThrow(/of pairs, by coupling "paired-with"/);
      }
      await expect(trained(runtime, { ...pairs, loss: fdm() })).rejects.toThrow(/path that has a score/);
      const others = pairedWith(new Float64Array(40), [20, 2]);
      for (const given of [{}, { coupling: others }, { coupling: pairs.coupling, data: far }]) {
        const error = await resume(runtime, file, { data: pairs.data, ...given }).catch((error) => error);
        expect(error).toBeInstanceOf(DataError);
        expect(error.message).toMatch(/to resume with.*fingerprint/s);
      }
      const again = await reflow(first, { count: 20 });
      expect((await resume(runtime, file, again)).step).toBe(2);
    }));
});

describe("straightness", () => {
  // From N(0, I) to N(mean, scale^2 I) paths are z_t = t mean + sigma_t z_0, sigma_t^2 = (1 - t)^2 + (scale t)^2.
  const rate = (t: number) => (t - 1 + scale ** 2 * t) / Math.hypot(1 - t, scale * t);
  const PARTS = 10_000;
  const integral =
    Array.from({ length: PARTS }, (_, k) => (scale - 1 - rate((k + 0.5) / PARTS)) ** 2).reduce((a, b) => a + b) / PARTS;

  test.each([false, true])("of the flow between Gaussians is what quadrature says, standardised: %s", (standardize) =>
    withRuntime("wasm", async (runtime) => {
      const wide = arrayData([3, -7, 5, 9, 0, 1], [3, 2], { standardize });
      const model = await trained(runtime, { network: gaussianNetwork(), data: wide }, 0);
      const count = 400;
      const { value, standardError, distance, relative } = await straightness(model, { count, times: 64, seed: 3 });
      const { mean: shift, std } = wide.standardization ?? { mean: [0, 0], std: [1, 1] };
      const { trajectory } = await model.sample({ count, seed: 3, times: [0] });
      const z = Array.from(trajectory?.values ?? [], (x, i) => (x - (shift[i % 2] as number)) / (std[i % 2] as number));
      const squares = Array.from(
        { length: count },
        (_, i) => (z[2 * i] as number) ** 2 + (z[2 * i + 1] as number) ** 2,
      );
      const ofRows = (of: (row: number) => number) =>
        Array.from({ length: count }, (_, row) => of(row)).reduce((a, b) => a + b) / count;
      const middle = ofRows((row) => squares[row] as number);
      expect(value / (middle * integral)).toBeCloseTo(1, 3);
      const variance = ofRows((row) => ((squares[row] as number) - middle) ** 2);
      expect(standardError / (integral * Math.sqrt(variance / (count - 1)))).toBeCloseTo(1, 3);
      const ways = ofRows((row) =>
        [0, 1].reduce((sum, k) => sum + ((mean[k] as number) + (scale - 1) * (z[2 * row + k] as number)) ** 2, 0),
      );
      expect(distance / ways).toBeCloseTo(1, 4);
      expect(relative).toBe(value / distance);
    }),
  );

  test("falls by reflow, and one Euler step comes nearer to where the flow ends", () =>
    withRuntime("wasm", async (runtime) => {
      const shared = {
        ...{ network: mlp({ dimension: 2, hidden: [32, 32] }), batchSize: 64 },
        optimizer: adam({ learningRate: 4e-3 }),
      };
      const first = await trained(runtime, { ...shared, data: eightGaussians() }, 800);
      const next = await trained(runtime, { ...shared, ...(await reflow(first)), initial: first }, 400);
      const missOf = async (model: Model) => {
        const [one, full] = await Promise.all(
          [euler({ steps: 1 }), undefined].map((solver) =>
            model.sample({ count: 500, seed: 9, ...(solver ? { solver } : {}) }),
          ),
        );
        return (
          Array.from(one?.values ?? [], (x, i) => (x - (full?.values[i] as number)) ** 2).reduce((a, b) => a + b) / 500
        );
      };
      const [before, after] = [await straightness(first), await straightness(next)];
      expect(after.value + 4 * after.standardError).toBeLessThan(0.3 * before.value);
      expect(await missOf(next)).toBeLessThan(0.3 * (await missOf(first)));
    }));
});
