// Paths, losses and data of a user's own: what their graphs compute is what their functions say, bit for bit, also when
// they come of plain JSON; what is wrong or damaged is refused.
import { describe, expect, test } from "vitest";
import { gradient } from "../../src/autodiff/vjp.ts";
import { defineData } from "../../src/data/define-data.ts";
import { graphData } from "../../src/data/graph-data.ts";
import { moons } from "../../src/data/moons.ts";
import { sampleData, sampleRows } from "../../src/data/sample.ts";
import { CheckpointError, ConfigError, DataError, UnsupportedError } from "../../src/errors.ts";
import { defineLoss } from "../../src/flow/losses/define-loss.ts";
import { fdm } from "../../src/flow/losses/fdm.ts";
import { graphLoss } from "../../src/flow/losses/graph-loss.ts";
import type { Loss } from "../../src/flow/losses/loss.ts";
import { condOT } from "../../src/flow/paths/cond-ot.ts";
import { cosine } from "../../src/flow/paths/cosine.ts";
import { definePath } from "../../src/flow/paths/define-path.ts";
import { graphPath } from "../../src/flow/paths/graph-path.ts";
import { type PathScheduler, pointOnPath, targetVelocity } from "../../src/flow/paths/path.ts";
import { polynomial } from "../../src/flow/paths/polynomial.ts";
import { vp } from "../../src/flow/paths/vp.ts";
import type { Node, Shape } from "../../src/graph/node.ts";
import { classes, numbers } from "../../src/nn/conditions.ts";
import { defineNetwork } from "../../src/nn/define-network.ts";
import { embeddingLayer, linearLayer, swish } from "../../src/nn/layers.ts";
import { mlp } from "../../src/nn/mlp.ts";
import { type Network, parameterLayout, parameterViews } from "../../src/nn/network.ts";
import { abs, add, cos, less, multiply, sin, sqrt, subtract } from "../../src/ops/arithmetic.ts";
import { mean, meanAll } from "../../src/ops/reduce.ts";
import { gather } from "../../src/ops/rows.ts";
import { concat, reshape, slice } from "../../src/ops/shape.ts";
import { constant, state, table } from "../../src/ops/sources.ts";
import { buildBatchLosses } from "../../src/train/batch.ts";
import { Random } from "../reliability/random.mjs";
import { valuesOf } from "./evaluate.ts";

const through = (given: unknown) => JSON.parse(JSON.stringify(given));

describe("definePath", () => {
  const paths: readonly (readonly [string, PathScheduler])[] = [
    ["cond-ot", condOT({ sigmaMin: 0.1 })],
    ["vp", vp()],
    ["cosine", cosine()],
    ["polynomial", polynomial({ degree: 3 })],
  ];

  test.each(paths)("of the functions of %s is that path", (name, path) => {
    const ours = definePath({
      name,
      alpha: (t) => path.at(t).alpha,
      sigma: (t) => path.at(t).sigma,
      alphaRate: (t) => path.at(t).alphaRate,
      sigmaRate: (t) => path.at(t).sigmaRate,
      priorDeviation: path.priorDeviation,
    });
    expect(ours.priorDeviation).toBe(path.priorDeviation);
    expect(ours.dilationVanishes).toBe(path.dilationVanishes);
    for (const rows of [1, 7]) {
      const t = table(
        Array.from({ length: rows }, (_, i) => (i + 0.5) / rows),
        [rows, 1],
      );
      const both = [path, ours, graphPath(through(ours.options))].map((each) => {
        const { alpha, sigma, alphaRate, sigmaRate } = each.at(t);
        return valuesOf([alpha, sigma, alphaRate, sigmaRate]);
      });
      expect(both[1]).toEqual(both[0]);
      expect(both[2]).toEqual(both[0]);
    }
  });

  test("takes rates by forward mode, and the prior's deviation from sigma(0)", () => {
    const path = definePath({ name: "mine", alpha: (t) => multiply(t, t), sigma: (t) => subtract(2, multiply(t, 2)) });
    expect(path.priorDeviation).toBe(2);
    expect(path.dilationVanishes).toBe(false);
    const { alphaRate, sigmaRate } = path.at(table([0.25, 0.5], [2, 1]));
    expect(valuesOf([alphaRate, sigmaRate]).map((values) => Array.from(values))).toEqual([
      [0.5, 1],
      [-2, -2],
    ]);
    const still = definePath({ name: "still", alpha: (t) => t, sigma: () => constant(0.5) });
    expect(still.priorDeviation).toBe(0.5);
    expect(still.dilationVanishes).toBe(true);
  });

  test.each<[string, Record<string, unknown>, RegExp]>([
    ["a wrong rate", { alphaRate: (t: Node) => multiply(t, 3) }, /alphaRate of path "mine" at t = 0.0.*the derivative/],
    ["a sigma that ends too soon", { sigma: (t: Node) => subtract(0.5, t) }, /sigma of path "mine" at t = 0.5/],
    ["a value that is none", { alpha: (t: Node) => sqrt(subtract(t, 0.5)) }, /alpha of path "mine" at t = 0/],
    ["another shape", { alpha: () => table([1, 2], [2]) }, /alpha of path "mine".*\[B, 1\]/],
    ["no function", { sigma: 1 }, /sigma of path "mine"/],
    ["no name", { name: "" }, /name of definePath/],
    ["another option", { beta: 1 }, /beta/],
  ])("refuses %s", (_, change, message) => {
    const definition = {
      name: "mine",
      alpha: (t: Node) => multiply(t, t),
      sigma: (t: Node) => subtract(1, t),
      ...change,
    };
    expect(() => definePath(definition)).toThrow(message);
    expect(() => definePath(definition)).toThrow(ConfigError);
  });

  test("finds a dilation that vanishes", () => {
    const bump = (t: Node) => add(1, multiply(multiply(t, subtract(0.5, t)), 1));
    expect(definePath({ name: "mine", alpha: (t) => t, sigma: bump }).dilationVanishes).toBe(true);
  });
});

