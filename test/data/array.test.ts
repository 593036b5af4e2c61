import { describe, expect, test } from "vitest";
import { arrayData, arrayRows } from "../../src/data/array.ts";

import { automaticJitter } from "../../src/data/jitter.ts";
import { dataFrom, resumeData } from "../../src/data/registry.ts";
import { sampleData } from "../../src/data/sample.ts";
import type { DataSource } from "../../src/data/source.ts";
import { splitRows } from "../../src/data/split.ts";
import { ConfigError, DataError } from "../../src/errors.ts";
import { Murmur } from "../../src/graph/murmur.ts";
import { HostRandom } from "../../src/ops/threefry.ts";
import { byRow, expectMean } from "./statistics.ts";

const values = new HostRandom(3).normal(7 * 3, 0).map((value, i) => 100 + (i % 3) * value);
const source = arrayData(values, [7, 3]);

describe("draws", () => {
  test.each([0, 1, 2, 3, 4, 5, 6])("point %i is as likely as the others", (row) => {
    const points = sampleData(arrayData(Float32Array.from([0, 1, 2, 3, 4, 5, 6]), [7, 1]), 30_000, 8);
    expectMean(
      byRow(points, 1, ([value]) => (value === row ? 1 : 0)),
      1 / 7,
    );
  });

  test("are whole points of the array, in any number", () => {
    const rows = Array.from({ length: 7 }, (_, row) => String(values.subarray(3 * row, 3 * row + 3)));
    for (const count of [1, 3, 64]) {
      const points = sampleData(source, count, 1);
      for (let row = 0; row < count; row++) {
        expect(rows).toContain(String(points.subarray(3 * row, 3 * row + 3)));
      }
    }
  });

  test("of one point are that point", () => {
    expect(sampleData(arrayData(Float32Array.of(4, 5), [1, 2]), 2)).toEqual(Float32Array.of(4, 5, 4, 5));
  });

  test("do not follow later changes of the array", () => {
    const own = Float32Array.of(1, 2);
    const kept = arrayData(own, [2, 1]);
    own.fill(9);
    expect(sampleData(kept, 20, 2).includes(9)).toBe(false);
    expect(kept.options).toEqual(arrayData(Float32Array.of(1, 2), [2, 1]).options);
  });
});

describe("standardisation", () => {
  const standardized = arrayData(values, [7, 3], { standardize: true });
  const kept = standardized.state?.get("data.points") as Float32Array;

  test("gives the state mean 0 and variance 1, a constant coordinate 0", () => {
    for (const column of [0, 1, 2]) {
      const z = Array.from({ length: 7 }, (_, row) => kept[3 * row + column]);
      expect(z.reduce((sum, value) => sum + value, 0) / 7).toBeCloseTo(0, 6);
      expect(z.reduce((sum, value) => sum + value * value, 0) / 7).toBeCloseTo(column === 0 ? 0 : 1, 6);
    }
  });

  test("is undone in samples on the host", () => {
    const plain = sampleData(source, 100, 4);
    // Values near 100 with z of about 1, rounded to f32: errors of some 2^-24 of 100.
    sampleData(standardized, 100, 4).forEach((value, i) => {
      expect(Math.abs(value - plain[i])).toBeLessThan(2e-5);
    });
  });

  test("is left out unless asked for", () => {
    expect(source.standardization).toBeUndefined();
    expect(source.state?.get("data.points")).toEqual(values);
  });
});

describe("options", () => {
  test("are JSON without the points", () => {
    const many = arrayData(new Float32Array(30_000), [10_000, 3]);
    expect(JSON.parse(JSON.stringify(many.options))).toEqual(many.options);
    expect(JSON.stringify(many.options).length).toBeLessThan(200);
  });

  test("tell points apart by one bit, by order and by length", () => {
    const of = (...numbers: number[]) =>
      arrayData(Float32Array.from(numbers), [numbers.length, 1]).options["fingerprint"];
    expect(of(1, 2, 3)).toBe(of(1, 2, 3));
    const others = [of(1, 2, 3 + 2 ** -22), of(1, 3, 2), of(1, 2), of(1, 2, 3, 0), of(-1, 2, 3), of(1, 2, 3)];
    expect(new Set(others).size).toBe(6);
  });

  test("hold MurmurHash3, by its published values", () => {
    // "test" and "aaaa" under the seed of the first lane.
    const lane = (...words: number[]) => {
      const murmur = new Murmur(0x9747b28c);
      for (const word of words) murmur.take(Uint32Array.of(word));
      return murmur.hash().toString(16);
    };
    expect(lane(0x74736574)).toBe("704b81dc");
    expect(lane(0x61616161)).toBe("5a97808a");
  });
});

