// Losses of a user's own: what their graphs compute is what their functions say, bit for bit, also when they come of
// plain JSON; what is wrong is refused.
import { describe, expect, test } from "vitest";
import { gradient } from "../../src/autodiff/vjp.ts";
import { defineData } from "../../src/data/define-data.ts";
import { moons } from "../../src/data/moons.ts";
import { defineLoss } from "../../src/flow/losses/define-loss.ts";
import { fdm } from "../../src/flow/losses/fdm.ts";
import { graphLoss } from "../../src/flow/losses/graph-loss.ts";
import type { Loss } from "../../src/flow/losses/loss.ts";
import { condOT } from "../../src/flow/paths/cond-ot.ts";
import { pointOnPath, targetVelocity } from "../../src/flow/paths/path.ts";
import type { Node } from "../../src/graph/node.ts";
import { classes, numbers } from "../../src/nn/conditions.ts";
import { defineNetwork } from "../../src/nn/define-network.ts";
import { embeddingLayer, linearLayer, swish } from "../../src/nn/layers.ts";
import { mlp } from "../../src/nn/mlp.ts";
import { parameterLayout, parameterViews } from "../../src/nn/network.ts";
import { add, multiply, sqrt, subtract } from "../../src/ops/arithmetic.ts";
import { mean, meanAll } from "../../src/ops/reduce.ts";
import { concat, reshape, slice } from "../../src/ops/shape.ts";
import { state } from "../../src/ops/sources.ts";
import { buildBatchLosses } from "../../src/train/batch.ts";
import { Random } from "../reliability/random.mjs";
import { valuesOf } from "./evaluate.ts";

const through = (given: unknown) => JSON.parse(JSON.stringify(given));

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

function pairs(x: Node): Node {
  const rows = x.shape[0] as number;
  return concat(
    Array.from({ length: rows - 1 }, (_, i) => subtract(slice(x, 0, i, i + 1), slice(x, 0, i + 1, i + 2))),
    0,
  );
}
