// Graphs as plain data: every op, and every network whole, through JSON and back at other numbers of rows.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CheckpointError, ConfigError, UnsupportedError } from "../../src/errors.ts";
import { topologicalOrder } from "../../src/graph/graph.ts";
import { type Node, type Shape, sizeOf } from "../../src/graph/node.ts";
import { networkOfCase } from "../../src/nn/case-networks.ts";
import { conditionValues } from "../../src/nn/conditions.ts";
import { mlp } from "../../src/nn/mlp.ts";
import type { Network } from "../../src/nn/network.ts";
import { networkTrace, openNetworkTrace } from "../../src/nn/traced.ts";
import { add, multiply } from "../../src/ops/arithmetic.ts";
import { meanAll, sum } from "../../src/ops/reduce.ts";
import { ops } from "../../src/ops/registry.ts";
import { concat, reshape, slice } from "../../src/ops/shape.ts";
import { constant, state, table } from "../../src/ops/sources.ts";
import { opTable } from "../../src/ops/table.ts";
import { openTrace } from "../../src/trace/open.ts";
import { type TraceInput, traceOf } from "../../src/trace/trace.ts";
import { valuesOf } from "../flow/evaluate.ts";

/** What only plans make. */
const ofPlans = ["mlpFlow"];

const batch = { perRow: 1, plus: 0 };

test("the table has every op but those that only plans make", () => {
  const names = ops.map(({ op }) => op.name);
  expect([...opTable.keys()].sort()).toEqual([...new Set(names)].filter((name) => !ofPlans.includes(name)).sort());
});

const cases = ops.flatMap(({ op, cases }) =>
  ofPlans.includes(op.name) ? [] : cases.map((each, i) => [`${op.name} ${i}`, op, each] as const),
);

test.each(cases)("%s comes through JSON as it was", (_, op, { shapes, attributes }) => {
  const entry = opTable.get(op.name) as NonNullable<ReturnType<typeof opTable.get>>;
  const dtypes = shapes.map((_, i) => (["f32", "u32"] as const).filter((dtype) => accepted(op.name, i, dtype))[0]);
  const inputs = shapes.map((shape, i): TraceInput => ({ name: `${i}`, shape, dtype: dtypes[i] as "f32" }));
  const made: Node[] = [];
  const build = (values: ReadonlyMap<string, Node>) => {
    made.push(entry.make([...values.values()], attributes as never));
    return { y: made.at(-1) as Node };
  };
  const trace = traceOf("an op", inputs, build);
  const { shape, dtype } = made[0] as Node;
  const open = openTrace(through(trace), "an op", { inputs, outputs: [{ name: "y", shape, dtype }] });
  const given = new Map(inputs.map(({ name, dtype }, i) => [name, state({ name, shape: shapes[i] as Shape, dtype })]));
  const y = open.instantiate(3, given).get("y") as Node;
  expect(y.op).toBe(op);
  expect(y.attributes).toEqual(attributes);
  expect(y.shape).toEqual(shape);
  expect(y.dtype).toBe(dtype);
});

/** Whether an op's input may be of this type, by trying both where a case does not say. */
function accepted(name: string, input: number, dtype: "f32" | "u32"): boolean {
  const integers: Readonly<Record<string, readonly number[]>> = {
    ...{ toFloat: [0], increment: [0], gather: [1], scatterAdd: [1], replaceRow: [1], random: [0, 1] },
  };
  return (integers[name] ?? []).includes(input) === (dtype === "u32");
}

interface Fixture {
  readonly network: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly weights: Readonly<Record<string, { readonly base64: string }>>;
  readonly inputs: Readonly<Record<string, { readonly shape: Shape; readonly dtype?: "u32" }>>;
}

function fixtureOf(name: string): Fixture {
  return JSON.parse(readFileSync(new URL(`../networks/${name}.json`, import.meta.url), "utf8"));
}

interface Case {
  readonly network: Network;
  readonly conditions: readonly TraceInput[];
}

const networks: readonly (readonly [string, () => Case])[] = [
  ["mlp", () => ({ network: mlp({ dimension: 3, hidden: [8, 5] }), conditions: [] })],
  ...["unet1d", "unet1d-conditioned", "cnn", "cnn-classes", "transformer", "unet2d", "unet2d-classes", "sit"].map(
    (name) => [name, () => caseOf(name)] as const,
  ),
];

function caseOf(name: string): Case {
  const { network: kind, config, weights } = fixtureOf(name);
  const buffer = (tensor: string) => {
    const bytes = Uint8Array.from(Buffer.from(weights[tensor]?.base64 ?? "", "base64"));
    return Array.from(new Float32Array(bytes.buffer));
  };
  const network = networkOfCase(kind, config, buffer);
  const conditions = conditionValues(network.conditions).map(
    ({ name, shape, dtype }): TraceInput => ({ name, shape: [batch, ...shape], dtype }),
  );
  return { network, conditions };
}

