/** Samples guided by functions of them and by what is known of them, from models whose fields are exact. */
import { afterAll, describe, expect, test } from "vitest";
import { arrayData } from "../../src/data/array.ts";
import { createLocalRuntime } from "../../src/engine/runtime.ts";
import { cfm } from "../../src/flow/losses/cfm.ts";
import { mixtureMarginal } from "../../src/flow/mixture.ts";
import { condOT } from "../../src/flow/paths/cond-ot.ts";
import type { PathScheduler } from "../../src/flow/paths/path.ts";
import { ve } from "../../src/flow/paths/ve.ts";
import { heun } from "../../src/flow/solvers/heun.ts";
import { rk4 } from "../../src/flow/solvers/rk4.ts";
import { eulerMaruyama } from "../../src/flows.ts";
import { ConfigError, DataError, type Model, NumericError, type Runtime, type SampleOptions } from "../../src/index.ts";
import { constant, defineGuidance, defineNetwork, mlp, ops } from "../../src/networks.ts";
import { classes } from "../../src/nn/conditions.ts";
import { normalCdf, normalDensity } from "../../src/ops/special.ts";
import { remoteEngine } from "./worker.ts";

const { log, matmul, multiply, slice, subtract, sum, table } = ops;
const count = 4000;
const steps = heun({ steps: 100 });
const runtime = await createLocalRuntime({ backend: "wasm" });
afterAll(() => runtime.dispose());

interface Normal {
  readonly variances: readonly [number, number];
  /** Turned by 45 degrees: the correlation is then (first - second) / (first + second) of the variances. */
  readonly turned?: boolean;
}

/** A network whose velocity is that of normal data with mean 0, and no other. */
function exactNetwork({ variances, turned = false }: Normal, path: PathScheduler) {
  const r = Math.SQRT1_2;
  const turn = table(turned ? [r, r, r, -r] : [1, 0, 0, 1], [2, 2]); // its own inverse
  const components = {
    weights: table([1], [1]),
    means: table([0, 0], [1, 2]),
    variances: table([...variances], [1, 2]),
  };
  return defineNetwork({
    name: "exact",
    sample: [2],
    parameters: [{ name: "one", shape: [1], initial: constant(1), torchLayout: "as-is" }],
    apply: ({ x, t }, values) => {
      const { velocity } = mixtureMarginal(components, path.at(t), matmul(x, turn));
      return multiply(matmul(velocity, turn), values.get("one") as never);
    },
  });
}

/** Data of these means and deviations: all that a model knows of them before it is trained. */
function dataOf(means: readonly number[], deviations: readonly number[]) {
  const signs = [1, 1, 1, -1, -1, 1, -1, -1];
  const values = Float32Array.from(signs, (sign, i) => (means[i % 2] as number) + sign * (deviations[i % 2] as number));
  return arrayData(values, [4, 2], { standardize: true });
}

async function exactModel(
  normal: Normal,
  { on = runtime as Runtime, data = dataOf([0, 0], [1, 1]), path = condOT() } = {},
) {
  const network = exactNetwork(normal, path);
  const { model } = await on.createTrainer({ network, path, loss: cfm(), data, batchSize: 4 });
  return model;
}

const columnOf = (values: ArrayLike<number>, column: number) =>
  Array.from({ length: values.length / 2 }, (_, i) => values[2 * i + column] as number);

function momentsOf(values: readonly number[]) {
  const mean = values.reduce((a, b) => a + b) / values.length;
  return { mean, variance: values.reduce((total, value) => total + (value - mean) ** 2, 0) / values.length };
}

/** The largest distance between the values' distribution and this one. */
function distance(values: readonly number[], cdf: (x: number) => number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const gaps = sorted.map((x, i) => Math.max(Math.abs(cdf(x) - i / count), Math.abs(cdf(x) - (i + 1) / count)));
  return Math.max(...gaps);
}

const threshold = 0.5;
const right = (options: object = {}) =>
  defineGuidance({ name: "right", build: ({ samples }) => subtract(slice(samples, 1, 0, 1), threshold), ...options });
const truncated = (x: number) => Math.max(0, 1 - normalCdf(-x) / normalCdf(-threshold));

