import { describe, expect, test } from "vitest";
import { readCsv } from "../src/data/csv.ts";
import { NpyReader, npyHeader, readNpy, writeNpy } from "../src/data/npy.ts";
import { checkPoints } from "../src/data/points.ts";
import { parsePythonLiteral } from "../src/data/python-literal.ts";
import { readPoints } from "../src/data/read-points.ts";
import {
  fitStandardization,
  logJacobian,
  parseStandardization,
  standardize,
  unstandardize,
} from "../src/data/standardize.ts";
import { DataError } from "../src/errors.ts";
import { HostRandom } from "../src/ops/threefry.ts";

const bytesOf = (base64: string) => new Uint8Array(Buffer.from(base64, "base64"));
const text = (content: string) => new TextEncoder().encode(content);
const x = [0.5, -1.25, 3, 4.75, 1e-3, -7];

/** Files written by NumPy 2.4 (numpy.lib.format.write_array) on x86-64, and what they hold. */
const numpyFiles = {
  "f4, version 1": [
    "k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDMsIDIpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAA/AACgvwAAQEAAAJhAbxKDOgAA4MA=",
    [3, 2],
    x.map(Math.fround),
  ],
  "f8, version 2": [
    "k05VTVBZAgB0AAAAeydkZXNjcic6ICc8ZjgnLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNlLCAnc2hhcGUnOiAoMywgMiksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAADgPwAAAAAAAPS/AAAAAAAACEAAAAAAAAATQPyp8dJNYlA/AAAAAAAAHMA=",
    [3, 2],
    x,
  ],
  "f8, version 3, Fortran order": [
    "k05VTVBZAwB0AAAAeydkZXNjcic6ICc8ZjgnLCAnZm9ydHJhbl9vcmRlcic6IFRydWUsICdzaGFwZSc6ICgzLCAyKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAADgPwAAAAAAAAhA/Knx0k1iUD8AAAAAAAD0vwAAAAAAABNAAAAAAAAAHMA=",
    [3, 2],
    x,
  ],
  "f4, big-endian": [
    "k05VTVBZAQB2AHsnZGVzY3InOiAnPmY0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDMsIDIpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAo/AAAAv6AAAEBAAABAmAAAOoMSb8DgAAA=",
    [3, 2],
    x.map(Math.fround),
  ],
  i8: [
    "k05VTVBZAQB2AHsnZGVzY3InOiAnPGk4JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDMsIDIpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoBAAAAAAAAAP7/////////AwAAAAAAAAAEAAAAAAAAAPv/////////AAAAAAABAAA=",
    [3, 2],
    [1, -2, 3, 4, -5, 2 ** 40],
  ],
  "u1, one axis": [
    "k05VTVBZAQB2AHsnZGVzY3InOiAnfHUxJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDMsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAB/8=",
    [3],
    [0, 7, 255],
  ],
  "i2, three axes, Fortran order": [
    "k05VTVBZAQB2AHsnZGVzY3InOiAnPGkyJywgJ2ZvcnRyYW5fb3JkZXInOiBUcnVlLCAnc2hhcGUnOiAoMiwgMywgNCksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAwABAAQAAgAFAABAA0ABQARAAkAFQACAA4ABgASAAoAFgADAA8ABwATAAsAFwA=",
    [2, 3, 4],
    Array.from({ length: 24 }, (_, i) => i),
  ],
  "b1, one axis": [
    "k05VTVBZAQB2AHsnZGVzY3InOiAnfGIxJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoBAA==",
    [2],
    [1, 0],
  ],
  f2: [
    "k05VTVBZAQB2AHsnZGVzY3InOiAnPGYyJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDQsIDIpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAOAC9AELARBkU//sBAAAA",
    [4, 2],
    [0.5, -1.25, 3.0, 4.75, 0.0010004043579101562, -65504.0, 2 ** -24, 0.0],
  ],
  "f8, no axis": [
    "k05VTVBZAQB2AHsnZGVzY3InOiAnPGY4JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKCksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAAAMQA==",
    [],
    [3.5],
  ],
} as const;

const f4File = bytesOf(numpyFiles["f4, version 1"][0]);
const structured = bytesOf(
  "k05VTVBZAQB2AHsnZGVzY3InOiBbKCd4JywgJzxmNCcpLCAoJ3knLCAnPGY0JyldLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNlLCAnc2hhcGUnOiAoMiwpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAAAAAAAAAAAAAAAA",
);
const emptyFile = bytesOf(
  "k05VTVBZAQB2AHsnZGVzY3InOiAnPGY4JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDAsIDIpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAo=",
);