describe("forms of points", () => {
  const rows = Array.from({ length: 7 }, (_, row) => [...values.subarray(3 * row, 3 * row + 3)]);
  const same: readonly (readonly [string, ReturnType<typeof arrayData>])[] = [
    ["nested arrays", arrayData(rows)],
    ["nested arrays and their shape", arrayData(rows, [7, 3])],
    ["rows that are typed arrays", arrayData(rows.map((row) => Float32Array.from(row)))],
    ["a regular array", arrayData(rows.flat(), [7, 3])],
    ["f64", arrayData(Float64Array.from(values), [7, 3])],
    ["a part of a larger array", arrayData(Float32Array.of(9, ...values, 9).subarray(1, 22), [7, 3])],
    ["rows of other points", arrayRows(arrayData([[0, 0, 0], ...rows]), [1, 2, 3, 4, 5, 6, 7])],
  ];
  test.each(same)("%s", (_name, data) => {
    expect([...data.values]).toEqual([...values]);
    expect(data.values.buffer.byteLength).toBe(data.values.byteLength); // a message to a worker carries no more
    expect(data.state).toEqual(source.state);
    expect([data.count, data.dimension]).toEqual([7, 3]);
  });

  test("regular arrays of any length", () => {
    const long = Array.from({ length: 300_000 }, (_, i) => i % 7);
    expect(arrayData(long, [100_000, 3]).values.length).toBe(300_000);
    expect(arrayData(Array.from({ length: 150_000 }, (_, i) => [i, -i])).count).toBe(150_000);
  });

  test("f64 keeps its digits, also where a model's units are f32", () => {
    const far = Float64Array.from({ length: 400 }, (_, i) => 1e6 + 1e-3 * Math.sin(i));
    const data = arrayData(far, [400, 1], { standardize: true });
    expect(data.values).toEqual(far);
    expect(new Set(data.state?.get("data.points")).size).toBe(400);
  });

  test("columns are names, one for each coordinate", () => {
    expect(arrayData(rows, undefined, { columns: ["a", "b", "c"] }).columns).toEqual(["a", "b", "c"]);
    expect(() => arrayData(rows, undefined, { columns: ["a", "b"] })).toThrow(DataError);
    expect(() => arrayData(rows, undefined, { columns: [1, 2, 3] as unknown as string[] })).toThrow(ConfigError);
  });
});

describe("automatic jitter", () => {
  test.each([
    [200, 10, 0.25],
    [500, 10, 0.2],
    [1000, 10, 0.15],
    [5000, 10, 0.06],
    [500, 5, 0.15],
    [5000, 5, 0],
    [200, 2, 0.08],
    [500, 2, 0],
    [100_000, 10, 0],
    [10, 60, 0.3],
  ])("of %i rows in %i dimensions is %f", (rows, dimension, jitter) => {
    expect(automaticJitter(rows, dimension)).toBeCloseTo(jitter, 2);
  });
});

