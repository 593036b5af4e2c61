// Points with an offset a billion times their spread: f32 has no digit of the spread left, f64 six.
import { describe, expect, test } from "vitest";
import { standardize } from "../../src/data/standardize.ts";
import {
  adam,
  arrayData,
  cfm,
  fdm,
  gaussianMixture,
  load,
  mlp,
  type Runtime,
  readNpy,
  rk4,
  sampleData,
  writeNpy,
} from "../../src/index.ts";
import { HostRandom } from "../../src/ops/threefry.ts";
import { smallOptions, trainSteps, withRuntime } from "./small.ts";

const COUNT = 5000;
const normals = new HostRandom(5).normal(2 * COUNT, 0, 0);
const rows = Float64Array.from(normals, (value, i) => (i % 2 === 0 ? 1e6 + 1e-3 * value : value));
const data = arrayData(rows, [COUNT, 2], { standardize: true });
const { mean, std } = data.standardization as { mean: readonly number[]; std: readonly number[] };

async function trained(runtime: Runtime) {
  const trainer = await runtime.createTrainer(
    smallOptions({
      data,
      network: mlp({ dimension: 2, hidden: [16] }),
      loss: cfm(),
      optimizer: adam({ learningRate: 1e-2 }),
      batchSize: 64,
    }),
  );
  await trainSteps(trainer, 50);
  return trainer;
}

const solver = rk4({ steps: 8 });
const column = (values: ArrayLike<number>) =>
  Array.from({ length: values.length / 2 }, (_, i) => values[2 * i] as number);

test.each(["wasm", "reference"] as const)("samples, densities and velocities keep their digits on %s", (backend) =>
  withRuntime(backend, async (runtime) => {
    const trainer = await trained(runtime);
    const model = await load(runtime, await trainer.model.checkpoint());
    const { values, trajectory } = await model.sample({ count: COUNT, solver, times: [0.5] });
    // 2^-24 of a few deviations: some of 5,000 f32 may meet, not many.
    for (const drawn of [values, trajectory?.values as Float64Array]) {
      expect(drawn).toBeInstanceOf(Float64Array);
      expect(new Set(column(drawn)).size).toBeGreaterThan(COUNT - 5);
    }
    const spread = Math.sqrt(column(values).reduce((sum, value) => sum + (value - 1e6) ** 2, 0) / COUNT);
    expect(Math.abs(spread / 1e-3 - 1)).toBeLessThan(0.3); // as trained as 50 steps make it
    expect(readNpy(writeNpy(values, [COUNT, 2])).data).toEqual(values);

    // The same weights without a standardisation are a model of z, log p(x) = log p(z) - sum log std.
    const z = standardize(rows, { mean, std });
    const bare = await trainerWithout(runtime, await trainer.model.checkpoint());
    const judged = await model.logDensity(rows.subarray(0, 400), { solver });
    const inner = await bare.logDensity(z.subarray(0, 400), { solver });
    const jacobian = -std.reduce((sum, value) => sum + Math.log(value), 0);
    judged.values.forEach((value, i) => {
      expect(Math.abs(value - (inner.values[i] as number) - jacobian)).toBeLessThan(1e-12 * Math.abs(jacobian));
    });
    const average = judged.values.reduce((sum, value) => sum + value, 0) / judged.values.length;
    expect(Math.abs(average - 4.07)).toBeLessThan(0.4); // the entropy of the data is -4.07 nats

    const times = new Float64Array(COUNT).fill(0.5);
    const velocity = await model.velocity(rows, times);
    const unscaled = await bare.velocity(z, times);
    velocity.forEach((value, i) => {
      const deviation = std[i % 2] as number;
      const tolerance = 2 ** -22 * deviation; // `unscaled`, below 4, is f32
      expect(Math.abs(value - (unscaled[i] as number) * deviation)).toBeLessThan(tolerance);
    });
  }),
);

/** The model again, of z: its file without the standardisation. */
async function trainerWithout(runtime: Runtime, file: Uint8Array) {
  const { readCheckpoint } = await import("../../src/train/read-checkpoint.ts");
  const { writeCheckpoint } = await import("../../src/train/checkpoint.ts");
  return load(runtime, writeCheckpoint({ ...(await readCheckpoint(file)), standardization: undefined }));
}

test("points drawn from such data are rows of it", () => {
  const drawn = sampleData(data, 1000, 3);
  expect(drawn).toBeInstanceOf(Float64Array);
  const known = Float64Array.from(column(rows)).sort();
  for (const value of column(drawn)) {
    const at = known.findLastIndex((row) => row <= value);
    const near = Math.min(
      ...[at, at + 1].map((i) => Math.abs((known[i] ?? Number.NaN) - value)).filter(Number.isFinite),
    );
    expect(near).toBeLessThan(1e-3 * 2 ** -21); // f32 of up to 4 deviations
  }
});

test("losses on data in other units are those of the model's own", () =>
  withRuntime("wasm", async (runtime) => {
    const trainer = await trained(runtime);
    const options = { loss: fdm(), batchSize: 64, batches: 4 };
    const own = await runtime.evaluateLosses(trainer.model, { ...options, data });
    const raw = await runtime.evaluateLosses(trainer.model, { ...options, data: arrayData(rows, [COUNT, 2]) });
    expect(raw).toEqual(own);
  }));

test("losses on a source that is far from 0 are those on its points in f64", () =>
  withRuntime("wasm", async (runtime) => {
    const trainer = await trained(runtime);
    const source = gaussianMixture({ means: [[1e6, 0]], variances: [[1e-6, 1]] });
    const options = { loss: cfm(), batchSize: 512, batches: 20 };
    const { loss } = await runtime.evaluateLosses(trainer.model, { ...options, data: source });
    const own = await runtime.evaluateLosses(trainer.model, { ...options, data });
    // Means of 10,240 draws of squares whose deviation is about their mean: some percent. In f32 a point is 16 deviations
    // off at least, and its square 100 times the mean.
    expect(Math.abs(loss / own.loss - 1)).toBeLessThan(0.15);
  }));

describe("points that f32 cannot tell apart are warned of where they are not standardised", () => {
  const far = Array.from({ length: 600 }, (_, i) => [Math.cos(i), 1e9 + 1e-3 * Math.sin(i)]);
  test.each<[string, ReturnType<typeof arrayData>, RegExp | undefined]>([
    ["far from 0", arrayData(far), /^Coordinate 1 \(from 0\) differs by 0\.0007 about 1\.00e\+9: .*standardize/],
    ["the same with names", arrayData(far, undefined, { columns: ["a", "b"] }), /^Coordinate "b" differs/],
    ["standardised", arrayData(far, undefined, { standardize: true }), undefined],
    ["near enough", arrayData(far.map(([x]) => [x!, 1e3 + x!])), undefined],
    ["all the same", arrayData(far.map(([x]) => [x!, 1e9 + 0.1])), undefined],
    ["f32 already", arrayData(new Float32Array(far.flat()), [600, 2]), undefined],
  ])("%s", (_, points, message) =>
    withRuntime("wasm", async (runtime) => {
      const { warnings } = await runtime.createTrainer(smallOptions({ data: points, batchSize: 4 }));
      expect(warnings).toEqual(message ? [expect.stringMatching(message)] : []);
    }),
  );
});
