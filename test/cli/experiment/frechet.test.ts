/** The Fréchet distance that experiments on pictures and on films take of features, against closed forms. */
import { describe, expect, test } from "vitest";
import {
  eigen,
  type Features,
  frechetDistance,
  frechetWithError,
  totalVariance,
} from "../../../src/cli/experiment/frechet.ts";
import { randomNumbers } from "../../../src/cli/experiment/random-numbers.ts";

/** Rows with exactly this mean and, with one row less in the divisor, the covariance L L^T. */
function rowsWith(mean: readonly number[], root: readonly (readonly number[])[]): Features {
  const width = mean.length;
  const count = 2 * width;
  const scale = Math.sqrt((count - 1) / 2);
  const rows = [1, -1].flatMap((sign) =>
    Array.from({ length: width }, (_, k) => mean.map((at, i) => at + sign * scale * (root[i]?.[k] as number))),
  );
  return { values: rows.flat(), count, width };
}

describe("Fréchet distance", () => {
  test("of Gaussians along the axes", () => {
    const a = rowsWith(
      [1, 2, 3],
      [
        [2, 0, 0],
        [0, 1, 0],
        [0, 0, 0],
      ],
    );
    const b = rowsWith(
      [1, 0, 7],
      [
        [1, 0, 0],
        [0, 3, 0],
        [0, 0, 2],
      ],
    );
    expect(frechetDistance(a, b)).toBeCloseTo(4 + 16 + 1 + 4 + 4, 10);
    expect(frechetDistance(b, a)).toBeCloseTo(29, 10);
    expect(frechetDistance(a, a)).toBeCloseTo(0, 10);
  });

  test("of covariances that do not commute", () => {
    const [l, m] = [
      [
        [2, 0],
        [1, 1],
      ],
      [
        [1, 0],
        [-3, 0.5],
      ],
    ];
    const squared = ([p, q, r, s]: readonly [number, number, number, number]) => [
      p * p + q * q,
      p * r + q * s,
      r * r + s * s,
    ];
    const [a, b] = [squared([2, 0, 1, 1]), squared([1, 0, -3, 0.5])];
    // Of 2 x 2: tr (AB)^1/2 = sqrt(tr AB + 2 sqrt det AB).
    const traceOfProduct =
      (a[0] as number) * (b[0] as number) +
      2 * (a[1] as number) * (b[1] as number) +
      (a[2] as number) * (b[2] as number);
    const determinants = [a, b].map(([x, y, z]) => (x as number) * (z as number) - (y as number) ** 2);
    const root = Math.sqrt((determinants[0] as number) * (determinants[1] as number));
    const expected =
      (a[0] as number) +
      (a[2] as number) +
      (b[0] as number) +
      (b[2] as number) -
      2 * Math.sqrt(traceOfProduct + 2 * root);
    expect(frechetDistance(rowsWith([0, 0], l), rowsWith([0, 0], m))).toBeCloseTo(expected, 9);
  });

  test("of many dimensions that were turned is that of those that were not", () => {
    const width = 16;
    const values = randomNumbers("normal", 200 * width, 1);
    const others = Float64Array.from(randomNumbers("normal", 200 * width, 2), (x, i) => 1 + x * (1 + (i % width) / 8));
    const turned = (all: ArrayLike<number>) => {
      const result = Float64Array.from(all);
      for (let i = 0; i + 1 < width; i++) {
        const [c, s] = [Math.cos(i + 1), Math.sin(i + 1)];
        for (let at = i; at < result.length; at += width) {
          const [x, y] = [result[at] as number, result[at + 1] as number];
          [result[at], result[at + 1]] = [c * x - s * y, s * x + c * y];
        }
      }
      return result;
    };
    const features = (all: ArrayLike<number>) => ({ values: all, count: 200, width });
    const straight = frechetDistance(features(values), features(others));
    expect(frechetDistance(features(turned(values)), features(turned(others)))).toBeCloseTo(straight, 8);
    expect(straight).toBeGreaterThan(width);
  });

  test("has an error like its spread over samples", () => {
    const draw = (seed: number) => ({ values: randomNumbers("normal", 4 * 300, seed), count: 300, width: 4 });
    const found = Array.from({ length: 30 }, (_, i) => frechetDistance(draw(10 + i), draw(100 + i)));
    const mean = found.reduce((sum, one) => sum + one, 0) / 30;
    const spread = Math.sqrt(found.reduce((sum, one) => sum + (one - mean) ** 2, 0) / 29);
    const { value, error } = frechetWithError(draw(1), draw(2), 3);
    expect(value).toBe(frechetDistance(draw(1), draw(2)));
    expect(error / spread).toBeGreaterThan(0.4);
    expect(error / spread).toBeLessThan(3);
    expect(frechetWithError(draw(1), draw(2), 3).error).toBe(error);
  });
});

test("the variance of all features is the sum of each one's", () => {
  // 1, 3, 5 has a variance of 4; 7, 7, 10 of 3.
  expect(totalVariance({ values: [1, 7, 3, 7, 5, 10], count: 3, width: 2 })).toBeCloseTo(7, 12);
});

test("eigenvalues and vectors of a symmetric matrix", () => {
  const matrix = Float64Array.of(4, 1, -2, 1, 3, 0.5, -2, 0.5, 5);
  const { values, vectors } = eigen(matrix, 3);
  for (let k = 0; k < 3; k++) {
    for (let i = 0; i < 3; i++) {
      const own = [0, 1, 2].reduce((sum, j) => sum + (matrix[3 * i + j] as number) * (vectors[3 * j + k] as number), 0);
      expect(own).toBeCloseTo((values[k] as number) * (vectors[3 * i + k] as number), 10);
    }
  }
  expect(values.reduce((sum, value) => sum + value, 0)).toBeCloseTo(12, 10);
});
