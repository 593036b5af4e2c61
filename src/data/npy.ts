/**
 * NumPy's .npy files: magic "\x93NUMPY", version, length of the header, a Python dict literal
 * `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }`, then the elements.
 *
 * @see https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html (versions 1.0, 2.0 and 3.0)
 */
import { DataError } from "../errors.ts";
import { isSizes, sizeOf } from "../graph/node.ts";
import { roomFor } from "./growing-values.ts";
import { copiedNumbers, type Numbers, viewedBytes } from "./numbers.ts";
import { parsePythonLiteral } from "./python-literal.ts";

/** What a .npy file holds. `data` is row-major; f2 and f4 become f32, every other dtype f64 (exact up to 2^53). */
export interface NpyArray {
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array;
}

/** Headers of plain arrays take about 100 bytes; NumPy itself refuses more than 10,000 unless told otherwise. */
const LARGEST_HEADER = 65_536;

/** NumPy has no arrays of more. */
const MOST_AXES = 64;

type Reader = (view: DataView, offset: number, littleEndian: boolean) => number;

const readers: Readonly<Record<string, readonly [bytes: number, Reader]>> = {
  f2: [2, (view, offset, little) => halfToNumber(view.getUint16(offset, little))],
  f4: [4, (view, offset, little) => view.getFloat32(offset, little)],
  f8: [8, (view, offset, little) => view.getFloat64(offset, little)],
  i1: [1, (view, offset) => view.getInt8(offset)],
  i2: [2, (view, offset, little) => view.getInt16(offset, little)],
  i4: [4, (view, offset, little) => view.getInt32(offset, little)],
  i8: [8, (view, offset, little) => Number(view.getBigInt64(offset, little))],
  u1: [1, (view, offset) => view.getUint8(offset)],
  u2: [2, (view, offset, little) => view.getUint16(offset, little)],
  u4: [4, (view, offset, little) => view.getUint32(offset, little)],
  u8: [8, (view, offset, little) => Number(view.getBigUint64(offset, little))],
  b1: [1, (view, offset) => view.getUint8(offset)],
};

/** NumPy's other spellings of the same types: C's letters (of 64-bit Unix), and names. */
const spellings: Readonly<Record<string, string>> = {
  ...{ e: "f2", f: "f4", d: "f8", b: "i1", h: "i2", i: "i4", l: "i8", q: "i8", p: "i8", "?": "b1", bool: "b1" },
  ...{ B: "u1", H: "u2", I: "u4", L: "u8", Q: "u8", P: "u8", bool_: "b1", half: "f2", single: "f4", double: "f8" },
  ...{ float16: "f2", float32: "f4", float64: "f8", float: "f8", int8: "i1", int16: "i2", int32: "i4", int64: "i8" },
  ...{ int: "i8", uint8: "u1", uint16: "u2", uint32: "u4", uint64: "u8" },
};

/** A number of IEEE 754 binary16: sign, 5 bits of exponent, 10 of mantissa. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const mantissa = bits & 0x3ff;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  if (exponent === 0x1f) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
}

/**
 * The array in a .npy file of version 1, 2 or 3: floats of 2 to 8 bytes, integers of 1 to 8 bytes, booleans; either
 * byte order, C or Fortran order (the result is always row-major).
 *
 * @param source - the file's name, for messages.
 * @throws {@link DataError} when the bytes are no such file, are cut short, or are more than the shape says.
 */
export function readNpy(given: Uint8Array | ArrayBuffer, source = "npy file"): NpyArray {
  const bytes = viewedBytes(source, given);
  const reader = new NpyReader(source, bytes.byteLength);
  reader.push(bytes);
  return reader.end();
}

/** {@link readNpy} for bytes that come in pieces, `size` of them in all: `push` each, then `end` gives the array. */
export class NpyReader {
  private readonly source: string;
  private readonly size: number;
  /** The bytes so far while there is no header; then what is left of an element that a piece cut in two. */
  private rest: Uint8Array = new Uint8Array(0);
  private header: Header | undefined;
  private data: Float32Array | Float64Array = new Float32Array(0);
  private filled = 0;

  constructor(source: string, size: number) {
    this.source = source;
    this.size = size;
  }

  /** @throws {@link DataError} and {@link LimitError}, before any element is read. */
  push(given: Uint8Array): void {
    const bytes = viewedBytes(this.source, given);
    let piece = bytes;
    if (this.rest.length > 0) {
      piece = new Uint8Array(this.rest.length + bytes.length);
      piece.set(this.rest);
      piece.set(bytes, this.rest.length);
    }
    if (!this.header) {
      this.rest = piece;
      if (piece.length < Math.min(this.size, NPY_START)) return;
      piece = piece.subarray(this.begin(piece));
    }
    this.rest = piece.subarray(this.read(piece, this.header as Header)).slice();
  }

