/** Tables of numbers as text that loses nothing. */
import { DataError } from "../errors.ts";
import { isSizes, sizeOf } from "../graph/node.ts";
import { isFloatArray } from "./npy.ts";
import { copiedNumbers, type Numbers } from "./numbers.ts";
import { kindOf } from "./table-field.ts";

/** Rows put into text at once: a string may not hold a whole file. */
const VALUES_AT_ONCE = 1 << 16;

/**
 * A CSV file (UTF-8): a line of names, if there are any, and a line per row. Numbers are the shortest that read back
 * to the same f64, or, of a Float32Array, to the same f32; what is not finite is nan, inf or -inf, as NumPy writes it.
 *
 * @param given - row-major; a Float32Array is of f32, all else of f64.
 * @param shape - [count, dimension], or [count] for one column.
 * @param columns - names, one per column; all stand in quotes where one might be taken for something else.
 * @param options - `delimiter` between fields: a comma unless told otherwise.
 * @throws {@link DataError} when shape, values and names do not match.
 */
export function writeCsv(
  given: Numbers,
  shape: readonly number[],
  columns?: readonly string[],
  { delimiter = "," }: { readonly delimiter?: "," | ";" | "\t" } = {},
): Uint8Array {
  const values = isFloatArray(given) ? given : copiedNumbers("table to write as CSV", given);
  const width = shape?.length === 2 ? shape[1] : 1;
  if (
    !Array.isArray(shape) ||
    !isSizes(shape) ||
    shape.length < 1 ||
    shape.length > 2 ||
    sizeOf(shape) !== values.length ||
    width === 0
  ) {
    throw new DataError({
      subject: "table to write as CSV",
      given: `${values.length} values, shape [${shape}]`,
      expected: "a shape [count, dimension], or [count], of as many values",
      remedy: "Give one row per line; other arrays can be written as .npy.",
    });
  }
  if (columns !== undefined && !(Array.isArray(columns) && columns.every((name) => typeof name === "string"))) {
    throw new DataError({
      subject: "names of columns to write",
      given: columns,
      expected: "an array of strings",
      remedy: "Name each column, or leave the names out.",
    });
  }
  if (columns && columns.length !== width) {
    throw new DataError({
      subject: "names of columns to write",
      given: `${columns.length}`,
      expected: `${width}, one per column`,
      remedy: "Name each column, or none.",
    });
  }
  const print = values instanceof Float32Array ? printF32 : printF64;
  const encoder = new TextEncoder();
  const pieces = columns ? [encoder.encode(`${namesLine(columns, delimiter)}\n`)] : [];
  const rowsAtOnce = Math.max(1, Math.floor(VALUES_AT_ONCE / width)) * width;
  for (let start = 0; start < values.length; start += rowsAtOnce) {
    const end = Math.min(start + rowsAtOnce, values.length);
    let text = "";
    for (let i = start; i < end; i++) text += print(values[i]) + ((i + 1) % width === 0 ? "\n" : delimiter);
    pieces.push(encoder.encode(text));
  }
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/**
 * Names as the header: all in quotes, which tells a header, where one holds what sets fields apart, or reads as a number,
 * a missing value, a comment or a line of Excel.
 */
function namesLine(names: readonly string[], delimiter: string): string {
  const plain = (name: string) => kindOf(name) === "text" && !/^#|^sep=|^[+-]?[.\d]|[",;|\t\r\n]|^\s|\s$/i.test(name);
  const shown = names.every(plain) ? names : names.map((name) => `"${name.replaceAll('"', '""')}"`);
  return shown.join(delimiter);
}

function printF64(value: number): string {
  if (Number.isFinite(value)) return Object.is(value, -0) ? "-0" : String(value);
  return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
}

/** f32 keeps 6 decimal digits whatever they are, but for values so small that they have fewer bits; 9 always do. */
const SMALLEST_NORMAL = 2 ** -126;

function printF32(value: number): string {
  if (!Number.isFinite(value) || value === 0) return printF64(value);
  for (let digits = Math.abs(value) < SMALLEST_NORMAL ? 1 : 6; ; digits++) {
    const shorter = Number(value.toPrecision(digits));
    if (Math.fround(shorter) === value) return String(shorter);
  }
}
