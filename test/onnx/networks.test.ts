// Velocities of exported networks in ONNX Runtime against our own in f64: one file, several numbers of rows.
import { describe, expect, test } from "vitest";
import { evaluate } from "../../src/graph/evaluate.ts";
import { type Shape, sizeOf } from "../../src/graph/node.ts";
import type { HostTensor } from "../../src/graph/op.ts";
import { classes, conditionValues, numbers } from "../../src/nn/conditions.ts";
import { graphConfig, graphNetwork } from "../../src/nn/graph.ts";
import { initialParameters } from "../../src/nn/initialize.ts";
import { mlp } from "../../src/nn/mlp.ts";
import { type Network, parameterLayout, parameterViews } from "../../src/nn/network.ts";
import { residualMlp } from "../../src/nn/residual-mlp.ts";
import { torchShape } from "../../src/nn/torch.ts";
import { writeOnnx } from "../../src/onnx/write-model.ts";
import { activationKinds } from "../../src/ops/activation.ts";
import { multiply } from "../../src/ops/arithmetic.ts";
import { state, table } from "../../src/ops/sources.ts";
import { HostRandom } from "../../src/ops/threefry.ts";
import { relativeError } from "../differences.ts";
import { goldenNames, goldenNetwork } from "./golden.ts";
import { type Given, runBatches } from "./onnx-runtime.ts";
import { readModel } from "./read-protobuf.ts";

const random = new HostRandom(5);

/** Points, times and conditions of so many rows, exact in f32. */
function inputsOf(network: Network, rows: number): Readonly<Record<string, Given>> {
  const drawn = (shape: Shape, purpose: number): Given => ({
    ...{ type: "float", shape },
    data: Float64Array.from(random.normal(sizeOf(shape), rows, purpose), Math.fround),
  });
  const told = conditionValues(network.conditions).map(({ name, shape, dtype }, i): [string, Given] => {
    const given = drawn([rows, ...shape], 2 + i);
    if (dtype === "f32")
      return [name, { ...given, data: Array.from(given.data, (value) => Math.fround(Math.abs(value) + 0.1)) }];
    const classes = network.conditions?.[name]?.classes as number;
    return [
      name,
      { type: "int64", shape: [rows], data: Array.from({ length: rows }, (_, row) => (3 * row) % classes) },
    ];
  });
  const times = Float64Array.from({ length: rows }, (_, row) => Math.fround((row + 0.3) / rows));
  return {
    x: drawn([rows, ...(network.sample ?? [network.dimension])], 1),
    t: { type: "float", shape: [rows], data: times },
    ...Object.fromEntries(told),
  };
}

/** The network's own velocities, in f64. */
function velocitiesOf(network: Network, parameters: Float32Array, inputs: Readonly<Record<string, Given>>) {
  const { x, t, ...conditions } = inputs as { x: Given; t: Given };
  const rows = t.data.length;
  const layout = parameterLayout(network);
  const flat = state({ name: "parameters", shape: [layout.total], dtype: "f32" });
  const tableOf = ({ type, data }: Given, shape: Shape) =>
    table(Array.from(data), shape, type === "float" ? "f32" : "u32");
  const told = Object.entries<Given>(conditions).map(([name, given]) => [name, tableOf(given, given.shape)] as const);
  const velocity = network.apply(
    parameterViews(flat, layout),
    tableOf(x, [rows, network.dimension]),
    tableOf(t, [rows, 1]),
    new Map(told),
  );
  const held = new Map([["parameters", { shape: [layout.total], data: Float64Array.from(parameters) }]]);
  return (evaluate([velocity], held)[0] as HostTensor).data;
}

async function expectAgreement(network: Network, parameters: Float32Array) {
  const file = writeOnnx({ network, standardization: undefined, priorDeviation: 1 }, parameters, {});
  const batches = [1, 7].map((rows) => inputsOf(network, rows));
  const results = await runBatches(file, batches);
  expect(results).toHaveLength(2);
  results.forEach(({ velocity, noise }, i) => {
    const inputs = batches[i] as Readonly<Record<string, Given>>;
    expect(velocity?.shape).toEqual(inputs["x"]?.shape);
    expect(relativeError(velocity?.data ?? [], velocitiesOf(network, parameters, inputs))).toBeLessThan(1e-5);
    expect(noise?.data).toEqual(Array.from(inputs["x"]?.data ?? []));
  });
}

