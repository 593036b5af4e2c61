/** What models are told beside points: drawn with their rows, dropped, given to samples, velocities and log-densities. */
import { describe, expect, test } from "vitest";
import type { DataSource } from "../../src/data/source.ts";
import { Lock } from "../../src/engine/lock.ts";
import { LocalModel } from "../../src/engine/model.ts";
import type { LocalRuntime } from "../../src/engine/runtime.ts";
import { telling } from "../../src/engine/telling.ts";
import type { Loss } from "../../src/flow/losses/loss.ts";
import type { Node } from "../../src/graph/node.ts";
import { cfm, condOT, createRuntime, createTrainer, euler, evaluateLosses, fdm, type Model } from "../../src/index.ts";
import { classes, numbers } from "../../src/nn/conditions.ts";
import type { Network } from "../../src/nn/network.ts";
import { add, multiply } from "../../src/ops/arithmetic.ts";
import { meanAll } from "../../src/ops/reduce.ts";
import { gather } from "../../src/ops/rows.ts";
import { reshape } from "../../src/ops/shape.ts";
import { constant, table } from "../../src/ops/sources.ts";

const RATES = [0.5, -0.25, 1, 0.125];

/** v = rate x + age told: of three labels a rate each, of none the last. */
function growing(dimension: number): Network {
  return {
    kind: "growing",
    config: {},
    dimension,
    parameters: [{ name: "rates", shape: [4], initial: { kind: "constant", value: 0 }, torchLayout: "as-is" }],
    conditions: { label: classes(3, { drop: 0.25 }), age: numbers([], { drop: 0.5 }) },
    apply(_parameters, x, _t, conditions) {
      const rows = x.shape[0] as number;
      const [label, age, told] = ["label", "age", "age.told"].map((name) => conditions?.get(name) as Node) as [
        ...[Node, Node, Node],
      ];
      const rate = gather(table(RATES, [4]), label);
      return add(multiply(x, reshape(rate, [rows, 1])), multiply(reshape(age, [rows, 1]), told));
    },
  };
}

/** Points whose first coordinate tells the label, and the age beside it: 10 times that. */
function labelled(dimension: number): DataSource {
  return {
    name: "labelled",
    options: {},
    dimension,
    conditions: { label: { shape: [], classes: 3 }, age: { shape: [] } },
    draw({ rows, random }) {
      const label = random("index", [rows], { bound: 3 });
      const value = gather(table([0, 1, 2], [3]), label);
      const points = add(multiply(reshape(value, [rows, 1]), table(new Array(dimension).fill(1), [1, dimension])), 0);
      return {
        points,
        conditions: new Map([
          ["label", label],
          ["age", multiply(value, 10)],
        ]),
      };
    },
  };
}

const runtime = await createRuntime({ backend: "reference" });
const model = (dimension: number): Model => {
  const network = growing(dimension);
  return new LocalModel(runtime as LocalRuntime, {
    ...{ network, path: condOT(), columns: undefined, shape: [dimension] },
    standardization: undefined,
    facts: { label: { names: ["low", "middle", "high"] }, age: { standardization: { mean: [40], std: [10] } } },
    telling,
    kept: () => new Set(),
    lock: new Lock(),
    store: async (live) => {
      const { StateStore } = await import("../../src/engine/state-store.ts");
      const store = new StateStore(live.backend);
      store.declare([{ name: "parameters", shape: [4], dtype: "f32" }]);
      return store;
    },
    record: () => Promise.reject(new Error("not here")),
    step: () => 0,
    dispose: () => {},
  });
};