describe("an event of normal data", () => {
  // 4,000 samples: distances above 0.0258 are by chance once in 100. A strength of 1.15, or 0.85, is further away than that
  // (the last test); so is a path whose coefficient is by a tenth of the way off.
  const critical = 1.63 / Math.sqrt(count);
  const exact = { link: "normal", offset: 1e-6 };

  test("has the truncated distribution, by the normal link; the other coordinate stays as it is", async () => {
    const model = await exactModel({ variances: [1, 1] });
    const { values } = await model.sample({ count, guide: right(exact) });
    expect(distance(columnOf(values, 0), truncated)).toBeLessThan(critical);
    expect(distance(columnOf(values, 1), normalCdf)).toBeLessThan(critical);
    expect(columnOf(values, 0).filter((x) => x > threshold).length / count).toBeGreaterThan(0.998);
  });

  test("so it has by a solver with noise: the score of the guided velocity is the guided score", async () => {
    const model = await exactModel({ variances: [1, 1] });
    const { values } = await model.sample({ count, guide: right(exact), solver: eulerMaruyama({ steps: 200 }) });
    expect(distance(columnOf(values, 0), truncated)).toBeLessThan(critical);
  });

  test("by the sigmoid most samples are in it, and their mean is within 3 % of a deviation", async () => {
    const model = await exactModel({ variances: [1, 1] });
    const { values } = await model.sample({ count, guide: right() });
    const inside = columnOf(values, 0).filter((x) => x > threshold).length / count;
    expect(inside).toBeGreaterThan(0.93);
    const { mean } = momentsOf(columnOf(values, 0));
    expect(Math.abs(mean - normalDensity(threshold) / normalCdf(-threshold))).toBeLessThan(0.03 + 2 / Math.sqrt(count));
  });

  test("strength multiplies what guides", async () => {
    const model = await exactModel({ variances: [1, 1] });
    const sampled = async (strength: number) => {
      const { values } = await model.sample({ count, guide: { by: right(exact), strength }, solver: steps });
      return columnOf(values, 0);
    };
    const { values } = await model.sample({ count, solver: steps });
    const none = await sampled(0);
    none.forEach((value, i) => {
      expect(Math.abs(value - (columnOf(values, 0)[i] as number))).toBeLessThan(1e-5);
    });
    for (const strength of [0.8, 1.25]) expect(distance(await sampled(strength), truncated)).toBeGreaterThan(critical);
  });
});

test("a log-weight sees data units: exp(b . x) moves normal data by their variance times b", async () => {
  const [means, deviations, b] = [
    [10, -200],
    [3, 0.5],
    [0.4, -3],
  ] as const;
  const model = await exactModel({ variances: [1, 1] }, { data: dataOf(means, deviations) });
  const tilt = defineGuidance({
    name: "tilt",
    kind: "log-weight",
    build: ({ samples }) => sum(multiply(samples, table([...b], [1, 2])), [1]),
  });
  const { values } = await model.sample({ count, guide: tilt });
  for (const column of [0, 1] as const) {
    const { mean, variance } = momentsOf(columnOf(values, column));
    const deviation = deviations[column];
    const expected = means[column] + deviation ** 2 * b[column];
    expect(Math.abs(mean - expected) / deviation).toBeLessThan(3 / Math.sqrt(count) + 0.01); // it starts at alpha = 0.004
    expect(variance / deviation ** 2).toBeCloseTo(1, 1);
  }
});

