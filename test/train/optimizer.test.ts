// Optimizers, clipping, averaging and rates, as graphs in f64, against the same formulas written as plain loops.
import { describe, expect, test } from "vitest";
import { ConfigError } from "../../src/errors.ts";
import { evaluate } from "../../src/graph/evaluate.ts";
import type { Node } from "../../src/graph/node.ts";
import { state } from "../../src/ops/sources.ts";
import { type AdamWOptions, adam, adamW, type Optimizer, optimizerFrom } from "../../src/train/adam.ts";
import { clipByNorm, globalNorm } from "../../src/train/clip.ts";
import { ema, updateEma } from "../../src/train/ema.ts";
import { cosineDecay, exponential, product, type Rate, rateFrom, staircase, warmUp } from "../../src/train/rates.ts";

/** f64 rounding over some tens of operations a step and some tens of steps. */
const tolerance = 1e-12;

const vector = (name: string, length: number) => state({ name, shape: [length], dtype: "f32" });

function run(nodes: readonly Node[], values: Readonly<Record<string, readonly number[]>>): number[][] {
  const given = Object.entries(values).map(
    ([name, data]) => [name, { shape: [data.length], data: Float64Array.from(data) }] as const,
  );
  return evaluate(nodes, new Map(given)).map(({ data }) => [...data]);
}

function expectClose(actual: readonly number[], expected: readonly number[]): void {
  expect(actual.length).toBe(expected.length);
  actual.forEach((value, i) => {
    const wanted = expected[i] as number;
    expect(Math.abs(value - wanted), `[${i}] ${value}, ${wanted}`).toBeLessThanOrEqual(
      tolerance * Math.max(1, Math.abs(wanted)),
    );
  });
}

/** Gradients of sizes from 1e-4 to 1e2, of both signs, and exact zeros. */
const gradientAt = (step: number): number[] => [
  Math.sin(step + 1),
  100 * Math.cos(3 * step),
  1e-4 * (step - 4),
  step === 5 ? 0 : -0.5,
  0,
];
const start = [1, -2, 0.5, 3, 0.25];
const STEPS = 20;

function trajectory(optimizer: Optimizer): number[][] {
  const [length, path] = [start.length, [] as number[][]];
  const [parameters, first, second] = ["parameters", "adam.first", "adam.second"].map((name) => vector(name, length));
  const stepped = optimizer.update({
    parameters: parameters as Node,
    gradient: vector("gradient", length),
    step: state({ name: "step", shape: [1], dtype: "f32" }),
    moments: [first as Node, second as Node],
  });
  let values = [start, start.map(() => 0), start.map(() => 0)];
  for (let step = 0; step < STEPS; step++) {
    const [p = [], m = [], v = []] = values;
    values = run([stepped.parameters, ...stepped.moments], {
      parameters: p,
      "adam.first": m,
      "adam.second": v,
      gradient: gradientAt(step),
      step: [step],
    });
    path.push(values[0] as number[]);
  }
  return path;
}

/** The algorithms as their papers print them. */
function plainTrajectory({ beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 }: AdamWOptions, rate: number) {
  const [x, m, v] = [[...start], start.map(() => 0), start.map(() => 0)];
  return Array.from({ length: STEPS }, (_, step) => {
    gradientAt(step).forEach((g, i) => {
      x[i] = (x[i] as number) * (1 - rate * weightDecay);
      m[i] = beta1 * (m[i] as number) + (1 - beta1) * g;
      v[i] = beta2 * (v[i] as number) + (1 - beta2) * g * g;
      const mean = (m[i] as number) / (1 - beta1 ** (step + 1));
      const square = (v[i] as number) / (1 - beta2 ** (step + 1));
      x[i] = (x[i] as number) - (rate * mean) / (Math.sqrt(square) + epsilon);
    });
    return [...x];
  });
}

