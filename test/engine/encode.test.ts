// Data to noise and back: the flow's two directions undo each other, and densities agree on both ways.
import { describe, expect, test } from "vitest";
import { createLocalRuntime } from "../../src/engine/runtime.ts";
import {
  arrayData,
  ConfigError,
  DataError,
  dopri5,
  euler,
  LimitError,
  type Model,
  OutOfMemoryError,
  rk4,
  ve,
} from "../../src/index.ts";
import { smallOptions, trainSteps, withRuntime } from "./small.ts";
import { remoteEngine } from "./worker.ts";

const points = Float64Array.from({ length: 2 * 9 }, (_, i) => 2 * Math.sin(i * i + 1));
const solver = dopri5({ relativeTolerance: 1e-9, absoluteTolerance: 1e-9 });

const variants = {
  "data units are model units": () => smallOptions(),
  standardised: () =>
    smallOptions({
      data: arrayData(
        Array.from(points, (value) => 50 + 3 * value),
        [9, 2],
        { standardize: true },
      ),
    }),
  "a prior of deviation 5": () => smallOptions({ path: ve({ sigmaMin: 0.1, sigmaMax: 5 }) }),
};

describe.each(Object.entries(variants))("%s", (name, options) => {
  const there = name === "standardised" ? points.map((value) => 50 + 3 * value) : points;
  const trained = (use: (model: Model) => Promise<void>) =>
    withRuntime("reference", async (runtime) => {
      const trainer = await runtime.createTrainer(options());
      await trainSteps(trainer, 3);
      await use(trainer.model);
    });

  test("encode and sample({ noise }) undo each other", () =>
    trained(async (model) => {
      const encoded = await model.encode(there, { solver });
      expect(encoded).toMatchObject({ count: 9, dimension: 2 });
      expect(encoded.logDensity).toBeUndefined();
      const { values, count } = await model.sample({ noise: encoded.values, solver });
      expect(count).toBe(9);
      values.forEach((value, i) => {
        // Of size up to 60: the solver's 1e-9 a step, and f32 noise of up to 8, 2^-22 of it off, times deviations of 4.
        expect(Math.abs(value - (there[i] as number))).toBeLessThan(name === "standardised" ? 4e-6 : 1e-6);
      });
    }));

  test("densities agree: of encode, of logDensity, of sample from the noise", () =>
    trained(async (model) => {
      const encoded = await model.encode(there, { solver, logDensity: true });
      const judged = await model.logDensity(there, { solver });
      expect(encoded.logDensity).toEqual(judged);
      const { logDensity } = await model.sample({ noise: encoded.values, solver, logDensity: { divergence: "exact" } });
      logDensity?.values.forEach((value, i) => {
        expect(Math.abs(value - (judged.values[i] as number))).toBeLessThan(1e-5);
      });
    }));

  test("noise is what sampling starts from", () =>
    trained(async (model) => {
      const fixed = rk4({ steps: 5 });
      const drawn = await model.sample({ count: 6, seed: 3, times: [0], solver: fixed });
      const start = drawn.trajectory?.values as Float32Array | Float64Array;
      const mean = name === "standardised" ? await deviations(model) : undefined;
      const noise = Float64Array.from(start, (value, i) => (mean ? (value - mean.at(i)) / mean.std(i) : value));
      const { values } = await model.sample({ noise, solver: fixed });
      values.forEach((value, i) => {
        expect(Math.abs(value - (drawn.values[i] as number))).toBeLessThan(2e-5);
      });
    }));
});

/** Mean and standard deviation by element of the standardised data above: noise of zeros and of ones, before any step. */
async function deviations(model: Model) {
  const at = async (value: number) => {
    const { trajectory } = await model.sample({ noise: [[value, value]], times: [0], solver: euler({ steps: 1 }) });
    return trajectory?.values as Float64Array;
  };
  const [zero, one] = [await at(0), await at(1)];
  return {
    at: (i: number) => zero[i % 2] as number,
    std: (i: number) => (one[i % 2] as number) - (zero[i % 2] as number),
  };
}

test("many chunks are taken in order", () =>
  withRuntime("reference", async (runtime) => {
    const { model } = await runtime.createTrainer(smallOptions());
    const many = Float64Array.from({ length: 2 * 5000 }, (_, i) => Math.sin(i));
    const solver = euler({ steps: 1 });
    const { values } = await model.encode(many, { solver });
    const last = await model.encode(many.subarray(2 * 4990), { solver });
    expect(values.subarray(2 * 4990)).toEqual(last.values);
    const back = await model.sample({ noise: values, solver });
    expect(back.values.subarray(2 * 4990)).toEqual((await model.sample({ noise: last.values, solver })).values);
  }));

test("a worker gives the same bits", async () => {
  using remote = await remoteEngine("wasm");
  using local = await createLocalRuntime({ backend: "wasm" });
  const results = await Promise.all(
    [remote.runtime, local].map(async (runtime) => {
      const { model } = await runtime.createTrainer(smallOptions());
      const encoded = await model.encode(points, { logDensity: { divergence: "hutchinson", probes: 2 }, seed: 4 });
      const samples = await model.sample({ noise: encoded.values, logDensity: true });
      return [encoded, samples].map((result) => ({ ...result, seconds: 0 }));
    }),
  );
  expect(results[0]).toEqual(results[1]);
});

describe("options", () => {
  test.each<[string, object, abstract new (...given: never[]) => Error]>([
    ["neither count nor noise", {}, ConfigError],
    ["another count than the noise has", { noise: points, count: 8 }, ConfigError],
    ["half a point of noise", { noise: [1, 2, 3] }, DataError],
    ["noise that is not finite", { noise: [1, Number.NaN] }, DataError],
    ["noise as text", { noise: "1, 2" }, DataError],
    ["more than an array holds", { count: 2 ** 40 }, LimitError],
    ["more in all times than an array holds", { count: 2 ** 30, times: [0, 0.5, 1] }, LimitError],
    ["more estimates than an array holds", { count: 2 ** 25, logDensity: hutchinson(200) }, LimitError],
  ])("%s", (_name, options, error) =>
    withRuntime("wasm", async (runtime) => {
      const { model } = await runtime.createTrainer(smallOptions());
      const before = await runtime.memory();
      await expect(model.sample(options)).rejects.toThrow(error);
      expect(await runtime.memory()).toEqual(before); // before any work
    }),
  );

  test("results that memory has no room for are said so", async () => {
    const { resultArray } = await import("../../src/engine/points.ts");
    expect(() => resultArray(2 ** 52, true)).toThrow(OutOfMemoryError);
  });
});

function hutchinson(probes: number) {
  return { divergence: "hutchinson", probes } as const;
}
