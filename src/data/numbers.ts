/** Numbers and bytes as callers have them, copied at the call: whoever fills their buffer anew changes no result. */
import { DataError } from "../errors.ts";

type NumberArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | readonly number[];

/**
 * Numbers as people have them: a typed array (but of BigInt), a plain array, or a plain array of rows, such as
 * `[[1, 2], [3, 4]]`.
 */
export type Numbers = NumberArray | readonly NumberArray[];

/**
 * A copy in a typed array of its own: f32 of a Float32Array, f64 of all others.
 *
 * @param width - numbers in each row; undefined: as many as the first has, where rows are given.
 * @throws {@link DataError} when something is no number, or a row has another width.
 */
export function copiedNumbers(subject: string, given: unknown, width?: number): Float32Array | Float64Array {
  if (isNumberArray(given)) {
    return kindOf(given) === "Float32Array" ? new Float32Array(given) : Float64Array.from(given);
  }
  if (!Array.isArray(given)) throw noNumbers(subject, given);
  if (!isRow(given[0])) return plainNumbers(subject, given, width ?? 1);
  const columns = width ?? given[0].length;
  const values = new Float64Array(given.length * columns);
  given.forEach((row: unknown, at) => {
    const where = `${subject}, row ${at} (from 0)`;
    if (!isRow(row) || row.length !== columns) {
      throw new DataError({
        subject: where,
        given: isRow(row) ? `${row.length} numbers` : said(row),
        expected: `an array of ${columns} numbers${width === undefined ? ", as many as row 0 has" : ""}`,
        remedy: "Give each row the same number of coordinates.",
      });
    }
    values.set(isNumberArray(row) ? row : plainNumbers(subject, row, columns, at), at * columns);
  });
  return values;
}

/**
 * A copy of points and their shape.
 *
 * @param shape - [count, D]; may be left out where each row is an array.
 * @throws {@link DataError} when they are no numbers, or rows differ in length or from the shape.
 */
export function shapedNumbers(subject: string, given: unknown, shape: readonly number[] | undefined) {
  if (shape !== undefined && !Array.isArray(shape)) {
    throw new DataError({
      subject: `shape of ${subject}`,
      given: shape,
      expected: "[count, dimension]",
      remedy: "The shape comes second, options third; undefined is a shape left out.",
    });
  }
  const rows = Array.isArray(given) && isRow(given[0]);
  const values = copiedNumbers(subject, given, rows ? undefined : shape?.[1]);
  if (!rows && shape) return { values, shape };
  const own = rows ? [given.length, values.length / given.length] : undefined;
  if (own && (!shape || (shape.length === 2 && shape.every((size, axis) => size === own[axis])))) {
    return { values, shape: own };
  }
  throw new DataError({
    subject: `shape of ${subject}`,
    given: shape ?? "none",
    expected: own ? `[${own.join(", ")}], as the array of points has` : "[count, dimension]",
    remedy: own
      ? "Leave the shape out."
      : `Say how many points the ${values.length} numbers are, or give an array of points, [[x, y], ...].`,
  });
}

/**
 * A copy of a file's bytes.
 *
 * @throws {@link DataError} when they are no bytes.
 */
export function copiedBytes(subject: string, given: unknown): Uint8Array<ArrayBuffer> {
  const kind = kindOf(given);
  const bytes = bytesOf(given);
  if (bytes) return new Uint8Array(bytes);
  throw new DataError({
    subject,
    given: said(given),
    expected: "the file's bytes: a Uint8Array or an ArrayBuffer",
    remedy:
      kind === "Blob" || kind === "File" || kind === "Response"
        ? "Give await it.arrayBuffer()."
        : ArrayBuffer.isView(given)
          ? "Give new Uint8Array(it.buffer, it.byteOffset, it.byteLength)."
          : "Read the file first: await readFile(path) in Node, await (await fetch(address)).arrayBuffer() in a page.",
  });
}

/**
 * A file's bytes as they lie, for what is read at once. Says less than {@link copiedBytes}: readers are to be small.
 *
 * @throws {@link DataError} when they are no bytes.
 */
export function viewedBytes(subject: string, given: unknown): Uint8Array {
  const bytes = bytesOf(given);
  if (bytes) return bytes;
  throw new DataError({
    subject,
    given: kindOf(given),
    expected: "the file's bytes: a Uint8Array or an ArrayBuffer",
    remedy: "Read the file first.",
  });
}

function bytesOf(given: unknown): Uint8Array | undefined {
  const kind = kindOf(given);
  if (kind === "Uint8Array") return given as Uint8Array;
  return kind.endsWith("ArrayBuffer") ? new Uint8Array(given as ArrayBuffer) : undefined;
}

/** The class of a built-in object, whichever realm made it: "Float32Array", "Blob", "Object". */
function kindOf(given: unknown): string {
  return Object.prototype.toString.call(given).slice(8, -1);
}

function isNumberArray(given: unknown): given is Exclude<NumberArray, readonly number[]> {
  return ArrayBuffer.isView(given) && /^(Int|Uint|Float)\d+(Clamped)?Array$/.test(kindOf(given));
}

function isRow(given: unknown): given is ArrayLike<unknown> {
  return Array.isArray(given) || ArrayBuffer.isView(given);
}

/** @param row - of the first number. */
function plainNumbers(subject: string, given: ArrayLike<unknown>, width: number, row = 0): Float64Array {
  const values = new Float64Array(given.length);
  for (let i = 0; i < values.length; i++) {
    const value = given[i];
    if (typeof value !== "number") {
      throw new DataError({
        subject: `${subject}, row ${row + Math.floor(i / width)}, column ${i % width} (from 0)`,
        given: said(value),
        expected: "a number",
        remedy: "Turn text into numbers, such as with Number(text), and fill gaps.",
      });
    }
    values[i] = value;
  }
  return values;
}

/** What messages show of a value: of objects that print as {} their class. */
function said(given: unknown): unknown {
  if (typeof given === "bigint") return `${given}n`;
  const isObject = typeof given === "object" && given !== null && !ArrayBuffer.isView(given) && !Array.isArray(given);
  return isObject && kindOf(given) !== "Object" ? kindOf(given) : (given ?? String(given));
}

function noNumbers(subject: string, given: unknown): DataError {
  return new DataError({
    subject,
    given: said(given),
    expected: "numbers: a Float32Array or a Float64Array, a plain array, or one of rows",
    remedy: "Give [[x, y], ...] or row-major numbers; others become numbers by Float64Array.from(values, Number).",
  });
}