describe("a model that is told", () => {
  const points = [
    [1, 2],
    [3, 4],
    [5, 6],
  ];
  const velocity = (conditions: object) =>
    model(2)
      .velocity(points, [0, 0.5, 1], { conditions } as never)
      .then((values) => [...values]);

  test("takes one value for all points or one for each, by number or name, in data units", async () => {
    // age 60 is 2 deviations above 40
    const expected = points.flatMap((point, i) => point.map((x) => x * (RATES[i] as number) + [2, 0, -1][i]!));
    expect(await velocity({ label: [0, 1, 2], age: [60, 40, 30] })).toEqual(expected);
    expect(await velocity({ label: ["low", 1, "high"], age: Float64Array.of(60, 40, 30) })).toEqual(expected);
    expect(await velocity({ label: 2, age: 60 })).toEqual(points.flat().map((x) => x + 2));
    expect(await velocity({ label: "high", age: [60] })).toEqual(points.flat().map((x) => x + 2));
  });

  test("does without what may be dropped", async () => {
    expect(await velocity({ label: null, age: 50 })).toEqual(points.flat().map((x) => x * 0.125 + 1));
    expect(await velocity({ label: [0, null, 2], age: null })).toEqual(
      points.flatMap((point, i) => point.map((x) => x * ([0.5, 0.125, 1][i] as number))),
    );
  });

  test("says what it lacks or does not know", async () => {
    await expect(velocity({ label: 1 })).rejects.toThrow(
      /condition "age" of velocity: got "nothing", expected numbers/,
    );
    await expect(velocity({ label: 1, age: 1, agee: 1 })).rejects.toThrow(/agee.*label, age/);
    await expect(velocity({ label: 3, age: 1 })).rejects.toThrow(/integer from 0 to 2.*low, middle, high/);
    await expect(velocity({ label: "hihg", age: 1 })).rejects.toThrow(/high/);
    await expect(velocity({ label: [1, 2], age: 1 })).rejects.toThrow(/2 labels.*1 for all points, or 3/);
    await expect(velocity({ label: 1, age: [1, 2] })).rejects.toThrow(/2 numbers/);
    await expect(velocity({ label: 1, age: Number.NaN })).rejects.toThrow(/finite/);
    await expect(model(2).sample({ count: 2 })).rejects.toThrow(/condition "label" of sample/);
  });

  test("is known by its conditions", () => {
    expect(model(2).conditions).toEqual({
      label: { shape: [], classes: 3, names: ["low", "middle", "high"], optional: true },
      age: { shape: [], standardization: { mean: [40], std: [10] }, optional: true },
    });
  });

  test("samples each row by what it is told, whatever chunk it is in", async () => {
    const noise = Array.from({ length: 5000 }, (_, i) => [i % 7, 1]);
    const labels = noise.map((_, i) => i % 3);
    const { values, shape } = await model(2).sample({
      ...{ noise, solver: euler({ steps: 1 }) },
      conditions: { label: labels, age: null },
    });
    expect(shape).toEqual([5000, 2]);
    noise.forEach((row, i) => {
      const grown = 1 + (RATES[labels[i] as number] as number);
      expect(values[2 * i]).toBeCloseTo((row[0] as number) * grown, 6);
    });
  });

  test.each([2, 80])("has the exact log-density of each row, D = %d", async (dimension) => {
    const rows = [0, 1, 2];
    const given = rows.map((row) => Array.from({ length: dimension }, (_, i) => Math.sin(i + row)));
    const { values } = await model(dimension).logDensity(given, { conditions: { label: rows, age: null } });
    rows.forEach((row) => {
      const rate = RATES[row] as number;
      const start = (given[row] as number[]).map((x) => x * Math.exp(-rate));
      const squares = start.reduce((sum, x) => sum + x * x, 0);
      const exact = -0.5 * squares - (dimension / 2) * Math.log(2 * Math.PI) - dimension * rate;
      expect(values[row]).toBeCloseTo(exact, 2);
    });
  });
});

/** A loss that is the mean of what the network says, at x = 0. */
const saying = (read: (v: Node) => Node): Loss => ({
  name: "saying",
  options: {},
  build({ network, x1, t }) {
    const loss = meanAll(read(network(multiply(x1, 0), t)));
    return { loss, velocityLoss: loss, divergenceLoss: constant(0) };
  },
});

describe("training", () => {
  const options = { network: growing(1), path: condOT(), data: labelled(1), batchSize: 4096 } as const;

  test("drops each condition with its probability, anew at each step; judging drops none", async () => {
    const trainer = await createTrainer(runtime, { ...options, loss: saying((v) => v) });
    const means: number[] = [];
    for await (const { steps } of trainer.run({ steps: 4 })) means.push(...steps.map(({ loss }) => loss));
    // the mean age is 10, half of them told: of 4,096 rows the mean is 5 within 0.11 (one deviation)
    for (const mean of means) expect(Math.abs(mean - 5)).toBeLessThan(0.6);
    expect(new Set(means).size).toBe(4);
    const { loss } = await evaluateLosses(runtime, trainer.model, { data: options.data, loss: saying((v) => v) });
    expect(Math.abs(loss - 10)).toBeLessThan(0.2);
  });

  test("tells each row its own condition, whatever share of the batch a loss looks at", async () => {
    const model = (await createTrainer(runtime, { ...options, loss: cfm() })).model;
    const losses = await Promise.all(
      [cfm(), fdm(), fdm({ fraction: 0.25 })].map((loss) =>
        evaluateLosses(runtime, model, { data: options.data, loss, batches: 2, batchSize: 64 }),
      ),
    );
    for (const { velocityLoss } of losses) expect(velocityLoss).toBeCloseTo(losses[0]?.velocityLoss as number, 10);
    const noFit = { ...labelled(1), conditions: { label: { shape: [], classes: 3 } } };
    await expect(createTrainer(runtime, { ...options, data: noFit, loss: cfm() })).rejects.toThrow(
      /conditions of the data: got "label", expected label, age/,
    );
    const many = { ...labelled(1), conditions: { label: { shape: [], classes: 4 }, age: { shape: [] } } };
    await expect(createTrainer(runtime, { ...options, data: many, loss: cfm() })).rejects.toThrow(/4 classes/);
  });

  test("judges rows held out with their own conditions", async () => {
    const trainer = await createTrainer(runtime, {
      ...{ ...options, loss: cfm(), batchSize: 32, validation: labelled(1), validateEvery: 1 },
      earlyStopping: { by: "negativeLogLikelihood", patience: 9 },
    });
    const seen: number[] = [];
    for await (const { validations = [] } of trainer.run({ steps: 1 })) {
      seen.push(...validations.map(({ negativeLogLikelihood }) => negativeLogLikelihood as number));
    }
    // x = label; dx/dt = rate x + 10 label: back from 1 to 0, exactly
    const each = [0, 1, 2].map((label) => {
      const rate = RATES[label] as number;
      const start = label * Math.exp(-rate) - ((10 * label) / rate) * (1 - Math.exp(-rate));
      return 0.5 * start ** 2 + 0.5 * Math.log(2 * Math.PI) + rate;
    });
    const mean = (each[0]! + each[1]! + each[2]!) / 3;
    expect(Math.abs((seen[0] as number) - mean)).toBeLessThan(0.1 * mean);
  });
});
