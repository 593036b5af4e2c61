import { expect, test } from "vitest";
import { checkerboard } from "../../src/data/checkerboard.ts";
import { sampleData } from "../../src/data/sample.ts";

const COUNT = 80_000;
const SCALE = 0.45;
const points = sampleData(checkerboard(), COUNT, 21);
const logDensity = checkerboard().logDensity as (point: ArrayLike<number>) => number;

// Cells by column and row, from -2 to 1; a sample sits on an edge with probability 1e-6 and none of these does.
const cells = new Map<string, number>();
const quarters = new Array<number>(16).fill(0);
for (let i = 0; i < COUNT; i++) {
  const [a, b] = [points[2 * i] * SCALE, points[2 * i + 1] * SCALE];
  const key = `${Math.floor(a)},${Math.floor(b)}`;
  cells.set(key, (cells.get(key) ?? 0) + 1);
  quarters[4 * Math.floor(4 * (a - Math.floor(a))) + Math.floor(4 * (b - Math.floor(b)))]++;
}

const within = (count: number, probability: number) =>
  expect(Math.abs(count / COUNT - probability)).toBeLessThan(4 * Math.sqrt((probability * (1 - probability)) / COUNT));

test("samples fill the eight cells with an even sum, and no other", () => {
  const even = [-2, -1, 0, 1].flatMap((i) => [-2, -1, 0, 1].filter((j) => (i + j) % 2 === 0).map((j) => `${i},${j}`));
  expect([...cells.keys()].sort()).toEqual(even.sort());
  for (const count of cells.values()) within(count, 1 / 8);
});

test("samples are uniform in a cell", () => {
  for (const count of quarters) within(count, 1 / 16);
});

test("every sample is in the support, the corners of the f32 grid too", () => {
  const inside = Math.log(SCALE ** 2 / 8);
  const found = new Set(Array.from({ length: COUNT }, (_, i) => logDensity(points.subarray(2 * i, 2 * i + 2))));
  expect([...found]).toEqual([inside]);
  expect(logDensity(Float32Array.of(2 / SCALE, 2 / SCALE))).toBe(inside);
  expect(logDensity(Float32Array.of(-2 / SCALE, -2 / SCALE))).toBe(inside);
});

test("the density is 0 in the other cells and outside", () => {
  for (const point of [
    [1, -1],
    [-1, 1],
    [3, 1],
    [4.5, 4.5],
    [0, 5],
    [-4.5, 0],
    [Number.NaN, 0],
  ]) {
    expect(logDensity(point)).toBe(Number.NEGATIVE_INFINITY);
  }
});

test("the density integrates to 1", () => {
  // Midpoints of a grid of 1/16 of a cell: none lies on an edge, so the sum is exact.
  let mass = 0;
  const step = 1 / 16;
  for (let a = -3 + step / 2; a < 3; a += step) {
    for (let b = -3 + step / 2; b < 3; b += step) mass += Math.exp(logDensity([a / SCALE, b / SCALE]));
  }
  expect((mass * step * step) / SCALE ** 2).toBeCloseTo(1, 12);
});
