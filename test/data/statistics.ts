import { expect } from "vitest";

/** Expects a sample's mean to be `expected`, within 4 of its own standard errors: fixed seeds, so it passes or it does not. */
export function expectMean(sample: ArrayLike<number>, expected: number): void {
  const count = sample.length;
  let sum = 0;
  for (let i = 0; i < count; i++) sum += sample[i];
  const mean = sum / count;
  let squares = 0;
  for (let i = 0; i < count; i++) squares += (sample[i] - mean) ** 2;
  const standardError = Math.sqrt(squares) / count;
  // A sample that never changes has error 0; f32 rounding of its values stays.
  expect(Math.abs(mean - expected), `mean ${mean} of ${count}, expected ${expected}`).toBeLessThanOrEqual(
    4 * standardError + 1e-6 * Math.abs(expected),
  );
}

/** `statistic` of each row of values [count, dimension]. */
export function byRow(
  values: Float32Array | Float64Array,
  dimension: number,
  statistic: (row: Float32Array | Float64Array) => number,
): Float64Array {
  return Float64Array.from({ length: values.length / dimension }, (_, row) =>
    statistic(values.subarray(row * dimension, (row + 1) * dimension)),
  );
}
