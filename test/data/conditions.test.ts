// What rides with a user's own points: labels and numbers stay with their rows, in training's draws, parts and messages.
import { describe, expect, test } from "vitest";
import { arrayData, arrayRows, inUnits, isArrayData, unitsOf } from "../../src/data/array.ts";
import { resumeData } from "../../src/data/registry.ts";
import { type DataSource, drawnFrom } from "../../src/data/source.ts";
import { fromPlain } from "../../src/engine/worker/made.ts";
import { toPlain } from "../../src/engine/worker/plain.ts";
import { Pulls } from "../../src/engine/worker/pulls.ts";
import { ConfigError, DataError } from "../../src/errors.ts";
import { evaluate } from "../../src/graph/evaluate.ts";
import type { Node } from "../../src/graph/node.ts";
import type { HostTensor } from "../../src/graph/op.ts";
import { random } from "../../src/ops/random.ts";
import { state } from "../../src/ops/sources.ts";
import { HostRandom, seedOf } from "../../src/ops/threefry.ts";

/** Row i is [i, i + 0.5], labelled i mod 3, of age 10 i, with frames [[i, 2 i], [100 - i, 0], [i + 1, 7]]. */
const count = 12;
const rows = Array.from({ length: count }, (_, i) => i);
const frames = rows.map((i) => [
  [i, 2 * i],
  [100 - i, 0],
  [i + 1, 7],
]);
const conditions = {
  label: Uint8Array.from(rows, (i) => i % 3),
  age: rows.map((i) => 10 * i),
  frames,
};
const points = rows.map((i) => [i, i + 0.5]);
const source = arrayData(points, undefined, { conditions });

/** A batch as training draws it, by name; the points are "". */
function batch(data: DataSource, size: number): Map<string, HostTensor> {
  const values = new Map<string, HostTensor>([
    ["seed", { shape: [2], data: Float64Array.from(seedOf(5)) }],
    ["counter", { shape: [1], data: new Float64Array(1) }],
  ]);
  let stream = 0;
  const drawn = drawnFrom(data, {
    rows: size,
    random: (kind, shape, options = {}) =>
      random(kind, shape, {
        ...{ seed: state({ name: "seed", shape: [2], dtype: "u32" }), stream: stream++ },
        ...{ counter: state({ name: "counter", shape: [1], dtype: "u32" }), ...options },
      }),
    state(name, shape, dtype) {
      const contents = data.state?.get(name);
      expect(contents instanceof Uint32Array).toBe(dtype === "u32");
      values.set(name, { shape, data: Float64Array.from(contents as Float32Array) });
      return state({ name, shape, dtype });
    },
  });
  const named: [string, Node][] = [["", drawn.points], ...drawn.conditions];
  const results = evaluate(
    named.map(([, node]) => node),
    values,
  );
  return new Map(named.map(([name], i) => [name, results[i] as HostTensor]));
}

describe("draws", () => {
  test("take each point's conditions with it", () => {
    const drawn = batch(source, 64);
    const [x, label, age, past] = ["", "label", "age", "frames"].map((name) => drawn.get(name) as HostTensor) as [
      HostTensor,
      HostTensor,
      HostTensor,
      HostTensor,
    ];
    expect([x.shape, label.shape, age.shape, past.shape]).toEqual([[64, 2], [64], [64], [64, 3, 2]]);
    const seen = new Set<number>();
    for (let row = 0; row < 64; row++) {
      const i = x.data[2 * row] as number;
      seen.add(i);
      expect(x.data[2 * row + 1]).toBe(i + 0.5);
      expect(label.data[row]).toBe(i % 3);
      expect(age.data[row]).toBe(10 * i);
      expect([...past.data.subarray(6 * row, 6 * row + 6)]).toEqual((frames[i] as number[][]).flat());
    }
    expect(seen.size).toBeGreaterThan(8);
  });

  test("of the same points are those without conditions", () => {
    expect(batch(source, 32).get("")).toEqual(batch(arrayData(points), 32).get(""));
    expect(drawnFrom(arrayData(points), { rows: 1, random: () => x0, state: () => x0 }).conditions.size).toBe(0);
  });
  const x0 = state({ name: "any", shape: [4], dtype: "u32" });

  test("of parts take those of the parts' rows", () => {
    const drawn = batch(arrayRows(source, [7, 2]), 16);
    const { data } = drawn.get("") as HostTensor;
    for (let row = 0; row < 16; row++) {
      const i = data[2 * row] as number;
      expect([2, 7]).toContain(i);
      expect(drawn.get("label")?.data[row]).toBe(i % 3);
      expect(drawn.get("frames")?.data[6 * row + 4]).toBe(i + 1);
    }
  });
});

