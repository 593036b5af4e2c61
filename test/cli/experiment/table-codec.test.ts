/** A table's columns and their codec: what they are found to be, rows there and back, densities' units. */
import { describe, expect, test } from "vitest";
import { type Rows, tableCodec } from "../../../src/cli/experiment/table/codec.ts";
import {
  type Column,
  dateOf,
  dayOf,
  describeColumn,
  findColumns,
  type ModelColumn,
} from "../../../src/cli/experiment/table/columns.ts";
import { readFields } from "../../../src/data.ts";
import { ConfigError, DataError } from "../../../src/index.ts";

const found = (text: string, said = "") => {
  const table = readFields(new TextEncoder().encode(text), "t.csv");
  return { ...findColumns(table, "t.csv", said), rows: table.rows };
};
const modelled = (columns: readonly Column[]) =>
  columns.filter((one): one is ModelColumn => one.kind === "number" || one.kind === "category");

/** A table that has one of each, with gaps. */
function mixed(rows = 60): string {
  const lines = Array.from({ length: rows }, (_, i) => {
    const wave = Math.sin(1.7 * i);
    return [
      ...[1000 + i, `"p${i}, x"`, i % 3 === 0 ? "" : ["red", "Green", 'very "blue"'][i % 3]],
      ...[["no", "yes"][(i >> 1) % 2], 20 + ((7 * i) % 50), (100 * Math.exp(3 * wave)).toFixed(2)],
      ...[(0.5 + 0.4999 * wave).toFixed(9), dateOf(19_000 + ((11 * i) % 300)), 45_000 + 500 * ((3 * i) % 8)],
      ...["same", 1e6 + wave / 3, i % 5 === 0 ? "NA" : -(i % 20) / 8],
    ]
      .map((field) => (String(field).includes('"blue"') ? '"very ""blue"""' : field))
      .join(",");
  });
  const names = "person_id,name,colour,member,age,spent,share,since,salary,country,offset,eighths";
  return `${names}\n${lines.join("\n")}\n`;
}

