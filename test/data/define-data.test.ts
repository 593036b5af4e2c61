// Data of a user's own: what their graphs compute is what their functions say, bit for bit, also when they come of
// plain JSON; what is wrong is refused.
import { describe, expect, test } from "vitest";
import { defineData } from "../../src/data/define-data.ts";
import { graphData } from "../../src/data/graph-data.ts";
import { moons } from "../../src/data/moons.ts";
import { sampleData, sampleRows } from "../../src/data/sample.ts";
import { ConfigError, DataError, UnsupportedError } from "../../src/errors.ts";
import type { Node, Shape } from "../../src/graph/node.ts";
import { abs, add, multiply } from "../../src/ops/arithmetic.ts";
import { mean } from "../../src/ops/reduce.ts";
import { gather } from "../../src/ops/rows.ts";
import { concat } from "../../src/ops/shape.ts";

const through = (given: unknown) => JSON.parse(JSON.stringify(given));

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