describe("declarations", () => {
  test("say shape and classes", () => {
    expect(source.conditions).toEqual({
      label: { shape: [], classes: 3 },
      age: { shape: [] },
      frames: { shape: [3, 2] },
    });
    expect(source.conditionValues?.["label"]).toEqual(Uint32Array.from(conditions.label));
    expect([...(source.conditionValues?.["frames"] ?? [])]).toEqual(frames.flat(2));
  });

  test("of strings are labels with names, sorted", () => {
    const species = arrayData([1, 2, 3, 4], [4, 1], { conditions: { species: ["wolf", "cat", "ape", "cat"] } });
    expect(species.conditions?.["species"]).toEqual({ shape: [], classes: 3, names: ["ape", "cat", "wolf"] });
    expect([...(species.conditionValues?.["species"] ?? [])]).toEqual([2, 1, 0, 1]);
  });

  test("take classes and names that are said, also of labels that no row has", () => {
    const of = (one: object) => arrayData([1, 2], [2, 1], { conditions: { one: one as never } }).conditions?.["one"];
    expect(of({ values: [0, 1], classes: 10 })).toEqual({ shape: [], classes: 10 });
    expect(of({ values: ["b", "c"], names: ["a", "b", "c"] })).toEqual({
      shape: [],
      classes: 3,
      names: ["a", "b", "c"],
    });
    expect(of({ values: [2, 0], names: ["a", "b", "c"] })).toEqual({ shape: [], classes: 3, names: ["a", "b", "c"] });
    expect(of({ values: Int16Array.of(1, 2, 3, 4), shape: [2, 2] })).toEqual({ shape: [2] });
    expect(of(Float32Array.of(1, 2))).toEqual({ shape: [] });
  });

  test("follow no later changes", () => {
    const own = Float32Array.of(1, 2);
    const kept = arrayData([1, 2], [2, 1], { conditions: { own } });
    own.fill(9);
    expect(kept.conditionValues?.["own"]).toEqual(Float32Array.of(1, 2));
  });
});

