// Columns of a text table that are told of its points: labels as they stand, and numbers.
import { describe, expect, test } from "vitest";
import { arrayData } from "../../src/data/array.ts";
import { type CsvOptions, readCsv } from "../../src/data/csv.ts";
import { writeNpy } from "../../src/data/npy.ts";
import { readPoints } from "../../src/data/read-points.ts";
import { ConfigError, DataError } from "../../src/errors.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const iris = bytes('id,width,species,height,age\n1,0.5,setosa,2,40\n2,1.5,"a, b",3,41\n3,-1,none,4,42.5\n');

describe("labels and conditions", () => {
  test("are taken out of the points, in the rows' order", () => {
    const table = readCsv(iris, "iris.csv", { labels: ["species"], conditions: ["age"], skipIndex: true });
    expect(table.columns).toEqual(["width", "height"]);
    expect([...table.values]).toEqual([0.5, 2, 1.5, 3, -1, 4]);
    expect(table.conditions).toEqual({ species: ["setosa", "a, b", "none"], age: Float64Array.of(40, 41, 42.5) });
  });

  test("are asked for by number too, beside columns that are listed", () => {
    const table = readCsv(iris, "iris.csv", { labels: [2], columns: ["height", 1] });
    expect([...table.values]).toEqual([2, 0.5, 3, 1.5, 4, -1]);
    expect(Object.keys(table.conditions ?? {})).toEqual(["species"]);
    const bare = readCsv(bytes("1,a,3\n4,b,6\n"), "bare.csv", { labels: [1] });
    expect([...bare.values]).toEqual([1, 3, 4, 6]);
    expect(bare.conditions).toEqual({ column1: ["a", "b"] });
  });

  test("of numbers are kinds as well", () => {
    const { conditions } = readCsv(bytes("x,digit\n1,7\n2,3\n"), "digits.csv", { labels: ["digit"] });
    expect(conditions).toEqual({ digit: ["7", "3"] });
  });

  test("come with the points of a file, as arrayData takes them", () => {
    const { values, count, dimension, conditions } = readPoints(iris, "iris.csv", {
      labels: ["species"],
      columns: ["width"],
    });
    const data = arrayData(values, [count, dimension], { conditions });
    expect(data.conditions).toEqual({ species: { shape: [], classes: 3, names: ["a, b", "none", "setosa"] } });
    expect([...(data.conditionValues?.["species"] ?? [])]).toEqual([2, 0, 1]);
  });

  test("are left out where none are asked for", () => {
    expect("conditions" in readCsv(bytes("x,y\n1,2\n"))).toBe(false);
  });
});

describe("refused", () => {
  const refused: readonly (readonly [string, string, CsvOptions, string])[] = [
    ["a label that is missing", "x,kind\n1,a\n2,\n", { labels: ["kind"] }, "line 3, column 2"],
    ["one that is NA", "x,kind\n1,NA\n", { labels: ["kind"] }, "a label"],
    ["a number that is none", "x,age\n1,2\n2,old\n", { conditions: ["age"] }, "line 3, column 2"],
    ["a column that is not there", "x,kind\n1,a\n", { labels: ["kin"] }, "kin"],
    ["nothing but labels", "kind\na\n", { labels: ["kind"], header: true }, "labels and conditions alone"],
    ["nothing but labels and an index", "id,kind\n1,a\n", { labels: ["kind"], skipIndex: true }, "alone"],
  ];
  test.each(refused)("%s", (_name, text, options, message) => {
    expect(() => readCsv(bytes(text), "some.csv", options)).toThrow(DataError);
    expect(() => readCsv(bytes(text), "some.csv", options)).toThrow(message);
  });

  test.each<[string, CsvOptions]>([
    ["a column twice", { labels: ["species"], conditions: ["species"] }],
    ["a column of points too", { labels: ["species"], columns: ["width", "species"] }],
    ["an empty list", { labels: [] }],
    ["a name for a list", { labels: "species" as never }],
  ])("%s", (_name, options) => {
    expect(() => readCsv(iris, "iris.csv", options)).toThrow(ConfigError);
  });

  test("beside an array", () => {
    const array = writeNpy(Float64Array.of(1, 2), [2, 1]);
    expect(() => readPoints(array, "a.npy", { labels: ["species"] })).toThrow(ConfigError);
  });
});

describe("arrays of more axes", () => {
  const array = writeNpy(
    Float32Array.from({ length: 24 }, (_, i) => i),
    [2, 3, 2, 2],
  );
  test("are points of that shape", () => {
    const { values, count, dimension, shape, notes } = readPoints(array, "a.npy");
    expect([count, dimension, shape, values.length, notes]).toEqual([2, 12, [3, 2, 2], 24, undefined]);
    expect(() => readPoints(array, "a.npy", { columns: [1] })).toThrow(ConfigError);
  });
});