describe("splits", () => {
  test("are equal by seed, other ones by another, and hold every row once", () => {
    const { training, heldOut } = splitRows(1000, 0.1, 7);
    expect(heldOut.length).toBe(100);
    expect([...training, ...heldOut].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    expect(splitRows(1000, 0.1, 7)).toEqual({ training, heldOut });
    expect(splitRows(1000, 0.1, 8).heldOut).not.toEqual(heldOut);
    expect(splitRows(1000, Array.from(heldOut), 9)).toEqual({ training, heldOut });
    expect(splitRows(3, 0.01).heldOut.length).toBe(1);
  });

  test("hold out each row as often as the others", () => {
    const counts = new Array<number>(20).fill(0);
    for (let seed = 0; seed < 2000; seed++)
      for (const row of splitRows(20, 5, seed).heldOut) counts[row] = (counts[row] as number) + 1;
    // 500 each; a binomial deviation is 19.4.
    for (const count of counts) expect(Math.abs(count - 500)).toBeLessThan(5 * 19.4);
  });
});

describe("what is no points", () => {
  const wrong: readonly (readonly [string, unknown, unknown?])[] = [
    ["a number", 5],
    ["text", "1,2"],
    ["nothing", undefined],
    ["null", null],
    ["an object", { length: 2 }],
    ["a buffer", new ArrayBuffer(8), [2, 1]],
    ["64-bit integers", BigInt64Array.of(1n), [1, 1]],
    ["an empty array", []],
    ["empty rows", [[], []]],
    ["ragged rows", [[1, 2], [3]]],
    ["a row missing", [[1, 2], undefined]],
    ["rows and numbers", [[1, 2], 3]],
    ["text in rows", [["1", "2"]]],
    [
      "text in rows later",
      [
        [1, 2],
        [3, "4"],
      ],
    ],
    ["a gap in a row", [[1, null]]],
    ["a hole in a regular array", new Array(4), [2, 2]],
    ["text in a regular array", [1, "2"], [2, 1]],
    ["NaN in rows", [[1, Number.NaN]]],
    ["numbers without a shape", [1, 2, 3, 4]],
    ["a typed array without a shape", Float32Array.of(1, 2)],
    ["rows of another shape", [[1, 2]], [2, 1]],
    ["options for a shape", Float32Array.of(1, 2), { standardize: true }],
    ["a number for a shape", Float32Array.of(1, 2), 2],
  ];
  test.each(wrong)("%s: DataError", (_name, given, shape) => {
    expect(() => arrayData(given as never, shape as never)).toThrow(DataError);
  });

  test("the message says where", () => {
    expect(() =>
      arrayData([
        [1, 2],
        [3, "n/a"],
      ] as never),
    ).toThrow("row 1, column 1");
    expect(() => arrayData([1, "x", 3, 4] as never, [2, 2])).toThrow("row 0, column 1");
    expect(() => arrayData([[1, 2], [3]])).toThrow("row 1");
  });
});

describe("bad points", () => {
  const bad: readonly (readonly [string, Float32Array | Float64Array, readonly number[], string])[] = [
    ["no points", new Float32Array(0), [0, 2], "at least one point"],
    ["no coordinates", new Float32Array(0), [3, 0], "at least one point"],
    ["one axis", new Float32Array(4), [4], "[count, dimension]"],
    ["three axes of other values", new Float32Array(8), [2, 2, 3], "12 for 2 points of shape [2, 3]"],
    ["a negative size", new Float32Array(4), [-2, -2], "[count, dimension]"],
    ["a size that is no integer", new Float32Array(4), [1.6, 2.5], "[count, dimension]"],
    ["too few values", new Float32Array(5), [3, 2], "6 for 3 points of dimension 2"],
    ["NaN", Float32Array.of(1, 2, 3, Number.NaN), [2, 2], "row 1, column 1"],
    ["infinity", Float32Array.of(1, 2, Number.NEGATIVE_INFINITY, 4), [2, 2], "row 1, column 0"],
    ["more than f32 holds", Float64Array.of(1, 1e39), [2, 1], "row 1, column 0"],
  ];
  test.each(bad)("%s", (_name, given, shape, message) => {
    expect(() => arrayData(given, shape)).toThrow(DataError);
    expect(() => arrayData(given, shape)).toThrow(message);
  });

  test("an option of another type", () => {
    expect(() => arrayData(values, [7, 3], { standardize: 1 as unknown as boolean })).toThrow(ConfigError);
  });
});

describe("resuming", () => {
  const stored = JSON.parse(JSON.stringify({ name: source.name, options: source.options }));

  // What version 0.1.0 wrote for these points: a hash of the values rounded to f32.
  const old = { name: "array", options: { ...stored.options, fingerprint: "774673cccecda3dc" } };

  test("of an old file goes on with what is the same in f32, and refuses what is not", () => {
    const near = Float64Array.from(values, (value) => value * (1 + 2 ** -40));
    for (const same of [source, arrayData(near, [7, 3])]) expect(resumeData(old, same)).toBe(same);
    expect(() => resumeData(old, arrayData(values.with(4, 99), [7, 3]))).toThrow(DataError);
  });

  test("tells points apart that f32 does not", () => {
    const near = Float64Array.from(values).with(4, (values[4] as number) * (1 + 2 ** -40));
    expect(Math.fround(near[4] as number)).toBe(values[4]);
    expect(() => resumeData(stored, arrayData(near, [7, 3]))).toThrow(DataError);
  });

  test("goes on with the same points", () => {
    const again = arrayData(Float64Array.from(values), [7, 3]);
    expect(resumeData(stored, again)).toBe(again);
  });

  const others: readonly (readonly [string, DataSource | undefined])[] = [
    ["no data", undefined],
    ["one value changed", arrayData(values.with(4, 99), [7, 3])],
    ["another shape", arrayData(values, [3, 7])],
    ["standardised", arrayData(values, [7, 3], { standardize: true })],
    ["a generator", dataFrom({ name: "moons", options: {} })],
  ];
  test.each(others)("refuses %s", (_name, given) => {
    expect(() => resumeData(stored, given)).toThrow(DataError);
  });

  test("a name makes generators again; another given one is refused", () => {
    const moons = { name: "moons", options: { noise: 0.3 } };
    expect(resumeData(moons).options).toEqual({ noise: 0.3 });
    const given = dataFrom(moons);
    expect(resumeData(moons, given)).toBe(given);
    expect(() => resumeData(moons, dataFrom({ name: "moons", options: {} }))).toThrow(DataError);
    expect(resumeData({ name: "moons", options: {} }, dataFrom({ name: "moons", options: { noise: 0.2 } })).name).toBe(
      "moons",
    );
  });

  test("points need not be looked up by name", () => {
    expect(() => dataFrom(stored)).toThrow(ConfigError);
  });
});