describe("units", () => {
  test("of conditions are standardised with the points, number by number", () => {
    const { conditions: declared, state: kept } = arrayData(points, undefined, { standardize: true, conditions });
    const { mean, std } = declared?.["frames"]?.standardization ?? { mean: [], std: [] };
    const columns = [0, 1, 2, 3, 4, 5].map((column) => frames.map((frame) => frame.flat()[column] as number));
    for (const [column, numbers] of columns.entries()) {
      const average = numbers.reduce((sum, value) => sum + value, 0) / count;
      const deviation = Math.sqrt(numbers.reduce((sum, value) => sum + (value - average) ** 2, 0) / count) || 1;
      expect(mean[column]).toBeCloseTo(average, 12);
      expect(std[column]).toBeCloseTo(deviation, 12);
      expect(kept?.get("data.condition.frames")?.[6 + column]).toBeCloseTo(
        ((numbers[1] as number) - average) / deviation,
        6,
      );
    }
    expect(declared?.["label"]).toEqual({ shape: [], classes: 3 });
    expect(kept?.get("data.condition.label")).toEqual(Uint32Array.from(conditions.label));
  });

  test("of a channel are one for all its places", () => {
    const values = new HostRandom(4).normal(5 * 3 * 2, 0).map((value, i) => (i % 2 === 0 ? 100 + 3 * value : value));
    const { standardization } = arrayData(values, [5, 3, 2], { standardize: "channel" });
    for (const channel of [0, 1]) {
      const own = [...values].filter((_, i) => i % 2 === channel);
      const mean = own.reduce((sum, value) => sum + value, 0) / 15;
      const std = Math.sqrt(own.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 15);
      for (const at of [channel, channel + 2, channel + 4]) {
        expect(standardization?.mean[at]).toBeCloseTo(mean, 10);
        expect(standardization?.std[at]).toBeCloseTo(std, 10);
      }
    }
    expect(standardization?.mean.length).toBe(6);
    const flat = arrayData(values, [15, 2], { standardize: "channel" }).standardization;
    expect(flat).toEqual(arrayData(values, [15, 2], { standardize: "coordinate" }).standardization);
  });

  test("of another are a model's, for points and conditions", () => {
    const whole = arrayData(points, undefined, { standardize: true, conditions });
    const part = arrayRows(whole, [0, 1, 2]);
    expect(part.conditions?.["age"]?.standardization?.mean).toEqual([10]);
    const moved = inUnits(part, whole.standardization, unitsOf(whole));
    expect(moved.conditions).toEqual(whole.conditions);
    expect(moved.standardization).toEqual(whole.standardization);
    expect(moved.state?.get("data.condition.age")).toEqual(whole.state?.get("data.condition.age")?.slice(0, 3));
    expect(inUnits(whole, whole.standardization, unitsOf(whole))).toBe(whole);
    const plain = inUnits(whole, undefined, {});
    expect(plain.state?.get("data.condition.age")).toEqual(Float32Array.from(conditions.age));
  });
});

describe("shapes", () => {
  const values = Float32Array.from({ length: 24 }, (_, i) => i);
  const nested = [0, 1].map((n) =>
    [0, 1].map((h) => [0, 1, 2].map((w) => [0, 1].map((c) => 12 * n + 6 * h + 2 * w + c))),
  );

  test.each([
    ["flat values", arrayData(values, [2, 2, 3, 2])],
    ["arrays in arrays", arrayData(nested)],
    ["both", arrayData(nested, [2, 2, 3, 2])],
    ["rows that are flat", arrayData([values.subarray(0, 12), values.subarray(12)], [2, 2, 3, 2])],
    [
      "typed arrays inside",
      arrayData(nested.map((one) => one.map((row) => row.map((pixel) => Float32Array.from(pixel))))),
    ],
  ])("of %s", (_name, data) => {
    expect([data.count, data.dimension, data.shape]).toEqual([2, 12, [2, 3, 2]]);
    expect([...data.values]).toEqual([...values]);
    expect(data.options["shape"]).toEqual([2, 3, 2]);
    expect(batch(data, 4).get("")?.shape).toEqual([4, 12]);
  });

  test("of plain points are left out", () => {
    expect(arrayData(values, [12, 2]).shape).toBeUndefined();
    expect(Object.keys(arrayData(values, [12, 2]).options)).toEqual([
      "count",
      "dimension",
      "standardize",
      "fingerprint",
    ]);
  });

  test.each([
    ["a ragged depth", [[[1, 2], [3]]], undefined, "row 0"],
    ["a later row of another shape", [[[1], [2]], [[1, 2]]], undefined, "row 1"],
    ["text inside", [[[1], ["2"]]], undefined, "row 0, column 1"],
    ["another shape", nested, [2, 3, 2, 2], "shape of data"],
    ["sizes that do not fit", values, [2, 5, 2], "20 for 2 points of shape [5, 2]"],
    [
      "NaN",
      [
        [[1], [2]],
        [[3], [Number.NaN]],
      ],
      undefined,
      "row 1, at [1, 0]",
    ],
  ])("refuse %s", (_name, given, shape, message) => {
    expect(() => arrayData(given as never, shape)).toThrow(DataError);
    expect(() => arrayData(given as never, shape)).toThrow(message);
  });
});

