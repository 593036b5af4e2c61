/** Charts and pages of a report, as text. */
import { describe, expect, test } from "vitest";
import { differencesOf, type Judged, unequalSeconds, verdict } from "../../src/cli/contenders.ts";
import { axisOf, endsOf, marks } from "../../src/cli/report/axes.ts";
import { chart } from "../../src/cli/report/curves.ts";
import { histogram } from "../../src/cli/report/density.ts";
import { bars } from "../../src/cli/report/distribution.ts";
import { escapeHtml } from "../../src/cli/report/html.ts";
import { page } from "../../src/cli/report/page.ts";
import { planeRanges, type Rows, rangeOf, summarizeColumns } from "../../src/cli/report/rows.ts";
import { brightestOf } from "../../src/cli/report/view.ts";
import { median } from "../../src/cli/statistics.ts";

describe("marks on an axis", () => {
  test.each([
    [0, 8000, [0, 2000, 4000, 6000, 8000]],
    [0, 3, [0, 1, 2, 3]],
    [0.05, 0.95, [0.2, 0.4, 0.6, 0.8]],
    [3.69, 3.93, [3.7, 3.75, 3.8, 3.85, 3.9]],
    [-1.2e-5, 1.1e-5, [-1e-5, -5e-6, 0, 5e-6, 1e-5]],
  ])("from %d to %d", (low, high, expected) => {
    expect(marks(low, high)).toEqual(expected);
  });
});

describe("the brightest colour of a plane", () => {
  test("is near the top of peaks, however few cells they take", () => {
    // A Gaussian of 4 cells' deviation in 10,000 cells: of 98 in 100 cells the density is below a fifth of its top.
    const at = (i: number) => Math.exp(-(((i % 100) - 50) ** 2 + (Math.floor(i / 100) - 50) ** 2) / (2 * 4 ** 2));
    const brightest = brightestOf(Array.from({ length: 10_000 }, (_, i) => at(i)));
    expect(brightest).toBeGreaterThan(0.9);
    expect(brightest).toBeLessThan(1);
  });

  test("is the density itself where that is one number, and 1 where there is none", () => {
    expect(brightestOf([0, 0, 0.25, 0.25, 0.25])).toBe(0.25);
    expect(brightestOf([0, 0])).toBe(1);
  });
});

describe("a chart", () => {
  const points = Array.from({ length: 100 }, (_, i) => [i + 1, 1 / (i + 1)] as const);

  test("names its curves and draws each, with the value judged", () => {
    const text = chart("Loss", "of something", [
      { name: "CFM", style: "cfm", points },
      { name: "FDM", style: "fdm", points: [], judged: 0.5 },
    ]);
    expect(text.match(/class="curve (cfm|fdm)"/g)).toHaveLength(2);
    expect(text).toMatch(/class="judged fdm"/);
    expect(text).not.toMatch(/NaN|Infinity|undefined/);
  });

  test("leaves out values that are not finite, and itself where nothing is left", () => {
    const holed = points.map(([step, value]) => [step, step === 50 ? Number.NaN : value] as const);
    expect(chart("Loss", "", [{ name: "CFM", style: "cfm", points: holed }])).not.toMatch(/NaN/);
    expect(chart("Loss", "", [{ name: "CFM", style: "cfm", points: [[1, Number.NaN]] }])).toBe("");
  });

  test("of one value for all steps has an axis", () => {
    const flat = points.map(([step]) => [step, 0] as const);
    expect(chart("Loss", "", [{ name: "CFM", style: "cfm", points: flat }])).not.toMatch(/NaN|Infinity/);
  });

  test("takes more points than a call takes arguments", () => {
    const points = Array.from({ length: 300_000 }, (_, i) => [i + 1, Math.sin(i)] as const);
    expect(chart("Loss", "", [{ name: "CFM", style: "cfm", points }])).toContain('class="curve cfm"');
  });
});

test("a page escapes what users name", () => {
  const html = page({
    title: "<b>data</b>",
    summary: 'a "summary" & more',
    verdicts: [{ text: "<u>better", style: "" }],
    pictures: "",
    columns: "",
    results: {
      name: "<em>",
      rows: [
        ["", "<s>loss"],
        ["<i>", "1"],
      ],
      note: "<note>",
    },
    charts: [],
    chartsNote: "",
    data: { name: "Data", rows: [["column"], ["<q>"]], note: "" },
    settings: [["data", "<script>"]],
    config: { data: "</pre>" },
    footer: "<p1>",
  });
  expect(html).not.toMatch(/<b>|<i>|<u>|<s>|<q>|<em>|<p1>|<note>|<script>|<\/pre><\/pre>/);
  expect(html).toContain("&#60;b&#62;data");
});