/** `f4File` with other text of the same length in its header. */
function edited(from: string, to: string): Uint8Array {
  const bytes = f4File.slice();
  const at = Buffer.from(bytes).indexOf(from);
  expect(at).toBeGreaterThan(0);
  bytes.set(text(to.padEnd(from.length)), at);
  return bytes;
}

/** A copy with some bytes replaced from `at` on. */
function patched(bytes: Uint8Array, at: number, values: number[]): Uint8Array {
  const copy = bytes.slice();
  copy.set(values, at);
  return copy;
}

describe(".npy", () => {
  test.each(Object.entries(numpyFiles))("reads what NumPy wrote: %s", (_name, [base64, shape, values]) => {
    const array = readNpy(bytesOf(base64));
    expect(array.shape).toEqual(shape);
    expect([...array.data]).toEqual(values);
  });

  test("writes the very bytes that NumPy writes", () => {
    expect(writeNpy(Float32Array.from(x), [3, 2])).toEqual(f4File);
    const header = npyHeader([3, 2], 4); // what comes in pieces begins with it
    expect(header).toEqual(f4File.slice(0, -24));
    expect(npyHeader([2], 8)).toEqual(writeNpy([0.5, 1.5], [2]).slice(0, -16));
    expect(() => npyHeader([3, -2], 4)).toThrow("header of .npy");
    expect(() => npyHeader([3, 2], 2 as 4)).toThrow("2 bytes each");
    const precise = Float64Array.of(1e6 + 1e-3, -1 / 3);
    expect(readNpy(writeNpy(precise, [2]))).toEqual({ shape: [2], data: precise }); // <f8
    expect(readNpy(writeNpy(new Float32Array(9).subarray(2, 4), [2]))).toEqual({
      shape: [2],
      data: new Float32Array(2),
    });
  });

  test.each([[[]], [[5]], [[0, 3]], [[2, 3, 4]], [[12345, 1]]])("gives back shape [%s] and bits", (shape) => {
    const values = new Float32Array(shape.reduce((product, size) => product * size, 1)).map((_, i) =>
      Math.fround(i / 7),
    );
    const bytes = writeNpy(values, shape);
    expect(bytes.length % 4).toBe(0);
    expect(readNpy(bytes)).toEqual({ shape, data: values });
  });

  test.each([
    ["=f4", Float32Array.of(1.5, -2)],
    ["|f4", Float32Array.of(1.5, -2)],
    ["f", Float32Array.of(1.5, -2)],
    ["float32", Float32Array.of(1.5, -2)],
    ["=f8", Float64Array.of(1.5, -2)],
    ["d", Float64Array.of(1.5, -2)],
    ["<d", Float64Array.of(1.5, -2)],
    ["float64", Float64Array.of(1.5, -2)],
    ["i", Int32Array.of(7, -2)],
    ["=i4", Int32Array.of(7, -2)],
    ["l", BigInt64Array.of(7n, -2n)],
    ["q", BigInt64Array.of(7n, -2n)],
    ["int64", BigInt64Array.of(7n, -2n)],
    ["H", Uint16Array.of(7, 65535)],
    ["b", Int8Array.of(7, -2)],
    ["|i1", Int8Array.of(7, -2)],
    ["B", Uint8Array.of(7, 255)],
    ["?", Uint8Array.of(1, 0)],
    ["bool", Uint8Array.of(1, 0)],
  ])("reads NumPy's spelling %s", (descr, values) => {
    const literal = `{'descr': '${descr}', 'fortran_order': False, 'shape': (2,), }`;
    const header = `${literal.padEnd(117)}\n`;
    const prefix = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 118, 0);
    const file = Buffer.concat([prefix, text(header), new Uint8Array(values.buffer)]);
    const array = readNpy(file);
    expect([...array.data]).toEqual(Array.from(values, Number));
    // In pieces that cut header and elements alike.
    const reader = new NpyReader("array.npy", file.length);
    for (let at = 0; at < file.length; at += 3) reader.push(file.subarray(at, at + 3));
    expect(reader.end()).toEqual(array);
  });

  test("reads bytes that start anywhere in a buffer", () => {
    const shifted = new Uint8Array(f4File.length + 3);
    shifted.set(f4File, 3);
    expect([...readNpy(shifted.subarray(3)).data]).toEqual(x.map(Math.fround));
  });

  test.each([
    ["an empty file", new Uint8Array(0), /first bytes: got "an empty file"/],
    ["bad magic", patched(f4File, 1, [0x4f]), /magic/],
    ["version 9", patched(f4File, 6, [9]), /format version: got 9/],
    ["a header cut short", f4File.subarray(0, 50), /header: got "50 bytes in the file", expected 128 or more/],
    ["only the magic", f4File.subarray(0, 6), /cut short/],
    ["only magic and version", f4File.subarray(0, 8), /cut short/],
    ["data cut short", f4File.subarray(0, f4File.length - 1), /data: got "23 bytes", expected 24 bytes/],
    ["more data than the shape says", new Uint8Array([...f4File, 0]), /got "25 bytes", expected 24/],
    ["a huge header", patched(patched(f4File, 6, [2]), 8, [0, 0, 0, 0x80]), /header length: got 2147483648/],
    ["a header that is no dict", edited("{'descr'", "['descr'"), /expected a Python dict/],
    ["no dtype", edited("'descr'", "'other'"), /dtype: got "none"/],
    ["an unknown dtype", edited("'<f4'", "'<c8'"), /dtype: got "<c8".*astype/],
    ["a dtype that JavaScript objects inherit", edited("'<f4', '", "'<constructor', '"), /header|dtype/],
    ["a long double", edited("'<f4'", "'<f16'"), /dtype: got "<f16"|header/],
    ["Python objects", edited("'<f4'", "'|O'"), /dtype: got "\|O"/],
    ["text", edited("'<f4'", "'<U1'"), /dtype: got "<U1"/],
    ["a structured array", structured, /dtype/],
    ["a fortran_order that is no boolean", edited("False", "0"), /fortran_order: got 0/],
    ["a negative size", edited("(3, 2)", "(-3,2)"), /shape: got \[-3,2\]/],
    ["sizes beyond any memory", edited("(3, 2), }    ", "(999999999,999999999,999999999),}"), /header|data: got/],
  ])("refuses %s", (_name, bytes, message) => {
    const read = () => readNpy(bytes, "points.npy");
    expect(read).toThrow(DataError);
    expect(read).toThrow(message);
    expect(read).toThrow(/^points\.npy/);
  });

  test("refuses to write a shape that does not fit", () => {
    expect(() => writeNpy(new Float32Array(6), [3, 3])).toThrow(DataError);
    expect(() => writeNpy(new Float32Array(6), [-3, -2])).toThrow(DataError);
  });

  test("a damaged file is read or refused with a DataError, whatever is damaged", () => {
    const random = new HostRandom(11);
    const draws = random.uniform(3 * 2000, 0, 0);
    for (let trial = 0; trial < 2000; trial++) {
      const [where, what, cut] = draws.subarray(3 * trial, 3 * trial + 3);
      const bytes = f4File.slice(0, cut < 0.2 ? Math.floor(f4File.length * cut * 5) : f4File.length);
      if (bytes.length > 0) bytes[Math.floor(where * bytes.length)] ^= 1 << Math.floor(what * 8);
      expectOnly(DataError, () => readNpy(bytes));
    }
  });

  test.each([
    [
      "{'a': (1, 2,), \"b\": [True, None], }",
      new Map<string, unknown>([
        ["a", [1, 2]],
        ["b", [true, null]],
      ]),
    ],
    ["(3L,)", [3]],
    ["()", []],
    ["{'a': 1", undefined],
    ["{'a' 1}", undefined],
    ["'a' 'b'", undefined],
    ["(1 2)", undefined],
    ["'open", undefined],
    ["[".repeat(100_000), undefined],
    ["", undefined],
  ])("Python literal %s", (literal, value) => {
    expect(parsePythonLiteral(literal)).toEqual(value);
  });
});

