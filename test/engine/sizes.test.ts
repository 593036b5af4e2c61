// Absurd sizes are refused before anything is planned or allocated, by the number to blame and the largest that works.
import { describe, expect, test } from "vitest";
import { expectLossFits, expectSolveFits } from "../../src/engine/sizes.ts";
import { dopri5 } from "../../src/flow/solvers/dopri5.ts";
import { sizeOf } from "../../src/graph/node.ts";
import {
  adam,
  arrayData,
  cfm,
  checkerboard,
  condOT,
  evaluateLosses,
  fdm,
  LimitError,
  type Loss,
  mlp,
  rk4,
  sampleData,
  type TrainerOptions,
} from "../../src/index.ts";
import { MOST_LAYERS } from "../../src/nn/mlp.ts";
import { compile } from "../../src/schedule/compile.ts";
import type { PlanLimits } from "../../src/schedule/program.ts";
import { buildTrainStep } from "../../src/train/step.ts";
import { limitsByName } from "../schedule/limits.ts";
import { smallOptions, withRuntime } from "./small.ts";

const wasm: PlanLimits = {
  ...(limitsByName["wasm"] as PlanLimits),
  maxTotalBytes: 2 ** 32,
  maxBufferBytes: 2 ** 32,
  maxBindingBytes: 2 ** 32,
};
const webgpu = limitsByName["webgpu"] as PlanLimits;

/** The error, which must be one of a limit. */
function refusal(attempt: () => void): LimitError | undefined {
  try {
    attempt();
    return undefined;
  } catch (error) {
    if (error instanceof LimitError) return error;
    throw error;
  }
}

/** The number that a refusal names as the largest. */
const named = (error: LimitError | undefined) => Number(/^at most (\d+)/.exec(error?.facts.expected ?? "")?.[1]);

const layers = (count: number, width = 64, dimension = 2) => mlp({ dimension, hidden: Array(count).fill(width) });

interface Training {
  readonly subject: string;
  readonly value: number;
  readonly limits: PlanLimits;
  of(value: number): { network: ReturnType<typeof mlp>; loss: Loss; batchSize: number };
}

const trainings: Training[] = [
  {
    subject: "layers in",
    value: 1024,
    limits: wasm,
    of: (count) => ({ network: layers(count), loss: fdm(), batchSize: 64 }),
  },
  {
    subject: "layers in",
    value: 1024,
    limits: webgpu,
    of: (count) => ({ network: layers(count, 512), loss: cfm(), batchSize: 64 }),
  },
  {
    subject: "widths in",
    value: 16384,
    limits: wasm,
    of: (width) => ({ network: layers(2, width), loss: fdm(), batchSize: 512 }),
  },
  {
    subject: "widths in",
    value: 32768,
    limits: webgpu,
    of: (width) => ({ network: layers(2, width), loss: cfm(), batchSize: 512 }),
  },
  {
    subject: "batchSize",
    value: 1 << 20,
    limits: wasm,
    of: (batchSize) => ({ network: layers(4, 512), loss: fdm(), batchSize }),
  },
  {
    subject: "probes",
    value: 1024,
    limits: wasm,
    of: (probes) => ({ network: layers(4), loss: fdm({ probes }), batchSize: 512 }),
  },
  {
    subject: "dimension beside",
    value: 2000,
    limits: wasm,
    of: (dimension) => ({ network: layers(4, 64, dimension), loss: fdm({ estimator: "exact" }), batchSize: 64 }),
  },
];

describe.each(trainings)("training with $subject ... of $value", ({ subject, value, limits, of }) => {
  test("is refused by its number, and the largest named works", () => {
    const attempt = (size: number) =>
      refusal(() => expectLossFits({ ...of(size), vectors: 3, reverse: true, data: 0 }, limits));
    const error = attempt(value);
    expect(error?.facts.subject).toContain(subject);
    expect(error?.facts.given).toBe(value);
    const largest = named(error);
    expect(largest).toBeGreaterThan(0);
    expect(largest).toBeLessThan(value);
    expect(attempt(largest)).toBeUndefined();
    expect(named(attempt(largest + 1))).toBe(largest);
    if (!limits.maxTotalBytes || !/widths|batch/.test(subject)) return;
    // What is reckoned is what a plan then needs, within a hundredth or two.
    const graph = buildTrainStep({ ...of(largest), path: condOT(), optimizer: adam(), data: checkerboard() });
    const { peakBytes, state } = compile(graph, limits);
    const bytes = peakBytes + 4 * state.reduce((total, one) => total + sizeOf(one.shape), 0);
    expect(bytes).toBeLessThanOrEqual(limits.maxTotalBytes);
    expect(bytes).toBeGreaterThan(0.97 * limits.maxTotalBytes);
  });
});

