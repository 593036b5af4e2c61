// Sampling and judging on the f64 reference: closed forms where the field has one, and promises about options.
import { describe, expect, test } from "vitest";
import type { Solver, SolveStatus } from "../../src/flow/solvers/solver.ts";
import { evaluate } from "../../src/graph/evaluate.ts";
import {
  adam,
  arrayData,
  ConfigError,
  checkerboard,
  condOT,
  DataError,
  dopri5,
  ema,
  euler,
  fdm,
  load,
  type Model,
  mlp,
  NumericError,
  type Runtime,
  rk4,
  StiffnessError,
  ve,
} from "../../src/index.ts";
import { parameterLayout, parameterViews } from "../../src/nn/network.ts";
import { constant, table } from "../../src/ops/sources.ts";
import type { BatchUse } from "../../src/ops/streams.ts";
import { buildBatchLosses } from "../../src/train/batch.ts";
import { writeCheckpoint } from "../../src/train/checkpoint.ts";
import { readCheckpoint } from "../../src/train/read-checkpoint.ts";
import { smallOptions, trainSteps, withRuntime } from "./small.ts";

const network = mlp({ dimension: 2, hidden: [2], activation: "relu" });

/**
 * A model whose field is v(x) = rate x, exactly: hidden units relu(x_1 + SHIFT) and relu(x_2 + SHIFT) are linear for
 * all |x| < SHIFT. Its flow from 0 to 1 multiplies by e^rate, so p_1 = N(0, e^(2 rate) I) for the prior N(0, I).
 */
function linearModel(runtime: Runtime, rate: number, standardization?: { mean: number[]; std: number[] }) {
  const shift = 64;
  // Layout: "0.weight" [3, 2], "2.weight" [2, 2] are no multiples of 4 and 4: 2.weight comes first.
  const values: Record<string, number[]> = {
    "2.weight": [rate, 0, 0, rate],
    "0.weight": [1, 0, 0, 1, 0, 0],
    "0.bias": [shift, shift],
    "2.bias": [-rate * shift, -rate * shift],
  };
  const order = ["2.weight", "0.weight", "0.bias", "2.bias"];
  const bytes = writeCheckpoint({
    network,
    path: condOT(),
    standardization,
    step: 0,
    backend: "reference",
    parameters: Float64Array.from(order.flatMap((name) => values[name] as number[])),
    average: undefined,
    training: undefined,
  });
  return load(runtime, bytes);
}

const gaussian = (x: ArrayLike<number>, mean: number, deviation: number) =>
  [0, 1].reduce((sum, i) => sum - 0.5 * (((x[i] as number) - mean) / deviation) ** 2, 0) -
  Math.log(2 * Math.PI * deviation ** 2);

/** Samples and densities come as f32: 2^-24 of their size, which is below 16 here. */
const f32 = 1e-6;
const points = Float64Array.of(0.5, -1, 2, 1.5, 0, 0, -3, 0.25, 1, 1);

describe.each([
  ["data units are model units", undefined],
  ["standardised data", { mean: [10, 10], std: [4, 4] }],
])("the flow of v(x) = x log 2, %s", (_name, standardization) => {
  const rate = Math.log(2);
  const [mean, std] = standardization ? [10, 4] : [0, 1];
  const solver = dopri5({ relativeTolerance: 1e-9, absoluteTolerance: 1e-9 });

  test("gives the log-density of a normal distribution of twice the width", () =>
    withRuntime("reference", async (runtime) => {
      const model = await linearModel(runtime, rate, standardization);
      const shifted = points.map((value) => mean + std * value);
      for (const solver of [rk4({ steps: 40 }), dopri5()]) {
        const { values, standardError } = await model.logDensity(shifted, { solver });
        expect([...standardError]).toEqual([0, 0, 0, 0, 0]);
        values.forEach((value, i) => {
          const expected = gaussian(shifted.subarray(2 * i, 2 * i + 2), mean, 2 * std);
          expect(Math.abs(value - expected)).toBeLessThan(2e-5); // dopri5's tolerance of 1e-5, a few steps
        });
      }
    }));

  test("estimates it by Hutchinson's probes without error, since J is diagonal", () =>
    withRuntime("reference", async (runtime) => {
      const model = await linearModel(runtime, rate, standardization);
      const shifted = points.map((value) => mean + std * value);
      const exact = await model.logDensity(shifted, { solver });
      const { values, standardError } = await model.logDensity(shifted, {
        solver,
        divergence: "hutchinson",
        probes: 3,
      });
      values.forEach((value, i) => {
        expect(Math.abs(value - (exact.values[i] as number))).toBeLessThan(1e-5);
      });
      for (const error of standardError) expect(error).toBeLessThan(1e-6);
    }));

  test("carries samples along their way, with their densities", () =>
    withRuntime("reference", async (runtime) => {
      const model = await linearModel(runtime, rate, standardization);
      const times = [0, 0.25, 0.5, 1];
      const { values, trajectory, logDensity, count } = await model.sample({
        count: 50,
        times,
        solver,
        logDensity: true,
      });
      expect(count).toBe(50);
      expect(trajectory?.times).toEqual(times);
      const way = (trajectory as { values: Float32Array }).values;
      expect(way.subarray(300)).toEqual(values);
      for (let i = 0; i < 100; i++) {
        const start = ((way[i] as number) - mean) / std;
        times.forEach((time, j) => {
          const expected = mean + std * start * 2 ** time;
          expect(Math.abs((way[100 * j + i] as number) - expected)).toBeLessThan(16 * f32 * std);
        });
      }
      for (let i = 0; i < 50; i++) {
        const expected = gaussian(values.subarray(2 * i, 2 * i + 2), mean, 2 * std);
        expect(Math.abs((logDensity?.values[i] as number) - expected)).toBeLessThan(16 * f32);
      }
    }));

  test("has its velocities in data units", () =>
    withRuntime("reference", async (runtime) => {
      const model = await linearModel(runtime, rate, standardization);
      const shifted = points.map((value) => mean + std * value);
      const velocities = await model.velocity(shifted, Float32Array.of(0, 0.1, 0.5, 0.9, 1));
      velocities.forEach((velocity, i) => {
        expect(Math.abs(velocity - std * rate * (points[i] as number))).toBeLessThan(32 * f32 * std);
      });
    }));
});

