/** Numbers in the forms that people have them in: typed arrays, regular arrays, arrays of rows. */
import { DataError } from "../errors.ts";

/** Row-major numbers, or one array for each row. */
export type NestedNumbers = readonly number[] | readonly (readonly number[] | Float32Array | Float64Array)[];

export interface ShapedNumbers {
  readonly values: Float32Array | Float64Array;
  readonly shape: readonly number[];
}

/**
 * A copy of the numbers, row-major, in f64 unless they are a Float32Array, and their shape.
 *
 * @param shape - may be left out where each row is an array.
 * @throws {@link DataError} when they are no numbers, or rows differ in length or from the shape.
 */
export function numbersOf(given: unknown, shape: readonly number[] | undefined): ShapedNumbers {
  if (shape !== undefined && !Array.isArray(shape)) {
    throw new DataError({
      subject: "shape of data",
      given: shape,
      expected: "[count, dimension]",
      remedy: "The shape comes second, options third; undefined is a shape left out.",
    });
  }
  if (Array.isArray(given) && given.some(isList)) return rowsOf(given, shape);
  if (!isList(given)) throw noNumbers(given);
  if (shape === undefined) {
    throw new DataError({
      subject: "shape of data",
      given: "none",
      expected: "[count, dimension]",
      remedy: `Say how many points the ${given.length} numbers are, or give an array of points, [[x, y], ...].`,
    });
  }
  if (given instanceof Float32Array || given instanceof Float64Array) return { values: given.slice(), shape };
  const width = Array.isArray(shape) && shape.length === 2 ? shape[1] : 1;
  return { values: Float64Array.from(given, (value, i) => numberAt(value, Math.floor(i / width), i % width)), shape };
}

/** Anything that numbers can be counted off: a regular or typed array, but no text and no 64-bit integers. */
function isList(given: unknown): given is ArrayLike<unknown> {
  if (Array.isArray(given)) return true;
  return (
    ArrayBuffer.isView(given) &&
    !(given instanceof DataView || given instanceof BigInt64Array || given instanceof BigUint64Array)
  );
}

function rowsOf(rows: readonly unknown[], shape: readonly number[] | undefined): ShapedNumbers {
  const width = isList(rows[0]) ? rows[0].length : 0;
  const values = new Float64Array(rows.length * width);
  for (let row = 0; row < rows.length; row++) {
    const numbers = rows[row];
    if (!isList(numbers) || numbers.length !== width) {
      throw new DataError({
        subject: `data, row ${row} (from 0)`,
        given: isList(numbers) ? `${numbers.length} values` : (numbers ?? String(numbers)),
        expected: `an array of ${width} numbers, as many as row 0 has`,
        remedy: "Give each row the same number of coordinates.",
      });
    }
    for (let column = 0; column < width; column++) {
      values[row * width + column] = numberAt(numbers[column], row, column);
    }
  }
  const own = [rows.length, width];
  if (shape === undefined || (shape.length === 2 && shape.every((size, axis) => size === own[axis]))) {
    return { values, shape: own };
  }
  throw new DataError({
    subject: "shape of data",
    given: shape,
    expected: `[${own.join(", ")}], as the array of points has`,
    remedy: "Leave the shape out.",
  });
}

function numberAt(value: unknown, row: number, column: number): number {
  if (typeof value === "number") return value;
  throw new DataError({
    subject: `data, row ${row}, column ${column} (from 0)`,
    given: value ?? String(value),
    expected: "a number",
    remedy: "Turn text into numbers, such as with Number(text), and fill gaps.",
  });
}

function noNumbers(given: unknown): DataError {
  return new DataError({
    subject: "data",
    given: given ?? String(given),
    expected: "points: an array of rows, or a Float32Array or Float64Array with a shape",
    remedy: "Give [[x, y], ...], or row-major numbers and [count, dimension].",
  });
}
