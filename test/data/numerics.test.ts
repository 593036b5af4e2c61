import { expect, test } from "vitest";
import { scaledBesselI } from "../../src/data/bessel.ts";
import { gaussianMixture } from "../../src/data/gaussian-mixture.ts";
import { logSumExp } from "../../src/data/log-sum-exp.ts";
import { meanUnderNormal } from "../../src/data/mean-under-normal.ts";
import { fitStandardization, logJacobian, standardize } from "../../src/data/standardize.ts";

/** exp(-x) I_n(x) = mean over angles of exp(x (cos a - 1)) cos(n a): the sum over equal steps converges exponentially. */
function besselByAngles(order: number, x: number): number {
  const count = 4000;
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const angle = (2 * Math.PI * i) / count;
    sum += Math.exp(x * (Math.cos(angle) - 1)) * Math.cos(order * angle);
  }
  return sum / count;
}

test.each([1e-3, 0.5, 1, 7, 24.9, 25, 25.1, 60, 1000])("Bessel functions at %s", (x) => {
  for (const order of [0, 1] as const) {
    const expected = besselByAngles(order, x);
    expect(Math.abs(scaledBesselI(order, x) / expected - 1)).toBeLessThan(1e-12);
  }
});

test("Bessel functions at 0", () => {
  expect(scaledBesselI(0, 0)).toBe(1);
  expect(scaledBesselI(1, 0)).toBe(0);
});

test("moments of a normal by quadrature", () => {
  expect(meanUnderNormal(1, () => 1)).toBeCloseTo(1, 13);
  expect(meanUnderNormal(1, ([z]) => z ** 4)).toBeCloseTo(3, 10);
  expect(meanUnderNormal(2, ([a, b]) => a * a * b ** 4)).toBeCloseTo(3, 10);
});

test("logSumExp neither overflows nor loses what is small", () => {
  expect(logSumExp([1000, 1000])).toBeCloseTo(1000 + Math.LN2, 12);
  expect(logSumExp([-2000, Number.NEGATIVE_INFINITY])).toBe(-2000);
  expect(logSumExp([Number.NEGATIVE_INFINITY])).toBe(Number.NEGATIVE_INFINITY);
});

test("one Gaussian has the textbook's entropy and log-density", () => {
  const one = gaussianMixture({ means: [[1, -1]], variances: [[0.25, 4]] });
  expect(one.entropy).toBeCloseTo(1 + Math.log(2 * Math.PI), 9);
  expect(one.logDensity?.([1.5, 1])).toBeCloseTo(-Math.log(2 * Math.PI) - 1, 12);
});

test("entropies that the quadrature cannot resolve are left out", () => {
  expect(gaussianMixture({ means: [[0], [0]], variances: [1, 1e-4] }).entropy).toBeUndefined();
  expect(gaussianMixture({ means: [[0, 0, 0]], variances: [1] }).entropy).toBeUndefined();
});

test.each([1e-40, 1e-100, 1e-170, 1e-200, 1e-300])(
  "columns of size %s are standardised as columns of size 1",
  (size) => {
    const rows = [-1, 0.5, 3, 4, -2.5];
    const scaled = Float64Array.from(rows, (value) => value * size);
    const fitted = fitStandardization({ values: scaled, count: rows.length, dimension: 1 });
    const z = standardize(scaled, fitted);
    const expected = standardize(rows, fitStandardization({ values: Float64Array.from(rows), count: 5, dimension: 1 }));
    for (const [i, value] of z.entries()) expect(value).toBeCloseTo(expected[i], 12);
    expect(logJacobian(fitted)).toBeCloseTo(-Math.log(fitted.std[0]), 9);
    expect(fitted.std[0] / size).toBeCloseTo(2.420743687382041, 12);
  },
);
