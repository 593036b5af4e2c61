/** Points from files: which reader, and which columns. */
import { ConfigError } from "../errors.ts";
import { chooseColumns, notAnIndex } from "./choose-columns.ts";
import { columnNotes } from "./column-notes.ts";
import { type CsvOptions, readCsv } from "./csv.ts";
import { isNpy, type NpyArray, readNpy } from "./npy.ts";
import { viewedBytes } from "./numbers.ts";
import { checkPoints, checkShape, type Points } from "./points.ts";

/**
 * The points in a file: .npy by its first bytes, otherwise CSV. One row is one point, of an array of more axes one of the
 * first; a 1-D array holds points of dimension 1. For .npz see `readNpz`.
 *
 * @param source - the file's name, for messages.
 * @param options - as of `readCsv`; `columns` and `skipIndex` are for arrays too.
 * @throws {@link DataError} when the file is damaged or empty, or holds a value that is not finite.
 */
export function readPoints(given: Uint8Array | ArrayBuffer, source: string, options: CsvOptions = {}): Points {
  const bytes = viewedBytes(source, given);
  if (isNpy(bytes)) return pointsOfArray(readNpy(bytes, source), source, options);
  return pointsOfTable(readCsv(bytes, source, options), source);
}

/** The points of a table that was read as text. */
export function pointsOfTable(table: ReturnType<typeof readCsv>, source: string): Points {
  const { values, count, dimension, columns, conditions, notes } = table;
  return {
    ...checkPoints(values, [count, dimension], source),
    ...(columns && { columns }),
    ...(conditions && { conditions }),
    ...(notes && { notes }),
  };
}

/** The points of an array, which has no header. */
export function pointsOfArray({ data, shape }: NpyArray, source: string, options: CsvOptions = {}): Points {
  const { header = "auto", delimiter, decimal, labels, conditions, columns, skipIndex } = options;
  const refuse = (given: string, expected: string, remedy: string) => {
    throw new ConfigError({ subject: `options of ${source}`, given, expected, remedy });
  };
  if (header === true || delimiter !== undefined || decimal !== undefined) {
    const given = header === true ? "a header" : "a delimiter or a sign of decimals";
    refuse(given, "no such option beside an array", "Leave it out: it is for tables as text.");
  }
  if (labels || conditions) {
    refuse("labels or conditions", "a table as text", "Put them into a .npz file, each an array of its own.");
  }
  const whole = shape.length === 1 ? [shape[0], 1] : shape;
  const { count, dimension: width, shape: one } = checkShape(data.length, whole, source);
  if (one) {
    if (columns || skipIndex) refuse("columns", `none of points of shape [${one.join(", ")}]`, "Leave them out.");
    return checkPoints(data, whole, source);
  }
  const kept = chooseColumns(source, { width }, options);
  if (options.skipIndex) checkIndex(data, count, width, source);
  const points = checkPoints(columnsOf(data, count, width, kept), [count, kept.length], source);
  const notes = columnNotes(points);
  return { ...points, ...(notes.length > 0 && { notes }) };
}

/** These columns of row-major values [count, width], in this order; the values themselves where that is all of them. */
export function columnsOf<Values extends Float32Array | Float64Array>(
  values: Values,
  count: number,
  width: number,
  kept: readonly number[],
): Values {
  if (kept.length === width && kept.every((column, i) => column === i)) return values;
  const result = values.slice(0, count * kept.length) as Values; // of the same kind
  for (let row = 0; row < count; row++) {
    for (let i = 0; i < kept.length; i++) result[row * kept.length + i] = values[row * width + kept[i]];
  }
  return result;
}

function checkIndex(values: ArrayLike<number>, count: number, width: number, source: string): void {
  for (let row = 0; row < count; row++) {
    const value = values[row * width];
    if (!Number.isInteger(value)) throw notAnIndex(`${source}, row ${row}, column 0 (from 0)`, value);
  }
}
