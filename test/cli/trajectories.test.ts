/** Experiments on trajectories: their measures against closed forms and arrays by hand, and one from its start to its report. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { conduct, type Plan } from "../../src/cli/experiment/conduct.ts";
import { outcomeOf } from "../../src/cli/experiment/outcome-of.ts";
import { reportOf } from "../../src/cli/experiment/report.ts";
import { fitzHughNagumoTrajectories } from "../../src/cli/experiment/trajectories/fitzhugh-nagumo.ts";
import { lorenzTrajectories } from "../../src/cli/experiment/trajectories/lorenz.ts";
import {
  beginningsOf,
  defectOf,
  estimateOf,
  histogramDistance,
  relativeErrors,
  shareAboveZero,
  spanOf,
} from "../../src/cli/experiment/trajectories/measures.ts";
import { mixture, mixtureTrajectoriesSystem } from "../../src/cli/experiment/trajectories/mixture.ts";
import { oscillator, oscillatorTrajectories } from "../../src/cli/experiment/trajectories/oscillator.ts";
import { pendulumTrajectories } from "../../src/cli/experiment/trajectories/pendulum.ts";
import { checkSettings, differencesFromPaper, presetsOf } from "../../src/cli/experiment/trajectories/settings.ts";
import { statisticsOf } from "../../src/cli/experiment/trajectories/system.ts";
import { trajectoriesNamed } from "../../src/dynamics.ts";
import { evaluate } from "../../src/graph/evaluate.ts";
import { createRuntime, gaussianMixture, readNpy } from "../../src/index.ts";
import { table } from "../../src/ops/sources.ts";

const systems = [
  ...[lorenzTrajectories, fitzHughNagumoTrajectories, oscillatorTrajectories, pendulumTrajectories],
  mixtureTrajectoriesSystem,
];

describe("relative errors", () => {
  const truth = { values: [1, -1, 2, 0, 0, 0, 3, 1], length: 2, coordinates: 2 };

  test("by step over trajectories, and of each trajectory over steps", () => {
    // |1-1|+|1+1| = 2 of 2 + 2; 0 of 4; 1 + 1 of 2 + 0; |3+1|+|1+3| = 8 of 8.
    const made = { ...truth, values: [1, 1, 2, 0, 1, -1, -1, -3] };
    expect(relativeErrors(made, truth)).toEqual({ bySteps: [(0.5 + 1) / 2, (0 + 1) / 2], byTrajectory: [0.25, 1] });
    expect(relativeErrors(made, truth, 1).byTrajectory).toEqual([0, 1]);
  });

  test("of equal ones nothing, also where all is 0", () => {
    expect(relativeErrors(truth, truth)).toEqual({ bySteps: [0, 0], byTrajectory: [0, 0] });
  });
});

test("beginnings are the first states of each", () => {
  const three = { values: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], length: 3, coordinates: 2 };
  expect([...beginningsOf(three, 2)]).toEqual([1, 2, 3, 4, 7, 8, 9, 10]);
});

describe("histograms", () => {
  const bins = { range: { low: 0, high: 4 }, parts: 4 };

  test("of equal values in another order and number are equal", () => {
    expect(histogramDistance([0.5, 3.5], [3.2, 0.1, 0.2, 3.9], bins)).toBe(0);
  });

  test("differ by half the sum of their shares' differences", () => {
    // Shares 1/2, 1/2, 0, 0 and 1/4, 1/4, 1/4, 1/4; 4 belongs to the last part.
    expect(histogramDistance([0, 1], [0.5, 1.5, 2.5, 4], bins)).toBe(0.5);
    expect(histogramDistance([4], [3.5], bins)).toBe(0);
  });

  test("what lies outside is in a part of its own, on its side", () => {
    expect(histogramDistance([-9], [0.5], bins)).toBe(1);
    expect(histogramDistance([-9], [9], bins)).toBe(1);
    expect(histogramDistance([-9, 1], [-1, 1.5], bins)).toBe(0);
  });

  test("tend to the distance of their densities", () => {
    // Uniform on [0, 4], and with density x / 8: half the integral of |1/4 - x/8| is 1/4.
    const even = Array.from({ length: 4000 }, (_, i) => (4 * (i + 0.5)) / 4000);
    const rising = even.map((x) => 4 * Math.sqrt(x / 4));
    expect(histogramDistance(even, rising, { ...bins, parts: 40 })).toBeCloseTo(0.25, 2);
  });

  test("span their values, and something where these are one", () => {
    expect(spanOf([2, -1, 0.5])).toEqual({ low: -1, high: 2 });
    expect(spanOf([3])).toEqual({ low: 2.5, high: 3.5 });
  });
});

test("means and shares with their standard errors", () => {
  expect(estimateOf([1, 2, 3, 6])).toEqual({ value: 3, error: Math.sqrt(14 / 3 / 4) });
  expect(shareAboveZero([1, -1, 0, -2])).toEqual({ value: 0.25, error: Math.sqrt((0.25 * 0.75) / 4) });
});

describe("a system's own motion", () => {
  const circle = (step: number) => {
    const values = Array.from({ length: 10 }, (_, i) => [Math.cos(step * i), -Math.sin(step * i)]).flat();
    return { values, length: 10, coordinates: 2 };
  };
  let turns = 0;
  const turn = async () => {
    turns++;
  };

  test("has no defect", async () => {
    expect(await defectOf("harmonic-oscillator", circle(0.1), 5, turn)).toBeLessThan(1e-8);
    expect(turns).toBe(1);
  });

  test("at twice its pace misses by the angle between", async () => {
    // From angle 0.2 on: where it should be at 0.1 further, it is at 0.2. Chords are 2 sin(0.05), both.
    expect(await defectOf("harmonic-oscillator", circle(0.2), 5, turn)).toBeCloseTo(1, 8);
  });
});

describe.each(systems)("$name", (system) => {
  test("the event on the host is that which guides, and happens now and then", async () => {
    const [count, length, coordinates] = [64, 60, system.coordinates.length];
    const { values } = await trajectoriesNamed(system.set, { count, length, seed: 3 });
    const own = statisticsOf(system, { values, length, coordinates });
    const [built] = evaluate([system.event.build({ samples: table([...values], [count, length, coordinates]) })]);
    expect(own).toHaveLength(count);
    own.forEach((value, row) => {
      expect(value).toBeCloseTo(built?.data[row] as number, 5); // tables are f32
    });
    const { value: share } = shareAboveZero(
      statisticsOf(system, {
        ...{ length, coordinates },
        values: (await trajectoriesNamed(system.set, { count: 500, length, seed: 4 })).values,
      }),
    );
    expect(share).toBeGreaterThan(0.005);
    expect(share).toBeLessThan(0.3);
  });

  test("presets can be trained", () => {
    for (const { settings } of Object.values(presetsOf(system))) expect(() => checkSettings(settings)).not.toThrow();
  });
});

test("in what a run differs from the paper's is told, and of the paper's own setting what it cannot share alone", () => {
  const sentences = (preset: "quick" | "paper", changed = {}) =>
    differencesFromPaper(fitzHughNagumoTrajectories, {
      ...presetsOf(fitzHughNagumoTrajectories)[preset].settings,
      ...changed,
    });
  expect(sentences("paper").map((one) => one.split(/[ ,:]/)[0])).toEqual(["Data", "Diffusion"]);
  expect(sentences("paper", { batch: 64 })[0]).toBe("Training: 16000 steps of 64, not 16000 of 500.");
  const quick = sentences("quick").join(" ");
  for (const words of [
    "8, 16 and 32 channels",
    "One network for both",
    "with weight 0.02",
    "up to 30, not 300",
    "with 0.00016",
    "Samples by dopri5",
  ]) {
    expect(quick).toContain(words);
  }
});

test.each([
  [{ blocks: "1-2" }, /--set blocks: got "1-2", expected three numbers/],
  [{ length: 62 }, /--set length: got 62, expected a multiple of 4/],
  [{ given: 60 }, /--set given/],
  [{ form: "both" }, /--set form/],
  [{ power: 3 }, /--set power/],
  [{ networks: 3 }, /--set networks/],
  [{ guided: 0 }, /--set guided/],

  [{ likelihoods: 2000 }, /at most 1000.*heldOut=2000/],
])("settings %o are refused", (changed, words) => {
  expect(() => checkSettings({ ...presetsOf(lorenzTrajectories).quick.settings, ...changed })).toThrow(words);
});

test("from its data to its report, with a network for each task", { timeout: 120_000 }, async () => {
  const out = await mkdtemp(join(tmpdir(), "trajectories-"));
  using runtime = await createRuntime({ backend: "wasm" });
  try {
    const settings = {
      ...presetsOf(oscillatorTrajectories).quick.settings,
      ...{
        networks: 2,
        channels: 4,
        blocks: "1-1-1",
        edge: 4,
        frequencies: 4,
        length: 8,
        steps: 20,
        batch: 8,
        average: 5,
      },
      ...{
        trajectories: 20,
        heldOut: 40,
        likelihoods: 6,
        continued: 5,
        samples: 30,
        guided: 8,
        probes: 2,
        guidedSteps: 6,
      },
    };
    const plan: Plan = {
      ...{
        experiment: oscillator,
        preset: "quick",
        settings,
        input: "",
        losses: ["fdm", "score"],
        seeds: [0],
        out,
      },
      command: "divflow experiment oscillator",
    };
    await conduct(runtime, plan);
    const outcome = await outcomeOf(plan, runtime);
    expect(outcome.runs).toHaveLength(2);
    const record = JSON.parse(await readFile(join(out, "seed-0", "fdm", "record.json"), "utf8"));
    const names = record.metrics.map(({ name }: { name: string }) => name);
    expect(names).toEqual(expect.arrayContaining([...oscillator.headline, "eventGap", "guidedEvents"]));
    for (const { name, value } of record.metrics) {
      if (name !== "guidedDistance") expect(value, name).toSatisfy(Number.isFinite);
    }
    expect(record.series[0]).toMatchObject({ x: expect.arrayContaining([0, 0.1]), across: "time" });
    expect(record.series[0].y).toHaveLength(8);
    const html = reportOf(outcome);
    for (const words of [
      "Continuation 1",
      "The event&#39;s statistic",
      "Diffusion",
      "negative log-likelihood per dimension",
    ]) {
      expect(html).toContain(words);
    }
    expect(html).not.toMatch(/NaN|undefined|Infinity|https?:|<script/);
  } finally {
    await rm(out, { recursive: true, force: true });
  }
});

test("of the mixture, the density is known, and models are held to it in place of a motion", {
  timeout: 120_000,
}, async () => {
  const points = [-2.3, 1.9, 0, 40, 2];
  const exact = gaussianMixture();
  const sum = points.reduce((all, x) => all + (exact.logDensity?.([x]) as number), 0);
  expect(mixtureTrajectoriesSystem.logDensity?.(points)).toBeCloseTo(sum, 9);
  const out = await mkdtemp(join(tmpdir(), "mixture-"));
  using runtime = await createRuntime({ backend: "wasm" });
  try {
    const settings = {
      ...presetsOf(mixtureTrajectoriesSystem).quick.settings,
      ...{ channels: 4, blocks: "1-1-1", edge: 4, frequencies: 4, length: 8, steps: 10, batch: 8, average: 5 },
      ...{ trajectories: 20, heldOut: 40, likelihoods: 6, continued: 5, samples: 30, guided: 8 },
      ...{ probes: 2, guidedSteps: 6 },
    };
    const plan: Plan = {
      ...{ experiment: mixture, preset: "quick", settings, input: "", losses: ["cfm"], seeds: [0], out },
      command: "divflow experiment mixture",
    };
    await conduct(runtime, plan);
    const outcome = await outcomeOf(plan, runtime);
    const { metrics } = JSON.parse(await readFile(join(out, "seed-0", "cfm", "record.json"), "utf8"));
    const named = (name: string) => metrics.find((one: { name: string }) => one.name === name);
    expect(named("defect")).toBeUndefined();
    const { data } = readNpy(await readFile(join(out, "seed-0", "data", "held-out.npy")));
    const known = Array.from({ length: 6 }, (_, row) =>
      mixtureTrajectoriesSystem.logDensity?.(data.subarray(8 * row, 8 * row + 8) as Float64Array),
    );
    const own = known.reduce<number>((all, one) => all + (one as number) / (6 * 8), 0);
    expect(named("excess").value).toBeCloseTo(named("nats").value + own, 9);
    const html = reportOf(outcome);
    expect(html).toContain("of all trajectories");
    expect(html).not.toContain("Continuation 1");
    expect(html).not.toMatch(/NaN|undefined|Infinity|https?:|<script/);
  } finally {
    await rm(out, { recursive: true, force: true });
  }
});
