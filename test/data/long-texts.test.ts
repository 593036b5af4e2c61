// Texts of a million characters, each of a kind that an expression which goes back and forth would take days for: the
// test ends, or it does not. What the readers say of them is short and escaped.
import { describe, expect, test } from "vitest";
import { CsvReader, readCsv } from "../../src/data/csv.ts";
import { matchColumns } from "../../src/data/match-columns.ts";
import { writeCsv } from "../../src/data/write-csv.ts";
import { CheckpointError, DataError } from "../../src/errors.ts";
import { layerTensors } from "../../src/train/infer-network.ts";
import { faultOfMessage } from "../reliability/shared.mjs";

const bytes = (text: string) => new TextEncoder().encode(text);
const million = (text: string) => text.repeat(Math.ceil(1e6 / text.length));

/** What reading throws, if anything: a short and escaped DataError or CheckpointError. */
function refusalOf(read: () => unknown): Error | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    expect(error instanceof DataError || error instanceof CheckpointError).toBe(true);
    expect(faultOfMessage(error)).toBeUndefined();
    return error as Error;
  }
}

/** Fields that end as they should not. */
const fields: readonly (readonly [string, string])[] = [
  ["digits and an x", `${million("1")}x`],
  ["digits, a point, digits and an x", `${million("1")}.${million("1")}x`],
  ["digits and an exponent without end", `1e${million("1")}x`],
  ["a sign and points", `+${million(".")}x`],
  ["dashes", `${million("-")}x`],
  ["thousands by commas", `"1${million(",111")}x"`],
  ["thousands by points", `1${million(".111")}x`],
  ["spaces within", `1${million(" ")}1x`],
  ["exponents", `${million("1e")}x`],
  ["hexadecimal", `0x${million("f")}x`],
  ["inf and more", `${million("inf")}x`],
  ["question marks", `${million("?")}x`],
  ["a spreadsheet's error", `#N/A${million("#N/A")}`],
];

describe("a field of a million characters is refused with a short sentence", () => {
  test.each(fields)("%s", (_, field) => {
    for (const text of [`1,2\n${field},2\n`, `a,b\n${field},2\n`, `${field},2\n3,4\n`]) {
      expect(refusalOf(() => readCsv(bytes(text), "points.csv"))).toBeInstanceOf(DataError);
    }
    refusalOf(() => readCsv(bytes(`1\n${field}\n`), "points.csv", { decimal: "," }));
  });
});

describe("a line of a million characters is read or refused", () => {
  test.each<[string, string]>([
    ["quotes in pairs", `"${million('""')}",1\n1,2\n`],
    ["quotes that close", `${million('"a",')}1\n`],
    ["a quote that stays open", `"${million("a")}\n1,2\n`],
    ["quotes and spaces", `${million('" ')}\n`],
    ["spaces, then a quote", `${million(" ")}"a",b\n1,2\n`],
    ["delimiters", `${million(",")}\n`],
    ["semicolons in quotes that commas open", `x${million(',";"')}\n1\n`],
    ["quoted decimals without end", `"1,${million("1")}x"\n`],
    ["quotes and digits", `${million('"1')}\n`],
    ["a comment", `${million(" ")}#\n1,2\n`],
    ["spaces alone", `${million(" ")}\n1,2\n`],
    ["carriage returns", `${million("\r")}1,2\n`],
  ])("%s", (_, text) => {
    for (const delimiter of [undefined, ",", ";", " "] as const) {
      refusalOf(() => readCsv(bytes(text), "points.csv", delimiter ? { delimiter } : {}));
    }
  });

  test("also where it comes byte by byte", () => {
    const reader = new CsvReader("points.csv");
    for (const byte of bytes(`${million("1,")}1\n`)) reader.push(Uint8Array.of(byte));
    expect(reader.end()).toMatchObject({ count: 1, dimension: 500_001 });
  });

  test("beyond any row it is refused before it fills the memory", () => {
    const reader = new CsvReader("points.csv");
    const piece = bytes(million("1 "));
    expect(() => {
      for (let i = 0; i < 1000; i++) reader.push(piece);
    }).toThrow(/points\.csv, line 1: got "more than 16777216 characters"/);
  });
});

describe("many columns", () => {
  const names = Array.from({ length: 200_000 }, (_, i) => `x${i}`);
  const row = new Array(names.length).fill("1").join(",");

  test("are read, chosen and matched by name", () => {
    const table = readCsv(bytes(`${names.join(",")}\n${row}\n${row.replaceAll("1", "2")}\n`));
    expect(table).toMatchObject({ dimension: 200_000, count: 2, columns: names });
    expect(matchColumns(names.toReversed(), names)?.order[0]).toBe(199_999);
    expect(() => matchColumns([...names, "y"], names)).toThrow(DataError);
    expect(readCsv(bytes(`${row}\n`), "f", { columns: names.map((_, i) => i) }).dimension).toBe(200_000);
  });

  test("with one name have one note", () => {
    const { notes } = readCsv(
      bytes(`${new Array(200_000).fill("x").join(",")}\n${row}\n${row.replaceAll("1", "2")}\n`),
    );
    expect(notes).toEqual([expect.stringMatching(/More than one column is called "x"/)]);
  });
});

describe("names with controls", () => {
  const name = "\u001b[31mred\u202e\u0007";
  const table = readCsv(bytes(`${name},${"long ".repeat(9000)}\n1,2\n1,3\n`));

  test("are kept as they are, as data", () => {
    expect(table.columns?.[0]).toBe(name);
    const written = writeCsv(table.values, [table.count, table.dimension], table.columns);
    expect(readCsv(written).columns).toEqual(table.columns?.map((each) => each.trim()));
  });

  test("are escaped and short in notes, and said", () => {
    expect(table.notes).toHaveLength(2);
    for (const note of table.notes ?? []) expect(faultOfMessage(note)).toBeUndefined();
    expect(table.notes?.[0]).toMatch(/do not print/);
    const matched = matchColumns([table.columns?.[0] as string], table.columns);
    expect(faultOfMessage(matched?.note)).toBeUndefined();
  });
});

test("a tensor's name of a million digits is a name that no layer has", () => {
  const tensor = { dtype: "F32" as const, shape: [1], data: new Float32Array(1) };
  const names = [`${million("1")}.weigh`, `${million("1.")}weight`, `${million("1")}\n.weight`];
  for (const name of names) {
    const refusal = refusalOf(() => layerTensors(new Map([[name, tensor]]), "model"));
    expect(refusal).toBeInstanceOf(CheckpointError);
  }
});