describe("what is known", () => {
  // Of variance 1 each, with correlation rho: given y the other is N(rho y, 1 - rho^2). What the two ways miss follows from
  // their linear equations, and is the same for each path; 3 standard errors are 0.05.
  test.each([
    [0, "guidance", 0, 1],
    [0.5, "guidance", 0.507, 0.743],
    [0.8, "guidance", 0.772, 0.385],
    [0, "replacement", 0, 1],
    [0.5, "replacement", 0.2, 0.88],
    [0.8, "replacement", 0.36, 0.665],
  ] as const)("at correlation %d, by %s: mean and variance of the rest", async (rho, by, expected, spread) => {
    const model = await exactModel({ variances: [1 + rho, 1 - rho], turned: true });
    const known = { values: [Number.NaN, 1], mask: [false, true], by };
    const { values } = await model.sample({ count, known, solver: steps });
    expect(columnOf(values, 1).every((value) => value === 1)).toBe(true);
    const { mean, variance } = momentsOf(columnOf(values, 0));
    expect(Math.abs(mean - expected)).toBeLessThan(0.05);
    expect(Math.abs(variance - spread)).toBeLessThan(0.05);
  });

  test.each([
    ["cond-ot", condOT(), 0.5, 0.5],
    ["ve", ve(), 1, 10 ** -1.5],
  ] as const)(
    "on %s each sample has its own, in data units, to their last digit; by replacement it goes along the path",
    async (_, path, alpha, sigma) => {
      const means = [1000, -5] as const;
      const model = await exactModel({ variances: [1, 1] }, { data: dataOf(means, [2, 0.1]), path });
      const values = [1001.1, -5.01, 999, -4.9, 1000.3, -5.1];
      const mask = [1, 0, 0, 1, 1, 1];
      for (const by of ["guidance", "replacement"] as const) {
        const asked = { count: 3, known: { values, mask, by }, times: [0, 0.5, 1], solver: rk4(), seed: 4 };
        const samples = await model.sample(asked);
        const trajectory = samples.trajectory?.values ?? [];
        mask.forEach((isKnown, i) => {
          const own = values[i] as number;
          expect(samples.values[i] === own).toBe(isKnown === 1);
          expect(trajectory[12 + i]).toBe(samples.values[i]);
          // In halves of the way: alpha x1 + sigma x0, x0 being what the start has beside x1.
          const mean = means[i % 2] as number;
          const start = (trajectory[i] as number) - mean - (path.name === "ve" ? own - mean : 0);
          const halfway = mean + alpha * (own - mean) + sigma * start;
          if (isKnown && by === "replacement") expect(trajectory[6 + i]).toBeCloseTo(halfway, 3);
        });
        expect((await model.sample(asked)).values).toEqual(samples.values);
      }
    },
  );

  test("by replacement, what guides is shown the known values", async () => {
    const model = await exactModel({ variances: [1, 1] });
    const product = defineGuidance({
      name: "product",
      kind: "log-weight",
      build: ({ samples }) => multiply(slice(samples, 1, 0, 1), slice(samples, 1, 1, 2)),
    });
    const known = { values: [0, 2], mask: [0, 1], by: "replacement" } as const;
    const { values } = await model.sample({ count, known, guide: product, solver: steps });
    expect(Math.abs(momentsOf(columnOf(values, 0)).mean - 2)).toBeLessThan(3 / Math.sqrt(count) + 0.02);
  });
});

test("where the engine is in a worker, guided samples have the same bits; callers may change their arrays at once", async () => {
  using remote = await remoteEngine("wasm");
  const [here, there] = await Promise.all([
    exactModel({ variances: [0.5, 1.5], turned: true }),
    exactModel({ variances: [0.5, 1.5], turned: true }, { on: remote.runtime }),
  ]);
  const asked = (values: Float64Array): SampleOptions => ({
    count: 10,
    guide: { by: right({ std: "full" }), strength: 2 },
    known: { values, mask: [0, 1] },
    solver: heun({ steps: 10 }),
  });
  const values = Float64Array.of(0, -0.5);
  const far = there.sample(asked(values));
  values.fill(9);
  expect((await far).values).toEqual((await here.sample(asked(Float64Array.of(0, -0.5)))).values);
});

test("it guides the field that classifier-free guidance makes, of samples of any shape", async () => {
  const network = mlp({ sample: [3, 2], hidden: [16], conditions: { label: classes(2, { drop: 0.1 }) } });
  const data = arrayData(
    Float32Array.from({ length: 24 }, (_, i) => Math.sin(i)),
    [4, 3, 2],
    { conditions: { label: Uint8Array.of(0, 1, 0, 1) } },
  );
  const { model } = await runtime.createTrainer({ network, path: condOT(), loss: cfm(), data, batchSize: 4 });
  const large = defineGuidance({ name: "large", build: ({ samples }) => subtract(sum(samples, [1, 2]), 5) });
  const asked = { count: 64, conditions: { label: 1 }, guidance: 2, solver: heun({ steps: 10 }) };
  const sums = ({ values }: Awaited<ReturnType<Model["sample"]>>) =>
    Array.from(values).reduce((total, value) => total + value, 0) / 64;
  const [plain, guided] = [await model.sample(asked), await model.sample({ ...asked, guide: large })];
  expect(guided.shape).toEqual([64, 3, 2]);
  expect(sums(guided)).toBeGreaterThan(sums(plain) + 1);
});