function rows(values: readonly number[], dimension: number): Rows {
  const columns = Array.from({ length: dimension }, (_, i) => `c${i}`);
  return { values: Float64Array.from(values), count: values.length / dimension, dimension, columns, drawn: false };
}

describe("what an axis spans", () => {
  const even = Array.from({ length: 1001 }, (_, i) => i / 1000);

  test("all values, where they end soon", () => {
    const { low, high } = rangeOf(Float64Array.from(even));
    expect(low).toBeGreaterThan(-0.1);
    expect(low).toBeLessThanOrEqual(0);
    expect(high).toBeLessThan(1.1);
    expect(high).toBeGreaterThanOrEqual(1);
  });

  test("not what few rows far out reach", () => {
    const { low, high } = rangeOf(Float64Array.from([...even, 1e9, -1e9]));
    expect(low).toBeGreaterThan(-0.5);
    expect(high).toBeLessThan(1.5);
  });

  test.each([[7], [0], [-1e6]])("something around a constant %d", (constant) => {
    const { low, high } = rangeOf(Float64Array.of(constant, constant));
    expect(low).toBeLessThan(constant);
    expect(high).toBeGreaterThan(constant);
  });

  test("follows the data, not 0; of one scale where the columns nearly are", () => {
    const far = even.flatMap((value, i) => [1e6 + 1e-3 * value, even[(i * 7) % 1001] as number]);
    const [x, y] = planeRanges(rows(far, 2));
    expect(x.low).toBeGreaterThan(1e6 - 2e-4);
    expect(x.high).toBeLessThan(1e6 + 1.2e-3);
    expect(y.high - y.low).toBeGreaterThan(1);
    const near = even.flatMap((value, i) => [5 + value, 1.5 * (even[(i * 7) % 1001] as number)]);
    const [a, b] = planeRanges(rows(near, 2));
    expect(a.high - a.low).toBeCloseTo(b.high - b.low, 12);
    expect((a.low + a.high) / 2).toBeCloseTo(5.5, 6);
  });

  test("is written as differences where it lies far from 0", () => {
    const range = { low: 1e6 - 0.004, high: 1e6 + 0.004 };
    const axis = axisOf("x", range);
    expect(axis).toEqual({ name: "x − 1,000,000", base: 1e6 });
    expect(endsOf(range, axis)).toEqual(["−0.0040", "0.0040"]);
    expect(axisOf("x", { low: -4, high: 5 })).toEqual({ name: "x", base: 0 });
  });
});

test("histograms are densities of all rows, also of those outside", () => {
  const counted = bars([0.1, 0.2, 0.9, 5], { low: 0, high: 1 }, 2);
  expect(counted).toEqual([
    [0, 1],
    [0.5, 0.5],
  ]);
  const plane = histogram([0.1, 10, 0.9, 30, 7, 7], 2, [
    { low: 0, high: 1 },
    { low: 0, high: 40 },
  ]);
  expect(Array.from(plane)).toEqual([0, 1 / 30, 1 / 30, 0]); // from the top left
});

test("a column far from 0 keeps its digits in the data's table", () => {
  const [first, second] = summarizeColumns(rows([1e9 + 1, 3, 1e9 + 2, 3, 1e9 + 6, 3], 2));
  expect(first?.mean).toBeCloseTo(1e9 + 3, 6);
  expect(first?.deviation).toBeCloseTo(Math.sqrt(14 / 3), 6);
  expect(second).toEqual({ name: "c1", mean: 3, deviation: 0, least: 3, most: 3 });
});

