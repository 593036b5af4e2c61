// The loss of flow maps: its formula in plain arithmetic on a field whose derivatives are known, its pairs of times, what it
// is where e = s, and that nothing differentiates through its targets. Gradients of small networks: the golden cases.
import { describe, expect, test } from "vitest";
import { gradient } from "../../src/autodiff/vjp.ts";
import { ConfigError } from "../../src/errors.ts";
import { weightedMeanSquare } from "../../src/flow/flow-map.ts";
import { cfm } from "../../src/flow/losses/cfm.ts";
import type { LossContext } from "../../src/flow/losses/loss.ts";
import { type FrozenField, type MeanFlowOptions, meanFlow } from "../../src/flow/losses/mean-flow.ts";
import { fieldOf } from "../../src/flow/network-field.ts";
import { condOT } from "../../src/flow/paths/cond-ot.ts";
import { linearVP } from "../../src/flow/paths/linear-vp.ts";
import type { Node } from "../../src/graph/node.ts";
import { classes } from "../../src/nn/conditions.ts";
import { flowMap } from "../../src/nn/flow-map.ts";
import { initialParameters } from "../../src/nn/initialize.ts";
import { mlp } from "../../src/nn/mlp.ts";
import { type AverageVelocity, type Network, parameterLayout, parameterViews } from "../../src/nn/network.ts";
import { add, multiply } from "../../src/ops/arithmetic.ts";
import { slice } from "../../src/ops/shape.ts";
import { HostRandom } from "../../src/ops/threefry.ts";
import { numbers, relativeError, valuesOf, variable } from "./evaluate.ts";
import { gaussianNetwork } from "./gaussian-network.ts";

const [rows, dimension] = [7, 2];
const host = new HostRandom(23);
const x0 = host.normal(rows * dimension, 0);
const x1 = host.normal(rows * dimension, 1);
const times = host.uniform(rows, 2);

/** Draws in the order that the loss asks for them. */
function contextOf(network: Network, parameters: ReadonlyMap<string, Node> = new Map(), drawn: number[][] = []) {
  let draw = 0;
  const context: LossContext = {
    network: fieldOf(network, parameters),
    path: condOT(),
    x0: numbers(x0, [rows, dimension]),
    x1: numbers(x1, [rows, dimension]),
    t: numbers(times, [rows, 1]),
    random(kind, shape) {
      const values = Array.from(
        host.draw(
          kind,
          shape.reduce((a, b) => a * b, 1),
          10 + draw++,
        ),
      );
      drawn.push(values);
      return numbers(values, shape);
    },
  };
  return context;
}

const small = (options: Partial<AverageVelocity> = {}) =>
  flowMap({ network: mlp({ dimension: dimension + 1, hidden: [6, 5], activation: "tanh" }), ...options });

function evaluated(network: Network, options: MeanFlowOptions | "cfm") {
  const layout = parameterLayout(network);
  const flat = variable("parameters", [layout.total]);
  const states = new Map([["parameters", initialParameters(network, 5)]]);
  const context = contextOf(network, parameterViews(flat, layout));
  const loss = options === "cfm" ? cfm() : meanFlow(options);
  const { loss: total, velocityLoss, divergenceLoss } = loss.build(context);
  const nodes = [total, velocityLoss, divergenceLoss ?? total, ...gradient(total, [flat])];
  const [value, velocity, divergence, slope] = valuesOf(nodes, states);
  return { value: value[0], velocity: velocity[0], divergence: divergence[0], gradient: slope };
}

/** U = a x + b s + c e, A = g x_1 + h s + k e: all derivatives are numbers. */
const [a, b, c, g, h, k] = [0.7, -0.4, 0.3, 0.9, -0.6, 1.2];
const linear: Network = {
  ...{ kind: "linear", config: {}, dimension, parameters: [] },
  average: {
    divergence: true,
    reverse: false,
    at: (_, x, s, e) => ({
      velocity: add(add(multiply(x, a), multiply(s, b)), multiply(e, c)),
      divergence: add(add(multiply(numbersOf(x), g), multiply(s, h)), multiply(e, k)),
    }),
  },
  apply: (values, x, t) => (linear.average as AverageVelocity).at(values, x, t, t).velocity,
};

/** x_1 of each row, [B, 1]. */
function numbersOf(x: Node): Node {
  return slice(x, 1, 0, 1);
}

