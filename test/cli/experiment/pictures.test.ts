/** Experiments on pictures: their measures against closed forms and arrays by hand, and tiny runs. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { conduct, type Plan } from "../../../src/cli/experiment/conduct.ts";
import type { Experiment, Judgement } from "../../../src/cli/experiment/experiment.ts";
import { outcomeOf } from "../../../src/cli/experiment/outcome-of.ts";
import { dequantisedSource, spreadRows } from "../../../src/cli/experiment/pictures/data.ts";
import { digits, digitsOf } from "../../../src/cli/experiment/pictures/digits.ts";
import { images } from "../../../src/cli/experiment/pictures/images.ts";
import { nearestOf } from "../../../src/cli/experiment/pictures/nearest.ts";
import {
  bitsPerDimension,
  dequantised,
  firstPictures,
  levelsOf,
  middles,
} from "../../../src/cli/experiment/pictures/picture.ts";
import { rowsByClass } from "../../../src/cli/experiment/pictures/pictures.ts";
import { resized } from "../../../src/cli/experiment/pictures/resize.ts";
import { checkPictureSettings, quickSettings } from "../../../src/cli/experiment/pictures/settings.ts";
import { sheetOf } from "../../../src/cli/experiment/pictures/sheet.ts";
import { reportOf } from "../../../src/cli/experiment/report.ts";
import { beQuiet } from "../../../src/cli/output.ts";
import { cfm, condOT, createRuntime, createTrainer, rk4, sampleData } from "../../../src/index.ts";
import { defineNetwork, linearLayer, ops, startingAtZero } from "../../../src/networks.ts";
import { folderOf } from "./png-files.ts";

const everyLevel = Uint8Array.from({ length: 256 }, (_, level) => level);

describe("levels", () => {
  test("are somewhere in their own part of [-1, 1), and are found again", () => {
    const levels = Uint8Array.from({ length: 4096 }, (_, i) => i % 256);
    const shown = dequantised(levels, 3);
    expect(levelsOf(shown)).toEqual(levels);
    expect(levelsOf(middles(levels))).toEqual(levels);
    // Uniform within: mean 1/2, variance 1/12.
    const within = Array.from(shown, (value, i) => (value + 1) * 128 - (levels[i] as number));
    const mean = within.reduce((sum, one) => sum + one, 0) / within.length;
    expect(Math.abs(mean - 0.5)).toBeLessThan(4 * Math.sqrt(1 / 12 / within.length));
    expect(Math.min(...within)).toBeGreaterThanOrEqual(-1e-4);
    expect(Math.max(...within)).toBeLessThan(1 + 1e-4);
    expect(dequantised(levels, 4)).not.toEqual(shown);
  });

  test("beyond the ends are the last ones", () => {
    expect([...levelsOf([-3, -1, 0, 0.9999, 1, 7])]).toEqual([0, 0, 128, 255, 255, 255]);
    expect(middles([0, 255])).toEqual(Float32Array.of(-1 + 1 / 256, 1 - 1 / 256));
  });
});

describe("bits per dimension", () => {
  test("of the uniform density are 8, and of one on a single level 0", () => {
    const dimension = 12;
    expect(bitsPerDimension(-dimension * Math.log(2), dimension)).toBeCloseTo(8, 12);
    expect(bitsPerDimension(dimension * Math.log(128), dimension)).toBeCloseTo(0, 12);
  });

  test("of a model whose density is known: an untrained one, which is N(0, I)", async () => {
    using runtime = await createRuntime({ backend: "wasm", threads: 1 });
    const layer = linearLayer("layer", 16, 16, startingAtZero);
    const network = defineNetwork({
      ...{ name: "still", sample: [4, 4, 1], parameters: layer.parameters },
      apply: ({ x }, values) => layer.apply(values, ops.reshape(x, [x.shape[0] as number, 16])),
    });
    const pictures = { levels: everyLevel, labels: new Uint8Array(16), count: 16, height: 4, width: 4, channels: 1 };
    using trainer = await createTrainer(runtime, {
      ...{ network, path: condOT(), loss: cfm(), data: dequantisedSource(pictures, undefined), batchSize: 4 },
    });
    const shown = dequantised(everyLevel, 5);
    const { values } = await trainer.model.logDensity(shown, {
      ...{ solver: rk4({ steps: 4 }), probes: 2 },
      divergence: "hutchinson", // of a velocity of 0 it is exact
    });
    const bits = values.reduce((sum, nats) => sum + bitsPerDimension(nats, 16) / 16, 0);
    const squares = shown.reduce((sum, x) => sum + x * x, 0) / 256;
    expect(bits).toBeCloseTo((0.5 * Math.log(2 * Math.PI) + squares / 2) / Math.LN2 + 7, 4);
    // No less than what the levels' own probabilities cost, which a quadrature of N(0, 1) over each level gives.
    const cost = everyLevel.reduce((sum, level) => {
      const [from, parts] = [level / 128 - 1, 50];
      const share = Array.from({ length: parts }, (_, i) => from + (i + 0.5) / (128 * parts)).reduce(
        (all, x) => all + Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI) / (128 * parts),
        0,
      );
      return sum - Math.log2(share) / 256;
    }, 0);
    expect(bits).toBeGreaterThan(cost - 1e-3);
    expect(bits).toBeLessThan(cost + 0.01);
  });
});

const grey = (levels: readonly number[], height: number, width: number) => ({
  ...{ levels: Uint8Array.from(levels), height, width, channels: 1 },
  count: levels.length / (height * width),
});

test("the nearest pictures and how far they are", async () => {
  const among = grey([0, 0, 0, 0, 10, 10, 10, 10, 200, 200, 200, 210], 2, 2);
  let turns = 0;
  const found = await nearestOf(grey([9, 10, 11, 10, 200, 200, 200, 200], 2, 2), among, async () => {
    turns++;
  });
  expect([...found.rows]).toEqual([1, 2]);
  expect([...found.distances]).toEqual([Math.sqrt(2 / 4), 5]);
  expect(turns).toBe(1);
});

test("rows spread over all, each once", () => {
  expect(spreadRows(10, 5)).toEqual([0, 2, 4, 6, 8]);
  expect(spreadRows(3, 5)).toEqual([0, 1, 2]);
  expect(spreadRows(7, 3)).toEqual([0, 2, 4]);
});

describe("resizing", () => {
  test("takes means of what a place covers, of the middle square", () => {
    const four = grey([0, 4, 8, 8, 0, 4, 8, 8, 1, 1, 9, 9, 1, 1, 9, 10], 4, 4);
    expect([...resized(four, 2).levels]).toEqual([2, 8, 1, 9]);
    // 2 x 4: the two columns in the middle.
    expect([...resized(grey([99, 10, 20, 99, 99, 30, 40, 99], 2, 4), 1).levels]).toEqual([25]);
    // Three places to two: the one in the middle is in both by halves of theirs.
    expect([...resized(grey([0, 90, 30, 0, 90, 30, 0, 90, 30], 3, 3), 2).levels]).toEqual([30, 50, 30, 50]);
    expect(resized(four, 4)).toBe(four);
  });

  test("keeps colours and pictures apart", () => {
    const levels = Uint8Array.from({ length: 2 * 4 * 3 }, (_, i) => (i % 3) * 10 + (i < 12 ? 0 : 100));
    const { levels: own } = resized({ levels, count: 2, height: 2, width: 2, channels: 3 }, 1);
    expect([...own]).toEqual([0, 10, 20, 100, 110, 120]);
  });
});

test("what models train on is each picture somewhere in its levels, anew for each row", () => {
  const pictures = { ...grey([0, 10, 20, 30, 200, 210, 220, 255], 2, 2), labels: Uint8Array.of(1, 0) };
  const drawn = sampleData(dequantisedSource(pictures, ["a", "b"]), 400, 3);
  const rows = Array.from({ length: 400 }, (_, i) => [...levelsOf(drawn.subarray(4 * i, 4 * i + 4))].join(" "));
  const first = rows.filter((row) => row === "0 10 20 30").length;
  expect(first + rows.filter((row) => row === "200 210 220 255").length).toBe(400);
  expect(Math.abs(first - 200)).toBeLessThan(50); // five deviations
  const within = Array.from(drawn, (value) => ((value + 1) * 128) % 1).sort((a, b) => a - b);
  within.forEach((value, i) => {
    expect(Math.abs(value - i / within.length)).toBeLessThan(0.05); // Kolmogorov's, far beyond chance
  });
});

test("a sheet has its pictures in their places, grey between them", () => {
  const { width, height, pixels } = sheetOf(grey([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], 2, 2), [[0, 2], [1]]);
  expect([width, height]).toEqual([5, 5]);
  const lines = Array.from({ length: 5 }, (_, y) => Array.from({ length: 5 }, (_, x) => pixels[(y * 5 + x) * 3 + 1]));
  expect(lines).toEqual([
    [1, 2, 128, 9, 10],
    [3, 4, 128, 11, 12],
    [128, 128, 128, 128, 128],
    [5, 6, 128, 128, 128],
    [7, 8, 128, 128, 128],
  ]);
  const colours = { levels: Uint8Array.of(1, 2, 3), count: 1, height: 1, width: 1, channels: 3 };
  expect([...sheetOf(colours, [[0]]).pixels]).toEqual([1, 2, 3]);
});

test("a sheet's rows are of a class each, or of what comes first", () => {
  expect(rowsByClass([0, 2, 0, 2, 2], ["a", "b", "c"])).toEqual([
    [0, 2],
    [1, 3, 4],
  ]);
  expect(rowsByClass(new Uint8Array(10), undefined)).toEqual([
    [0, 1, 2, 3, 4, 5, 6, 7],
    [8, 9],
  ]);
});

test("digits of half a side are means of four places", () => {
  const all = digitsOf(28);
  const half = digitsOf(14);
  expect([half.count, half.height, half.width, half.channels]).toEqual([10_000, 14, 14, 1]);
  expect(half.labels).toEqual(all.labels);
  const row = 4321;
  const [a = 0, b = 0, c = 0, d = 0] = [0, 1, 28, 29].map((at) => all.levels[row * 784 + 12 * 28 + 12 + at]);
  expect(half.levels[row * 196 + 6 * 14 + 6]).toBe(Math.round((a + b + c + d) / 4));
  expect(Math.max(...firstPictures(all, 50).levels)).toBe(255);
});

test.each([
  [{ multipliers: "1-x" }, /--set multipliers/],
  [{ side: 15 }, /--set side: got 15, expected a multiple of 2/],
  [{ drop: 0 }, /--set drop/],
  [{ heldOut: 0 }, /--set heldOut/],
  [{ form: "both" }, /--set form/],
  [{ guided: 5000 }, /at most 1000.*samples=5000/],
  [{ steps: 1 }, /--set steps/],
])("settings %o are refused", (changed, words) => {
  expect(() => checkPictureSettings({ ...quickSettings(14), ...changed })).toThrow(words);
});

let base: string;
const pathOf = (...names: string[]) => join(base, ...names);
beforeAll(async () => {
  beQuiet();
  base = await mkdtemp(join(tmpdir(), "pictures-"));
});
afterAll(() => rm(base, { recursive: true, force: true }));

const tiny = {
  ...{
    steps: 12,
    batch: 8,
    channels: 4,
    classifier: 60,
    likelihoods: 4,
    probes: 1,
    samples: 24,
    guided: 12,
    solver: 2,
  },
  ...{ side: 8, multipliers: "1" },
};

/** Runs an experiment, and gives its judgements by loss and its report. */
async function run(experiment: Experiment, losses: readonly string[], changed: object, input = "") {
  using runtime = await createRuntime({ backend: "wasm", threads: 1 });
  const settings = { ...experiment.presets.quick.settings, ...tiny, ...changed };
  const plan: Plan = {
    ...{ experiment, preset: "quick", settings, input, losses, seeds: [0], out: pathOf(`run-${experiment.name}`) },
    command: "go on",
  };
  experiment.check?.(settings, input);
  await conduct(runtime, plan);
  const outcome = await outcomeOf(plan, runtime);
  const html = reportOf(outcome);
  expect(html).not.toMatch(/NaN|undefined|Infinity|https?:|<script/);
  const judged = new Map(outcome.runs.map(({ loss, judgement }) => [loss, judgement]));
  return { of: (loss: string) => judged.get(loss) as Judgement, html };
}
const metric = ({ metrics }: Judgement, name: string) => metrics.find((one) => one.name === name)?.value as number;

