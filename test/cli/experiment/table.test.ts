/** The experiment on tables: its measures against values by hand, densities against closed forms, and files as users have them. */
import { readFile, writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { uniformSequence } from "../../../src/cli/experiment/random-numbers.ts";
import { blamesOf, plant } from "../../../src/cli/experiment/table/anomalies.ts";
import { tableCodec } from "../../../src/cli/experiment/table/codec.ts";
import { findColumns, type ModelColumn } from "../../../src/cli/experiment/table/columns.ts";
import { choleskyOf, gaussianOf, kernelOf } from "../../../src/cli/experiment/table/densities.ts";
import { fillErrors, fillWith, hiddenColumns, maskOf } from "../../../src/cli/experiment/table/fill.ts";
import { drawTable, madeColumns, madeLogDensity } from "../../../src/cli/experiment/table/made-table.ts";
import {
  columnDistances,
  correlationGap,
  howFound,
  largestGap,
  nearestDistances,
  spansOf,
  variation,
} from "../../../src/cli/experiment/table/measures.ts";
import { readSettings } from "../../../src/cli/experiment.ts";
import { useCli } from "../run.ts";

const codecOf = (columns: readonly string[], rows: readonly (readonly string[])[]) => {
  const table = { columns, header: true, rows, lines: rows.map((_, row) => row + 2), notes: [] };
  return tableCodec(findColumns(table, "t.csv").columns as readonly ModelColumn[], rows);
};

describe("measures", () => {
  test("area and average precision", () => {
    expect(howFound([3, 2], [1, 0])).toEqual({ area: 1, precision: 1 });
    expect(howFound([0], [1, 2, 3])).toEqual({ area: 0, precision: 0.25 });
    // Ranks of 4 and 2 among 4, 3, 2, 1: pairs 4>3, 4>1, 2>1 of four; precision (1/1 + 2/3) / 2.
    expect(howFound([4, 2], [3, 1])).toEqual({ area: 0.75, precision: (1 + 2 / 3) / 2 });
    expect(howFound([1, 1], [1, 1])).toEqual({ area: 0.5, precision: (1 / 3 + 2 / 4) / 2 });
  });

  test("distances of columns", () => {
    expect(largestGap(Float64Array.of(1, 2, 3, 4), Float64Array.of(3, 4, 5, 6))).toBe(0.5);
    expect(largestGap(Float64Array.of(1, 1, 2), Float64Array.of(2, 1, 1))).toBe(0);
    expect(variation(["a", "a", "b", "c"], ["a", "c"])).toBe(0.25);
    const rows = [
      ["1", "x"],
      ["2", "y"],
      ["4", "x"],
      ["8.5", "x"],
    ];
    const codec = codecOf(["n", "c"], rows);
    const all = codec.encode(rows, () => 0.5);
    const some = codec.encode(rows.slice(0, 2), () => 0.5);
    expect(columnDistances({ values: all, codec }, { values: some, codec })).toEqual([0.5, 0.25]);
  });

  test("correlations, of different columns alone", () => {
    const rows = Array.from({ length: 40 }, (_, i) => [
      String(i / 8),
      String(((i * 7) % 40) / 8 + 0.01),
      "abc"[i % 3] as string,
    ]);
    const codec = codecOf(["a", "b", "c"], rows);
    const points = codec.encode(rows, () => 0.5);
    expect(correlationGap({ values: points, codec }, { values: points, codec })).toBe(0);
    const twin = rows.map(([a]) => [a as string, String(Number(a) + 0.01), "a"]);
    const turned = codec.encode(twin, () => 0.5);
    // Correlation of a and b is 1 in place of what it was; of the other six pairs it is 0.
    expect(correlationGap({ values: turned, codec }, { values: points, codec })).toBeGreaterThan(0.1);
    // Indicators of one column exclude each other: what they have to do with each other is not asked.
    const flat = (values: Float64Array) => values.map((value, i) => (i % 5 < 2 ? 0 : value));
    expect(correlationGap({ values: flat(turned), codec }, { values: flat(points), codec })).toBe(0);
  });

  test("nearest records: numbers by their span, categories by 0 or 1", () => {
    const rows = [
      ["0", "x", "0.5"],
      ["10", "y", "0.5"],
      ["4", "x", "1.5"],
    ];
    const codec = codecOf(["n", "c", "m"], rows);
    const points = (of: string[][]) => ({ values: codec.encode(of, () => 0.5), codec });
    const spans = spansOf(points(rows));
    const found = nearestDistances(
      points([
        ["5", "x", "0.5"],
        ["10", "y", "0.5"],
        ["10", "x", "1.5"],
      ]),
      points(rows),
      spans,
    );
    expect(found[0]).toBeCloseTo(0.5 / 3, 9);
    expect(found[1]).toBe(0);
    expect(found[2]).toBeCloseTo(0.6 / 3, 9);
    const other = nearestDistances(points([["10", "x", "0.5"]]), points(rows), spans);
    expect(other[0]).toBeCloseTo(1 / 3, 9); // another category, all else equal
  });
});

/** Points of a Gaussian of correlation 0.8. */
function correlated(count: number, seed: number): Float64Array {
  const uniform = uniformSequence(seed);
  const normal = () => Math.sqrt(-2 * Math.log(uniform() + 1e-9)) * Math.cos(2 * Math.PI * uniform());
  return Float64Array.from(
    Array.from({ length: count }, () => {
      const [a, b] = [normal(), normal()];
      return [a, 0.8 * a + 0.6 * b];
    }).flat(),
  );
}

describe("densities", () => {
  const points = correlated(4000, 1);
  const others = correlated(1000, 2);
  const entropy = Math.log(2 * Math.PI * Math.E) + 0.5 * Math.log(1 - 0.64);
  const mean = (values: ArrayLike<number>) => Array.from(values).reduce((sum, one) => sum + one / values.length, 0);

  test("a Gaussian's is that of its covariance, and fills by its conditional", async () => {
    expect(
      choleskyOf([
        [4, 2],
        [2, 5],
      ]),
    ).toEqual([
      [2, 0],
      [1, 2],
    ]);
    const gaussian = gaussianOf(points, 2, others);
    expect(-mean(await gaussian.logDensity(others))).toBeCloseTo(entropy, 1);
    const alone = gaussianOf(points, 2);
    expect(-mean(await alone.logDensity(others))).toBeCloseTo(Math.log(2 * Math.PI * Math.E), 1);
    const drawn = await gaussian.sample(4000, 3);
    expect(mean(drawn.map((x, i) => (i % 2 === 0 ? x * (drawn[i + 1] as number) : 0))) * 2).toBeCloseTo(0.8, 1);
    const filled = (await gaussian.fill?.(Float64Array.of(1.5, 9), Uint8Array.of(1, 0), 4000, 4)) as Float64Array;
    const second = filled.filter((_, i) => i % 2 === 1);
    expect(filled.filter((_, i) => i % 2 === 0).every((one) => one === 1.5)).toBe(true);
    expect(mean(second)).toBeCloseTo(1.2, 1);
    expect(mean(second.map((one) => (one - 1.2) ** 2))).toBeCloseTo(0.36, 1);
  });

  test("kernels' integrates to one, is near the data's, and fills by what is near", async () => {
    const kernels = kernelOf(points.slice(0, 2000), 2, others.slice(0, 800));
    expect(kernels.width).toBeGreaterThan(0.1);
    expect(kernels.width).toBeLessThan(0.5);
    const grid = Float64Array.from({ length: 2 * 41 ** 2 }, (_, at) => {
      const i = Math.floor(at / 2);
      return 0.3 * ((at % 2 === 0 ? i % 41 : Math.floor(i / 41)) - 20);
    });
    const total = (await kernels.logDensity(grid)).reduce((sum, one) => sum + 0.09 * Math.exp(one), 0);
    expect(total).toBeCloseTo(1, 2);
    expect(-mean(await kernels.logDensity(others))).toBeLessThan(entropy + 0.1);
    const filled = (await kernels.fill?.(Float64Array.of(1.5, 9), Uint8Array.of(1, 0), 500, 4)) as Float64Array;
    expect(mean(filled.filter((_, i) => i % 2 === 1))).toBeCloseTo(1.1, 0);
    const wide = kernelOf(points.slice(0, 20), 2, others);
    expect(wide.width).toBeGreaterThan(kernels.width); // of fewer points
  });
});

describe("the made table", () => {
  /** Values that a column may have, close to each other where it may have any. */
  const values: Readonly<Record<string, readonly string[]>> = {
    region: ["north", "east", "south", "west"],
    age: Array.from({ length: 111 }, (_, age) => String(age)),
    income: Array.from({ length: 1000 }, (_, i) => String(100 * (i + 1))),
    rooms: Array.from({ length: 20 }, (_, i) => String(i + 1)),
    saved: Array.from({ length: 400 }, (_, i) => String((i + 0.5) / 400)),
    balance: Array.from({ length: 600 }, (_, i) => String((i + 0.5) / 50 - 6)),
  };

  test.each(Object.keys(values))("has the density that is said: %s given the others is where it should be", (name) => {
    // The distribution function of what is drawn, given the others, is uniform: mean 1/2 and variance 1/12, each by 3.5 errors.
    const column = madeColumns.indexOf(name as (typeof madeColumns)[number]);
    const own = values[name] as readonly string[];
    const places = drawTable(300, 5).map((row) => {
      const logs = own.map((value) => madeLogDensity(row.map((field, i) => (i === column ? value : field))));
      const most = Math.max(...logs);
      const weights = logs.map((log) => Math.exp(log - most));
      const total = weights.reduce((sum, one) => sum + one, 0);
      const isNumber = name !== "region";
      const isBefore = (i: number) =>
        isNumber ? Number(own[i]) < Number(row[column]) : i < own.indexOf(row[column] as string);
      const at = own.indexOf(row[column] as string);
      const before = weights.reduce((sum, one, i) => (isBefore(i) ? sum + one : sum), 0);
      // Of what has jumps, a place within the jump that is anywhere.
      return (before + (at < 0 ? 0 : (weights[at] as number) * ((Number(row[6]) * 1e4) % 1))) / total;
    });
    const mean = places.reduce((sum, one) => sum + one / 300, 0);
    const variance = places.reduce((sum, one) => sum + (one - mean) ** 2 / 300, 0);
    expect(Math.abs(mean - 0.5)).toBeLessThan(3.5 * Math.sqrt(1 / 12 / 300));
    expect(Math.abs(variance - 1 / 12)).toBeLessThan(3.5 * Math.sqrt(1 / 180 / 300));
  });

  test("in the units of its columns", () => {
    const normal = (x: number, mean: number, deviation: number) =>
      Math.exp(-0.5 * ((x - mean) / deviation) ** 2) / (deviation * Math.sqrt(2 * Math.PI));
    const owner = 1 / (1 + Math.exp(-1.5 * (Math.log(25_000) - 10)));
    const logit = Math.log(0.3 / 0.7);
    const byHand =
      0.5 *
      0.25 *
      normal(45, 42, 10) *
      (normal(Math.log(25_000), 10.2 + 0.03, 0.35) / 25_000) *
      owner *
      ((Math.exp(-3) * 9) / 2) *
      (normal(logit, -1 + 0.8 - 0.06, 1.2) / (0.3 * 0.7)) *
      0.5 *
      (normal(1.2, 1, 0.5) + normal(1.2, -1, 0.5));
    expect(madeLogDensity(["worker", "east", "45", "25000", "yes", "3", "0.3", "1.2"])).toBeCloseTo(
      Math.log(byHand),
      2,
    );
  });
});

test("planted rows differ in one column, or are mixed, and a Gaussian names the column", async () => {
  const rows = correlated(400, 7);
  const fields = Array.from({ length: 400 }, (_, i) => [
    (rows[2 * i] as number).toFixed(9),
    (rows[2 * i + 1] as number).toFixed(9),
    i % 2 === 0 ? "x" : "y",
  ]);
  const codec = codecOf(["a", "b", "c"], fields);
  const points = codec.encode(fields, () => 0.5);
  const { points: planted, changed } = plant(points, codec, 60, 1);
  expect(planted).toHaveLength(180);
  expect(changed.slice(0, 30).every((column) => column >= 0 && column < 3)).toBe(true);
  expect(changed.slice(30).every((column) => column === -1)).toBe(true);
  const all = new Set(Array.from({ length: 400 }, (_, i) => points.slice(3 * i, 3 * i + 3).join()));
  expect(
    Array.from({ length: 60 }, (_, i) => planted.slice(3 * i, 3 * i + 3).join()).filter((one) => all.has(one)),
  ).toHaveLength(0);

  const density = gaussianOf(points, 3, points);
  const odd = codec.encode([["0.1", "2.5", "x"]], () => 0.5); // 2.42 is four deviations from 0.08
  const [blames] = await blamesOf(density, codec, odd, points);
  expect(blames?.map(({ column }) => column)).toEqual([1, 0, 2]);
  // Of b given a, mean 0.08 and deviation 0.6, the likeliest is (2.42 / 0.6)^2 / 2 nats likelier.
  expect(blames?.[0]?.gain).toBeCloseTo(8.1, -0.5);
  expect(Math.abs(Number(blames?.[0]?.likelier))).toBeLessThan(0.4);
  expect(blames?.[2]?.gain).toBeLessThan(1.5);
});

test("hidden values: at least one of a row, not all; errors of what fills them", async () => {
  const hidden = hiddenColumns(200, 4, 1);
  expect(hidden.every(({ length }) => length >= 1 && length <= 3)).toBe(true);
  expect(hidden.flat().length / 800).toBeCloseTo(0.33, 1);
  const rows = [
    ["1", "x"],
    ["2", "y"],
    ["4", "z"],
    ["8.5", "x"],
  ];
  const codec = codecOf(["n", "c"], rows);
  expect([...maskOf([[1], [0]], codec)]).toEqual([1, 0, 0, 0, 0, 1, 1, 1]);
  const truth = codec.encode(rows, () => 0.5);
  const all = rows.map(() => [0, 1]);
  const exact = { logDensity: async () => truth, sample: async () => truth, fill: async () => truth };
  const filled = await fillWith(exact, codec, { points: truth, mask: maskOf(all, codec), draws: 1, seed: 0 });
  const errors = fillErrors(filled as NonNullable<typeof filled>, { codec, truth, rows, hidden: all });
  expect([errors.numbers.value, errors.kinds.value]).toEqual([0, 0]);
  const off = { ...exact, fill: async () => truth.map((value, i) => (i % 4 === 0 ? value + 0.5 : -value)) };
  const wrong = await fillWith(off, codec, { points: truth, mask: maskOf(all, codec), draws: 1, seed: 0 });
  expect(fillErrors(wrong as NonNullable<typeof wrong>, { codec, truth, rows, hidden: all })).toMatchObject({
    numbers: { value: expect.closeTo(0.5, 9) },
    kinds: { value: 100 },
  });
});

test("--set: what has no = goes on with a text before it", () => {
  const usual = { columns: "", steps: 1 };
  expect(readSettings({ name: "table" }, usual, "columns=a:log,b:skip,steps=5")).toEqual({
    columns: "a:log,b:skip",
    steps: 5,
  });
  expect(() => readSettings({ name: "table" }, usual, "steps=5,b:skip")).toThrow(/--set of table: got "b:skip"/);
});

const cli = useCli();
const tiny = "steps=30,width=8,layers=1,batch=16,points=40,samples=60,filled=6,draws=2,solver=3,epochs=2";
const run = (...more: string[]) => cli.run(["experiment", "table", "--backend", "wasm", "--threads", "1", ...more]);

/** A customers' table as it leaves an office: a mark at its start, gaps, quotes, identifiers, a column that never changes. */
function customers(change = (line: string) => line): string {
  const lines = Array.from({ length: 90 }, (_, i) => {
    const plan = ["Basic", "Pro", "Enterprise"][(i * i) % 3];
    const seats = plan === "Basic" ? 1 : 2 + ((7 * i) % 30);
    const gap = i % 11 === 4 ? "NA" : (i * 5) % 11;
    return `cus_${i * i},"Doe, Jo ${i}",${plan},${seats},${(9.99 * seats).toFixed(2)},2024-0${1 + (i % 9)}-1${i % 10},${gap},EUR`;
  });
  return `\ufeffcustomer_id,name,plan,seats,price,signup,nps,currency\r\n${[...lines.slice(0, -1), change(lines.at(-1) as string)].join("\r\n")}\r\n\r\n`;
}

describe("a file", { timeout: 120_000 }, () => {
  test("as users have it: report, synthetic rows, anomalies and gaps filled", async () => {
    const file = cli.path("customers.csv");
    await writeFile(file, customers());
    const asked = [
      file,
      "--losses",
      "cfm,gaussian,kernel,independent",
      "--set",
      `columns=seats:log,nps:integer,${tiny}`,
    ];
    const { code, errors } = await run(...asked, "--out", "file");
    expect(code, errors).toBe(0);
    const { results } = JSON.parse(await readFile(cli.path("file", "results.json"), "utf8"));
    for (const { loss, metrics } of results) {
      for (const name of [
        "nats",
        "area",
        "precision",
        "named",
        "columns",
        "c2st",
        "nearer",
        "fillNumbers",
        "fillKinds",
      ]) {
        if (name !== "fillKinds") expect(metrics[name].value, `${loss} ${name}`).toSatisfy(Number.isFinite);
      }
      expect(metrics.area.value).toBeLessThanOrEqual(1);
    }
    const html = await readFile(cli.path("file", "report.html"), "utf8");
    expect(html).not.toMatch(/NaN|undefined|Infinity|https?:|<script/);
    for (const words of [
      "What the columns are",
      "whole number, logarithmic",
      "customer_id is another text",
      "8 rows lack values",
      "always EUR",
      "Shares of categories",
    ])
      expect(html).toContain(words);
    const text = (name: string) => readFile(cli.path("file", "seed-0", "cfm", name), "utf8");
    const filled = (await text("filled.csv")).trim().split("\n");
    expect(filled).toHaveLength(9);
    expect(filled[1]).toMatch(/^6,cus_16,"Doe, Jo 4",.*,2024-05-14,\d+,EUR$/);
    const synthetic = (await text("synthetic.csv")).trim().split("\n");
    expect(synthetic[0]).toBe("plan,seats,price,signup,nps,currency");
    expect(synthetic[1]).toMatch(/^(Basic|Pro|Enterprise),\d+,\d+(\.\d+)?,\d{4}-\d\d-\d\d,\d+,EUR$/);
    expect((await text("anomalies.csv")).split("\n")[1]).toMatch(/^\d+,(yes|no),-?\d+\.\d+,\w+,/);

    await writeFile(
      file,
      customers((line) => line.replace("EUR", "EUR").replace(/,\d+\.\d\d,/, ",1.23,")),
    );
    const again = await run(...asked, "--seeds", "2", "--out", "file");
    expect(again.code).toBe(0); // what is judged is not judged again; of another seed it is
    const other = await run(
      file,
      "--losses",
      "cfm,gaussian,kernel,independent,fdm",
      ...asked.slice(3),
      "--out",
      "file",
    );
    expect(other.code).toBe(2);
    expect(other.errors).toMatch(/another table than the run began with/);
  });

  test("that cannot be is refused before any work", async () => {
    const file = cli.path("odd.csv");
    const refused = async (text: string, words: RegExp, ...more: string[]) => {
      await writeFile(file, text);
      const { code, errors } = await run(file, ...more, "--out", "odd");
      expect(code).toBe(2);
      expect(errors).toMatch(words);
    };
    await refused(
      "a,b\n1,x\n2,y\n",
      /2 columns for a model, 2 of 2 rows with all of them.*at least 2 columns and 20 rows/,
    );
    await refused(
      customers((line) => `${line},1`),
      /line 91: got "9 fields"/,
    );
    await refused(
      customers((line) => line.replace(/,\d+\.\d\d,/, ",about 9,")),
      /line 91, column price: got "about 9", expected a number/,
    );
    await refused(customers(), /--set columns: got "seat:log".*"?seats/, "--set", "columns=seat:log");
    await refused(customers(), /--set heldOut of table: got 0/, "--set", "heldOut=0");
    expect((await run("nowhere.csv")).errors).toMatch(/nowhere\.csv: got "ENOENT", expected a CSV file, or "made"/);
  });
});

test("the made table beside its own density", { timeout: 120_000 }, async () => {
  const { code, errors } = await run(
    "--losses",
    "gaussian,exact",
    "--set",
    `rows=600,${tiny},points=120`,
    "--out",
    "made",
  );
  expect(code, errors).toBe(0);
  const { results } = JSON.parse(await readFile(cli.path("made", "results.json"), "utf8"));
  const [gaussian, exact] = results.map(({ metrics }: { metrics: Record<string, { value: number }> }) => metrics);
  expect(exact.nats.value).toBeLessThan(gaussian.nats.value - 0.5);
  expect(exact.area.value).toBeGreaterThan(gaussian.area.value);
  expect(exact.fillNumbers.value).toBeNull();
  expect(await readFile(cli.path("made", "seed-0", "data", "made.csv"), "utf8")).toMatch(
    new RegExp(`^${madeColumns.join(",")}\n`),
  );
});
