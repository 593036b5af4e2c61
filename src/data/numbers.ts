/** Numbers and bytes as callers have them, copied at the call: whoever fills their buffer anew changes no result. */
import { DataError } from "../errors.ts";
import { isSizes, sameShape, sizeOf } from "../graph/node.ts";

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
 * `[[1, 2], [3, 4]]`, whose elements may be arrays in turn.
 */
export type Numbers = NumberArray | NestedNumbers;
/** Arrays of numbers in arrays, all of one depth. */
export interface NestedNumbers extends ReadonlyArray<NumberArray | NestedNumbers> {}

/**
 * A condition's values, a row for each point. Typed arrays of integers and strings are labels, all else are numbers, unless
 * `classes` or `names` say that they are labels, or a `shape` [count, ...shape of one] that they are numbers. Of numbers, one
 * for each point, a network that is told a label takes integers for labels.
 */
export type ConditionValues =
  | Numbers
  | readonly string[]
  | {
      readonly values: Numbers | readonly string[];
      /** [count, ...shape of one], of row-major numbers that are more than one for each point. */
      readonly shape?: readonly number[];
      /** Of labels, integers from 0 to `classes` - 1; default: as many as names, else one more than the largest label. */
      readonly classes?: number;
      /** What the labels are called, in order; of strings by default those that there are, sorted. */
      readonly names?: readonly string[];
    };

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
  const sizes = sizesOf(given[0]);
  const columns = width ?? sizeOf(sizes);
  const values = new Float64Array(given.length * columns);
  given.forEach((row: unknown, at) => {
    const where = `${subject}, row ${at} (from 0)`;
    const flat = flatRow(row, sizes);
    if (flat?.length !== columns) {
      const whole = sizes.length > 1 ? `arrays of sizes [${sizes.join(", ")}]` : `an array of ${columns} numbers`;
      throw new DataError({
        subject: where,
        given: flat ? `${flat.length} numbers` : isRow(row) ? "arrays of other sizes" : said(row),
        expected: width === undefined ? `${whole}, as row 0 has` : `${columns} numbers`,
        remedy: "Give each row the same number of coordinates.",
      });
    }
    values.set(isNumberArray(flat) ? flat : plainNumbers(subject, flat, columns, at), at * columns);
  });
  return values;
}

/** Sizes of arrays in arrays, from the outermost in, by the first of each. */
function sizesOf(given: unknown): number[] {
  return isRow(given) ? [given.length, ...sizesOf(given[0])] : [];
}

/** What a row of these sizes holds, one after the other; undefined of a row of other sizes. */
function flatRow(row: unknown, [size, ...inner]: readonly number[]): ArrayLike<unknown> | undefined {
  if (!isRow(row) || (inner.length > 0 && row.length !== size)) return undefined;
  if (inner.length === 0) return row;
  const parts = Array.from(row, (one) => flatRow(one, inner));
  return parts.every((part) => part?.length === sizeOf(inner))
    ? parts.flatMap((part) => Array.from(part as ArrayLike<unknown>))
    : undefined;
}

/**
 * A copy of points and their shape.
 *
 * @param shape - [count, ...shape of one]; may be left out where the points are arrays, which may be flat beside a shape.
 * @throws {@link DataError} when they are no numbers, or rows differ in size from each other or from the shape.
 */
export function shapedNumbers(subject: string, given: unknown, shape: readonly number[] | undefined) {
  if (shape !== undefined && !Array.isArray(shape)) {
    throw new DataError({
      subject: `shape of ${subject}`,
      given: shape,
      expected: "[count, dimension] or [count, ...shape of one]",
      remedy: "The shape comes second, options third; undefined is a shape left out.",
    });
  }
  const rows = Array.isArray(given) && isRow(given[0]);
  const values = copiedNumbers(subject, given, rows || !shape ? undefined : sizeOf(shape.slice(1)));
  if (!rows && shape) return { values, shape };
  const own = rows ? [given.length, ...sizesOf(given[0])] : undefined;
  if (own && !shape) return { values, shape: own };
  const [count = 0, ...sample] = own ?? [];
  const isFlat = sample.length === 1 && shape?.[0] === count && sizeOf(shape.slice(1)) === sample[0];
  if (own && shape && (sameShape(own, shape) || (isFlat && isSizes(shape)))) return { values, shape };
  throw new DataError({
    subject: `shape of ${subject}`,
    given: shape ?? "none",
    expected: own
      ? `[${own.join(", ")}], as the array of points has`
      : "[count, dimension] or [count, ...shape of one]",
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
