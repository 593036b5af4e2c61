/** Points: the rows of a file or an array, as data sets and evaluations take them. */
import { DataError } from "../errors.ts";
import { isSizes } from "../graph/node.ts";

/** `values` row-major [count, dimension], every one finite in f32. */
export interface Points {
  readonly values: Float32Array | Float64Array;
  readonly count: number;
  readonly dimension: number;
  /** Names of the columns, where the file has them. */
  readonly columns?: readonly string[] | undefined;
  /** What is not certain or looks wrong, in sentences; see `CsvTable`. Left out where there is nothing to say. */
  readonly notes?: readonly string[];
}

/**
 * Points from values and their shape [count, dimension], checked.
 *
 * @throws {@link DataError} when the shape is not of two axes, has no points, does not fit the values, or when a value
 * is not a finite f32.
 */
export function checkPoints(values: Float32Array | Float64Array, shape: readonly number[], source = "data"): Points {
  const { count, dimension } = checkShape(values.length, shape, source);
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(Math.fround(values[i]))) {
      throw new DataError({
        subject: `${source}, row ${Math.floor(i / dimension)}, column ${i % dimension} (from 0)`,
        given: values[i],
        expected: "a finite number in the range of f32",
        remedy: "Remove the row, or fill the gap.",
      });
    }
  }
  return { values, count, dimension };
}

/** Rows and columns of `length` values of this shape. */
export function checkShape(
  length: number,
  shape: readonly number[],
  source: string,
): { readonly count: number; readonly dimension: number } {
  const [count, dimension] = shape;
  if (shape.length !== 2 || !isSizes(shape)) {
    throw new DataError({
      subject: `shape of ${source}`,
      given: shape,
      expected: "[count, dimension]",
      remedy: "Give one row per point; in NumPy: array.reshape(len(array), -1).",
    });
  }
  if (count === 0 || dimension === 0) {
    throw new DataError({
      subject: source,
      given: `${count} points of dimension ${dimension}`,
      expected: "at least one point of at least one coordinate",
      remedy: "Check how the file was written.",
    });
  }
  if (length !== count * dimension) {
    throw new DataError({
      subject: source,
      given: `${length} values`,
      expected: `${count * dimension} for ${count} points of dimension ${dimension}`,
      remedy: "Give a shape that matches the values.",
    });
  }
  return { count, dimension };
}