test.each(activationKinds)("mlp with %s", async (activation) => {
  const network = mlp({ dimension: 3, hidden: [32, 24], activation });
  const parameters = initialParameters(network, 3);
  // Sizes at which activations bend.
  await expectAgreement(
    network,
    parameters.map((value) => 3 * value),
  );
});

test("residualMlp, told a class and numbers", async () => {
  const conditions = { label: classes(3, { drop: 0.1 }), age: numbers(2) };
  const network = residualMlp({ dimension: 3, width: 16, depth: 2, conditions });
  // Their last layers start at 0: other numbers let all of them count.
  const parameters = initialParameters(network, 3).map((value, i) => value + 0.2 * Math.sin(i));
  await expectAgreement(network, parameters);
});

test("the file of an mlp has the operators that it takes, and weights under PyTorch's names", () => {
  const network = mlp({ dimension: 2, hidden: [4] });
  const file = writeOnnx({ network, standardization: undefined, priorDeviation: 1 }, initialParameters(network, 1), {});
  const { operators, initializers } = readModel(file);
  expect(operators).toEqual(["Reshape", "Concat", "Gemm", "Sigmoid", "Mul", "Gemm", "Identity", "Identity"]);
  const weights = initializers
    .filter(({ name }) => /^\d/.test(name as string))
    .map(({ name, shape }) => [name, ...shape]);
  expect(weights).toEqual([
    ["0.weight", 3, 4],
    ["0.bias", 4],
    ["2.weight", 4, 2],
    ["2.bias", 2],
  ]);
});

test.each(goldenNames)("%s", { timeout: 60_000 }, async (name) => {
  const { network, parameters } = goldenNetwork(name);
  await expectAgreement(network, parameters);
});

test("convolutions and softmax are operators of their own, weights of the former as PyTorch has them", () => {
  const { network, parameters } = goldenNetwork("unet2d");
  const file = writeOnnx({ network, standardization: undefined, priorDeviation: 1 }, parameters, {});
  const { operators, initializers } = readModel(file);
  const convolutions = network.parameters.filter(({ shape }) => shape.length === 4 && shape[0] === 3);
  expect(operators.filter((operator) => operator === "Conv")).toHaveLength(convolutions.length);
  expect(operators).toContain("Softmax");
  for (const declared of convolutions) {
    const found = initializers.find(({ name }) => name === declared.name);
    expect(found?.shape, declared.name).toEqual(torchShape(declared));
  }
});

test.each(goldenNames)(
  "%s as the graph that a user's own is kept as has the same file",
  { timeout: 60_000 },
  (name) => {
    const { network, parameters } = goldenNetwork(name);
    const kept: unknown = JSON.parse(JSON.stringify(graphConfig(network)));
    const [file, own] = [graphNetwork(kept), network].map((each) =>
      writeOnnx({ network: each, standardization: undefined, priorDeviation: 1 }, parameters, {}),
    );
    expect(own).toEqual(file);
  },
);

