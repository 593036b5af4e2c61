// When FDM pays: which runs are paired, and what a torn file still says.
import { describe, expect, test } from "vitest";
import { cell, compared, costTable, overview, parseLines, type RunLine, runsOf } from "../../bench/fdm-pays/table.mjs";
import { pairedTest } from "../../src/cli/statistics.ts";

const line = (method: string, seed: number, nats: number, at: "cost" | "steps" = "cost"): RunLine => ({
  ...{ kind: "run", case: "few", method, seed, at, steps: 100, best: 50, seconds: 1 },
  metrics: { nats },
});
const few = (method: string, at: "cost" | "steps" = "cost") => ({ case: "few", method, at });

const lines = [
  line("fdm", 1, 2.5),
  line("fdm", 1, 2, "steps"),
  line("cfm", 3, 7),
  line("cfm", 2, 5),
  line("cfm", 1, 3),
  line("fdm", 2, 5),
  line("fdm", 4, 9),
  { ...line("fdm", 3, 100), case: "other" },
];

describe("differences", () => {
  test("are taken seed by seed, over seeds that both have, in one case", () => {
    const found = compared(lines, few("fdm"), few("cfm"), "nats", pairedTest);
    expect(found.seeds).toEqual([1, 2]);
    expect(found.difference).toBeCloseTo(-0.25, 12); // of -0.5 and 0
    expect(found.standardError).toBeCloseTo(0.25, 12);
    expect(found.p).toBeCloseTo(0.5, 12); // t = -1 of one degree: Cauchy's quartile
  });

  test("at equal steps are to the same run of CFM, whose steps cost 1", () => {
    const found = compared(lines, few("fdm", "steps"), few("cfm", "steps"), "nats", pairedTest);
    expect(found).toMatchObject({ seeds: [1], difference: -1 });
    expect([...runsOf(lines, few("fdm", "steps")).keys()]).toEqual([1]);
    expect(runsOf(lines, few("cfm", "steps")).size).toBe(3);
  });

  test("are written with sign and error, bold where more than chance, without error for one seed", () => {
    const found = { seeds: [1, 2, 3], difference: 0.1234, standardError: 0.0561, p: 0.09 };
    expect(cell(found, 2)).toBe("+0.12 ± 0.06 (0.090)");
    expect(cell({ ...found, difference: -0.1234, p: 0.0004 }, 3)).toBe("**-0.123 ± 0.056 (< 0.001)**");
    expect(cell({ ...found, seeds: [1] }, 2)).toBe("+0.12");
    expect(cell({ ...found, seeds: [] }, 2)).toBe("");
  });
});

test("a last line that a kill cut short is left out", () => {
  const whole = `${JSON.stringify(line("cfm", 1, 3))}\n`;
  expect(parseLines(`${whole}${whole.slice(0, 20)}`)).toEqual([line("cfm", 1, 3)]);
  expect(parseLines(whole)).toHaveLength(1);
  expect(parseLines("")).toEqual([]);
});

test("a row for each case: the mean of one method, and the others less that, of nats or of the step chosen", () => {
  const asked = { cases: ["few", "other"], methods: ["cfm", "fdm"], digits: 2 };
  expect(overview(lines, asked, pairedTest).split("\n")).toEqual([
    "|  | seeds | cfm | fdm |",
    "| --- | --: | --: | --: |",
    "| few | 3 | 5.00 | -0.25 ± 0.25 (0.50) |",
  ]);
  const steps = overview(lines, { ...asked, cases: ["few"], at: "steps", against: "fdm" }, pairedTest);
  expect(steps.split("\n").at(-1)).toBe("| few | 1 | 2.00 | +1.00 |");
  const fewer = overview(lines, { ...asked, cases: ["few"], at: "steps" }, pairedTest);
  expect(fewer.split("\n").at(-1)).toBe("| few | 3 | 5.00 | -1.00 |");
  expect(overview(lines, { ...asked, cases: ["few"], metric: "best" }, pairedTest)).toContain("| 50.00 | 0.00");
});

test("a table of costs: a column for each network, empty where none was measured", () => {
  const cost = (name: string, method: string, ratio: number) =>
    ({ kind: "cost", cost: name, method, ratio, least: 1, most: 2 }) as const;
  const all = [cost("plane", "slice", 1.777), ...lines, cost("rows", "slice", 1.8), cost("rows", "exact", 9)];
  expect(costTable(all).split("\n")).toEqual([
    "| | plane | rows |",
    "|---|--:|--:|",
    "| slice | 1.78 | 1.80 |",
    "| exact |  | 9.00 |",
  ]);
});