describe("a result in a sentence", () => {
  const judged = (name: Judged["name"], seed: number, values: readonly number[], seconds = 1): Judged => ({
    ...{
      name,
      seed,
      seconds,
      steps: 10,
      velocityLoss: 1,
      divergenceLoss: 1,
      standardError: 1,
    },
    negativeLogLikelihood: values.reduce((sum, value) => sum + value, 0) / values.length,
    values: Float64Array.from(values),
  });

  test("differences are of the same points, whose own spread does not count", () => {
    const [difference] = differencesOf([judged("cfm", 0, [1, 5, 9]), judged("fdm", 0, [0.9, 4.8, 8.7], 1.8)]);
    expect(difference?.mean).toBeCloseTo(-0.2, 12);
    expect(difference?.standardError).toBeCloseTo(0.1 / Math.sqrt(3), 12);
    expect(difference && verdict(difference)).toBe(
      "At equal steps: FDM better by 0.200 nats (0.058 s.e.), 1.8 times the time; lower is better",
    );
  });

  test("the other way round", () => {
    const [difference] = differencesOf([judged("cfm", 0, [0.9, 4.8, 8.7]), judged("fdm", 0, [1, 5, 9], 1.8)]);
    expect(difference && verdict(difference)).toMatch(/CFM better by 0.200 nats .*FDM took 1.8 times the time/);
  });

  test("at equal seconds it is the steps that differ", () => {
    const long = { ...judged("cfm-seconds", 0, [0.9, 4.8, 8.7], 1.8), steps: 18 };
    const [, difference] = differencesOf([judged("cfm", 0, [1, 5, 9]), judged("fdm", 0, [1, 5, 9], 1.8), long]);
    expect(difference).toMatchObject({
      against: "cfm-seconds",
      equal: "seconds",
      timesTheSeconds: 1,
      timesTheSteps: 1.8,
    });
    expect(difference && verdict(difference)).toBe(
      "At equal seconds: CFM better by 0.200 nats (0.058 s.e.), 1.8 times the steps; lower is better",
    );
  });

  test("the middle of values", () => {
    expect([median([3, 1, 2]), median([4, 1, 2, 3]), median([])]).toEqual([2, 2.5, Number.NaN]);
  });

  test("seconds that came out otherwise are told", () => {
    const fdm = judged("fdm", 0, [1], 11);
    expect(unequalSeconds([fdm, { ...judged("cfm-seconds", 0, [1], 4.4), stopped: true }])).toBe(
      "CFM, equal seconds, took 4.4 s beside FDM's 11.0 s, for it stopped early.",
    );
    expect(unequalSeconds([fdm, judged("cfm-seconds", 0, [1], 12.5)])).toMatch(/took 12.5 s beside FDM's 11.0 s\.$/);
    const short = [judged("fdm", 0, [1], 0.04), judged("cfm-seconds", 0, [1], 0.012)];
    expect(unequalSeconds(short)).toMatch(/took 0.012 s beside FDM's 0.040 s/);
    expect(unequalSeconds([fdm, judged("cfm-seconds", 0, [1], 11.9)])).toBe("");
    expect(unequalSeconds([fdm, judged("cfm", 0, [1], 4)])).toBe("");
  });

  test("of one point nobody can tell who is better", () => {
    const [difference] = differencesOf([judged("cfm", 0, [1]), judged("fdm", 0, [0.5])]);
    expect(difference?.standardError).toBeNaN();
    expect(difference && verdict(difference)).toBe(
      "At equal steps: no difference beyond chance, FDM less CFM is -0.500 nats (one point: no telling how sure)",
    );
  });

  test("within two standard errors there is none", () => {
    const [difference] = differencesOf([judged("cfm", 0, [1, 2, 3]), judged("fdm", 0, [1.2, 1.9, 3.01])]);
    expect(difference && verdict(difference)).toMatch(/no difference beyond chance/);
  });

  test("two seeds tell little of how much they differ", () => {
    const pairs = [
      judged("cfm", 0, [1, 2]),
      judged("fdm", 0, [0.9, 1.9]),
      judged("cfm", 1, [1, 2]),
      judged("fdm", 1, [0.8, 1.8]),
    ];
    const [difference] = differencesOf(pairs);
    expect(difference?.mean).toBeCloseTo(-0.15, 12);
    expect(difference?.standardError).toBeCloseTo(0.05, 12);
    expect(difference && verdict(difference)).toMatch(/no difference beyond chance/); // 3 standard errors of 1 freedom
  });
});

test("names in a page are text: no elements, and nothing that turns round what follows", () => {
  expect(escapeHtml(`<b onclick="x">&'`)).toBe("&#60;b onclick=&#34;x&#34;&#62;&#38;&#39;");
  expect(escapeHtml("a\u202eb\u0007\n  c")).toBe("a\\u202eb\\u0007\n  c");
});