describe("is refused", async () => {
  const model = await exactModel({ variances: [1, 1] });
  const known = { values: [0, 1], mask: [0, 1] };
  const root = (kind: "event" | "log-weight") =>
    defineGuidance({ name: "root", kind, build: ({ samples }) => log(slice(samples, 1, 0, 1)) });

  // The log of what is below 0 has a gradient that is a number.
  test.each([
    ["event", "dopri5", {}],
    ["event", "heun", { solver: heun({ steps: 4 }) }],
    ["log-weight", "dopri5", {}],
    ["log-weight", "heun", { solver: heun({ steps: 4 }) }],
  ] as const)("a function that is not finite, as %s, with %s", async (kind, _, solver) => {
    const sampled = model.sample({ count: 50, guide: root(kind), ...solver });
    await expect(sampled).rejects.toThrow(NumericError);
    await expect(sampled).rejects.toThrow(/guided by "root": got .*What guides must be finite, and its gradient too/);
  });

  test.each<[string, object, typeof ConfigError | typeof DataError, RegExp]>([
    [
      "a log-density beside it",
      { guide: right(), logDensity: true },
      ConfigError,
      /logDensity of sample: got "it, beside guide"/,
    ],
    [
      "a log-density beside what is known",
      { known, logDensity: true },
      ConfigError,
      /logDensity of sample: got "it, beside known"/,
    ],
    [
      "a plain function",
      { guide: () => 0 },
      ConfigError,
      /guide of sample: .* expected what defineGuidance\({ name, build }\) gives/,
    ],
    ["nothing", { guide: null }, ConfigError, /guide of sample/],
    ["a strength that is none", { guide: { by: right(), strength: Number.NaN } }, ConfigError, /strength of guide/],
    ["an option of another name", { guide: { by: right(), power: 2 } }, ConfigError, /guide of sample: got "power"/],
    [
      "known values of another number",
      { known: { ...known, values: [1, 2, 3] } },
      DataError,
      /values of known: got "3 numbers", expected 2 for all samples, or 8 for 4/,
    ],
    ["a mask of another number", { known: { ...known, mask: [1] } }, DataError, /mask of known: got "1 numbers"/],
    [
      "a mask of parts",
      { known: { ...known, mask: [0, 0.5] } },
      DataError,
      /mask of known, number 1 \(from 0\): got "?0.5/,
    ],
    [
      "a known value that is none",
      { known: { ...known, values: [0, Number.NaN] } },
      DataError,
      /values of known, number 1 \(from 0\): got "NaN"/,
    ],
    ["no values", { known: { mask: [0, 1] } }, DataError, /values of known/],
    ["no object", { known: 3 }, ConfigError, /known of sample: got 3/],
    ["another way", { known: { ...known, by: "repaint" } }, ConfigError, /by of known: got "repaint"/],
    [
      "a strength of replacement",
      { known: { ...known, by: "replacement", strength: 2 } },
      ConfigError,
      /strength of known/,
    ],
    ["an unknown option", { known: { ...known, maks: [] } }, ConfigError, /known of sample: got "maks"/],
  ])("%s", async (_, asked, kind, message) => {
    const sampled = model.sample({ count: 4, ...asked });
    await expect(sampled).rejects.toThrow(kind);
    await expect(sampled).rejects.toThrow(message);
  });

  test("beside points: their log-density is the model's", async () => {
    for (const call of ["logDensity", "encode"] as const) {
      await expect(model[call]([[0, 0]], { guide: right() } as never)).rejects.toThrow(
        `options of ${call}: got "guide"`,
      );
    }
  });
});
