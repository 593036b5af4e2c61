// The exact assignment: against fixtures, against all permutations, and by its duals, which prove it whatever it was made by.
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ConfigError, DataError } from "../../src/errors.ts";
import { assignment } from "../../src/transport/assignment.ts";
import { squaredDistances } from "../../src/transport/cost.ts";
import { cloud, uniforms } from "./clouds.ts";

const golden = new URL("golden/", import.meta.url);
const fixtures = readdirSync(golden).filter((name) => name.startsWith("assignment"));

/** By how much duals fail to prove the assignment, as a share of the largest cost. */
function gapOf(cost: { values: ArrayLike<number>; shape: readonly number[] }): number {
  const { permutation, cost: total, rowPotentials, columnPotentials } = assignment(cost as never);
  const n = permutation.length;
  let largest = 1e-300;
  let infeasible = 0;
  let sum = 0;
  for (let i = 0; i < n; i++) {
    sum += rowPotentials[i] + columnPotentials[i];
    for (let j = 0; j < n; j++) {
      const value = cost.values[i * n + j];
      largest = Math.max(largest, Math.abs(value));
      infeasible = Math.max(infeasible, rowPotentials[i] + columnPotentials[j] - value);
    }
  }
  expect([...permutation].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
  let paired = 0;
  for (let i = 0; i < n; i++) paired += cost.values[i * n + permutation[i]];
  expect(paired).toBeCloseTo(total, 9);
  // Feasible duals bound every pairing from below; this one meets the bound.
  return Math.max(infeasible, Math.abs(total - sum) / n) / largest;
}

const matrix = (n: number, value: (i: number, j: number) => number) => ({
  values: Float64Array.from({ length: n * n }, (_, at) => value(Math.floor(at / n), at % n)),
  shape: [n, n],
});

test.each(fixtures)("%s: the permutation and the cost", (name) => {
  const { inputs, expected } = JSON.parse(readFileSync(new URL(name, golden), "utf8"));
  const points = ({ data, shape }: { data: number[]; shape: number[] }) => ({ values: data, shape });
  const { permutation, cost } = assignment(points(inputs.x0), points(inputs.x1));
  expect([...permutation]).toEqual(expected.permutation.data);
  expect(cost).toBeCloseTo(expected.totalCost.data[0], 9);
});

describe("is optimal", () => {
  test("among all permutations of 6, costs of either sign, many equal ones among them", () => {
    const all = (left: number[]): number[][] =>
      left.length === 0
        ? [[]]
        : left.flatMap((one) => all(left.filter((other) => other !== one)).map((rest) => [one, ...rest]));
    const permutations = all([0, 1, 2, 3, 4, 5]);
    for (let seed = 1; seed <= 60; seed++) {
      const uniform = uniforms(seed);
      const levels = seed % 3 === 0 ? 3 : 1e6; // some of three values only: ties
      const { values, shape } = matrix(6, () => Math.floor(levels * uniform()) / levels - 0.5);
      const least = Math.min(...permutations.map((p) => p.reduce((sum, j, i) => sum + values[6 * i + j], 0)));
      expect(assignment({ values, shape }).cost, `seed ${seed}`).toBeCloseTo(least, 12);
    }
  });

  // Duals are sums of at most 2 n costs: rounding of 2^-53 each.
  test.each([
    [1, 2, 0],
    [2, 2, 0],
    [3, 1, 0],
    [31, 3, 0],
    [32, 2, 9],
    [65, 2, 0],
    [257, 1, 0],
    [256, 2, 5],
    [512, 64, 0],
  ])("by its duals: %i points of dimension %i, %i apart", (count, dimension, shift) => {
    for (let seed = 1; seed <= 3; seed++) {
      const { values } = squaredDistances(
        cloud(count, dimension, seed),
        cloud(count, dimension, seed + 100, { shift }),
      );
      expect(gapOf({ values, shape: [count, count] })).toBeLessThan(1e-14 * Math.max(4, count));
    }
  });

  test.each<[string, (i: number, j: number) => number]>([
    ["costs that are all equal", () => 3],
    ["points that come many times", (i, j) => ((i % 5) - (j % 4)) ** 2],
    ["rows and columns that only add", (i, j) => 1e6 * i - 3 * j],
    ["a product, where one order is best", (i, j) => i * j],
    ["very unequal sizes", (i, j) => 10 ** (((7 * i + 11 * j) % 40) - 20)],
    ["costs near the largest", (i, j) => 1e300 * Math.cos(i * i + j)],
    ["all below 0", (i, j) => -Math.abs(Math.sin(i + j * j))],
  ])("by its duals: %s", (_, value) => {
    for (const n of [1, 2, 7, 40, 100]) expect(gapOf(matrix(n, value))).toBeLessThan(1e-14 * Math.max(4, n));
  });

  test("sorted order in one dimension", () => {
    const [x, y] = [cloud(200, 1, 1).values, cloud(200, 1, 2).values];
    const { cost } = assignment({ values: x, shape: [200, 1] }, { values: y, shape: [200, 1] });
    const [a, b] = [x.slice().sort(), y.slice().sort()];
    expect(cost).toBeCloseTo(
      a.reduce((sum, value, i) => sum + (value - b[i]) ** 2, 0),
      9,
    );
  });
});

test("takes rows, f32 and shapes of more axes", () => {
  expect(assignment([[0], [5]], [[4], [1]])).toMatchObject({ permutation: Uint32Array.of(1, 0), cost: 2 });
  expect(
    assignment([
      [3, 1],
      [1, 4],
    ]).cost,
  ).toBe(2);
  const pictures = { values: Float32Array.of(0, 0, 1, 1), shape: [2, 1, 2, 1] };
  expect(assignment(pictures, { values: [1, 1, 0, 0], shape: [2, 2] }).cost).toBe(0);
});

describe("refuses", () => {
  test.each<[string, () => unknown, RegExp]>([
    ["unequal counts", () => assignment([[1], [2], [3]], [[1], [2]]), /3 rows and 2 columns.*as many of the one/],
    ["a wide cost", () => assignment([[1, 2, 3]]), /cost of assignment: got "1 rows and 3 columns"/],
    [
      "an infinite cost",
      () =>
        assignment([
          [1, Infinity],
          [0, 1],
        ]),
      /row 0, column 1 \(from 0\): got Infinity/,
    ],
    [
      "a cost that is no number",
      () =>
        assignment([
          [1, 0],
          [Number.NaN, 1],
        ]),
      /row 1, column 0 \(from 0\): got NaN/,
    ],
    ["flat costs", () => assignment([1, 2, 3, 4]), /shape of cost of assignment/],
    [
      "a cube",
      () =>
        assignment([
          [[1], [2]],
          [[3], [4]],
        ]),
      /expected a matrix/,
    ],
  ])("%s", (_, call, message) => {
    expect(call).toThrow(message);
  });

  test("with the classes that callers catch", () => {
    expect(() => assignment([[1, 2, 3]])).toThrow(ConfigError);
    expect(() => assignment([[1]], [[1, 2]])).toThrow(DataError);
    expect(() => assignment([[1]], [[Number.NaN]])).toThrow(/second points of assignment, row 0/);
    expect(() => assignment([[1]], [[1, 2]])).toThrow(/dimensions 1 and 2/);
  });
});

// 10 to 25 ms of an idle core. By the processor's time, since others run beside it; that too grows by what they do to caches.
test.each([
  [2, 0],
  [2, 4],
  [64, 0],
])("512 points of dimension %i, %i apart, in the least of 7 tries, take no more than 60 ms", (dimension, shift) => {
  const [x, y] = [cloud(512, dimension, 1), cloud(512, dimension, 2, { shift })];
  const times = Array.from({ length: 7 }, () => {
    const started = process.cpuUsage();
    assignment(x, y);
    return process.cpuUsage(started).user / 1000;
  });
  expect(Math.min(...times)).toBeLessThan(60);
});
