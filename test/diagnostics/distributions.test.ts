// Tails against tables, and bands against simulation.
import { expect, test } from "vitest";
import { uniformBands } from "../../src/diagnostics/bands.ts";
import { chiSquareTail, kolmogorovTail, logGamma, normalTail } from "../../src/diagnostics/distributions.ts";
import { uniforms } from "../transport/clouds.ts";

test.each([
  [0.5, 0.5723649429247001],
  [1, 0],
  [5, Math.log(24)],
  [10.5, 13.940625219403763],
  [1000, 5905.220423209181],
])("logGamma(%f)", (x, expected) => {
  expect(logGamma(x)).toBeCloseTo(expected, 9);
});

// Of 2 degrees the tail is exp(-x / 2); the others from tables.
test.each([
  [3, 2, Math.exp(-1.5)],
  [40, 2, Math.exp(-20)],
  [3.841458820694124, 1, 0.05],
  [30.14352720564616, 19, 0.05],
  [36.19086912927004, 19, 0.01],
  [1, 10, 0.9998278843700443],
  [0, 3, 1],
])("chi-square: P(X > %f) of %i degrees", (x, degrees, expected) => {
  expect(Math.abs(chiSquareTail(x, degrees) / expected - 1)).toBeLessThan(1e-9);
});

test("the tails of Kolmogorov's and of the normal distribution, from tables", () => {
  expect(kolmogorovTail(1.3581 / (Math.sqrt(1e8) + 0.12), 1e8)).toBeCloseTo(0.05, 3);
  expect(kolmogorovTail(0.40925, 10)).toBeCloseTo(0.05, 2); // exact, of 10 numbers
  expect(kolmogorovTail(0, 10)).toBe(1);
  expect(normalTail(1.959963984540054)).toBeCloseTo(0.025, 9);
  expect(normalTail(-1)).toBeCloseTo(0.8413447460685429, 9);
});

// 4,000 tries: the standard error of a share of 0.95 is 0.0034. Counts are whole, so bands hold a little more than asked.
test.each([
  [40, 0.95],
  [300, 0.95],
  [300, 0.5],
])("bands of %i numbers hold all of the curve with probability %f", (count, level) => {
  const points = Array.from({ length: 20 }, (_, k) => (k + 1) / 21);
  const { lower, upper } = uniformBands(count, points, level);
  const uniform = uniforms(count);
  const tries = 4000;
  let within = 0;
  for (let one = 0; one < tries; one++) {
    const counts = new Float64Array(20);
    for (let i = 0; i < count; i++) {
      const value = uniform();
      for (let k = Math.max(0, Math.ceil(value * 21) - 1); k < 20; k++) counts[k]++;
    }
    if (counts.every((sum, k) => sum / count >= lower[k] - 1e-12 && sum / count <= upper[k] + 1e-12)) within++;
  }
  expect(within / tries).toBeGreaterThan(level - 0.012 * (level < 0.9 ? 2.3 : 1));
  expect(within / tries).toBeLessThan(level + (count < 100 ? 0.03 : 0.025) + 0.03 * (level < 0.9 ? 1 : 0));
});

test("bands are wider than those of each point alone, and refuse what is no grid", () => {
  const { lower, upper } = uniformBands(100, [0.25, 0.5, 0.75], 0.95);
  expect(upper[1] - lower[1]).toBeGreaterThan(2 * 1.96 * 0.05);
  expect(upper[1] - lower[1]).toBeLessThan(2 * 2.6 * 0.05 + 0.02);
  expect(() => uniformBands(100, [0.5, 0.5], 0.95)).toThrow(/points of uniformBands.*ascending/);
  expect(() => uniformBands(100, [], 0.95)).toThrow(/points of uniformBands/);
  expect(() => uniformBands(100, [0.5], 1)).toThrow(/level of uniformBands/);
  expect(() => uniformBands(0, [0.5], 0.9)).toThrow(/count of uniformBands/);
});