  end(): NpyArray {
    if (!this.header) this.begin(this.rest);
    const { shape, fortranOrder } = this.header as Header;
    const { data, filled } = this;
    if (filled !== data.length) throw cutShort(this.source, `${filled} elements`, `${data.length}`);
    return { shape, data: fortranOrder ? rowMajor(data, shape) : data };
  }

  /** Reads the header; gives where the data starts. */
  private begin(bytes: Uint8Array): number {
    const { source, size } = this;
    const { header, from } = readNpyHeader(bytes, size, source);
    const count = sizeOf(header.shape);
    this.data = roomFor<Float32Array | Float64Array>(source, arrayFor(header.kind), count);
    this.header = header;
    return from;
  }

  /** Reads the elements that are whole; gives how many bytes they took. */
  private read(bytes: Uint8Array, { kind, littleEndian }: Header): number {
    const { data, filled } = this;
    const count = Math.min(Math.floor(bytes.length / bytesOf(kind)), data.length - filled);
    decode(bytes, { kind, littleEndian }, data.subarray(filled, filled + count));
    this.filled = filled + count;
    return count * bytesOf(kind);
  }
}

/** Bytes of an element. */
export const bytesOf = (kind: string): number => readers[kind][0];

/** Reads as many elements as `data` has room for. */
export function decode(
  bytes: Uint8Array,
  { kind, littleEndian }: Pick<Header, "kind" | "littleEndian">,
  data: Float32Array | Float64Array,
): void {
  const [bytesEach, read] = readers[kind];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < data.length; i++) data[i] = read(view, i * bytesEach, littleEndian);
}

/** An array for elements of this kind: f2 fits in f32 as f4 does; integers may need more. */
export const arrayFor = (kind: string) => (["f2", "f4"].includes(kind) ? Float32Array : Float64Array);

/** The bytes of a .npy file, from its start, that are enough to know its header. */
export const NPY_START = LARGEST_HEADER + 12;

/**
 * The header of a .npy file of `size` bytes, which fits its size, and where the data starts.
 *
 * @param bytes - the first of the file, at least {@link NPY_START} or all.
 */
export function readNpyHeader(bytes: Uint8Array, size: number, source: string): { header: Header; from: number } {
  const { text, from } = findHeader(bytes, size, source);
  const header = parseHeader(text, source);
  const { kind, shape } = header;
  const expected = sizeOf(shape) * readers[kind][0];
  if (!Number.isSafeInteger(expected) || expected !== size - from) {
    throw cutShort(source, `${size - from} bytes`, `${expected} bytes for shape (${shape.join(", ")}) of ${kind}`);
  }
  return { header, from };
}

function cutShort(source: string, given: string, expected: string): DataError {
  const remedy = "The file is cut short or was changed after it was written; write it again with numpy.save.";
  return new DataError({ subject: `${source}, data`, given, expected, remedy });
}

/**
 * A .npy file (version 1.0, C order) with these values: `<f4` of a Float32Array, `<f8` of all others.
 *
 * @param shape - sizes from the outermost axis in; their product is `values.length`.
 * @throws {@link DataError} when shape and length do not match.
 */
export function writeNpy(given: Numbers, shape: readonly number[]): Uint8Array {
  const values = isFloatArray(given) ? given : copiedNumbers("array to write as .npy", given);
  if (!Array.isArray(shape) || !isSizes(shape) || sizeOf(shape) !== values.length) {
    throw new DataError({
      subject: "array to write as .npy",
      given: `${values.length} values`,
      expected: `as many as shape [${shape}] holds`,
      remedy: "Give a shape of whole numbers whose product is the number of values.",
    });
  }
  const header = npyHeader(shape, values.BYTES_PER_ELEMENT as 4 | 8);
  const bytes = new Uint8Array(header.length + values.byteLength);
  bytes.set(header);
  // As they lie in memory: every platform with WebAssembly is little-endian.
  bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), header.length);
  return bytes;
}

/**
 * The beginning of a .npy file (version 1.0, C order), which its values follow as they lie in memory: for arrays that are written
 * in pieces.
 *
 * @param shape - of the whole array.
 * @param bytesEach - 4 of f32 (`<f4`), 8 of f64 (`<f8`).
 * @throws {@link DataError} when the shape or the size is none.
 */
