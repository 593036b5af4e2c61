import { expect, test } from "vitest";
import { eigen, frechetDistance, totalVariance } from "../../../src/cli/experiment/frechet.ts";

/** Rows with this mean and exactly this covariance: m +- sqrt(n - 1) / sqrt(2) times the columns of a root of it. */
function rowsWith(mean: readonly number[], root: readonly (readonly number[])[]) {
  const width = mean.length;
  const scale = Math.sqrt((2 * width - 1) / 2);
  const values = root[0]?.flatMap((_, column) =>
    [1, -1].flatMap((sign) => mean.map((value, i) => value + sign * scale * (root[i]?.[column] as number))),
  ) as number[];
  return { values, count: 2 * width, width };
}

test("of Gaussians with known means and covariances", () => {
  const first = rowsWith(
    [0, 0],
    [
      [2, 0],
      [0, 1],
    ],
  );
  expect(totalVariance(first)).toBeCloseTo(5, 10);
  expect(frechetDistance(first, first)).toBeCloseTo(0, 6);
  // Covariances diag(4, 1) and diag(9, 1/4): (2 - 3)^2 + (1 - 1/2)^2, and |(3, 4)|^2 between the means.
  const second = rowsWith(
    [3, 4],
    [
      [3, 0],
      [0, 0.5],
    ],
  );
  expect(frechetDistance(first, second)).toBeCloseTo(25 + 1 + 0.25, 8);
  expect(frechetDistance(second, first)).toBeCloseTo(25 + 1 + 0.25, 8);
});

test("of covariances that do not commute", () => {
  // A = diag(4, 1), B = [[2, 1], [1, 2]] of root r = [[a, b], [b, a]]: tr sqrt of 2 x 2 M is sqrt(tr M + 2 sqrt(det M)).
  const [a, b] = [(Math.sqrt(3) + 1) / 2, (Math.sqrt(3) - 1) / 2];
  const first = rowsWith(
    [1, 1],
    [
      [2, 0],
      [0, 1],
    ],
  );
  const second = rowsWith(
    [1, 1],
    [
      [a, b],
      [b, a],
    ],
  );
  const overlap = Math.sqrt(4 * 2 + 1 * 2 + 2 * Math.sqrt(4 * 3));
  expect(frechetDistance(first, second)).toBeCloseTo(5 + 4 - 2 * overlap, 8);
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