describe.each(networks)("the trace of %s", (_, make) => {
  const { network, conditions } = make();
  const trace = networkTrace(network, conditions);
  const { apply } = openNetworkTrace(through(trace), network, conditions);

  test("is plain JSON", () => {
    expect(through(trace)).toEqual(trace);
  });

  test.each([1, 7, 64])(
    "at %d rows is the graph that apply builds, and gives its bits",
    { timeout: 60_000 },
    (rows) => {
      const values = new Map<string, ArrayLike<number>>();
      const random = mulberry(rows);
      const input = (name: string, shape: Shape, dtype: "f32" | "u32" = "f32") => {
        values.set(
          name,
          Float64Array.from({ length: sizeOf(shape) }, () => (dtype === "u32" ? 1 : random() * 2 - 1)),
        );
        return state({ name, shape, dtype });
      };
      const parameters = new Map(network.parameters.map(({ name, shape }) => [name, input(name, shape)]));
      const [x, t] = [input("x", [rows, network.dimension]), input("t", [rows, 1])];
      const told = new Map(
        conditions.map(({ name, shape, dtype }) => [
          name,
          input(`condition ${name}`, [rows, ...(shape.slice(1) as Shape)], dtype),
        ]),
      );
      const direct = network.apply(parameters, x, t, told);
      const again = apply(parameters, x, t, told);
      expect(topologicalOrder([again]).map(named)).toEqual(topologicalOrder([direct]).map(named));
      const [expected, found] = valuesOf([direct, again], values);
      expect(found).toEqual(expected);
      expect(expected?.some((value) => value !== 0 && Number.isFinite(value))).toBe(true);
    },
  );
});

const named = ({ op, shape, dtype, attributes }: Node) => JSON.stringify([op.name, shape, dtype, attributes]);

const x: TraceInput = { name: "x", shape: [batch, 3], dtype: "f32" };
const build = (make: (x: Node, rows: number) => Node) => (inputs: ReadonlyMap<string, Node>, rows: number) => ({
  y: make(inputs.get("x") as Node, rows),
});

describe("what traces hold", () => {
  test("sizes that are linear in the rows, means over them, and numbers that JSON has no word for", () => {
    const make = (x: Node, rows: number) => {
      const ends = concat([x, slice(x, 0, 0, rows - 1)], 0);
      const filled = table(new Array(2 * rows - 1).fill(7), [2 * rows - 1, 1]);
      const numbers = [-0, Number.POSITIVE_INFINITY, 0.1, Number.NaN].map((value) => constant(value, [3]));
      const long = table(
        Array.from({ length: 60 }, (_, i) => Math.sin(i)),
        [20, 3],
      );
      const short = table(
        Array.from({ length: 60 }, (_, i) => Math.fround(Math.sin(i))),
        [20, 3],
      );
      const parts = [
        multiply(add(ends, filled), meanAll(x)),
        ...numbers.map((each) => reshape(each, [1, 3])),
        long,
        short,
      ];
      return concat(parts, 0);
    };
    const trace = traceOf("one", [x], build(make));
    const output = { name: "y", shape: [{ perRow: 2, plus: 43 }, 3], dtype: "f32" } as const;
    const open = openTrace(through(trace), "one", { inputs: [x], outputs: [output] });
    const given = state({ name: "x", shape: [5, 3], dtype: "f32" });
    const values = new Map([["x", Float64Array.from({ length: 15 }, (_, i) => i / 7)]]);
    const [expected, found] = valuesOf(
      [make(given, 5), open.instantiate(5, new Map([["x", given]])).get("y") as Node],
      values,
    );
    expect(found).toEqual(expected);
    expect(Object.is(found?.[9 * 3], -0)).toBe(true);
  });

  test.each<[string, (x: Node, rows: number) => Node, RegExp]>([
    ["a loop over rows", (x, rows) => sumOfRows(x, rows), /nodes for 101 rows/],
    ["a size that is no multiple", (x, rows) => slice(x, 0, 0, rows ** 2 % 50), /slice\), (shape|end)/],
    ["another number for other rows", (x, rows) => multiply(x, Math.sqrt(rows)), /constant\), value/],
    ["another table", (x, rows) => add(x, table([rows, 1, 2], [1, 3])), /table\), values/],
    ["other inputs", (x, rows) => concat(rows > 150 ? [x, add(x, 1)] : [add(x, 1), x], 0), /concat/],
  ])("%s is refused, and the message names node and attribute", (_, make, message) => {
    expect(() => traceOf("one", [x], build(make))).toThrow(message);
    expect(() => traceOf("one", [x], build(make))).toThrow(UnsupportedError);
  });

  test("a number of rows that the graph cannot have is a CheckpointError", () => {
    const trace = traceOf(
      "one",
      [x],
      build((x, rows) => sum(slice(x, 0, 0, rows - 1), [0])),
    );
    const open = openTrace(trace, "one", { inputs: [x], outputs: [{ name: "y", shape: [1, 3], dtype: "f32" }] });
    const one = new Map([["x", state({ name: "x", shape: [1, 3], dtype: "f32" })]]);
    expect(() => open.instantiate(1, one)).toThrow(CheckpointError);
    expect(() => open.instantiate(1, one)).toThrow("node 0 (slice)");
    expect(() => open.instantiate(2, one)).toThrow(ConfigError);
  });
});

function sumOfRows(x: Node, rows: number): Node {
  let total = slice(x, 0, 0, 1);
  for (let row = 1; row < rows; row++) total = add(total, slice(x, 0, row, row + 1));
  return total;
}

function through(trace: unknown): unknown {
  return JSON.parse(JSON.stringify(trace));
}

function mulberry(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
