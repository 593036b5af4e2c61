/** What an experiment's core computes: tests of means, who won in words, the time left, settings, and its tables. */
import { describe, expect, test } from "vitest";
import type { Run } from "../../src/cli/experiment/conduct.ts";
import { secondsAt } from "../../src/cli/experiment/curves.ts";
import type { Metric } from "../../src/cli/experiment/experiment.ts";
import { differencesOf, pointDifferencesOf, sentenceOf, summariesOf } from "../../src/cli/experiment/outcome.ts";
import { stylesOf, verdictsOf } from "../../src/cli/experiment/report.ts";
import { Schedule } from "../../src/cli/experiment/schedule.ts";
import { figure, wrapped } from "../../src/cli/experiment/tables.ts";
import { readSettings } from "../../src/cli/experiment.ts";
import { chart } from "../../src/cli/report/curves.ts";
import { pairedTest, welchTest } from "../../src/cli/statistics.ts";

describe("t-tests", () => {
  // Student's own data on sleep, as R's t.test gives them.
  const first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
  const second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];

  test("paired", () => {
    const { difference, t, degrees, p, interval } = pairedTest(first, second);
    expect(difference).toBeCloseTo(-1.58, 12);
    expect(t).toBeCloseTo(-4.0621, 4);
    expect(degrees).toBe(9);
    expect(p).toBeCloseTo(0.002833, 6);
    expect(interval[0]).toBeCloseTo(-2.4598858, 6);
    expect(interval[1]).toBeCloseTo(-0.7001142, 6);
  });

  test("Welch's", () => {
    const { t, degrees, p, interval } = welchTest(first, second);
    expect(t).toBeCloseTo(-1.8608, 4);
    expect(degrees).toBeCloseTo(17.776, 3);
    expect(p).toBeCloseTo(0.07939, 5);
    expect(interval[0]).toBeCloseTo(-3.3654832, 6);
    expect(interval[1]).toBeCloseTo(0.2054832, 6);
  });

  test("Welch's, of unequal numbers", () => {
    // By hand: means 2 and 6, variances 1 and 10, over 3 and 5: t = -4 / sqrt(1/3 + 2), degrees (7/3)^2 / (1/18 + 1).
    const { t, degrees } = welchTest([1, 2, 3], [2, 4, 6, 8, 10]);
    expect(t).toBeCloseTo(-4 / Math.sqrt(7 / 3), 12);
    expect(degrees).toBeCloseTo((7 / 3) ** 2 / (1 / 18 + 1), 12);
  });

  test("one value tells nothing, equal ones everything", () => {
    expect(pairedTest([1], [2])).toMatchObject({ difference: -1, p: Number.NaN, standardError: Number.NaN });
    expect(welchTest([1], [2, 3])).toMatchObject({ difference: -1.5, p: Number.NaN });
    expect(pairedTest([1, 2], [1, 2])).toMatchObject({ difference: 0, t: 0, p: 1 });
    expect(pairedTest([1, 2], [2, 3])).toMatchObject({ difference: -1, p: 0 });
  });
});

/** Runs of two losses over seeds, with one metric. */
function runsWith(values: Readonly<Record<string, readonly number[]>>, metric: Partial<Metric> = {}): Run[] {
  return Object.entries(values).flatMap(([loss, own]) =>
    own.map((value, seed) => ({
      ...{ loss, seed, place: "", fitted: undefined },
      judgement: { metrics: [{ name: "nats", title: "nats", better: "lower" as const, ...metric, value }] },
    })),
  );
}

const contenders = { cfm: { title: "CFM" }, fdm: { title: "FDM" } };
const metric = { title: "likelihood", unit: "nats", better: "lower" } as const;