test.each([
  {
    subject: "layers in",
    value: 1024,
    divergence: { estimator: "exact", probes: 1 },
    of: (count: number) => layers(count),
  },
  { subject: "probes", value: 256, divergence: undefined, of: () => layers(40) },
])("a solve with $subject ... of $value is refused alike", ({ subject, value, divergence, of }) => {
  const attempt = (size: number) =>
    refusal(() =>
      expectSolveFits(
        {
          network: of(size),
          solver: dopri5(),
          rows: 100,
          divergence: divergence ?? { estimator: "hutchinson", probes: size },
        },
        wasm,
      ),
    );
  const error = attempt(value);
  expect(error?.facts.subject).toContain(subject);
  const largest = named(error);
  expect(attempt(largest)).toBeUndefined();
  expect(attempt(largest + 1)).toBeDefined(); // perhaps by another number
});

test("what is usual, and what is documented, is not refused", () => {
  for (const limits of [wasm, webgpu]) {
    for (const loss of [cfm(), fdm(), fdm({ probes: 256 }), fdm({ estimator: "exact" })]) {
      expect(
        refusal(() =>
          expectLossFits({ network: layers(4, 512), loss, batchSize: 512, vectors: 6, reverse: true, data: 0 }, limits),
        ),
      ).toBeUndefined();
    }
    for (const divergence of [
      { estimator: "exact", probes: 1 },
      { estimator: "hutchinson", probes: 256 },
    ]) {
      expect(
        refusal(() => expectSolveFits({ network: layers(4, 512), solver: dopri5(), rows: 64, divergence }, limits)),
      ).toBeUndefined();
    }
    const wide = layers(4, 512, 2000);
    expect(
      refusal(() =>
        expectSolveFits({ network: wide, solver: rk4(), rows: 4, divergence: { estimator: "exact" } }, limits),
      ),
    ).toBeUndefined();
  }
});

test("layers beyond the most are refused before a list of them is made", () => {
  expect(() => mlp({ dimension: 2, hidden: new Array(1e9) })).toThrow(LimitError);
  expect(() => mlp({ dimension: 2, hidden: Array(MOST_LAYERS + 1).fill(1) })).toThrow(`at most ${MOST_LAYERS}`);
  expect(mlp({ dimension: 2, hidden: Array(MOST_LAYERS).fill(1) }).parameters.length).toBe(2 * (MOST_LAYERS + 1));
});

const absurd: Readonly<Record<string, Partial<TrainerOptions>>> = {
  "two layers of 16384": { network: mlp({ dimension: 2, hidden: [16384, 16384] }) },
  "two layers of 32768": { network: mlp({ dimension: 2, hidden: [32768, 32768] }) },
  "a batch of a million": { batchSize: 1 << 20, network: mlp({ dimension: 2 }) },
  "1000 layers and 8 probes": { network: layers(1000, 8), loss: fdm({ probes: 8 }) },
  "an exact divergence of 2000 dimensions": {
    network: mlp({ dimension: 2000 }),
    loss: fdm({ estimator: "exact" }),
    data: arrayData(new Float32Array(4000), [2, 2000]),
  },
};

test.each(Object.keys(absurd))("createTrainer refuses %s, with nothing on the device", (name) =>
  withRuntime("wasm", async (runtime) => {
    const before = await runtime.memory();
    await expect(runtime.createTrainer(smallOptions(absurd[name]))).rejects.toThrow(LimitError);
    expect(await runtime.memory()).toEqual(before);
  }),
);

test("counts beyond what an array holds name the largest", () =>
  withRuntime("reference", async (runtime) => {
    const { model } = await runtime.createTrainer(smallOptions());
    await expect(model.sample({ count: 1e12 })).rejects.toThrow("1073741823 in place of 1000000000000");
    await expect(model.sample({ count: 2 ** 30, times: [0, 0.5] })).rejects.toThrow(LimitError);
    const many = { solver: rk4(), count: 2 ** 26, logDensity: { divergence: "hutchinson", probes: 200 } } as const;
    await expect(model.sample(many)).rejects.toThrow(LimitError);
    expect(() => sampleData(smallOptions().data, 1e12)).toThrow(LimitError);
    const { data } = smallOptions();
    await expect(evaluateLosses(runtime, model, { data, loss: fdm(), batchSize: 2 ** 40 })).rejects.toThrow("1048576");
  }));
