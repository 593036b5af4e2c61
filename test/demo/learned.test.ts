/** What the page makes of what visitors bring: drawings, letters, tables; and how models are judged on them. */
import { describe, expect, test } from "vitest";
import { mixtureTruth } from "../../demo/field/mixture.ts";
import { LOG, newLocal } from "../../demo/field/truth.ts";
import { gridlines } from "../../demo/page/chart.ts";
import { inkIn } from "../../demo/page/letters.ts";
import { differenceOf, scaleOf } from "../../demo/page/ranges.ts";
import { better, figure, measures, shortNumber } from "../../demo/page/words.ts";
import { columnsOf, learnedOf } from "../../demo/train/data.ts";
import { fieldErrors, totalVariation } from "../../demo/train/judge.ts";
import { cellsOf } from "../../demo/train/look.ts";
import { writeNpy } from "../../src/index.ts";

const table = (text: string, columns?: [number, number]) => ({
  ...{ kind: "table" as const, title: "a.csv", bytes: new TextEncoder().encode(text) },
  ...(columns ? { columns } : {}),
});
const rows = Array.from({ length: 40 }, (_, i) => [i, Math.sin(i) * 3, "kind", 100 + 2 * i]);
const csv = `id,height,name,weight\n${rows.map((row) => row.join(",")).join("\n")}\n`;

describe("a table", () => {
  test("has its first two columns of numbers taken, each scaled, and every fifth row held out", () => {
    const learned = learnedOf(table(csv));
    expect(learned.columns).toEqual({ names: ["id", "height", "name", "weight"], used: [0, 1] });
    const [training, held] = [learned.sample(1000, 0), learned.heldOut(1000)];
    expect([training.length / 2, held.length / 2]).toEqual([32, 8]);
    const all = [...training, ...held].filter((_, i) => i % 2 === 0);
    expect(all.reduce((sum, x) => sum + x, 0)).toBeCloseTo(0, 3);
    expect(Math.sqrt(all.reduce((sum, x) => sum + x * x, 0) / 40)).toBeCloseTo(1.5, 4);
    const deviation = Math.sqrt((40 ** 2 - 1) / 12);
    expect(held[0]).toBeCloseTo((1.5 * (4 - 19.5)) / deviation, 4); // row 4
  });

  test("has the columns that are asked for", () => {
    expect(learnedOf(table(csv, [3, 1])).notes[0]).toMatch(/Across: weight .*; up: height/);
  });

  test.each([
    ["one column", table("x\n1\n2\n3\n"), /1 columns of numbers; two are needed/],
    ["few rows", table("1,2\n3,4\n"), /has 2 rows; a flow needs 20/],
    ["a constant", table(rows.map((_, i) => `${i},7`).join("\n")), /"column 2" of a.csv is the same in all rows/],
    ["a gap", table(`${csv}41,,x,3\n`), /line 42, column 2/],
    ["words", table("a,b\nc,d\n"), /0 columns of numbers/],
    ["nothing drawn", { kind: "ink" as const, title: "", points: [], deviation: 1 }, /Nothing is drawn yet/],
  ])("is refused with a sentence: %s", (_, choice, message) => {
    expect(() => learnedOf(choice)).toThrow(message);
  });

  test("may be npy", () => {
    const bytes = Uint8Array.from(
      writeNpy(
        Float32Array.from({ length: 90 }, (_, i) => (i * 7) % 31),
        [30, 3],
      ),
    );
    const learned = learnedOf({ kind: "table", title: "b.npy", bytes, columns: [2, 0] });
    expect(learned.columns).toEqual({ names: ["column 1", "column 2", "column 3"], used: [2, 0] });
  });

  test.each([
    ["x;y\n1;2\n", ["x", "y"], [true, true]],
    ["1 2 three\n4 5 six\n", ["column 1", "column 2", "column 3"], [true, true, false]],
    ['"a","b"\n1,\n', ["a", "b"], [true, false]],
  ])("tells names from numbers: %j", (text, names, numeric) => {
    expect(columnsOf(text).map(({ name }) => name)).toEqual(names);
    expect(columnsOf(text).map(({ isNumber }) => isNumber)).toEqual(numeric);
  });
});