describe("who won", () => {
  test("by how much, more than chance", () => {
    const [only] = differencesOf(runsWith({ cfm: [3.9, 3.8, 4.0, 3.7], fdm: [3.79, 3.71, 3.88, 3.6] }));
    expect(only).toMatchObject({
      loss: "fdm",
      against: "cfm",
      seeds: [0, 1, 2, 3],
      winner: "fdm",
      moreThanChance: true,
    });
    expect(sentenceOf(only as never, metric, contenders)).toBe(
      "Likelihood: FDM is better than CFM by 0.105 nats, more than chance (p < 0.001, paired over 4 seeds)",
    );
  });

  test("the other one, where less is worse", () => {
    const runs = runsWith({ cfm: [3.9, 3.8, 4.0, 3.7], fdm: [3.79, 3.71, 3.88, 3.6] }, { better: "higher" });
    expect(differencesOf(runs)[0]?.winner).toBe("cfm");
  });

  test("nobody beyond chance", () => {
    const [only] = differencesOf(runsWith({ cfm: [3.9, 3.8], fdm: [3.8, 3.9] }));
    expect(only?.winner).toBeUndefined();
    const near = differencesOf(runsWith({ cfm: [3.9, 3.8, 3.7], fdm: [3.8, 3.9, 3.65] }))[0];
    expect(sentenceOf(near as never, metric, contenders)).toMatch(
      /FDM has 0.0167 nats less than CFM: not more than chance \(p = 0\./,
    );
  });

  test("but not against what is there for chance alone", () => {
    const runs = runsWith({ cfm: [3.9, 3.8, 4.0], fdm: [3.79, 3.71, 3.88], rows: [1, 1.1, 1.2] });
    const plan = {
      losses: ["cfm", "fdm", "rows"],
      experiment: { headline: ["nats"], contenders: { ...contenders, rows: { title: "Rows", isBaseline: true } } },
    };
    const verdicts = verdictsOf({ plan: plan as never, runs, differences: differencesOf(runs), pointDifferences: [] });
    expect(verdicts.map(({ text }) => text)).toEqual([expect.stringContaining("FDM is better than CFM")]);
  });

  test("one seed is no telling", () => {
    const [only] = differencesOf(runsWith({ cfm: [3.9], fdm: [3.8] }));
    expect(only?.moreThanChance).toBe(false);
    expect(sentenceOf(only as never, metric, contenders)).toBe(
      "Likelihood: FDM has 0.1 nats less than CFM; one seed cannot tell that from chance",
    );
  });

  test("on the same points a difference has an error of its own, whichever sign the points' numbers have", async () => {
    const points: Record<string, number[]> = { cfm: [4, 5, 3], fdm: [-3.9, -4.8, -2.7] }; // of FDM log-densities
    const runs = runsWith({ cfm: [4], fdm: [3.8] }, { each: "own" });
    const differences = differencesOf(runs);
    const asked: string[] = [];
    const [only] = await pointDifferencesOf(runs, differences, async ({ loss, seed }, name) => {
      asked.push(`${loss} ${seed} ${name}`);
      return points[loss] as number[];
    });
    expect(asked.sort()).toEqual(["cfm 0 own", "fdm 0 own"]);
    // -0.1, -0.2, -0.3: the deviation is 0.1.
    expect(only).toMatchObject({ loss: "fdm", against: "cfm", metric: "nats", points: 3 });
    expect(only?.mean).toBeCloseTo(-0.2, 12);
    expect(only?.standardError).toBeCloseTo(0.1 / Math.sqrt(3), 12);
    expect(sentenceOf(differences[0] as never, metric, contenders, only)).toBe(
      "Likelihood: FDM has 0.2 nats less than CFM (-0.200 ± 0.058 nats on the same 3 points); one seed cannot tell that from chance between seeds",
    );

    // Over seeds: the mean, and the root of the summed squares over their number.
    const more = runsWith({ cfm: [4, 4], fdm: [3.8, 3.8] }, { each: "own" });
    const [both] = await pointDifferencesOf(more, differencesOf(more), async ({ loss, seed }) =>
      (points[loss] as number[]).map((value, i) => value + (loss === "fdm" ? 0.3 * seed * i : 0)),
    );
    expect(both?.mean).toBeCloseTo((-0.2 - 0.5) / 2, 12);
    expect(both?.standardError).toBeCloseTo(Math.hypot(0.1, 0.4) / Math.sqrt(3) / 2, 12);

    const none = async (values: number[] | undefined, from = runs) =>
      pointDifferencesOf(from, differencesOf(from), async ({ loss }) => (loss === "fdm" && values) || points[loss]!);
    expect(await none([1, 2])).toEqual([]); // other points
    expect(await none([1, Number.NaN, 2])).toEqual([]);
    expect(await none(undefined, runsWith({ cfm: [4], fdm: [3.8] }))).toEqual([]); // a metric that names none
  });

  test("seeds that one of them lacks, and values that are none, are left out", () => {
    const runs = runsWith({ cfm: [3.9, 3.8, 4.0], fdm: [3.8, Number.NaN] });
    expect(differencesOf(runs)[0]).toMatchObject({ seeds: [0] });
    expect(summariesOf(runs)).toMatchObject([
      { loss: "cfm", seeds: 3, mean: 3.9 },
      { loss: "fdm", seeds: 1, mean: 3.8 },
    ]);
  });
});

test("names of measures in lines of a width; a longer word has one to itself", () => {
  expect(wrapped("a bb ccc dddd", 6)).toEqual(["a bb", "ccc", "dddd"]);
  expect(wrapped("a bb ccc", 8)).toEqual(["a bb ccc"]);
  expect(wrapped("unbreakable a", 5)).toEqual(["unbreakable", "a"]);
});

test("each loss has a colour of its own", () => {
  expect([...stylesOf(["score", "fdm", "cfm", "linear"])]).toEqual([
    ["score", "more"],
    ["fdm", "fdm"],
    ["cfm", "cfm"],
    ["linear", "violet"],
  ]);
});

test("a figure has as many digits as its error leaves", () => {
  expect([figure(3.81234, 0.0231), figure(-12.3456, 1.2), figure(0.123456, undefined), figure(Number.NaN, 1)]).toEqual([
    "3.812 ± 0.023",
    "-12.3 ± 1.2",
    "0.1235",
    "–",
  ]);
});

describe("the time left of the whole", () => {
  const tasks = [
    { kind: "train cfm", work: 100 },
    { kind: "judge", work: 20 },
    { kind: "train fdm", work: 200 },
    { kind: "judge", work: 20 },
  ];

  test("goes by work at first, then by what each kind took", () => {
    let clock = 0;
    const schedule = new Schedule(tasks, () => clock);
    schedule.begin();
    expect(schedule.left).toBeUndefined();
    clock += 10_000;
    schedule.reach(0.5); // 50 of 340 in 10 s
    expect(schedule.left).toBeCloseTo(58, 9);
    clock += 10_000;
    schedule.end();
    schedule.begin();
    clock += 40_000; // ten times slower than its work says
    schedule.end();
    schedule.begin(); // 200 at the mean rate of 60 s for 120, and a judging of 40 s
    expect(schedule.left).toBeCloseTo(140, 9);
  });

  test("what an earlier process did takes none of it", () => {
    let clock = 0;
    const schedule = new Schedule(tasks, () => clock);
    schedule.pass(30);
    schedule.pass();
    schedule.begin();
    schedule.skip(0.9);
    expect(schedule.left).toBeCloseTo(0.3 * (20 + 20), 9);
    clock += 5000;
    schedule.reach(0.95); // 10 of work in 5 s
    expect(schedule.left).toBeCloseTo(0.5 * 10 + 20 * (35 / 110), 9);
  });
});

test("seconds at a step lie between those that are known", () => {
  const at = secondsAt([
    [100, 1],
    [300, 2],
  ]);
  expect([0, 50, 100, 200, 300, 400].map(at)).toEqual([0, 0.5, 1, 1.5, 2, 2.5]);
});

describe("settings", () => {
  const preset = { steps: 100, form: "slice", whole: true };
  test("are changed one by one, each of its kind", () => {
    expect(readSettings({ name: "x" }, preset, "steps=5e2, form=residual,whole=false")).toEqual({
      ...{ steps: 500, form: "residual", whole: false },
    });
  });
  test.each([
    ["stesp=5", /Did you mean steps\?/],
    ["steps", /NAME=VALUE/],
    ["steps=many", /--set steps: got "many", expected a number/],
    ["steps=", /--set steps/],
    ["whole=yes", /--set whole: got "yes", expected true or false/],
  ])("%s is refused", (given, words) => {
    expect(() => readSettings({ name: "x" }, preset, given)).toThrow(words);
  });
});

test("a chart along an axis of its own spans that, and says its name", () => {
  const curve = { name: "CFM", style: "cfm", exact: true, points: [[10, 1] as const, [20, 3] as const] };
  const text = chart("Error", "relative", [curve], { name: "time step <s>", whole: true });
  expect(text).toContain("time step &#60;s&#62;");
  expect(text).toMatch(/M52\.0 /); // the first point is at the left end
});