test("samples of a path start from its prior", () =>
  withRuntime("reference", async (runtime) => {
    const path = ve({ sigmaMin: 0.01, sigmaMax: 5 });
    const trainer = await runtime.createTrainer(smallOptions({ path }));
    const { trajectory } = await trainer.model.sample({ count: 2000, times: [0], solver: euler({ steps: 1 }) });
    const noise = [...(trajectory as { values: Float32Array }).values];
    const variance = noise.reduce((sum, value) => sum + value ** 2, 0) / noise.length;
    // The mean of 4000 squares of N(0, s^2) has standard deviation s^2 sqrt(2 / 4000); 5 of them.
    expect(Math.abs(variance / path.priorDeviation ** 2 - 1)).toBeLessThan(5 * Math.sqrt(2 / 4000));
  }));

describe("chunks", () => {
  // Exact traces in this many dimensions take more than one chunk: 2^24 / (501 * 512) = 65 rows.
  const wide = () => mlp({ dimension: 500, hidden: [512], activation: "tanh" });

  test("do not change what a fixed-step solver gives for given points", async () => {
    const { chunksOf } = await import("../../src/engine/chunks.ts");
    expect(chunksOf(10_000, network, 2)).toEqual({ rows: 3334, chunks: 3 });
    expect(chunksOf(1, network, 2)).toEqual({ rows: 1, chunks: 1 });
    expect(chunksOf(100, wide(), 500)).toEqual({ rows: 50, chunks: 2 });
    await withRuntime("reference", async (runtime) => {
      const model = await linearModel(runtime, 0.3);
      const many = Float64Array.from({ length: 2 * 4099 }, (_, i) => Math.sin(i));
      const solver = euler({ steps: 2 });
      const { values } = await model.logDensity(many, { solver });
      const few = await model.logDensity(many.subarray(2 * 4090), { solver });
      expect(values.subarray(4090)).toEqual(few.values);
      const { values: samples } = await model.sample({ count: 4099, solver });
      expect(new Set(samples).size).toBeGreaterThan(8100); // 24-bit uniforms behind 8198 normals may meet
    });
  });
});