describe("a drawing", () => {
  const learned = learnedOf({ kind: "ink", title: "dots", points: [-1, 0, 1, 0.5], deviation: 0.2 });

  test("is a mixture whose density and field are known", () => {
    const out = newLocal();
    learned.truth?.at(-1, 0, 1, out);
    expect(out[LOG]).toBeCloseTo(learned.logDensity?.(-1, 0) as number, 6);
    expect(out[LOG]).toBeCloseTo(Math.log(0.5 / (2 * Math.PI * 0.04)), 6);
  });

  test("holds a flow that is exact to be exact, and one that is off to be off by as much", async () => {
    const out = newLocal();
    const at = (points: Float32Array, t: number | Float32Array, off: number) =>
      Array.from({ length: points.length / 2 }, (_, i) => {
        learned.truth?.at(points[2 * i]!, points[2 * i + 1]!, typeof t === "number" ? t : t[i]!, out);
        return [out[1]! + off, out[2]!, out[3]! + off * points[2 * i]!] as const;
      });
    const flow = (off: number) => ({
      velocity: async (points: Float32Array, t: number | Float32Array) =>
        at(points, t, off).flatMap((one) => one.slice(0, 2)),
      divergence: async (points: Float32Array, t: number | Float32Array) =>
        Float64Array.from(at(points, t, off), ([, , divergence]) => divergence),
      frames: async (noise: Float32Array) => noise,
      logDensity: async () => [],
    });
    const [noise, data] = [Float32Array.from({ length: 512 }, (_, i) => Math.sin(3 * i)), learned.sample(256, 1)];
    const exact = await fieldErrors(flow(0), learned.truth!, noise, data);
    expect(exact).toMatchObject({ velocity: 0, divergence: 0, bound: 0 });
    const wrong = await fieldErrors(flow(0.25), learned.truth!, noise, data);
    expect(wrong.velocity).toBeCloseTo(0.25, 6);
    expect(wrong.bound).toBeGreaterThan(0.05);
  });

  test("has total variation 0 with itself, 1 with what is elsewhere", () => {
    const extent = 2;
    const points = cellsOf(64, extent);
    const own = Float64Array.from({ length: 64 * 64 }, (_, i) =>
      Math.exp(learned.logDensity!(points[2 * i]!, points[2 * i + 1]!)),
    );
    expect(totalVariation(own, learned.logDensity!, extent)).toBeLessThan(1e-3);
    expect(totalVariation(new Float64Array(64 * 64), learned.logDensity!, extent)).toBeCloseTo(1, 3);
  });
});

test("the bound is half the mean of the residual's size on the way, for a Gaussian whose score is known", async () => {
  const [variance, c, d] = [0.25, 0.3, -0.2];
  const truth = mixtureTruth({ means: [0, 0], weights: [1], variances: [variance] });
  const rate = (t: number) => (t * variance - (1 - t)) / (t * t * variance + (1 - t) ** 2);
  const of = (points: Float32Array, t: number | Float32Array) =>
    Array.from({ length: points.length / 2 }, (_, i) => ({
      x: points[2 * i]!,
      y: points[2 * i + 1]!,
      t: (t as Float32Array)[i]!,
    }));
  const flow = {
    velocity: async (points: Float32Array, t: number | Float32Array) =>
      of(points, t).flatMap((one) => [rate(one.t) * one.x + c, rate(one.t) * one.y + d]),
    divergence: async (points: Float32Array, t: number | Float32Array) =>
      Float64Array.from(of(points, t), (one) => 2 * rate(one.t)),
    frames: async (noise: Float32Array) => noise,
    logDensity: async () => [],
  };
  const [noise, data] = [1, 2].map((k) => Float32Array.from({ length: 256 }, (_, i) => Math.sin(k * 7 * i + i * i)));
  const errors = await fieldErrors(flow, truth, noise!, data!);
  let expected = 0;
  for (let i = 0; i < 128; i++) {
    const t = (0.98 * (Math.floor(i / 2) + 0.5)) / 64;
    const at = (k: number) => t * data![2 * i + k]! + (1 - t) * noise![2 * i + k]!;
    const spread = t * t * variance + (1 - t) ** 2;
    expected += (0.5 * 0.98 * Math.abs((c * at(0) + d * at(1)) / spread)) / 128;
  }
  expect(errors.bound).toBeCloseTo(expected, 5);
  expect(errors.velocity).toBeCloseTo(Math.hypot(c, d), 5);
  expect(errors.divergence).toBeCloseTo(0, 5);
});

