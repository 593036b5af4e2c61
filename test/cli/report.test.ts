/** Charts and pages of a report, as text. */
import { describe, expect, test } from "vitest";
import { chart, marks } from "../../src/cli/report/curves.ts";
import { page } from "../../src/cli/report/page.ts";

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
});

test("a page escapes what users name", () => {
  const html = page({
    title: "<b>data</b>",
    summary: 'a "summary" & more',
    pictures: [],
    table: {
      rows: [
        ["", "loss"],
        ["<i>", "1"],
      ],
      note: "<note>",
    },
    charts: [],
    settings: [["data", "<script>"]],
    config: { data: "</pre>" },
  });
  expect(html).not.toMatch(/<b>|<i>|<note>|<script>|<\/pre><\/pre>/);
  expect(html).toContain("&#60;b&#62;data");
});
