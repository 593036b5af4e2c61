// CSV that is written reads back to the same bits and the same names.
import { describe, expect, test } from "vitest";
import { readCsv } from "../../src/data/csv.ts";
import { writeCsv } from "../../src/data/write-csv.ts";
import { DataError } from "../../src/errors.ts";
import { HostRandom } from "../../src/ops/threefry.ts";

const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** All kinds of bits: f32 values of any exponent, finite. */
function anyF32(count: number): Float32Array {
  const words = Uint32Array.from(new HostRandom(7).uniform(count, 0, 0), (value) => Math.floor(value * 2 ** 32));
  const values = new Float32Array(words.buffer);
  return values.map((value) => (Number.isFinite(value) ? value : 1));
}

describe("numbers", () => {
  test("of f32 are short, and read back to the same bits", () => {
    expect(textOf(writeCsv(Float32Array.of(0.1, -3, 16777217, 1e-45, 3.4028235e38, -0), [3, 2]))).toBe(
      "0.1,-3\n16777216,1e-45\n3.4028235e+38,-0\n",
    );
    const values = anyF32(30_000);
    const { values: read } = readCsv(writeCsv(values, [10_000, 3]));
    expect(Float32Array.from(read)).toEqual(values);
  });

  test("of f32 have no more digits than they need", () => {
    for (const value of anyF32(300)) {
      const printed = textOf(writeCsv(Float32Array.of(value), [1])).trim();
      const digits = printed
        .replace(/e.*/, "")
        .replace(/\D/g, "")
        .replace(/^0+|0+$/g, "").length;
      const shorter = Array.from({ length: digits - 1 }, (_, i) => Math.fround(Number(value.toPrecision(i + 1))));
      expect(shorter).not.toContain(value);
    }
  });

  test("of f64 read back to the same bits, whatever their offset", () => {
    const values = new HostRandom(8).normal(3000, 0, 0).map((value, i) => (i % 3 === 0 ? 1e6 + 1e-3 * value : value));
    expect(readCsv(writeCsv(Float64Array.from(values), [1000, 3])).values).toEqual(Float64Array.from(values));
  });

  test("in more rows than are put into text at once", () => {
    const values = Float64Array.from({ length: 300_000 }, (_, i) => i / 7);
    expect(readCsv(writeCsv(values, [150_000, 2])).values).toEqual(values);
    expect(readCsv(writeCsv(values, [300_000])).values).toEqual(values);
    expect(readCsv(writeCsv(values, [2, 150_000])).values).toEqual(values);
  });

  test("that are not finite are written as NumPy writes them", () => {
    const values = Float64Array.of(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY);
    expect(textOf(writeCsv(values, [3]))).toBe("nan\ninf\n-inf\n");
  });
});

test.each([
  [["x", "y"]],
  [["body mass, kg", 'the "y"']],
  [["2020", "2021"]],
  [["# x", " y "]],
  [["", "1.5"]],
  [["NA", "x;m"]],
  [["two\nlines", "長さ"]],
  [["0", "1"]],
  [["inf", "1e5"]],
  [["NA", "null"]],
  [["x", "1.5"]],
  [["", ""]],
  [["NA", "-"]],
  [["x", ""]],
  [["1.2x", "2020"]],
  [["x", "1.2x"]],
  [['"', '""']],
  [["sep=;", "sep=,"]],
  [["1,5", "#N/A"]],
])("names are read back: %j", (columns) => {
  const table = readCsv(writeCsv(Float64Array.of(1.5, 2, 3, 4.25), [2, 2], columns));
  expect(table).toMatchObject({ columns: columns.map((name) => name.trim()), count: 2, dimension: 2 });
});

test.each([["NA"], [""], ["2020"], ["sep=x"], ["a, b"], ["two words"], ["1"]])("one name is read back: %j", (name) => {
  expect(readCsv(writeCsv(Float64Array.of(1.5, 2), [2], [name]))).toMatchObject({ columns: [name], count: 2 });
});

test("of names, spaces around them and the kind of line end are not kept", () => {
  const written = writeCsv(Float64Array.of(1.5, 2, 3, 4.25), [2, 2], [" x ", "two\r\nlines"]);
  expect(readCsv(written).columns).toEqual(["x", "two\nlines"]);
});

test("shapes and names that do not fit are refused", () => {
  for (const shape of [[3], [2, 3], [2, 1, 1], [], [2.5], [2, 0]]) {
    expect(() => writeCsv(new Float32Array(2), shape)).toThrow(DataError);
  }
  expect(() => writeCsv(new Float32Array(2), [1, 2], ["x"])).toThrow(DataError);
});
