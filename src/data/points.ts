/** Points: the rows of a file or an array, as data sets and evaluations take them. */
import { DataError } from "../errors.ts";
import { isSizes, type Shape, sizeOf } from "../graph/node.ts";
import type { ConditionValues } from "./numbers.ts";

/** `values` row-major [count, dimension], every one finite in f32. */
export interface Points {
  readonly values: Float32Array | Float64Array;
  readonly count: number;
  readonly dimension: number;
  /** What a point is, such as [28, 28, 1], `dimension` numbers in all; left out: [dimension]. */
  readonly shape?: Shape | undefined;
  /** Names of the columns, where the file has them. */
  readonly columns?: readonly string[] | undefined;
  /** What is told of each point beside it, by name, as `arrayData` takes it. */
  readonly conditions?: Readonly<Record<string, ConditionValues>> | undefined;
  /** What is not certain or looks wrong, in sentences; see `CsvTable`. Left out where there is nothing to say. */
  readonly notes?: readonly string[];
}

/**
 * Points from values and their shape [count, ...shape of one], checked.
 *
 * @throws {@link DataError} when the shape is not of two axes or more, has no points, does not fit the values, or when a
 * value is not a finite f32.
 */
export function checkPoints(values: Float32Array | Float64Array, shape: Shape, source = "data"): Points {
  const points = checkShape(values.length, shape, source);
  expectFinite(values, points, source);
  return { values, ...points };
}

/** @throws {@link DataError} that names the row, and the place in it. */
export function expectFinite(
  values: Float32Array | Float64Array,
  { dimension, shape }: Pick<Points, "dimension" | "shape">,
  source: string,
): void {
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(Math.fround(values[i]))) continue;
    const at = i % dimension;
    throw new DataError({
      subject: `${source}, row ${Math.floor(i / dimension)}, ${shape ? `at [${placeOf(at, shape)}]` : `column ${at}`} (from 0)`,
      given: values[i],
      expected: "a finite number in the range of f32",
      remedy: "Remove the row, or fill the gap.",
    });
  }
}

/** Where number `at` of an array lies, along each axis. */
function placeOf(at: number, shape: Shape): string {
  const place: number[] = [];
  let left = at;
  for (const size of [...shape].reverse()) {
    place.unshift(left % size);
    left = Math.floor(left / size);
  }
  return place.join(", ");
}

/** What `length` values of this shape are. */
export function checkShape(
  length: number,
  given: Shape,
  source: string,
): Pick<Points, "count" | "dimension" | "shape"> {
  const [count = 0, ...shape] = given;
  const dimension = sizeOf(shape);
  if (shape.length === 0 || !isSizes(given)) {
    throw new DataError({
      subject: `shape of ${source}`,
      given,
      expected: "[count, dimension] or [count, ...shape of one]",
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
      expected: `${count * dimension} for ${count} points of ${shape.length > 1 ? `shape [${shape.join(", ")}]` : `dimension ${dimension}`}`,
      remedy: "Give a shape that matches the values.",
    });
  }
  return { count, dimension, ...(shape.length > 1 ? { shape } : {}) };
}
