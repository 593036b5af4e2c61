import { expect, test } from "vitest";
import { eigen, totalVariance } from "../../../src/cli/experiment/frechet.ts";

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
