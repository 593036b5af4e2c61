import { describe, expect, test } from "vitest";
import { arrayData } from "../../src/data/array.ts";
import { fingerprint } from "../../src/data/fingerprint.ts";
import { dataFrom, resumeData } from "../../src/data/registry.ts";
import { sampleData } from "../../src/data/sample.ts";
import type { DataSource } from "../../src/data/source.ts";
import { ConfigError, DataError } from "../../src/errors.ts";
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
    const lane = (word: number) => fingerprint(new Float32Array(Uint32Array.of(word).buffer)).slice(0, 8);
    expect(lane(0x74736574)).toBe("704b81dc");
    expect(lane(0x61616161)).toBe("5a97808a");
  });
});

describe("bad points", () => {
  const bad: readonly (readonly [string, Float32Array | Float64Array, readonly number[], string])[] = [
    ["no points", new Float32Array(0), [0, 2], "at least one point"],
    ["no coordinates", new Float32Array(0), [3, 0], "at least one point"],
    ["one axis", new Float32Array(4), [4], "[count, dimension]"],
    ["three axes", new Float32Array(8), [2, 2, 2], "[count, dimension]"],
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
