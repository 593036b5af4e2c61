/** Attributes and sizes as plain JSON, the number of rows left open: between the values at some numbers of rows and this. */
import { isRecord } from "../graph/options.ts";
import type { AttributeForm } from "../ops/table.ts";

/** An integer of a graph of so many rows: perRow rows + plus. */
export interface OfRows {
  readonly perRow: number;
  readonly plus: number;
}

/** An integer, which may depend on the number of rows. */
export type Size = number | OfRows;

/** A number by which JSON loses nothing; 1 / over, such as what makes a sum over rows their mean. */
export type PlainNumber = number | "-0" | "NaN" | "Infinity" | "-Infinity" | { readonly over: Size };

/** A table's numbers: as they are; their bytes, little-endian, in base64; or as many of one as there are rows. */
export type PlainNumbers =
  | readonly PlainNumber[]
  | { readonly f32: string }
  | { readonly f64: string }
  | { readonly fill: PlainNumber; readonly count: Size };

/** Longer lists of numbers are written as bytes. */
const LONGEST_LIST = 16;

/** `count` at so many rows: undefined when `given` is none, or not whole there. */
export function sizeAt(given: unknown, rows: number): number | undefined {
  const { perRow, plus } = isRecord(given) ? given : { perRow: 0, plus: given };
  const known = isRecord(given) ? Object.keys(given).length === 2 : true;
  const value = (perRow as number) * rows + (plus as number);
  return known && Number.isSafeInteger(perRow) && Number.isSafeInteger(plus) && Number.isSafeInteger(value)
    ? value
    : undefined;
}

/** The integer that has these values at these numbers of rows; undefined when no linear one has. */
export function sizeOver(values: readonly unknown[], rows: readonly number[]): Size | undefined {
  const [first, second] = values as [number, number];
  if (!values.every(Number.isSafeInteger)) return undefined;
  if (values.every((value) => value === first)) return first;
  const perRow = (second - first) / ((rows[1] as number) - (rows[0] as number));
  const found = { perRow, plus: first - perRow * (rows[0] as number) };
  return values.every((value, i) => sizeAt(found, rows[i] as number) === value) ? found : undefined;
}

/** The number, exact. */
export function numberAt(given: unknown, rows: number): number | undefined {
  if (typeof given === "number") return Object.is(given, -0) || !Number.isFinite(given) ? undefined : given;
  if (typeof given === "string") return specials.get(given);
  if (!isRecord(given) || Object.keys(given).join() !== "over") return undefined;
  const over = sizeAt(given["over"], rows);
  return over === undefined || over === 0 ? undefined : 1 / over;
}

const specials = new Map([-0, Number.NaN, Infinity, -Infinity].map((value) => [nameOf(value), value]));