describe("defineData", () => {
  const source = moons({ noise: 0.3 });
  const ours = defineData({ name: "my moons", shape: [2], draw: (context) => source.draw(context as never) as Node });

  test.each([1, 100])("of moons' function draws the same %d points", (count) => {
    expect(sampleData(ours, count, 5)).toEqual(sampleData(source, count, 5));
    expect(sampleData(graphData(through(ours.options)), count, 5)).toEqual(sampleData(source, count, 5));
  });

  const values = Float32Array.from({ length: 12 }, (_, i) => Math.sin(i));
  const labels = Uint32Array.from({ length: 4 }, (_, i) => i % 3);
  const drawn = defineData({
    name: "rows",
    shape: [3, 1],
    columns: ["a", "b", "c"],
    conditions: { label: { shape: [], classes: 3, names: ["one", "two", "three"] }, size: { shape: [1] } },
    state: { points: { values, shape: [4, 3] }, labels: { values: labels, shape: [4] } },
    draw: ({ rows, random, state }) => {
      const row = random("index", [rows], { bound: 4 });
      const points = add(gather(state("points"), row), multiply(random("normal", [rows, 3]), 1e-3));
      return { points, conditions: { size: mean(abs(points), [1]), label: gather(state("labels"), row) } };
    },
  });

  test("draws from numbers of its own, with what is known of each point", () => {
    expect(drawn.dimension).toBe(3);
    expect(drawn.shape).toEqual([3, 1]);
    expect(drawn.columns).toEqual(["a", "b", "c"]);
    const { values: points, conditions } = sampleRows(drawn, 50, 1);
    const { label, size } = conditions as { label: Uint32Array; size: Float64Array };
    for (let i = 0; i < 50; i++) {
      const own = Array.from({ length: 3 }, (_, k) => points[3 * i + k] as number);
      const row = [0, 1, 2, 3].find((row) =>
        own.every((value, k) => Math.abs(value - (values[3 * row + k] as number)) < 0.01),
      );
      expect(label[i]).toBe(labels[row as number]);
      expect(size[i]).toBeCloseTo(
        own.reduce((sum, value) => sum + Math.abs(value) / 3, 0),
        5,
      );
    }
    expect(new Set(label)).toEqual(new Set([0, 1, 2]));
  });

  test("needs the same numbers again", () => {
    const contents = { points: { values, shape: [4, 3] }, labels: { values: labels, shape: [4] } };
    expect(sampleData(graphData(through(drawn.options), contents), 9, 2)).toEqual(sampleData(drawn, 9, 2));
    expect(() => graphData(through(drawn.options))).toThrow(DataError);
    const other = { ...contents, points: { values: values.map((x) => x + 1), shape: [4, 3] } };
    expect(() => graphData(through(drawn.options), other)).toThrow(
      /state "points" of data "rows": got "other numbers"/,
    );
  });

  test.each<[string, Record<string, unknown>, RegExp]>([
    ["no shape", { shape: [] }, /shape of data "mine"/],
    ["points of another shape", { shape: [3] }, /points of data "mine".*\[101,3\]/],
    [
      "a condition that is not drawn",
      { conditions: { label: { shape: [], classes: 2 } } },
      /condition "label" of data "mine"/,
    ],
    [
      "state that there is none of",
      { draw: ({ state }: { state(name: string): Node }) => state("x") },
      /state "x" of data "mine"/,
    ],
    ["too few columns", { columns: ["a"] }, /columns of data "mine"/],
    ["no function", { draw: 1 }, /draw of data "mine"/],
    ["another option", { beta: 1 }, /beta/],
  ])("refuses %s", (_, change, message) => {
    const definition = {
      name: "mine",
      shape: [2],
      draw: ({ rows, random }: never) => uniform(rows, random),
      ...change,
    };
    expect(() => defineData(definition as never)).toThrow(message);
    expect(() => defineData(definition as never)).toThrow(ConfigError);
  });

  test("refuses a loop over rows", () => {
    const draw = ({ rows, random }: never) =>
      concat(
        Array.from({ length: rows as number }, () => uniform(1 as never, random)),
        0,
      );
    expect(() => defineData({ name: "mine", shape: [2], draw })).toThrow(UnsupportedError);
  });
});

