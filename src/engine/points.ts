/** Points on their way between callers and the device: checks, padding to whole chunks, copying of rows. */
import type { NumericArray } from "../backends/backend.ts";
import { checkPoints } from "../data/points.ts";
import { DataError, NumericError } from "../errors.ts";

/**
 * Number of points in row-major [count, dimension].
 *
 * @throws {@link DataError} when there is none, the length is no multiple of the dimension or a value is not finite.
 */
export function countPoints(points: Float32Array | Float64Array, dimension: number): number {
  if (points.length % dimension !== 0) {
    throw new DataError({
      subject: "points",
      given: `${points.length} values`,
      expected: `a multiple of ${dimension}, the model's dimension`,
      remedy: "Give whole points, row-major [count, dimension].",
    });
  }
  return checkPoints(points, [points.length / dimension, dimension], "points").count;
}

/** Rows `from` to `from` + `rows`; past the end the last one again: it costs an adaptive solver no further steps. */
export function paddedRows(values: NumericArray, from: number, rows: number, width: number): NumericArray {
  const there = values.slice(from * width, (from + rows) * width);
  if (there.length === rows * width) return there;
  const result = new Float64Array(rows * width);
  result.set(there);
  const last = values.subarray(values.length - width);
  for (let at = there.length; at < result.length; at += width) result.set(last, at);
  return result;
}

/** Copies rows to row `from` of `target` on, up to its row `end`. */
export function copyRows(rows: NumericArray, target: NumericArray, from: number, end: number, width: number): void {
  target.set(rows.subarray(0, Math.min(rows.length, (end - from) * width)), from * width);
}

/** @throws {@link NumericError} that names the first value which is not finite. */
export function expectFiniteResult(values: NumericArray, subject: string, width: number): void {
  const at = values.findIndex((value) => !Number.isFinite(value));
  if (at < 0) return;
  throw new NumericError({
    subject: `${subject}, row ${Math.floor(at / width)}`,
    given: String(values[at]),
    expected: "finite numbers",
    remedy: "Check the model: it may have diverged. More solver steps help where the field is steep.",
  });
}
