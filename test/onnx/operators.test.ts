// Each op in ONNX Runtime against its f64 reference, on the cases that it declares; and which ops have no operators.
import { describe, expect, test } from "vitest";
import { UnsupportedError } from "../../src/errors.ts";
import { evaluate } from "../../src/graph/evaluate.ts";
import type { Node } from "../../src/graph/node.ts";
import type { HostTensor } from "../../src/graph/op.ts";
import { rules } from "../../src/onnx/rules.ts";
import { writeGraph } from "../../src/onnx/write-model.ts";
import { activationKinds } from "../../src/ops/activation.ts";
import {
  add,
  divide,
  exp,
  expm1,
  finite,
  increment,
  log1p,
  multiply,
  subtract,
  toFloat,
} from "../../src/ops/arithmetic.ts";
import { convolveOp } from "../../src/ops/convolve.ts";
import { linearOp } from "../../src/ops/linear.ts";
import { matmul } from "../../src/ops/matmul.ts";
import { max, sum } from "../../src/ops/reduce.ts";
import { ops } from "../../src/ops/registry.ts";
import { scatterAdd } from "../../src/ops/rows.ts";
import { broadcast, concat, pad, reshape, slice, transpose } from "../../src/ops/shape.ts";
import { softmax } from "../../src/ops/softmax.ts";
import { constant, state, table } from "../../src/ops/sources.ts";
import { HostRandom } from "../../src/ops/threefry.ts";
import { onePlace, windowNumbers } from "../../src/ops/window.ts";
import { type TraceInput, traceOf } from "../../src/trace/trace.ts";
import { type CaseGraph, caseGraphs } from "../conformance/op-cases.ts";
import { relativeError } from "../differences.ts";
import { type Given, runBatches } from "./onnx-runtime.ts";
import { readModel } from "./read-protobuf.ts";

/** Ops that no operators make, and what a word of the reason is. */
const composites = ["attention", "attentionTangent", "attentionReverse", "attentionTangentReverse"];
const without = {
  ...{ state: "state", random: "random", mlpFlow: "solve" },
  ...Object.fromEntries(composites.map((name) => [name, "together"])),
};

test("each op has its operators, or a reason why not", () => {
  const reasons = ops.flatMap(({ op: { name } }) => {
    const rule = rules[name];
    return typeof rule === "function" ? [] : [[name, rule?.none]];
  });
  expect(Object.fromEntries(reasons)).toEqual(
    Object.fromEntries(Object.entries(without).map(([op, word]) => [op, expect.stringContaining(word)])),
  );
  expect(Object.keys(rules).filter((name) => !ops.some(({ op }) => op.name === name))).toEqual([]);
});

const typeOf = ({ dtype }: Pick<Node, "dtype">) => (dtype === "u32" ? "int64" : "float");

/** The file of what `build` makes of these inputs, for any number of rows; beside them goes in "rows". */
function fileOf(
  inputs: readonly TraceInput[],
  build: (inputs: ReadonlyMap<string, Node>, rows: number) => Node,
): Uint8Array {
  const rows: TraceInput = { name: "rows", shape: [{ perRow: 1, plus: 0 }], dtype: "f32" };
  let made: Node | undefined;
  const trace = traceOf("a test", [rows, ...inputs], (values, count) => {
    made = build(values, count);
    return { y: made };
  });
  const { shape, ...node } = made as Node;
  const named = (of: TraceInput) => ({ of, name: of.name, description: "" });
  return writeGraph({
    ...{ name: "test", description: "", metadata: {}, numbers: new Map(), trace },
    inputs: [named(rows), ...inputs.map(named)],
    outputs: [{ name: "y", description: "", type: typeOf(node), shape: shape.map((_, axis) => `size${axis}`) }],
  });
}

/** The file of a case: its inputs are states, which become the file's. */
function caseFile({ output, inputs }: CaseGraph): Uint8Array {
  const declared = inputs.map((node) => node.attributes as TraceInput);
  return fileOf(declared, (values) => ({ ...output, inputs: declared.map(({ name }) => values.get(name) as Node) }));
}

const tensor = (node: Node, { shape, data }: HostTensor): Given => ({ type: typeOf(node), shape, data });
const rowsOf = (count: number): Given => ({ type: "float", shape: [count], data: new Float32Array(count) });