export function npyHeader(shape: readonly number[], bytesEach: 4 | 8): Uint8Array {
  if (!Array.isArray(shape) || !isSizes(shape) || ![4, 8].includes(bytesEach)) {
    throw new DataError({
      subject: "header of .npy",
      given: `shape [${shape}] of ${bytesEach} bytes each`,
      expected: "whole numbers, of 4 or 8 bytes each",
      remedy: "Give the sizes of the whole array, and 4 for f32 or 8 for f64.",
    });
  }
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const literal = `{'descr': '<f${bytesEach}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const prefix = 10; // magic, version, header length
  const length = Math.ceil((prefix + literal.length + 1) / 64) * 64 - prefix; // data starts at a multiple of 64
  const header = `${literal.padEnd(length - 1)}\n`;
  const bytes = new Uint8Array(prefix + length);
  bytes.set(MAGIC);
  bytes[6] = 1;
  new DataView(bytes.buffer).setUint16(8, length, true);
  for (let i = 0; i < length; i++) bytes[prefix + i] = header.charCodeAt(i);
  return bytes;
}

export function isFloatArray(given: unknown): given is Float32Array | Float64Array {
  return given instanceof Float32Array || given instanceof Float64Array;
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // "\x93NUMPY"

/** Whether bytes start as a .npy file does. */
export function isNpy(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, i) => bytes[i] === byte);
}

/** The header's text, and where the data starts, from the first bytes of a file of `size` bytes. */
function findHeader(bytes: Uint8Array, size: number, source: string): { text: string; from: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!isNpy(bytes)) {
    throw new DataError({
      subject: `${source}, first bytes`,
      given: size === 0 ? "an empty file" : [...bytes.subarray(0, 6)],
      expected: `the magic bytes ${JSON.stringify(MAGIC)} ("\\x93NUMPY")`,
      remedy: "Write the file with numpy.save (not pickle); an archive of numpy.savez is called .npz.",
    });
  }
  const version = bytes[6];
  if (size >= 8 && !(version >= 1 && version <= 3)) {
    throw new DataError({
      subject: `${source}, format version`,
      given: version,
      expected: "1, 2 or 3",
      remedy: "Write the file with numpy.save.",
    });
  }
  const lengthBytes = version === 1 ? 2 : 4;
  const from = 8 + lengthBytes;
  const length = bytes.length < from ? 0 : version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > LARGEST_HEADER) {
    throw new DataError({
      subject: `${source}, header length`,
      given: length,
      expected: `at most ${LARGEST_HEADER} bytes`,
      remedy: "The file is damaged, or holds a structured array; write plain numbers with numpy.save.",
    });
  }
  if (length === 0 || from + length > size) {
    throw new DataError({
      subject: `${source}, header`,
      given: `${size} bytes in the file`,
      expected: `${from + Math.max(length, 1)} or more`,
      remedy: "The file is cut short; write it again with numpy.save.",
    });
  }
  return { text: new TextDecoder().decode(bytes.subarray(from, from + length)), from: from + length };
}

export interface Header {
  /** Key into `readers`. */
  readonly kind: string;
  readonly littleEndian: boolean;
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
}

function parseHeader(text: string, source: string): Header {
  const literal = parsePythonLiteral(text);
  if (!(literal instanceof Map)) {
    throw new DataError({
      subject: `${source}, header`,
      given: text.trim(),
      expected: "a Python dict with descr, fortran_order and shape",
      remedy: "The file is damaged; write it again with numpy.save.",
    });
  }
  const [descr, fortranOrder, shape] = ["descr", "fortran_order", "shape"].map((key) => literal.get(key));
  const kind = typeof descr === "string" ? kindOf(descr) : undefined;
  if (kind === undefined) {
    const fields = Array.isArray(descr);
    throw new DataError({
      subject: `${source}, dtype`,
      given: descr ?? "none",
      expected: "floats of 2, 4 or 8 bytes, integers of 1 to 8, or booleans",
      remedy: fields
        ? "Make one array of the fields: numpy.save(path, numpy.lib.recfunctions.structured_to_unstructured(array))."
        : 'Convert with numpy: numpy.save(path, array.astype("float32")).',
    });
  }
  if (typeof fortranOrder !== "boolean") {
    throw new DataError({
      subject: `${source}, fortran_order`,
      given: fortranOrder ?? "none",
      expected: "True or False",
      remedy: "The file is damaged; write it again with numpy.save.",
    });
  }
  if (!isSizes(shape) || shape.length > MOST_AXES) {
    throw new DataError({
      subject: `${source}, shape`,
      given: shape ?? "none",
      expected: `a tuple of at most ${MOST_AXES} sizes`,
      remedy: "The file is damaged; write it again with numpy.save.",
    });
  }
  return { kind, littleEndian: (descr as string)[0] !== ">", fortranOrder, shape: shape as number[] };
}

/** Key into `readers` of a dtype as NumPy writes or spells it: "<f4", "=f8", "d", "float64". */
function kindOf(descr: string): string | undefined {
  const name = descr.replace(/^[<>=|]/, "");
  const kind = Object.hasOwn(spellings, name) ? spellings[name] : name;
  return Object.hasOwn(readers, kind) ? kind : undefined;
}

/** Column-major elements in row-major order. */
function rowMajor<Values extends Float32Array | Float64Array>(values: Values, shape: readonly number[]): Values {
  const result = values.slice() as Values;
  const index = new Array<number>(shape.length).fill(0);
  const strides = shape.map((_size, axis) => sizeOf(shape.slice(0, axis)));
  for (let i = 0; i < values.length; i++) {
    result[i] = values[index.reduce((offset, at, axis) => offset + at * strides[axis], 0)];
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis] === shape[axis]; axis--) index[axis] = 0;
  }
  return result;
}