function nameOf(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

function numberOver(values: readonly unknown[], rows: readonly number[]): PlainNumber | undefined {
  const [first] = values as [number];
  if (!values.every((value) => typeof value === "number")) return undefined;
  if (values.every((value) => Object.is(value, first))) {
    return specials.has(nameOf(first)) ? (nameOf(first) as PlainNumber) : first;
  }
  const over = sizeOver(
    values.map((value) => Math.round(1 / value)),
    rows,
  );
  const found = over !== undefined && { over };
  return found && values.every((value, i) => numberAt(found, rows[i] as number) === value) ? found : undefined;
}

/** A table's numbers; undefined when `given` is none. */
export function numbersAt(given: unknown, rows: number): readonly number[] | undefined {
  if (Array.isArray(given)) {
    const numbers = given.map((value) => (isRecord(value) ? undefined : numberAt(value, rows)));
    return numbers.includes(undefined) ? undefined : (numbers as number[]);
  }
  const [form, ...more] = isRecord(given) ? Object.keys(given).sort() : [];
  const { f32, f64, fill, count } = Object(given) as Readonly<Record<string, unknown>>;
  if (form === "f32" && more.length === 0) return numbersOf(f32, Float32Array);
  if (form === "f64" && more.length === 0) return numbersOf(f64, Float64Array);
  if (form !== "count" || more.join() !== "fill") return undefined;
  const [value, length] = [numberAt(fill, rows), sizeAt(count, rows)];
  const holds = value !== undefined && length !== undefined && length > 0 && length <= MOST_FILLED;
  return holds ? new Array<number>(length).fill(value) : undefined;
}

/** Numbers of a table that is filled with one: as many as rows at most, and some for each. */
const MOST_FILLED = 1 << 26;

function numbersOver(values: readonly unknown[], rows: readonly number[]): PlainNumbers | undefined {
  if (!values.every(Array.isArray)) return undefined;
  const [first, ...others] = values as [number[], ...number[][]];
  if (others.every((other) => other.length === first.length && other.every((value, i) => Object.is(value, first[i])))) {
    if (first.length <= LONGEST_LIST) return first.map((value) => numberOver([value], rows) as PlainNumber);
    const single = first.every((value) => Object.is(Math.fround(value), value));
    return single ? { f32: textOf(new Float32Array(first)) } : { f64: textOf(new Float64Array(first)) };
  }
  const count = sizeOver(
    values.map(({ length }) => length),
    rows,
  );
  const fill = numberOver([first[0]], rows);
  const filled = [first, ...others].every((list) => list.every((value) => Object.is(value, first[0])));
  return filled && count !== undefined && fill !== undefined ? { fill, count } : undefined;
}

/** The bytes of numbers in base64. */
function textOf({ buffer }: Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>): string {
  const bytes = new Uint8Array(buffer);
  let text = "";
  for (let from = 0; from < bytes.length; from += 4096) {
    text += String.fromCharCode(...bytes.subarray(from, from + 4096));
  }
  return btoa(text);
}

function numbersOf(
  text: unknown,
  form: Float32ArrayConstructor | Float64ArrayConstructor,
): readonly number[] | undefined {
  if (typeof text !== "string") return undefined;
  let bytes: string;
  try {
    bytes = atob(text);
  } catch {
    return undefined;
  }
  if (bytes.length === 0 || bytes.length % form.BYTES_PER_ELEMENT !== 0) return undefined;
  return Array.from(new form(Uint8Array.from(bytes, (byte) => byte.charCodeAt(0)).buffer));
}

/** An attribute of this form at so many rows; undefined when `given` is none of it. */
export function attributeAt(form: AttributeForm, given: unknown, rows: number): unknown {
  switch (form) {
    case "integer":
      return sizeAt(given, rows);
    case "integers":
    case "sizes": {
      const sizes = Array.isArray(given) ? given.map((size) => sizeAt(size, rows)) : [undefined];
      const least = form === "sizes" ? 1 : Number.MIN_SAFE_INTEGER;
      return sizes.every((size) => size !== undefined && size >= least) ? sizes : undefined;
    }
    case "number":
      return numberAt(given, rows);
    case "numbers":
      return numbersAt(given, rows);
    case "boolean":
      return typeof given === "boolean" ? given : undefined;
    case "text":
      return typeof given === "string" ? given : undefined;
    default:
      return form.find((word) => word === given);
  }
}

/** The plain form of an attribute that has these values at these numbers of rows; undefined when there is none. */
export function attributeOver(form: AttributeForm, values: readonly unknown[], rows: readonly number[]): unknown {
  const [first] = values;
  switch (form) {
    case "integer":
      return sizeOver(values, rows);
    case "integers":
    case "sizes":
      return sizesOver(values, rows);
    case "number":
      return numberOver(values, rows);
    case "numbers":
      return numbersOver(values, rows);
    default:
      return values.every((value) => value === first) ? attributeAt(form, first, 1) : undefined;
  }
}

/** The sizes that have these values at these numbers of rows; undefined when there are none. */
export function sizesOver(values: readonly unknown[], rows: readonly number[]): readonly Size[] | undefined {
  if (!values.every(Array.isArray)) return undefined;
  const [first, ...others] = values as [number[], ...number[][]];
  if (others.some(({ length }) => length !== first.length)) return undefined;
  const sizes = first.map((_, axis) =>
    sizeOver(
      [first, ...others].map((list) => list[axis]),
      rows,
    ),
  );
  return sizes.includes(undefined) ? undefined : (sizes as Size[]);
}