describe("messages to a worker", () => {
  const pulls = new Pulls(() => {}); // asked for streams alone
  test("carry shapes and conditions", async () => {
    const data = arrayData(points, undefined, {
      standardize: true,
      conditions: { ...conditions, species: rows.map((i) => (i % 2 ? "ape" : "cat")) },
    });
    const { data: made } = await fromPlain<{ data: DataSource }>(structuredClone(toPlain({ data })), pulls);
    expect(isArrayData(made)).toBe(true);
    expect(made.state).toEqual(data.state);
    expect(made.conditions).toEqual(data.conditions);
    expect(made.options).toEqual(data.options);
    expect(batch(made, 8)).toEqual(batch(data, 8));
    const shaped = arrayData(frames, undefined, { standardize: "channel" });
    const { data: again } = await fromPlain<{ data: DataSource }>(structuredClone(toPlain({ data: shaped })), pulls);
    expect([again.shape, again.standardization]).toEqual([shaped.shape, shaped.standardization]);
  });
});

describe("resuming", () => {
  const stored = JSON.parse(JSON.stringify({ name: source.name, options: source.options }));
  const with_ = (changed: object) => arrayData(points, undefined, { conditions: { ...conditions, ...changed } });

  test("goes on with the same, in whatever order it is given", () => {
    const { label, ...others } = conditions;
    const again = arrayData(points, undefined, { conditions: { ...others, label } });
    expect(resumeData(stored, again)).toBe(again);
  });

  test.each([
    ["none", arrayData(points)],
    ["a label changed", with_({ label: conditions.label.with(4, 0) })],
    ["a number changed", with_({ age: conditions.age.with(4, 41) })],
    ["one more", with_({ sex: conditions.label })],
    ["names", with_({ label: { values: conditions.label, names: ["a", "b", "c"] } })],
  ])("refuses %s", (_name, given) => {
    expect(() => resumeData(stored, given)).toThrow(DataError);
  });
});

describe("refusals name condition and row", () => {
  const of = (given: unknown) => () => arrayData([1, 2, 3], [3, 1], { conditions: { mood: given as never } });
  test.each([
    ["too few labels", Uint8Array.of(1, 2), "2 labels"],
    ["a label out of range", { values: [0, 1, 5], classes: 3 }, "row 2"],
    ["a label that is no integer", { values: [0, 1.5, 1], classes: 3 }, "row 1"],
    ["a negative label", Int8Array.of(0, -1, 1), "row 1"],
    ["an unknown name", { values: ["a", "b", "a"], names: ["a"] }, "row 1"],
    ["text and numbers", ["a", 1, "a"], "row 1"],
    ["too few numbers", [1, 2], "2 numbers"],
    ["NaN", [1, Number.NaN, 3], "row 1"],
    [
      "NaN in a frame",
      [
        [1, 2],
        [3, Number.NaN],
        [5, 6],
      ],
      "row 1",
    ],
    ["ragged rows", [[1, 2], [3], [4, 5]], "row 1"],
    ["rows of another number", { values: new Float32Array(8), shape: [4, 2] }, "shape [4, 2]"],
    ["values beside their shape", { values: new Float32Array(8), shape: [3, 2] }, "8 numbers"],
    ["a label of more numbers", { values: Uint8Array.of(1, 2, 3), classes: 4, shape: [3, 1] }, "shape of condition"],
    ["64-bit integers", BigInt64Array.of(1n, 2n, 3n), "numbers"],
  ])("%s", (_name, given, message) => {
    expect(of(given)).toThrow(DataError);
    expect(of(given)).toThrow('condition "mood"');
    expect(of(given)).toThrow(message);
  });

  test.each([
    ["names twice", { values: [0, 1, 1], names: ["a", "a"] }],
    ["fewer names than classes", { values: [0, 1, 1], classes: 3, names: ["a", "b"] }],
    ["an unknown option", { values: [0, 1, 1], labels: 3 }],
    ["a number of classes that is none", { values: [0, 1, 1], classes: 0 }],
  ])("%s", (_name, given) => {
    expect(of(given)).toThrow(ConfigError);
    expect(of(given)).toThrow('condition "mood"');
  });

  test("conditions that are none", () => {
    expect(() => arrayData(points, undefined, { conditions: [1] as never })).toThrow(ConfigError);
    expect(() => arrayData(points, undefined, { standardize: "row" as never })).toThrow(ConfigError);
  });
});