describe("CSV", () => {
  test.each([
    ["commas", "0.5,-1.25\n3,4.75\n.001,-7.\n"],
    ["semicolons, Windows line ends", "0.5;-1.25\r\n3;4.75\r\n1e-3;-7\r\n"],
    ["tabs, no last line end", "0.5\t-1.25\n3\t4.75\n1E-3\t-7"],
    ["runs of spaces", "  0.5   -1.25\n  3      4.75\n  1e-3  -7\n"],
    ["a header, quotes, spaces", '"x","y"\n0.5, -1.25\n"3","4.75"\n+1e-3 ,-7\n'],
    ["a quoted delimiter in the header", '"a,b",c\n0.5,-1.25\n3,4.75\n1e-3,-7\n'],
    ["comments and empty lines, as numpy.savetxt writes", "# x y\n\n5e-1 -1.25e+00\n\n3 4.75\n1e-3 -7\n\n"],
    ["a byte order mark", "\ufeff0.5,-1.25\n3,4.75\n1e-3,-7\n"],
  ])("reads %s", (_name, content) => {
    const table = readCsv(text(content));
    expect({ ...table, values: [...table.values], columns: undefined }).toEqual({ values: x, count: 3, dimension: 2 });
  });

  test("gives the header's names, and takes a delimiter that it is told", () => {
    expect(readCsv(text("x;y,z\n1;2\n"), "f", { delimiter: ";" }).columns).toEqual(["x", "y,z"]);
    expect(readCsv(text("1\n2\n"))).toMatchObject({ count: 2, dimension: 1, columns: undefined });
  });

  test("gives back every f64 that JavaScript prints, in tables larger than the first buffer", () => {
    const values = new HostRandom(5).normal(3 * 5000, 0, 0);
    const lines = Array.from({ length: 5000 }, (_, i) => [...values.subarray(3 * i, 3 * i + 3)].join(","));
    const table = readCsv(text(lines.join("\n")));
    expect(table).toMatchObject({ count: 5000, dimension: 3 });
    expect([...table.values]).toEqual([...values]);
  });

  test.each([
    ["a word", "1,2\n3,n/a\n", 'points.csv, line 2, column 2: got "n/a", expected a finite number. Remove the line'],
    ["NaN on the first line", "nan,2\n3,4\n", 'line 1, column 1: got "nan"'],
    ["an infinity", "x,y\n1,-inf\n", 'line 2, column 2: got "-inf"'],
    ["a number too large for f64", "1,1e999\n", 'line 1, column 2: got "1e999"'],
    ["hexadecimal", "1,0x10\n", 'line 1, column 2: got "0x10"'],
    ["an empty field", "1,2\n3,\n", 'line 2, column 2: got ""'],
    ["a decimal comma", "1,5;2\n", 'got "1,5", expected a finite number. Write decimals with a point'],
    ["a short line", "1,2\n\n3\n", 'points.csv, line 3: got "1 field", expected 2'],
    ["a long line", "1 2\n1 2 3\n", 'line 2: got "3 fields", expected 2'],
    ["nothing", "", 'points.csv: got "no lines"'],
    ["only a header", "x,y\n", 'got "only a header line"'],
  ])("refuses %s", (_name, content, message) => {
    const read = () => readCsv(text(content), "points.csv");
    expect(read).toThrow(DataError);
    expect(read).toThrow(message);
  });

  test("refuses bytes that are no text", () => {
    expect(() => readCsv(Uint8Array.of(0xff, 0xfe, 0x31, 0x00), "points.csv")).toThrow(/not UTF-8/);
  });
});

