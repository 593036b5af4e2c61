/** Points on their way between callers and the device: copies, checks, padding to whole chunks, copying of rows. */
import type { NumericArray } from "../backends/backend.ts";
import { copiedNumbers } from "../data/numbers.ts";
import { checkPoints } from "../data/points.ts";
import { DataError, NumericError, OutOfMemoryError } from "../errors.ts";

/**
 * A caller's points [count, dimension], copied.
 *
 * @throws {@link DataError} when there is none, the length is no multiple of the dimension or a value is not finite.
 */
export function pointsOf(subject: string, given: unknown, dimension: number) {
  const values = copiedNumbers(subject, given, dimension);
  if (values.length % dimension !== 0) {
    throw new DataError({
      subject,
      given: `${values.length} values`,
      expected: `a multiple of ${dimension}, the model's dimension`,
      remedy: "Give whole points, row-major [count, dimension].",
    });
  }
  return checkPoints(values, [values.length / dimension, dimension], subject);
}

/**
 * A caller's times, one for each of `count` points, copied.
 *
 * @throws {@link DataError} when there are more or fewer, or one is outside [0, 1].
 */
export function timesOf(subject: string, given: unknown, count: number): Float32Array | Float64Array {
  const times = copiedNumbers(subject, given, 1);
  const wrong = times.find((time) => !(time >= 0 && time <= 1));
  if (times.length === count && wrong === undefined) return times;
  throw new DataError({
    subject,
    given: times.length === count ? wrong : `${times.length} times`,
    expected: `${count} times in [0, 1], one for each point`,
    remedy: "Give each point its time.",
  });
}

/** An array for results: f64 in data units that a standardisation tells from model units, else f32. */
export function resultArray(length: number, double: boolean): Float32Array | Float64Array {
  try {
    return double ? new Float64Array(length) : new Float32Array(length);
  } catch (cause) {
    throw new OutOfMemoryError(
      {
        subject: "memory for results",
        given: `${length} numbers`,
        expected: "an array that this platform has room for",
        remedy: "Ask for fewer at once.",
      },
      { cause },
    );
  }
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