describe("the cases of ops", () => {
  const named = caseGraphs(1).filter(({ op }) => !Object.hasOwn(without, op.name));
  // What only derivatives have, which no velocity has: orders above 0, convolutions the other way round.
  const isDerivative = ({ op, output }: CaseGraph) => {
    const { order = 0, transposeLeft, transposeRight } = Object(output.attributes) as Readonly<Record<string, unknown>>;
    return (order as number) > 0 || (op.name === "convolve" && (transposeLeft === true || transposeRight === true));
  };
  const given = named.filter((each) => !isDerivative(each));

  test.each(given.map((each) => [each.label, each] as const))("%s", async (_label, graph) => {
    const { output, inputs, values } = graph;
    const states = inputs.map((node) => {
      const { name } = node.attributes as TraceInput;
      return [name, tensor(node, values.get(name) as HostTensor)] as const;
    });
    const [result] = await runBatches(caseFile(graph), [{ rows: rowsOf(1), ...Object.fromEntries(states) }]);
    const [expected] = evaluate([output], values) as [HostTensor];
    expect(result?.["y"]?.shape).toEqual(expected.shape);
    expect(relativeError(result?.["y"]?.data ?? [], expected.data)).toBeLessThan(2e-6);
  });

  test("all activations are among them", () => {
    const kinds = given.filter(({ op }) => op.name === "activation").map(({ output }) => output.attributes);
    expect(kinds).toEqual(activationKinds.map((kind) => ({ kind, order: 0 })));
  });

  test.each(named.filter(isDerivative).map((each) => [each.label, each] as const))("%s is refused", (_label, graph) => {
    expect(() => caseFile(graph)).toThrow(UnsupportedError);
    expect(() => caseFile(graph)).toThrow(`op "${graph.op.name}"`);
  });

  test("random is refused by name", () => {
    const graph = caseGraphs(1).find(({ op }) => op.name === "random") as CaseGraph;
    expect(() => caseFile(graph)).toThrow('op "random"');
  });
});

const six: TraceInput = { name: "x", shape: [6], dtype: "f32" };

async function resultsOf(build: (x: Node) => Node, data: Float64Array) {
  const file = fileOf([six], (inputs) => build(inputs.get("x") as Node));
  const [result] = await runBatches(file, [{ rows: rowsOf(1), x: { type: "float", shape: [6], data } }]);
  const x = state({ name: "x", shape: [6], dtype: "f32" });
  const [expected] = evaluate([build(x)], new Map([["x", { shape: [6], data }]])) as [HostTensor];
  return (result?.["y"]?.data ?? []).map((value, i) => [value, expected.data[i] as number] as const);
}

test.each([
  ["expm1", expm1, [1e-7, -3e-5, 0.2, 40, -40, 0]],
  ["log1p", log1p, [1e-7, -3e-5, 0.2, 40, 1e9, 0]],
])("%s: near 0 no digit is lost", async (_name, op, numbers) => {
  const results = await resultsOf(op, Float64Array.from(numbers, Math.fround));
  expect(results).toHaveLength(6);
  for (const [value, expected] of results) {
    expect(Math.abs(value - expected)).toBeLessThanOrEqual(4e-7 * Math.abs(expected));
  }
});

test("softmax is one operator, quotients that look like it are not", async () => {
  const numbers = Float64Array.from([1, 90, -3, 80, 79.5, 2]);
  const other = (x: Node, axis: number, by: (x: Node) => Node) => {
    const powers = exp(subtract(x, max(x, [axis])));
    return divide(powers, by(powers));
  };
  const table3 = (x: Node) => reshape(x, [2, 3]);
  const last: Readonly<Record<string, (x: Node) => Node>> = {
    "along the last axis": (x) => softmax(table3(x)),
    "along the first axis": (x) => other(table3(x), 0, (powers) => sum(powers, [0])),
    "of another largest": (x) => other(table3(x), 0, (powers) => sum(powers, [1])),
    "by another sum": (x) => other(table3(x), 1, (powers) => sum(multiply(powers, 2), [1])),
    "along two axes": (x) => other(table3(x), 1, (powers) => sum(powers, [0, 1])),
  };
  for (const [name, build] of Object.entries(last)) {
    const { operators } = readModel(fileOf([six], (inputs) => build(inputs.get("x") as Node)));
    expect(operators.includes("Softmax"), name).toBe(name === "along the last axis");
    expect(operators.includes("Exp"), name).toBe(name !== "along the last axis");
    const results = await resultsOf(build, numbers);
    expect(results.length).toBe(6);
    for (const [value, expected] of results) expect(Math.abs(value - expected), name).toBeLessThan(1e-6);
  }
});

test.each([
  ["begins inside the input", { input: 9, output: 4, taps: 2, stride: 2, start: 1 }],
  ["ends before the input does", { input: 9, output: 3, taps: 2, stride: 1, start: 0 }],
  ["both, and skips places", { input: 9, output: 2, taps: 2, stride: 3, start: 2, dilation: 2 }],
  ["sees zeros on one side only", { input: 9, output: 5, taps: 3, stride: 2, start: -2 }],
])("a window that %s", async (_name, given) => {
  const window = { down: onePlace, across: { ...onePlace, ...given } };
  const attributes = { ...windowNumbers(window), transposeLeft: false, transposeRight: false };
  const weight = table([1, -2, 3, 0.5, 7, -1].slice(0, given.taps), [given.taps, 1]);
  const build = (x: Node, rows: number) => {
    const images = reshape(x, [rows, 9, 1]);
    return convolveOp([images, weight, table([4], [1])], { ...attributes, biasRows: rows * given.output });
  };
  const x: TraceInput = { name: "x", shape: [{ perRow: 1, plus: 0 }, 9], dtype: "f32" };
  const file = fileOf([x], (inputs, rows) => build(inputs.get("x") as Node, rows));
  const data = Float64Array.from({ length: 18 }, (_, i) => i * i - 20);
  const [result] = await runBatches(file, [{ rows: rowsOf(2), x: { type: "float", shape: [2, 9], data } }]);
  const own = build(state({ name: "x", shape: [2, 9], dtype: "f32" }), 2);
  const [expected] = evaluate([own], new Map([["x", { shape: [2, 9], data }]])) as [HostTensor];
  expect(result?.["y"]?.data).toEqual(Array.from(expected.data));
});