describe("points", () => {
  test("come from .npy and from CSV alike", () => {
    expect(readPoints(f4File, "a.npy")).toEqual({ values: Float32Array.from(x), count: 3, dimension: 2 });
    expect(readPoints(text("1,2,3\n"), "a.csv")).toMatchObject({ count: 1, dimension: 3 });
    expect(readPoints(bytesOf(numpyFiles["u1, one axis"][0]), "a.npy")).toMatchObject({ count: 3, dimension: 1 });
  });

  test.each([
    ["no axis", readNpy(bytesOf(numpyFiles["f8, no axis"][0])), /shape of points.npy: got \[\], expected \[count, dim/],
    ["one axis", { data: new Float32Array(4), shape: [4] }, /reshape\(len\(array\), -1\)/],
    ["no points", readNpy(emptyFile), /got "0 points of dimension 2", expected at least one point/],
    ["no coordinates", { data: new Float32Array(0), shape: [4, 0] }, /at least one coordinate/],
    ["a count that does not match", { data: new Float32Array(5), shape: [3, 2] }, /got "5 values", expected 6/],
    ["a NaN", { data: Float32Array.of(1, 2, 3, Number.NaN), shape: [2, 2] }, /row 1, column 1 \(from 0\): got NaN/],
    ["a value beyond f32", { data: Float64Array.of(1, 1e39), shape: [2, 1] }, /row 1, column 0 .*got 1e\+39/],
  ])("refuse %s", (_name, { data, shape }, message) => {
    expect(() => checkPoints(data, shape, "points.npy")).toThrow(DataError);
    expect(() => checkPoints(data, shape, "points.npy")).toThrow(message);
  });
});

describe("standardisation", () => {
  const normals = new HostRandom(3).normal(4000, 0, 0);
  const values = Float64Array.from(normals, (value, i) => [1e6 + 3 * value, -2 + 0.01 * value, 0.1, 7 * value][i % 4]);
  const points = checkPoints(values, [1000, 4]);
  const standardization = fitStandardization(points);
  const z = standardize(values, standardization);

  test("leaves mean 0 and std 1, and 0 in a coordinate that never changes", () => {
    const again = fitStandardization(checkPoints(z, [1000, 4]));
    // An offset of 1e6 beside a spread of 3 leaves f64 a relative 1e6 / 3 * 2^-53 = 4e-11 of z.
    for (const value of again.mean) expect(Math.abs(value)).toBeLessThan(1e-10);
    for (const value of again.std) expect(Math.abs(value - 1)).toBeLessThan(1e-10);
    expect(standardization).toMatchObject({ mean: { 2: 0.1 }, std: { 2: 1 } });
    expect(z[2]).toBe(0);
  });

  test("is undone to the rounding of f64", () => {
    const back = unstandardize(z, standardization);
    for (let i = 0; i < values.length; i++) {
      const scale = Math.abs(values[i]) + standardization.std[i % 4];
      expect(Math.abs(back[i] - values[i])).toBeLessThan(scale * 2 ** -51);
    }
  });

  test("keeps a spread of 1e-3 about 1e6, which f32 does not hold, when the device's f32 comes back", () => {
    const close = Float64Array.from(normals, (value) => 1e6 + 1e-3 * value);
    const fitted = fitStandardization(checkPoints(close, [4000, 1]));
    const back = unstandardize(Float32Array.from(standardize(close, fitted)), fitted);
    expect(new Set(back).size).toBeGreaterThan(3995); // of 4,000; in f32 one
    back.forEach((value, i) => {
      expect(Math.abs(value - close[i])).toBeLessThan(1e-3 * 2 ** -22 + 2 ** -33); // of z, below 4, and of 1e6
    });
  });

  test("has the log-Jacobian of z by x", () => {
    // det of a diagonal Jacobian: the product of its differences over x of 1.
    const at = standardize(new Float64Array(4), { mean: [0, 0, 0, 0], std: standardization.std });
    const ahead = standardize(Float64Array.of(1, 1, 1, 1), { mean: [0, 0, 0, 0], std: standardization.std });
    const determinant = ahead.reduce((product, value, i) => product * (value - at[i]), 1);
    expect(logJacobian(standardization)).toBeCloseTo(Math.log(determinant), 6);
  });

  test("one point becomes 0 and comes back exactly", () => {
    const one = checkPoints(Float32Array.of(0.1, -3), [1, 2]);
    expect(fitStandardization(one)).toEqual({ mean: [...one.values], std: [1, 1] });
    expect(unstandardize(standardize(one.values, fitStandardization(one)), fitStandardization(one))).toEqual(
      Float64Array.from(one.values),
    );
  });

  test("values too close for squares in f64 have a deviation all the same", () => {
    expect(fitStandardization(checkPoints(Float64Array.of(1e-200, 2e-200), [2, 1])).std[0]).toBeCloseTo(0.5e-200, 210);
  });

  test("comes back from JSON, and is refused when damaged", () => {
    const json = JSON.parse(JSON.stringify(standardization));
    expect(parseStandardization(json, 4)).toEqual(standardization);
    for (const wrong of [
      null,
      {},
      { mean: [0], std: [0] },
      { mean: [0], std: [null] },
      { mean: [0, 0], std: [1, 1] },
    ]) {
      expect(() => parseStandardization(wrong, 1)).toThrow(DataError);
    }
  });

  test("refuses values that are not whole points", () => {
    expect(() => standardize(new Float32Array(5), standardization)).toThrow(DataError);
    expect(() => unstandardize(new Float32Array(5), standardization)).toThrow(DataError);
  });
});

/** Runs `action`; whatever it throws must be of `type`. */
function expectOnly(type: typeof DataError, action: () => unknown): void {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(type);
  }
}