/** The same in plain arithmetic. */
function byHand(tangent: "conditional" | "model" | "mixed", drawn: number[][], { power = 0, offset = 1e-3 } = {}) {
  const [other, equal, probe] = drawn as [number[], number[], number[]];
  let [velocity, weighted, divergence] = [0, 0, 0];
  for (let i = 0; i < rows; i++) {
    const t = times[i] as number;
    const isEqual = (equal[i] as number) < 0.5;
    const s = isEqual ? t : Math.min(t, other[i] as number);
    const e = isEqual ? t : Math.max(t, other[i] as number);
    let squares = 0;
    let first = 0;
    let firstTangent = 0;
    for (let j = 0; j < dimension; j++) {
      const at = i * dimension + j;
      const [from, to] = [x0[at] as number, x1[at] as number];
      const [x, w] = [s * to + (1 - s) * from, to - from];
      const now = a * x + (b + c) * s;
      const along = { conditional: w, model: now, mixed: (w + now) / 2 }[tangent];
      const target = w + (e - s) * (a * along + b);
      squares += (a * x + b * s + c * e - target) ** 2;
      if (j === 0) [first, firstTangent] = [x, along];
    }
    velocity += squares / (rows * dimension);
    weighted += (squares * (squares + offset) ** -power) / (rows * dimension);
    // z.(J z) of a I is a z.z; of Rademacher probes D a.
    const z = probe.slice(i * dimension, (i + 1) * dimension).reduce((total, value) => total + value * value, 0);
    const target = a * z + (e - s) * (g * firstTangent + h);
    divergence += ((g * first + h * s + k * e - target) / dimension) ** 2 / rows;
  }
  return { velocity, weighted, divergence };
}

describe.each(["conditional", "model", "mixed"] as const)("tangent %s", (tangent) => {
  test.each([[{}], [{ adaptive: { power: 1 } }], [{ adaptive: { power: 0.5, offset: 0.1 } }], [{ divergence: 0.3 }]])(
    "with %j is the formula",
    (more: MeanFlowOptions) => {
      const drawn: number[][] = [];
      const terms = meanFlow({ tangent, ...more }).build(contextOf(linear, new Map(), drawn));
      const expected = byHand(tangent, drawn, more.adaptive);
      const [loss, velocity, divergence] = valuesOf([terms.loss, terms.velocityLoss, terms.divergenceLoss as Node]);
      expect(velocity[0]).toBeCloseTo(expected.velocity, 12);
      expect(divergence[0]).toBeCloseTo(expected.divergence, 12);
      expect(loss[0]).toBeCloseTo(expected.weighted + (more.divergence ?? 1) * expected.divergence, 12);
    },
  );
});

test("where e = s it is flow matching at the trainer's times, value and gradient", () => {
  const network = small({ divergence: false });
  const [ours, expected] = [evaluated(network, { equal: 1 }), evaluated(network, "cfm")];
  expect(ours.value).toBeCloseTo(expected.value, 13);
  expect(relativeError(ours.gradient, expected.gradient)).toBeLessThan(1e-12);
});