describe("options", () => {
  const use = (check: (model: Model) => Promise<void>) =>
    withRuntime("reference", async (runtime) => check(await linearModel(runtime, 0.5)));

  test.each<[string, (model: Model) => Promise<unknown>]>([
    ["count 0", (model) => model.sample({ count: 0 })],
    ["seed 0.5", (model) => model.sample({ count: 1, seed: 0.5 })],
    ["times out of order", (model) => model.sample({ count: 1, times: [0.5, 0.25] })],
    ["a time beyond 1", (model) => model.sample({ count: 1, times: [0.5, 1.25] })],
    ["an unknown option", (model) => model.sample({ count: 1, steps: 10 } as never)],
    ["an average that is not there", (model) => model.sample({ count: 1, ema: true })],
    ["divergence by name", (model) => model.logDensity(points, { divergence: "trace" as never })],
    ["probes 0", (model) => model.logDensity(points, { divergence: "hutchinson", probes: 0 })],
    [
      "batches 0",
      (model) =>
        (model as never as { evaluateLosses: (o: object) => Promise<unknown> }).evaluateLosses({
          data: checkerboard(),
          loss: fdm(),
          batches: 0,
        }),
    ],
  ])("%s: ConfigError", (_name, call) => use(async (model) => expect(call(model)).rejects.toThrow(ConfigError)));

  test.each<[string, (model: Model) => Promise<unknown>]>([
    ["half a point", (model) => model.logDensity(new Float32Array(3))],
    ["no points", (model) => model.logDensity(new Float32Array())],
    ["NaN", (model) => model.logDensity(Float32Array.of(0, Number.NaN))],
    ["infinity", (model) => model.velocity(Float32Array.of(0, Number.POSITIVE_INFINITY), Float32Array.of(0))],
    ["one time for two points", (model) => model.velocity(new Float32Array(4), Float32Array.of(0))],
    ["a time beyond 1", (model) => model.velocity(new Float32Array(2), Float32Array.of(1.5))],
  ])("%s: DataError", (_name, call) => use(async (model) => expect(call(model)).rejects.toThrow(DataError)));

  test("equal seeds give equal bits, others do not", () =>
    use(async (model) => {
      const draw = async (seed: number) => (await model.sample({ count: 10, seed })).values;
      expect(await draw(7)).toEqual(await draw(7));
      expect(await draw(7)).not.toEqual(await draw(8));
    }));
});

describe("failures", () => {
  test("a solver without enough steps is a StiffnessError", () =>
    withRuntime("reference", async (runtime) => {
      const model = await linearModel(runtime, 3);
      const solver = dopri5({ relativeTolerance: 1e-10, absoluteTolerance: 1e-10, maximumSteps: 3 });
      await expect(model.sample({ count: 3, solver })).rejects.toThrow(StiffnessError);
      expect((await model.sample({ count: 3 })).count).toBe(3); // the model goes on
    }));

  test("samples that are not finite are a NumericError", () =>
    withRuntime("reference", async (runtime) => {
      const model = await linearModel(runtime, 1e36);
      await expect(model.sample({ count: 3, solver: rk4({ steps: 3 }) })).rejects.toThrow(NumericError);
    }));

  test("an abort between submissions stops a solve", () =>
    withRuntime("reference", async (runtime) => {
      const model = await linearModel(runtime, 0.5);
      const controller = new AbortController();
      const solve = model.sample({ count: 100, solver: euler({ steps: 1_000_000 }), signal: controller.signal });
      setTimeout(() => controller.abort(), 40);
      await expect(solve).rejects.toThrow();
      expect((await model.sample({ count: 3 })).count).toBe(3);
    }));
});

describe("memory", () => {
  test("does not grow with calls", () =>
    withRuntime("reference", async (runtime) => {
      const trainer = await runtime.createTrainer(smallOptions());
      const round = async () => {
        await trainer.model.sample({ count: 7, solver: euler({ steps: 2 }), logDensity: true });
        await trainer.model.logDensity(points, { solver: euler({ steps: 2 }) });
        await runtime.evaluateLosses(trainer.model, { data: checkerboard(), loss: fdm(), batchSize: 4, batches: 2 });
        return runtime.memory();
      };
      const first = await round();
      for (let i = 0; i < 3; i++) expect(await round()).toEqual(first);
      for (let count = 1; count < 12; count++) await trainer.model.sample({ count, solver: euler({ steps: 1 }) });
      const after = await runtime.memory();
      await trainer.model.sample({ count: 12, solver: euler({ steps: 1 }) });
      expect((await runtime.memory()).buffers).toBe(after.buffers);
    }));

  test("of a loaded model goes with it, twice", () =>
    withRuntime("reference", async (runtime) => {
      const before = await runtime.memory();
      const model = await linearModel(runtime, 0.5);
      await model.logDensity(points);
      model.dispose();
      model.dispose();
      expect(await runtime.memory()).toEqual(before);
      await expect(model.logDensity(points)).rejects.toThrow("the model");
      await expect(model.checkpoint()).rejects.toThrow("the model");
    }));
});

test("the average of the parameters is used unless the caller says otherwise", () =>
  withRuntime("reference", async (runtime) => {
    const options = smallOptions({ ema: ema({ decay: 0.9 }), optimizer: adam({ learningRate: 0.1 }) });
    const trainer = await runtime.createTrainer(options);
    await trainSteps(trainer, 5);
    const model = await load(runtime, await trainer.model.checkpoint());
    const times = new Float32Array(5);
    const [own, averaged] = [await model.velocity(points, times, { ema: false }), await model.velocity(points, times)];
    expect(own).not.toEqual(averaged);
    expect(await trainer.model.velocity(points, times)).toEqual(averaged);
    expect(await trainer.model.velocity(points, times, { ema: false })).toEqual(own);
  }));