describe("units", () => {
  const network = mlp({ dimension: 2, hidden: [16] });
  const parameters = initialParameters(network, 1);

  test("x goes in and velocity comes out in data units, far from 0 too", async () => {
    const standardization = { mean: [1e6 / 3, -2.7], std: [0.125, 40] };
    const file = writeOnnx({ network, standardization, priorDeviation: 5 }, parameters, {});
    const x = Float64Array.from([1e6 / 3 + 0.2, 3, 1e6 / 3 - 0.1, -60], Math.fround);
    const t = [0.25, 0.75];
    const inputs: Record<string, Given> = {
      x: { type: "float", shape: [2, 2], data: x },
      t: { type: "float", shape: [2], data: t },
    };
    const [result] = await runBatches(file, [inputs]);
    const z = x.map(
      (value, i) => (value - (standardization.mean[i % 2] as number)) / (standardization.std[i % 2] as number),
    );
    const own = velocitiesOf(network, parameters, { ...inputs, x: { type: "float", shape: [2, 2], data: z } });
    const expected = own.map((value, i) => value * (standardization.std[i % 2] as number));
    for (const column of [0, 1]) {
      const of = (values: ArrayLike<number>) => Array.from(values).filter((_, i) => i % 2 === column);
      expect(relativeError(of(result?.["velocity"]?.data ?? []), of(expected))).toBeLessThan(1e-5);
    }
    const noise = x.map(
      (value, i) => 5 * value * (standardization.std[i % 2] as number) + (standardization.mean[i % 2] as number),
    );
    expect(relativeError(result?.["noise"]?.data ?? [], noise)).toBeLessThan(1e-6);
  });

  test("units that f32 does not hold are refused", () => {
    const far = { mean: [0, 0], std: [1, 1e-60] };
    expect(() => writeOnnx({ network, standardization: far, priorDeviation: 1 }, parameters, {})).toThrow(
      "coordinate 1",
    );
  });
});

describe("conditions", () => {
  const network = mlp({
    ...{ dimension: 2, hidden: [16] },
    conditions: {
      noise: classes(3, { drop: 0.1 }), // the name of an output
      age: numbers(2, { drop: 0.2 }),
      "two by two": numbers([2, 2]),
    },
  });
  const parameters = initialParameters(network, 1);
  const standardization = { mean: [40, -1e5], std: [12, 300] };
  const field = { network, standardization: undefined, priorDeviation: 1, conditions: { age: { standardization } } };
  const float = (shape: Shape, data: readonly number[]): Given => ({
    type: "float",
    shape,
    data: data.map(Math.fround),
  });
  const given = {
    x: float([3, 2], [0.3, -1, 0.2, 0.7, -0.4, 0]),
    t: float([3], [0.1, 0.5, 0.9]),
    "two by two": float([3, 2, 2], [1, 2, 3, 4, 0, 0, 1, 1, -1, 0.5, 0, 2]),
  };
  const labels: Given = { type: "int64", shape: [3], data: [2, 3, 0] }; // 3: not told

  test("numbers go in in data units; those not told count for nothing, whatever they are", async () => {
    const file = writeOnnx(field, parameters, {});
    const told = float([3, 1], [1, 0, 1]);
    const ages = [52, -99700, 7, 9, 28, -100300];
    const inputs = { ...given, "condition.noise": labels, "age.told": told, age: float([3, 2], ages) };
    const [result] = await runBatches(file, [inputs]);
    const own = { ...given, noise: labels, "age.told": told, age: float([3, 2], [1, 1, 0, 0, -1, -1]) };
    expect(relativeError(result?.["velocity"]?.data ?? [], velocitiesOf(network, parameters, own))).toBeLessThan(1e-5);
    const all = { ...own, "age.told": float([3, 1], [1, 1, 1]) };
    expect(relativeError(result?.["velocity"]?.data ?? [], velocitiesOf(network, parameters, all))).toBeGreaterThan(
      1e-3,
    );
  });

  test("are named and described, labels with the number that says nothing", () => {
    const { inputs, descriptions } = readModel(writeOnnx(field, parameters, {}));
    expect(Object.fromEntries(inputs)).toEqual({
      x: ["batch", 2],
      t: ["batch"],
      "condition.noise": ["batch"],
      age: ["batch", 2],
      "age.told": ["batch", 1],
      "two by two": ["batch", 2, 2],
    });
    expect(descriptions["condition.noise"]).toBe("labels from 0 to 2; 3: not told");
    expect(descriptions["age.told"]).toMatch("1 where age is told");
  });
});

test("a network that is another for another number of rows is refused", () => {
  const network = mlp({ dimension: 2, hidden: [4] });
  const mixing: Network = {
    ...network,
    apply: (values, x, t) => multiply(network.apply(values, x, t), (x.shape[0] as number) ** 0.5),
  };
  const field = { network: mixing, standardization: undefined, priorDeviation: 1 };
  expect(() => writeOnnx(field, initialParameters(network, 1), {})).toThrow('network "mlp"');
});