test("digits, from the package to the report", { timeout: 120_000 }, async () => {
  const { of, html } = await run(digits, ["cfm", "map", "rows"], { heldOut: 0.01 });
  const [flow, map, rows] = ["cfm", "map", "rows"].map(of) as [Judgement, Judgement, Judgement];
  // Next to untrained: the bits of N(0, I), which has 8.33 where all is grey and 9.05 where all is black.
  for (const one of [flow, map]) expect(metric(one, "bits")).toBeGreaterThan(8.3);
  for (const one of [flow, map]) expect(metric(one, "bits")).toBeLessThan(9.1);
  expect(metric(rows, "accuracy")).toBeGreaterThan(0.5);
  expect(metric(rows, "features")).toBeLessThan(metric(flow, "features"));
  expect(metric(rows, "nearest")).toBeLessThan(-10);
  expect(metric(flow, "nearest")).toBeGreaterThan(0);
  expect(flow.series?.map(({ name }) => name)).toEqual(["guidedTold", "guidedFeatures", "evaluations"]);
  expect(map.series).toHaveLength(1);
  for (const words of ["a row for each of 0, 1, 2", "no FID", "2.99", "5.62", "One-step map"]) {
    expect(html).toContain(words);
  }
});

test("a folder of pictures without classes has no classifier", { timeout: 120_000 }, async () => {
  const { of, html } = await run(images, ["cfm", "rows"], {}, await folderOf(pathOf("plain"), ["."]));
  expect(metric(of("cfm"), "bits")).toBeGreaterThan(7);
  expect(metric(of("cfm"), "features")).toBeUndefined();
  expect(metric(of("rows"), "nearest")).toBeLessThan(0);
  expect(html).toContain("no classifier could be trained along");
});