describe.each(["wasm", "reference"] as const)("every solve ends on %s", (backend) => {
  test("at times that are 0 or equal in f32", () =>
    withRuntime(backend, async (runtime) => {
      const model = await linearModel(runtime, 0.5);
      for (const times of [
        [Number.MIN_VALUE, 1],
        [1e-300, 1e-200, 0.5, 0.5 + 1e-12, 1],
      ]) {
        const { values, trajectory } = await model.sample({ count: 4, times });
        expect(values.every(Number.isFinite)).toBe(true);
        expect(trajectory?.values.slice(-values.length)).toEqual(values);
      }
    }));

  test("with an error when its status never says so", () =>
    withRuntime(backend, async (runtime) => {
      const model = await linearModel(runtime, 0.5);
      for (const status of [0, Number.NaN, 7] as SolveStatus[]) {
        const solver = dopri5({ maximumSteps: 20 });
        const lost: Solver = {
          ...solver,
          plan(problem) {
            const plan = solver.plan(problem);
            const read = (values: ArrayLike<number>) => ({ ...plan.progress!.read(values), status });
            return { ...plan, progress: { ...plan.progress!, read } };
          },
        };
        await expect(model.sample({ count: 2, solver: lost })).rejects.toThrow(StiffnessError);
      }
    }));
});

describe("evaluateLosses", () => {
  test("is the mean of the losses of its own batches, which training of equal seed does not see", () =>
    withRuntime("reference", async (runtime) => {
      const options = smallOptions({ optimizer: adam({ learningRate: 0 }), seed: 11 });
      const trainer = await runtime.createTrainer(options);
      const { network, path, data, loss, batchSize = 0 } = options;
      const judged = await runtime.evaluateLosses(trainer.model, { data, loss, batchSize, batches: 6, seed: 11 });
      const rows = await trainSteps(trainer, 6);

      const flat = await trainer.checkpoint().then((bytes) => readCheckpoint(bytes));
      const layout = parameterLayout(network);
      const views = parameterViews(table([...flat.parameters], [layout.total]), layout);
      const meanOf = (name: "loss" | "velocityLoss" | "divergenceLoss", use: BatchUse) => {
        const values = Array.from({ length: 6 }, (_, counter) => {
          const source = { seed: table([11, 0], [2], "u32"), counter: table([counter], [1], "u32"), use };
          const losses = buildBatchLosses({ network, path, data, loss, batchSize }, views, source);
          return evaluate([losses[name] ?? constant(0)])[0].data[0];
        });
        return values.reduce((sum, value) => sum + value, 0) / values.length;
      };
      for (const name of ["loss", "velocityLoss", "divergenceLoss"] as const) {
        const trained = rows.reduce((sum, row) => sum + row[name], 0) / rows.length;
        expect(Math.abs(judged[name] - meanOf(name, "evaluation"))).toBeLessThan(1e-12 * trained);
        expect(Math.abs(trained - meanOf(name, "training"))).toBeLessThan(1e-12 * trained);
        expect(Math.abs(judged[name] - trained)).toBeGreaterThan(1e-6 * trained);
      }
    }));

  test("does not depend on how the data given are standardised", () =>
    withRuntime("reference", async (runtime) => {
      const values = Float32Array.from({ length: 60 }, (_, i) => 5 + 3 * Math.sin(i * i));
      const data = (standardize: boolean) => arrayData(values, [30, 2], { standardize });
      const trainer = await runtime.createTrainer(smallOptions({ data: data(true) }));
      const judge = (standardize: boolean) =>
        runtime.evaluateLosses(trainer.model, { data: data(standardize), loss: fdm(), batchSize: 16, batches: 3 });
      const [one, other] = [await judge(true), await judge(false)];
      expect(Math.abs(one.loss / other.loss - 1)).toBeLessThan(1e-6); // points are kept as f32
    }));

  test("refuses a model of another runtime, and data of another dimension", () =>
    withRuntime("reference", (runtime) =>
      withRuntime("reference", async (other) => {
        const model = await linearModel(other, 0.5);
        const options = { data: checkerboard(), loss: fdm(), batches: 1, batchSize: 2 };
        await expect(runtime.evaluateLosses(model, options)).rejects.toThrow(ConfigError);
        const data = arrayData(new Float32Array(3).fill(1), [1, 3]);
        await expect(other.evaluateLosses(model, { ...options, data })).rejects.toThrow(ConfigError);
      }),
    ));
});