describe("optimizers", () => {
  test.each<[string, Optimizer, AdamWOptions, number]>([
    ["adam", adam(), {}, 1e-3],
    ["adam, other decays", adam({ learningRate: 0.1, beta1: 0.5, beta2: 0.9 }), { beta1: 0.5, beta2: 0.9 }, 0.1],
    ["adam without memory", adam({ learningRate: 0.1, beta1: 0, beta2: 0 }), { beta1: 0, beta2: 0 }, 0.1],
    ["adamW", adamW({ learningRate: 0.02 }), { weightDecay: 0.01 }, 0.02],
    ["adamW, strong decay", adamW({ learningRate: 0.02, weightDecay: 0.5 }), { weightDecay: 0.5 }, 0.02],
  ])("%s takes the steps of its paper", (_name, optimizer, options, rate) => {
    const expected = plainTrajectory(options, rate);
    trajectory(optimizer).forEach((parameters, step) => {
      expectClose(parameters, expected[step] as number[]);
    });
  });

  test.each([adam({ learningRate: product(0.1, warmUp({ steps: 3 })) }), adamW({ weightDecay: 0.3 })])(
    "$name is made again from its name and options",
    (optimizer) => {
      const { name, options } = JSON.parse(JSON.stringify({ name: optimizer.name, options: optimizer.options }));
      expect(trajectory(optimizerFrom({ name, options }))).toEqual(trajectory(optimizer));
    },
  );

  test.each([
    () => adam({ learningRate: -1 }),
    () => adam({ learningRate: Number.POSITIVE_INFINITY }),
    () => adam({ beta1: 1 }),
    () => adam({ beta2: Number.NaN }),
    () => adam({ epsilon: 0 }),
    () => adamW({ weightDecay: -0.1 }),
    () => optimizerFrom({ name: "sgd", options: {} }),
  ])("options out of range are refused: %s", (make) => {
    expect(make).toThrow(ConfigError);
  });
});

describe("clipping", () => {
  const gradient = [3, -4, 12]; // norm 13
  const clipped = (maximum: number) => {
    const node = vector("gradient", 3);
    return run([globalNorm(node), clipByNorm(node, globalNorm(node), maximum)], { gradient });
  };

  test("scales a gradient down to the norm given, by PyTorch's rule", () => {
    const [norm, scaled] = clipped(2) as [number[], number[]];
    expectClose(norm, [13]);
    expectClose(
      scaled,
      gradient.map((g) => (g * 2) / (13 + 1e-6)),
    );
  });

  test("leaves a shorter one as it is", () => {
    expect(clipped(14)[1]).toEqual(gradient);
  });
});

describe("averages", () => {
  test("each step keeps its share of the old one", () => {
    const node = updateEma(ema({ decay: 0.75 }), vector("average", 2), vector("parameters", 2));
    expectClose(run([node], { average: [4, -8], parameters: [8, 0] })[0] as number[], [5, -6]);
  });

  test.each([0, 1, -0.1, Number.NaN])("decay %d is refused", (decay) => {
    expect(() => ema({ decay })).toThrow(ConfigError);
  });
});

describe("rates", () => {
  const at = (rate: Rate, step: number) =>
    (run([rate.at(state({ name: "step", shape: [1], dtype: "f32" }))], { step: [step] })[0] as number[])[0] as number;
  const paper = product(1e-3, warmUp({ steps: 10 }), staircase({ factor: 0.999, every: 10 }));

  test.each<[string, Rate, (step: number) => number]>([
    ["warmUp", warmUp({ steps: 4 }), (step) => Math.min(1, (step + 1) / 4)],
    ["staircase", staircase({ factor: 0.5, every: 3 }), (step) => 0.5 ** Math.floor(step / 3)],
    ["exponential", exponential({ factor: 0.9 }), (step) => 0.9 ** step],
    [
      "cosineDecay",
      cosineDecay({ steps: 7, final: 0.2 }),
      (step) => 0.2 + 0.4 * (1 + Math.cos(Math.PI * Math.min(1, step / 7))),
    ],
    ["the paper's", paper, (step) => 1e-3 * Math.min(1, (step + 1) / 10) * 0.999 ** Math.floor(step / 10)],
  ])("%s is its formula", (_name, rate, formula) => {
    for (let step = 0; step < 40; step++) expectClose([at(rate, step)], [formula(step)]);
    const { name, options } = JSON.parse(JSON.stringify({ name: rate.name, options: rate.options }));
    for (const step of [0, 3, 9, 10, 11]) expect(at(rateFrom({ name, options }), step)).toBe(at(rate, step));
  });

  test.each([
    () => warmUp({ steps: 0 }),
    () => staircase({ factor: 0, every: 3 }),
    () => staircase({ factor: 0.5, every: 1.5 }),
    () => exponential({ factor: -1 }),
    () => cosineDecay({ steps: 10, final: 2 }),
    () => product(),
    () => product(1e31),
    () => rateFrom({ name: "linear", options: {} }),
  ])("options out of range are refused: %s", (make) => {
    expect(make).toThrow(ConfigError);
  });
});