const uniform = (rows: never, random: never) => (random as (kind: string, shape: Shape) => Node)("uniform", [rows, 2]);

describe("defineLoss", () => {
  const label = embeddingLayer("label", 4, 8);
  const [first, last] = [linearLayer("first", 3, 8), linearLayer("last", 8, 2)];
  const network = defineNetwork({
    name: "told",
    sample: [2],
    conditions: { label: classes(3, { drop: 0.5 }), size: numbers([], { drop: 0.2 }) },
    parameters: [label, first, last],
    apply: (inputs, values) => {
      const { x, t, label: labels, size } = inputs as Record<string, Node>;
      const told = add(label.apply(values, labels as Node), reshape(size as Node, [(x as Node).shape[0] as number, 1]));
      return last.apply(values, swish(add(first.apply(values, concat([x as Node, t as Node], 1)), told)));
    },
  });
  const data = defineData({
    name: "told",
    shape: [2],
    conditions: { label: { shape: [], classes: 3 }, size: { shape: [] } },
    draw: ({ rows, random }) => ({
      points: random("normal", [rows, 2]),
      conditions: { label: random("index", [rows], { bound: 3 }), size: random("uniform", [rows]) },
    }),
  });
  const plain = mlp({ dimension: 2, hidden: [6] });
  const own: readonly (readonly [string, Loss["build"]])[] = [
    ["fdm", fdm({ probes: 2 }).build],
    ["slice, exact", fdm({ form: "slice", estimator: "exact", detachVelocity: false }).build],
    [
      "mine",
      (context) => {
        const { network, path, x0, x1, t, random } = context;
        const values = path.at(t);
        const x = add(pointOnPath(values, x0, x1), multiply(random("normal", x0.shape), 0.1));
        const miss = subtract(network(x, t), targetVelocity(values, x0, x1));
        const loss = meanAll(subtract(sqrt(add(multiply(miss, miss), 1)), 1));
        return { loss, velocityLoss: multiply(loss, 2), divergenceLoss: undefined };
      },
    ],
  ];

  describe.each([
    ["conditions", network, data],
    ["an mlp", plain, moons()],
  ] as const)("with %s", (_, network, data) => {
    test.each(own)("%s gives the bits of its function, loss and gradient, for any rows and of JSON", (name, build) => {
      const path = condOT({ sigmaMin: 0.05 });
      const defined = defineLoss({ name, build: build as never });
      const graph = defined.forNetwork?.(network, path) as Loss;
      const losses = [{ name, options: {}, build }, graph, graphLoss(through(graph.options))];
      for (const rows of [1, 6, 17]) {
        const found = losses.map((loss) => {
          const layout = parameterLayout(network);
          const flat = state({ name: "parameters", shape: [layout.total], dtype: "f32" });
          const views = parameterViews(flat, layout);
          const seed = state({ name: "seed", shape: [2], dtype: "u32" });
          const counter = state({ name: "counter", shape: [1], dtype: "u32" });
          const terms = buildBatchLosses({ network, path, loss, data, batchSize: rows }, views, { seed, counter });
          const random = new Random(3);
          const states = new Map<string, ArrayLike<number>>([
            ["parameters", Float32Array.from({ length: layout.total }, () => random.uniform() - 0.5)],
            ["seed", [1, 2]],
            ["counter", [7]],
          ]);
          const gradients = gradient(terms.loss, [...views.values()]);
          const outputs = [
            terms.loss,
            terms.velocityLoss,
            ...(terms.divergenceLoss ? [terms.divergenceLoss] : []),
            ...gradients,
          ];
          return valuesOf(outputs, states);
        });
        expect(found[1]).toEqual(found[0]);
        expect(found[2]).toEqual(found[0]);
        expect(found[0]?.[0]?.[0]).toBeGreaterThan(0);
      }
    });
  });

  test("a scalar alone is its velocity loss too", () => {
    const loss = defineLoss({ name: "one", build: ({ network, x1, t }) => meanAll(network(x1, t)) });
    const graph = loss.forNetwork?.(plain, condOT()) as Loss;
    expect(graph.name).toBe("graph");
    expect(graph.options["name"]).toBe("one");
  });

  test.each<[string, Record<string, unknown>, RegExp]>([
    [
      "a loss for each row",
      { build: ({ x1 }: { x1: Node }) => mean(x1, [1]) },
      /loss of loss "mine": got "f32 \[101, 1\]"/,
    ],
    ["a loop over rows", { build: ({ x1 }: { x1: Node }) => meanAll(pairs(x1)) }, /nodes for 101 rows/],
    ["no function", { build: undefined }, /build of loss "mine"/],
  ])("refuses %s", (_, change, message) => {
    expect(() => defineLoss({ name: "mine", ...change } as never).forNetwork?.(plain, condOT())).toThrow(message);
  });

  test("of one network is not another's", () => {
    const graph = defineLoss({ name: "mine", build: fdm().build as never }).forNetwork?.(plain, condOT()) as Loss;
    const views = parameterViews(
      state({ name: "p", shape: [parameterLayout(network).total], dtype: "f32" }),
      parameterLayout(network),
    );
    const [seed, counter] = [
      state({ name: "s", shape: [2], dtype: "u32" }),
      state({ name: "c", shape: [1], dtype: "u32" }),
    ];
    const options = { network, path: condOT(), loss: graph, data, batchSize: 4 };
    expect(() => buildBatchLosses(options, views, { seed, counter })).toThrow(/input "parameter/);
  });
});

/** The loss as a graph, for this network. */
function graphOf(loss: Loss, network: Network = mlp({ dimension: 2, hidden: [3] })): Loss {
  return loss.forNetwork?.(network, condOT()) as Loss;
}

function pairs(x: Node): Node {
  const rows = x.shape[0] as number;
  return concat(
    Array.from({ length: rows - 1 }, (_, i) => subtract(slice(x, 0, i, i + 1), slice(x, 0, i + 1, i + 2))),
    0,
  );
}

// The graph inside is the traces', whose damages test/nn/define-network.test.ts has: here are the fields around it.
describe("damaged parts", () => {
  const parts: Readonly<Record<string, readonly [unknown, (given: unknown) => unknown]>> = {
    path: [definePath({ name: "mine", alpha: (t) => sin(t), sigma: (t) => cos(t) }).options, graphPath],
    data: [
      defineData({
        name: "mine",
        shape: [2],
        conditions: { label: { shape: [], classes: 2 } },
        draw: ({ rows, random }) => ({
          points: random("normal", [rows, 2]),
          conditions: { label: random("index", [rows], { bound: 2 }) },
        }),
      }).options,
      graphData,
    ],
    loss: [
      graphOf(defineLoss({ name: "mine", build: ({ random, x1 }) => meanAll(less(random("normal", x1.shape), x1)) }))
        .options,
      graphLoss,
    ],
  };
  const strange = [null, true, 0, -1, 1.5, 3, 2 ** 53, "", "x", "__proto__", [], {}, { perRow: 1, plus: 0 }];

  test.each(Object.keys(parts))("of a %s are CheckpointErrors, under a checksum of their own too", (name) => {
    const [whole, made] = parts[name] as (typeof parts)[string];
    made(through(whole));
    let refused = 0;
    for (let seed = 0; seed < 400; seed++) {
      const random = new Random(seed);
      const damaged = through(damage(through(whole), random, strange));
      if (JSON.stringify(damaged) === JSON.stringify(whole)) continue;
      expect(() => made(damaged), `seed ${seed}`).toThrow(CheckpointError);
      try {
        signed(damaged, made);
      } catch (error) {
        expect(error, `seed ${seed}: ${String(error)}`).toBeInstanceOf(CheckpointError);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(200);
  });
});

/** What is made under a checksum that fits, as the error that refuses it says. */
function signed(config: unknown, made: (given: unknown) => unknown): void {
  try {
    made(config);
  } catch (error) {
    const sum =
      error instanceof CheckpointError ? /expected ([0-9a-f]{16}), that of the rest/.exec(error.message) : undefined;
    if (!sum) throw error;
    made({ ...(config as object), checksum: sum[1] });
  }
}

function damage(root: unknown, random: Random, strange: readonly unknown[]): unknown {
  const places: [Record<string, unknown>, string][] = [];
  const visit = (value: unknown) => {
    if (typeof value !== "object" || value === null) return;
    for (const [key, each] of Object.entries(value)) {
      places.push([value as Record<string, unknown>, key]);
      visit(each);
    }
  };
  visit(root);
  const [owner, key] = random.of(places);
  const how = random.integer(4);
  if (how === 0) delete owner[key];
  else if (how === 1) owner[`${key}x`] = owner[key];
  else owner[key] = random.of(strange);
  return root;
}
