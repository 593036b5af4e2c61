// Networks of a user's own: what they compute, what they are kept as, and what is said of wrong and of damaged ones.
import { describe, expect, test } from "vitest";
import { CheckpointError, ConfigError, UnsupportedError } from "../../src/errors.ts";
import { topologicalOrder } from "../../src/graph/graph.ts";
import { type Node, type Shape, sizeOf } from "../../src/graph/node.ts";
import { classes, numbers } from "../../src/nn/conditions.ts";
import { defineNetwork, type NetworkDefinition } from "../../src/nn/define-network.ts";
import { graphConfig, graphNetwork } from "../../src/nn/graph.ts";
import { conv1dLayer, embeddingLayer, linearLayer, swish } from "../../src/nn/layers.ts";
import { mlp } from "../../src/nn/mlp.ts";
import type { Network } from "../../src/nn/network.ts";
import { add, multiply } from "../../src/ops/arithmetic.ts";
import { concat, reshape, slice } from "../../src/ops/shape.ts";
import { state, table } from "../../src/ops/sources.ts";
import { valuesOf } from "../flow/evaluate.ts";
import { Random } from "../reliability/random.mjs";
import { damaged, signed } from "../trace/damaged.ts";

const input = conv1dLayer("input", { taps: 3, inputs: 3, outputs: 8 });
const time = linearLayer("time", 1, 8);
const forcing = linearLayer("forcing", 4, 8);
const label = embeddingLayer("label", 4, 8);
const output = conv1dLayer("output", { taps: 3, inputs: 8, outputs: 3 });

const definition: NetworkDefinition = {
  name: "mine",
  sample: [6, 3],
  conditions: { forcing: numbers(4, { drop: 0.1 }), label: classes(3) },
  parameters: [
    ...[input, time, forcing, label, output],
    { name: "scale", shape: [8], initial: { kind: "constant", value: 1 }, torchLayout: "as-is" },
  ],
  apply: (inputs, values) => {
    const { x, t, forcing: forced, "forcing.told": told, label: labels } = inputs as Record<string, Node>;
    const row = (e: Node) => reshape(e, [e.shape[0] as number, 1, 8]);
    const steered = add(row(time.apply(values, t as Node)), row(label.apply(values, labels as Node)));
    const felt = multiply(
      row(forcing.apply(values, forced as Node)),
      reshape(told as Node, [(told as Node).shape[0] as number, 1, 1]),
    );
    const h = add(add(input.apply(values, x as Node), steered), felt);
    return output.apply(values, multiply(swish(h), values.get("scale") as Node));
  },
};

describe("a network of one's own", () => {
  const network = defineNetwork(definition);

  test("has what was declared, and its config is all that it is", () => {
    expect(network.kind).toBe("graph");
    expect(network.dimension).toBe(18);
    expect(network.sample).toEqual([6, 3]);
    expect(network.conditions).toEqual(definition.conditions);
    expect(network.parameters.map(({ name }) => name)).toEqual([
      ...["input", "time", "forcing"].flatMap((name) => [`${name}.weight`, `${name}.bias`]),
      ...["label.weight", "output.weight", "output.bias", "scale"],
    ]);
    const again = graphNetwork(JSON.parse(JSON.stringify(network.config)));
    expect(again.parameters).toEqual(network.parameters);
    expect(again.config).toEqual(network.config);
  });

  test.each([1, 5, 32])("of %d rows computes what its function says, also when it comes of its config", (rows) => {
    const { values, parameters, x, t, told } = statesOf(network, rows);
    const inputs = { ...Object.fromEntries(told), x: reshape(x, [rows, 6, 3]), t };
    const direct = reshape(definition.apply(inputs as never, parameters), [rows, 18]);
    const again = graphNetwork(JSON.parse(JSON.stringify(network.config))).apply(parameters, x, t, told);
    expect(topologicalOrder([again]).map(({ op }) => op.name)).toEqual(
      topologicalOrder([direct]).map(({ op }) => op.name),
    );
    const [expected, found] = valuesOf([direct, again], values);
    expect(found).toEqual(expected);
  });

  test("says what it is not told", () => {
    const { parameters, x, t, told } = statesOf(network, 2);
    const less = new Map([...told].filter(([name]) => name !== "label"));
    expect(() => network.apply(parameters, x, t, less)).toThrow(/condition "label"/);
  });

  test("that loops over rows is refused", () => {
    const apply: NetworkDefinition["apply"] = ({ x }) =>
      concat(
        Array.from({ length: x.shape[0] as number }, (_, row) => slice(x, 0, row, row + 1)),
        0,
      );
    expect(() => defineNetwork({ ...definition, apply })).toThrow(UnsupportedError);
  });

  test("that keeps something for each row is refused", () => {
    const apply: NetworkDefinition["apply"] = ({ x, t }) => {
      const rows = x.shape[0] as number;
      return multiply(
        x,
        add(
          reshape(t, [rows, 1, 1]),
          table(
            Array.from({ length: rows }, (_, i) => i),
            [rows, 1, 1],
          ),
        ),
      );
    };
    expect(() => defineNetwork({ ...definition, apply })).toThrow(/table\), values/);
  });

  test.each<[string, Readonly<Record<string, unknown>>, RegExp]>([
    ["no name", { name: "" }, /name of defineNetwork/],
    ["no sample", { sample: [] }, /sample of network "mine"/],
    ["no function", { apply: undefined }, /apply of network "mine"/],
    ["a parameter twice", { parameters: [input, input] }, /"input.weight", expected each name once/],
    ["no parameters", { parameters: [] }, /parameters of network "mine"/],
    [
      "a result of another shape",
      { apply: ({ x }: { x: Node }) => slice(x, 1, 0, 2) },
      /result of network "mine".*\[101, 2, 3\]/,
    ],
    ["no result", { apply: () => undefined }, /result of network "mine"/],
    ["an unknown option", { layers: [] }, /layers/],
    [
      "state of its own",
      { apply: ({ x }: { x: Node }) => add(x, state({ name: "mine", shape: [3], dtype: "f32" })) },
      /node \d+, op: got "state"/,
    ],
  ])("with %s is refused", (_, change, message) => {
    expect(() => defineNetwork({ ...definition, ...change } as NetworkDefinition)).toThrow(message);
  });
});