describe("a teacher", () => {
  /** v = 0.6 x + 0.2 t, of divergence 1.2. */
  const network: Network = {
    ...{ kind: "taught", config: {}, dimension },
    parameters: [{ name: "slope", shape: [1, 1], initial: { kind: "constant", value: 1 }, torchLayout: "as-is" }],
    apply: (values, x, t) => add(multiply(x, values.get("slope") as Node), multiply(t, 0.2)),
  };
  const teacher: FrozenField = { network, path: condOT(), parameters: new Map([["slope", [0.6]]]) };

  test.each(["hutchinson", "exact"] as const)(
    "stands for the path's velocity, for the model's and for the direction, divergence by %s",
    (estimator) => {
      const drawn: number[][] = [];
      const terms = meanFlow({ teacher, estimator, equal: 0 }).build(contextOf(linear, new Map(), drawn));
      const [other] = drawn as [number[]];
      let [velocity, divergence] = [0, 0];
      for (let i = 0; i < rows; i++) {
        const [s, e] = [times[i] as number, other[i] as number].sort((one, two) => one - two) as [number, number];
        const x = [0, 1].map((j) => s * (x1[2 * i + j] as number) + (1 - s) * (x0[2 * i + j] as number));
        const v = x.map((value) => 0.6 * value + 0.2 * s);
        x.forEach((value, j) => {
          const miss = a * value + b * s + c * e - (v[j] as number) - (e - s) * (a * (v[j] as number) + b);
          velocity += miss ** 2 / (rows * dimension);
        });
        const miss = g * (x[0] as number) + h * s + k * e - 1.2 - (e - s) * (g * (v[0] as number) + h);
        divergence += (miss / dimension) ** 2 / rows; // Rademacher probes have no variance on 0.6 I
      }
      const [ofVelocity, ofDivergence] = valuesOf([terms.velocityLoss, terms.divergenceLoss as Node]);
      expect(ofVelocity[0]).toBeCloseTo(velocity, 12);
      expect(ofDivergence[0]).toBeCloseTo(divergence, 12);
    },
  );

  test("with the exact field the exact map's loss is 0", () => {
    const exact = gaussianNetwork();
    const field: Network = { ...exact, average: undefined as never };
    const parameters = new Map([["none", [0, 0, 0, 0]]]);
    const taught = meanFlow({ teacher: { ...teacher, network: field, parameters }, estimator: "exact" });
    const { loss } = taught.build(contextOf(exact));
    expect(valuesOf([loss])[0]?.[0]).toBeLessThan(1e-25);
    const off = taught.build(contextOf(gaussianNetwork({ factor: 1.1 })));
    expect(valuesOf([off.loss])[0]?.[0]).toBeGreaterThan(1e-3);
  });

  test.each<[string, Partial<FrozenField>]>([
    ["dimension of the teacher of meanFlow", { network: { ...network, dimension: 3 } }],
    ["path of the teacher of meanFlow", { path: linearVP() }],
    ["conditions of the teacher of meanFlow", { network: { ...network, conditions: { label: classes(2) } } }],
  ])("of another %s is refused", (subject, changes) => {
    const build = () => meanFlow({ teacher: { ...teacher, ...changes } }).build(contextOf(linear));
    expect(build).toThrow(ConfigError);
    expect(build).toThrow(`${subject}: got `);
  });
});

test("an anchor's loss is added", () => {
  const network = small();
  const options: MeanFlowOptions = { equal: 0, divergence: 0 };
  const [bare, both] = [evaluated(network, options), evaluated(network, { ...options, anchor: cfm() })];
  const anchor = evaluated(network, "cfm");
  expect(both.value).toBeCloseTo(bare.value + anchor.value, 13);
  expect(
    relativeError(
      both.gradient,
      bare.gradient.map((value, i) => value + anchor.gradient[i]),
    ),
  ).toBeLessThan(1e-12);
});

describe("pairs of times", () => {
  /** Starts and ends that the network is asked for. */
  function pairs(options: MeanFlowOptions, reverse = false): [number, number][] {
    const seen: Node[] = [];
    const spy: Network = {
      ...linear,
      average: {
        ...{ divergence: true, reverse },
        at(values, x, s, e) {
          seen.push(s, e);
          return (linear.average as AverageVelocity).at(values, x, s, e);
        },
      },
    };
    meanFlow(options).build(contextOf(spy));
    const [starts, ends] = valuesOf(seen.slice(0, 2));
    return Array.from(starts, (s, i) => [s, ends[i] as number]);
  }

  test("s is the earlier of two, one of them the trainer's; with reverse about half are the other way round", () => {
    const forth = pairs({ equal: 0 });
    for (const [s, e] of forth) expect(s).toBeLessThan(e);
    for (const [i, pair] of forth.entries()) expect(pair).toContain(times[i]);
    const back = pairs({ equal: 0 }, true);
    expect(back.map((pair) => [...pair].sort())).toEqual(forth.map((pair) => [...pair].sort()));
    expect(back.filter(([s, e]) => s > e).length).toBeGreaterThan(0);
    expect(back.filter(([s, e]) => s < e).length).toBeGreaterThan(0);
  });

  test("logit-normal ones are sigmoids of normals", () => {
    for (const [s, e] of pairs({ equal: 0, times: { mean: 6, deviation: 0.5 } })) {
      expect(Math.min(s, e)).toBeGreaterThan(0.98);
      expect(Math.max(s, e)).toBeLessThan(1);
    }
  });
});