test("what is not finite is found so", async () => {
  const numbers = Float64Array.from([Number.NaN, Infinity, -Infinity, 3.4e38, -3.4e38, 0]);
  const results = await resultsOf(finite, numbers);
  expect(results.map(([value]) => value)).toEqual([0, 0, 0, 1, 1, 1]);
});

/** Graphs of x [rows, 2, 3], whose sizes depend on the rows in other ways than by a first axis of that size. */
const ofRows: Readonly<Record<string, (x: Node, rows: number) => Node>> = {
  "rows on two axes": (x, rows) => {
    const first = reshape(slice(reshape(x, [rows, 6]), 1, 0, 1), [rows]);
    return add(broadcast(reshape(first, [rows, 1]), [rows, rows]), first);
  },
  "two open sizes of a reshape": (x, rows) => {
    const square = broadcast(reshape(slice(reshape(x, [rows, 6]), 1, 0, 1), [rows, 1]), [rows, rows]);
    return reshape(square, [rows, 1, rows]);
  },
  "a product whose depth is the rows": (x, rows) => {
    const matrix = reshape(x, [rows, 6]);
    return matmul(matrix, matrix, { transposeLeft: true });
  },
  "rows times a number": (x, rows) => transpose(reshape(x, [rows * 2, 3]), [1, 0]),
  "one row more than there are": (x, rows) => slice(pad(x, 0, 1, 2), 0, 1, rows + 2),
  "the last row": (x, rows) => slice(concat([x, x], 0), 0, rows * 2 - 1, rows * 2),
  "bias on all rows but the last": (x, rows) => {
    const two = concat([reshape(x, [rows, 6]), reshape(x, [rows, 6])], 0);
    return linearOp([two, table([1, 2, 3, 4, 5, 6], [6, 1]), table([7], [1])], { biasRows: rows * 2 - 1 });
  },
  "a constant of so many rows": (x, rows) => concat([x, constant(3, [rows, 2, 1])], 2),
  "repeated along the rows": (x, rows) => concat([broadcast(table([1, 2, 3], [3]), [rows, 2, 3]), x], 1),
  "sums of what is repeated": (x, rows) => add(sum(broadcast(table([1, 2], [2, 1]), [rows, 2, 3]), [1, 2]), x),
  "as many classes as rows": (x, rows) => {
    const indices = table([2, 0], [2], "u32");
    return scatterAdd(slice(concat([x, x], 0), 0, 0, 2), indices, rows + 3);
  },
  "a mean over the rows": (x, rows) => subtract(x, multiply(sum(x, [0]), 1 / rows)),
  "a table filled with one": (x, rows) => add(x, reshape(table(new Array(rows).fill(4), [rows]), [rows, 1, 1])),
  integers: (x) => multiply(toFloat(increment(table([2 ** 32 - 1, 4, 5], [3], "u32"))), x),
};

describe("any number of rows from one file", () => {
  test.each(Object.entries(ofRows))("%s", async (_name, build) => {
    const x: TraceInput = { name: "x", shape: [{ perRow: 1, plus: 0 }, 2, 3], dtype: "f32" };
    const file = fileOf([x], (inputs, rows) => build(inputs.get("x") as Node, rows));
    const counts = [1, 2, 7];
    const given = counts.map((rows) => ({
      shape: [rows, 2, 3],
      data: Float64Array.from(new HostRandom(1).normal(6 * rows, 1, 1), Math.fround),
    }));
    const results = await runBatches(
      file,
      given.map(({ shape, data }, i) => ({ rows: rowsOf(counts[i] as number), x: { type: "float", shape, data } })),
    );
    expect(results).toHaveLength(3);
    results.forEach(({ y }, i) => {
      const rows = counts[i] as number;
      const own = state({ name: "x", shape: [rows, 2, 3], dtype: "f32" });
      const [expected] = evaluate([build(own, rows)], new Map([["x", given[i] as HostTensor]])) as [HostTensor];
      expect(y?.shape).toEqual(expected.shape);
      expect(relativeError(y?.data ?? [], expected.data)).toBeLessThan(1e-6);
    });
  });
});