test("letters become points about the middle, the right way up", () => {
  const [width, height] = [12, 6];
  const data = new Uint8ClampedArray(4 * width * height);
  for (const [column, row] of [
    [0, 0],
    [9, 3],
  ] as const)
    data[4 * (row * width + column) + 3] = 255;
  const { points, deviation } = inkIn({ data, width, height });
  expect(points).toEqual([-3.2, 1.067, 3.2, -1.067]);
  expect(deviation).toBeGreaterThan(0);
  expect(inkIn({ data: new Uint8ClampedArray(4 * 4), width: 2, height: 2 }).points).toEqual([]);
});

describe("figures", () => {
  const judged = (distance: number, likelihood: number) => ({
    ...{ step: 100, seconds: 1, likelihood, likelihoodError: 0.01, distance, bound: 0.5, boundError: 0.02 },
    ...{ velocityError: undefined, divergenceError: undefined, wasserstein: 0.1 },
  });
  const [distance, bound, likelihood] = [measures[0]!, measures[1]!, measures[2]!];

  test("are written with their errors, or as not known", () => {
    expect(figure(bound, judged(0.2, 4))).toBe("0.500 ± 0.020");
    expect(figure(measures[3]!, judged(0.2, 4))).toBe("–");
    expect(figure(distance, undefined)).toBe("–");
    expect([0, 1.23456, -0.5, 1e-4, 123456].map(shortNumber)).toEqual(["0", "1.23", "−0.5", "1.0e−4", "1.2e5"]);
  });

  test("are better only beyond chance, and at equal steps", () => {
    expect(better(distance, judged(0.2, 4), judged(0.1, 4))).toBe("right");
    expect(better(likelihood, judged(0.2, 4), judged(0.1, 4.01))).toBeUndefined();
    expect(better(likelihood, judged(0.2, 4), judged(0.1, 4.3))).toBe("left");
    expect(better(distance, judged(0.2, 4), { ...judged(0.1, 4), step: 200 })).toBeUndefined();
  });

  test("share one scale, and a difference is right less left", () => {
    const slice = (values: number[]) => ({
      t: 1,
      map: { kind: "difference" as const, size: 2, values: Float32Array.from(values) },
    });
    const both = differenceOf(slice([1, 2, 3, 4]), slice([2, 2, 1, 4]));
    expect(Array.from(both?.map?.values ?? [])).toEqual([1, 0, -2, 0]);
    expect(differenceOf(slice([1, 2, 3, 4]), { ...slice([1, 2, 3, 4]), t: 0.5 })).toBeUndefined();
    const scale = scaleOf("difference", [both, both]);
    expect(scale).toMatchObject({ kind: "signed", range: [-2, 2] });
    expect(scale?.what({ left: "A", right: "B" })).toBe("blue: more in A; orange: more in B");
    expect(scaleOf("density", [both, both])).toBeUndefined();
  });

  test("stand on axes of round numbers", () => {
    expect(gridlines(0.09, 3, true).map((y) => Number(y.toFixed(6)))).toEqual([0.1, 0.3, 1, 3]);
    expect(gridlines(3.58, 4.42, false).map((y) => Number(y.toFixed(6)))).toEqual([3.6, 3.8, 4, 4.2, 4.4]);
  });
});