test("wrong shapes name the layer", () => {
  const apply: NetworkDefinition["apply"] = ({ x }, values) => output.apply(values, x);
  expect(() => defineNetwork({ ...definition, apply })).toThrow(/layer "output"/);
  expect(() => defineNetwork({ ...definition, apply })).toThrow(ConfigError);
});

// Every damage is found, whatever field it meets: a number that is another number too. Repeat one by its seed.
describe("a damaged graph", () => {
  const subjects: Readonly<Record<string, unknown>> = {
    mine: defineNetwork(definition).config,
    mlp: graphConfig(mlp({ dimension: 2, hidden: [3] })),
  };

  test.each(Object.keys(subjects))("of %s is a CheckpointError", (name) => {
    let changed = 0;
    for (let seed = 0; seed < 500; seed++) {
      const random = new Random(seed);
      const given = damaged(subjects[name], random);
      if (JSON.stringify(given) === JSON.stringify(subjects[name])) continue;
      changed++;
      expect(() => graphNetwork(given), `seed ${seed}`).toThrow(CheckpointError);
    }
    expect(changed).toBeGreaterThan(400);
  });

  // The checksum finds the above; this is what finds what was written wrong. What passes still has to be a graph.
  test.each(Object.keys(subjects))(
    "of %s under a checksum of its own is a CheckpointError, or a graph that can be built",
    (name) => {
      let refused = 0;
      for (let seed = 0; seed < 500; seed++) {
        const random = new Random(seed);
        const given = damaged(subjects[name], random);
        try {
          const network = signed(given, graphNetwork);
          const { parameters, x, t, told } = statesOf(network, 3);
          network.apply(parameters, x, t, told);
        } catch (error) {
          expect(error, `seed ${seed}: ${String(error)}`).toBeInstanceOf(CheckpointError);
          refused++;
        }
      }
      expect(refused).toBeGreaterThan(300);
    },
  );
});

/** States in the place of all that a network is given. */
function statesOf(network: Network, rows: number) {
  const values = new Map<string, ArrayLike<number>>();
  const random = new Random(rows);
  const given = (name: string, shape: Shape, dtype: "f32" | "u32" = "f32") => {
    values.set(
      name,
      Float64Array.from({ length: sizeOf(shape) }, () => (dtype === "u32" ? 2 : 2 * random.uniform() - 1)),
    );
    return state({ name, shape, dtype });
  };
  const told = Object.entries(network.conditions ?? {}).flatMap(
    ([name, { shape, classes, drop }]): [string, Node][] => [
      [name, given(`condition ${name}`, [rows, ...shape], classes === undefined ? "f32" : "u32")],
      ...(drop && classes === undefined ? [[`${name}.told`, given(`told ${name}`, [rows, 1])] as [string, Node]] : []),
    ],
  );
  return {
    values,
    parameters: new Map(network.parameters.map(({ name, shape }) => [name, given(name, shape)])),
    ...{ x: given("x", [rows, network.dimension]), t: given("t", [rows, 1]), told: new Map(told) },
  };
}