describe("columns", () => {
  test("are found", () => {
    const { columns, notes } = found(mixed());
    expect(Object.fromEntries(columns.map((one) => [one.name, describeColumn(one)]))).toEqual({
      person_id: "left out",
      name: "left out",
      colour: '2 categories: Green, very "blue"',
      member: "2 categories: no, yes",
      age: "whole number; 20 to 69",
      spent: expect.stringMatching(/^number, logarithmic; \d\.\d+ to \d{4}/),
      share: expect.stringMatching(/^number, between 0 and 1; 0\.00/),
      since: "date; 2022-01-08 to 2022-11-01",
      salary: "number in steps of 500; 45000 to 48500",
      country: "always same",
      offset: expect.stringMatching(/^number; 999999/),
      eighths: "number in steps of 0.125; -2.375 to -0.125",
    });
    for (const words of ["person_id is another whole number", "name is another text", "country is same in every row"])
      expect(notes.join(" ")).toContain(words);
  });

  test("are what they are said to be", () => {
    const said = "age:log,5:log,colour:skip,share:bounded:-1:2,person_id:integer,salary:category,eighths:real";
    const { columns } = found(mixed(), said);
    const kinds = columns.map((one) => describeColumn(one).split(";")[0]);
    expect(kinds[0]).toBe("whole number");
    expect(kinds[2]).toBe("left out");
    expect(kinds[4]).toBe("whole number, logarithmic");
    expect(kinds[6]).toBe("number, between -1 and 2");
    expect(kinds[8]).toBe("8 categories: 45000, 45500, 46000, 46500, 47000, 47500, ...");
  });

  test.each([
    ["age:whole", ConfigError, /KIND, the kind one of real, integer/],
    ["agee:log", ConfigError, /a column's name, or its number from 1 to 12/],
    ["13:log", ConfigError, /its number from 1 to 12/],
    ["age:bounded", ConfigError, /bounds of bounded/],
    ["age:bounded:9:3", ConfigError, /bounds of bounded/],
    ["age:log:0:9", ConfigError, /bounds of bounded/],
    [
      "age:bounded:0:30",
      DataError,
      /column age, said to be bounded: got "values from 20 to 69", expected values between 0 and 30/,
    ],
    ["eighths:log", DataError, /values above 0/],
    ["eighths:integer", DataError, /whole numbers/],
    ["name:real", DataError, /line 2, column name: got "p0, x", expected a number/],
  ])("%s is refused", (said, kind, words) => {
    const attempt = () => found(mixed(), said);
    expect(attempt).toThrow(kind);
    expect(attempt).toThrow(words);
  });

  test("a slip in a column of numbers is refused by line and column, many are texts", () => {
    const rows = Array.from({ length: 30 }, (_, i) => `${i * i},x`);
    expect(() => found(["a,b", ...rows, "12kg,y"].join("\n"))).toThrow(
      /t\.csv, line 32, column a: got "12kg", expected a number, as in the other rows/,
    );
    expect(() => found(["a,b", ...rows, '"1,200",y'].join("\n"))).toThrow(/without thousands separators/);
    expect(found(["a,b", ...rows, ...rows.map((one) => `g${one}`)].join("\n")).columns[0]?.kind).toBe("left out");
  });

  test("empty ones, ones with few values and categories that differ in case are said", () => {
    const { columns, notes } = found("a,b,c,d\n1,,x,Yes\n2,,NA,yes\n4,,NA,no\n7,,NA,no\n8.5,,,Yes\n");
    expect(columns.map(({ kind }) => kind)).toEqual(["number", "left out", "left out", "category"]);
    expect(notes).toEqual([
      "b is empty: it is left out.",
      "c has no value in 80 % of the rows: it is left out.",
      "d has categories that differ in case alone: Yes, yes.",
    ]);
    expect(found("a,c\n1,x\n2,NA\n4,NA\n7,y\n", "c:category").columns[1]?.kind).toBe("category");
  });

  test("decimals with commas, and two rows", () => {
    const { columns, rows } = found("a;b\n1,5;x\n2,25;y\n");
    expect(columns[0]).toMatchObject({ kind: "number", decimal: ",", least: 1.5, most: 2.25 });
    expect(tableCodec(modelled(columns), rows).decode(tableCodec(modelled(columns), rows).encode(rows, half))).toEqual([
      ["1,5", "x"],
      ["2,25", "y"],
    ]);
    expect(found("a,b\n3,3.0\n3,3\n").columns.map(({ kind }) => kind)).toEqual(["constant", "constant"]);
  });

  test("of dates, impossible ones are none", () => {
    expect(dayOf("1970-01-02")).toBe(1);
    expect(dayOf("2024-02-29")).toBe(19_782);
    expect([dayOf("2023-02-29"), dayOf("1-1-2020"), dayOf("20200101")]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    expect(dateOf(19_782)).toBe("2024-02-29");
  });
});

const half = () => 0.5;
/** Numbers over all of [0, 1), its ends too. */
function sweep() {
  const some = [0.001, 0.999, 0.5, 0.013, 0.77, 0.31];
  let at = 0;
  return () => some[at++ % some.length] as number;
}

describe("rows there and back", () => {
  test.each([["the middle", () => half] as const, ["any noise", sweep] as const])(
    "with %s of each value",
    (_, make) => {
      const { columns, rows } = found(mixed(), "age:log");
      const own = modelled(columns);
      const codec = tableCodec(own, rows.slice(0, 40)); // scales of some rows, all coded
      const whole = rows.filter((row) => own.every(({ index }) => row[index] !== undefined));
      const points = codec.encode(whole, make());
      expect(points.every(Number.isFinite)).toBe(true);
      const back = codec.decode(Float32Array.from(points)); // models are of f32
      for (const [i, fields] of back.entries()) {
        for (const [k, column] of own.entries()) {
          const before = whole[i]?.[column.index] as string;
          if (column.kind === "category" || column.isDate) expect(fields[k], column.name).toBe(before);
          else if (column.step > 0) expect(Number(fields[k]), column.name).toBe(Number(before));
          else
            expect(Math.abs(Number(fields[k]) - Number(before)), column.name).toBeLessThan(
              1e-5 * (column.most - column.least),
            );
        }
      }
      const exact = codec.decode(points); // in f64 of all columns
      expect(exact.map((fields) => fields.map(Number).filter(Number.isFinite))).toEqual(
        whole
          .map((row) => own.map(({ index }) => Number(row[index])).filter(Number.isFinite))
          .map((row) => row.map((value) => expect.closeTo(value, 7))),
      );
    },
  );

  test("what is missing is NaN, in all of its coordinates", () => {
    const { columns, rows } = found("a,c\n1,x\nNA,y\n3.5,z\n4,\n");
    const points = tableCodec(modelled(columns), rows).encode(rows, half);
    expect(points).toHaveLength(4 * 4);
    expect(Array.from(points, Number.isNaN)).toEqual([
      ...[false, false, false, false, true, false, false, false, false, false, false, false, false, true, true, true],
    ]);
  });

  test("of few whole numbers, too, whose noise is a good part of what they vary", () => {
    const rows: Rows = Array.from({ length: 3000 }, (_, i) => [String(i % 3)]);
    const { columns } = findColumns({ columns: ["n"], header: true, rows, lines: [], notes: [] }, "t.csv", "n:integer");
    let at = 0;
    const noise = () => ((at++ * 7 + 3) % 10) / 10 + 0.05; // even over a step
    const points = tableCodec(modelled(columns), rows).encode(rows, noise);
    const variance = points.reduce((sum, z) => sum + z * z, 0) / points.length;
    expect(points).toHaveLength(3000);
    expect(Math.abs(variance - 1)).toBeLessThan(0.01); // 2/3 and 1/12: taken off in place of added it would be 1.29
  });

  test("training points are standardised, and indicators' noise is normal", () => {
    const rows: Rows = Array.from({ length: 4000 }, (_, i) => [String(i % 7), i % 5 === 0 ? "b" : "a"]);
    const { columns } = findColumns({ columns: ["n", "c"], header: true, rows, lines: [], notes: [] }, "t.csv");
    let state = 1;
    const noise = () => {
      state = (state * 48_271) % 2_147_483_647;
      return state / 2_147_483_647;
    };
    const points = tableCodec(modelled(columns), rows).encode(rows, noise);
    for (const k of [0, 1]) {
      const own = points.filter((_, i) => i % 2 === k);
      const mean = own.reduce((sum, z) => sum + z / 4000, 0);
      expect(Math.abs(mean)).toBeLessThan(0.05);
      expect(Math.abs(own.reduce((sum, z) => sum + (z * z) / 4000, 0) - 1)).toBeLessThan(0.08);
    }
  });

  test("no number is negative where none of the file is", () => {
    const { columns, rows } = found("a\n0.5\n1.25\n9.75\n", "a:real");
    expect(tableCodec(modelled(columns), rows).decode([-9])[0]).toEqual(["0"]);
  });
});

describe("log-Jacobians", () => {
  test("of numbers are those of finite differences", () => {
    const { columns, rows } = found(mixed(), "age:log");
    for (const column of modelled(columns).filter(({ kind }) => kind === "number")) {
      if (column.kind !== "number") continue;
      const codec = tableCodec([column], rows);
      const field = rows[7]?.[column.index] as string;
      // By the noise: y = x + step (u - 1/2), so dz/dy is dz/du over the step. Without a step, by the field itself.
      const at = (u: number) => codec.encode([row(column.index, field)], () => u)[0] as number;
      const h = 1e-5;
      const x = Number(field);
      const slope =
        column.step > 0
          ? (at(0.5 + h) - at(0.5 - h)) / (2 * h * column.step)
          : ((codec.encode([row(column.index, String(x + h * scale(column)))], half)[0] as number) -
              (codec.encode([row(column.index, String(x - h * scale(column)))], half)[0] as number)) /
            (2 * h * scale(column));
      const own = codec.logJacobian([at(0.5)])[0] as number;
      expect(own, column.name).toBeCloseTo(Math.log(slope), 3);
      expect(codec.logJacobian([at(0.5)], "categories")[0]).toBe(0);
    }
  });

  test("of categories make the standard normal's mass that of their shares", () => {
    // Under independent N(0, 1) an indicator is 1 with its share: the density of u is that share, for every u.
    const rows: Rows = ["a", "a", "a", "b"].map((one) => [one]);
    const { columns } = findColumns({ columns: ["c"], header: true, rows, lines: [1, 2, 3, 4], notes: [] }, "t.csv");
    const codec = tableCodec(modelled(columns), rows);
    const shares = { a: 3.5 / 5, b: 1.5 / 5 };
    for (const [category, share] of Object.entries(shares)) {
      for (const u of [0.1, 0.5, 0.93]) {
        const points = codec.encode([[category]], () => u);
        const z = points[0] as number;
        const logDensity = -0.5 * z * z - 0.5 * Math.log(2 * Math.PI) + (codec.logJacobian(points)[0] as number);
        expect(logDensity).toBeCloseTo(Math.log(share), 9);
        expect(codec.logJacobian(points, "categories")[0]).toBe(codec.logJacobian(points)[0]);
      }
    }
  });
});

/** A row with this field at this place. */
function row(index: number, field: string): (string | undefined)[] {
  return Array.from({ length: index + 1 }, (_, i) => (i === index ? field : undefined));
}

const scale = ({ most, least }: { readonly most: number; readonly least: number }) => (most - least) / 10;