test("nothing differentiates through the targets", () => {
  // A scale c of the averages: U = c x. The loss is mean (c x - target)^2, so that with the target held its slope by c is
  // 2 mean (c x - target) x; the target has c in it too.
  const scale = variable("scale", [1, 1]);
  const network: Network = {
    ...linear,
    average: { divergence: false, reverse: false, at: (_, x) => ({ velocity: multiply(x, scale) }) },
  };
  const drawn: number[][] = [];
  const { loss } = meanFlow({ tangent: "model" }).build(contextOf(network, new Map(), drawn));
  const [slope] = valuesOf(gradient(loss, [scale]), new Map([["scale", [1.3]]]));
  const [other, equal] = drawn as [number[], number[]];
  let expected = 0;
  for (let i = 0; i < rows; i++) {
    const t = times[i] as number;
    const isEqual = (equal[i] as number) < 0.5;
    const [s, e] = isEqual ? [t, t] : [Math.min(t, other[i] as number), Math.max(t, other[i] as number)];
    for (let j = 0; j < dimension; j++) {
      const [from, to] = [x0[i * dimension + j] as number, x1[i * dimension + j] as number];
      const x = s * to + (1 - s) * from;
      const target = to - from + (e - s) * 1.3 * 1.3 * x;
      expected += (2 * (1.3 * x - target) * x) / (rows * dimension);
    }
  }
  expect(slope[0]).toBeCloseTo(expected, 12);
});

test.each([0, 0.5, 1])("weights of rows by power %d are held constant", (power) => {
  const miss = variable("miss", [2, 2]);
  const given = [0.3, -0.4, 1.2, 0.5];
  const mean = weightedMeanSquare(miss, { power, offset: 0.1 });
  const [slope] = valuesOf(gradient(mean, [miss]), new Map([["miss", given]]));
  const weights = [0.25, 1.69].map((square) => (square + 0.1) ** -power);
  given.forEach((value, i) => {
    expect(slope[i]).toBeCloseTo((2 * value * (weights[Math.floor(i / 2)] as number)) / 4, 12);
  });
});

describe("refused with a sentence", () => {
  test.each<[string, () => unknown]>([
    ["tangent of meanFlow", () => meanFlow({ tangent: "none" as never })],
    ["equal of meanFlow", () => meanFlow({ equal: 1.5 })],
    ["times of meanFlow", () => meanFlow({ times: "normal" as never })],
    ["deviation in times of meanFlow", () => meanFlow({ times: { deviation: 0 } })],
    ["power in adaptive of meanFlow", () => meanFlow({ adaptive: { power: -1 } })],
    ["offset in adaptive of meanFlow", () => meanFlow({ adaptive: { offset: 0 } })],
    ["divergence of meanFlow", () => meanFlow({ divergence: -1 })],
    ["probes of meanFlow", () => meanFlow({ probes: 0 })],
    ["anchor of meanFlow", () => meanFlow({ anchor: 5 as never })],
    ["anchor of meanFlow", () => meanFlow({ anchor: meanFlow() })],
    ["estimator of meanFlow", () => meanFlow({ estimator: "none" as never })],
    ["teacher of meanFlow", () => meanFlow({ teacher: {} as never })],
    ["tangent of meanFlow", () => meanFlow({ teacher: { network: linear } as never, tangent: "model" })],
    ["network of meanFlow", () => meanFlow().build(contextOf(mlp({ dimension: 2, hidden: [4] })))],
    ["network of meanFlow", () => meanFlow().build(contextOf({ ...linear, own: linear }))], // gives no velocities
    ["divergence of meanFlow", () => evaluated(small({ divergence: false }), { divergence: 1 })],
    ["network of flowMap", () => flowMap({ network: mlp({ dimension: 1, hidden: [4] }) })],
    ["network of flowMap", () => flowMap({ network: small() })],
    ["divergence of flowMap", () => flowMap({ network: mlp({ dimension: 3, hidden: [4] }), divergence: 1 as never })],
  ])("%s", (subject, make) => {
    expect(make).toThrow(ConfigError);
    expect(make).toThrow(`${subject}: got `);
  });

  test("an output that is no velocity is the fault, not the network", () => {
    const build = () => meanFlow().build(contextOf({ ...small(), own: small() }));
    expect(build).toThrow(/Give the path itself/);
  });
});
