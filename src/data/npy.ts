/**
 * NumPy's .npy files: magic "\x93NUMPY", version, length of the header, a Python dict literal
 * `{'descr': '<f${bytesEach}', 'fortran_order': False, 'shape': (3, 2), }`, then the elements.
 *
 * @see https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html (versions 1.0, 2.0 and 3.0)
 */
import { DataError } from "../errors.ts";
import { isSizes, sizeOf } from "../graph/node.ts";
import { copiedNumbers, type Numbers } from "./numbers.ts";
import { parsePythonLiteral } from "./python-literal.ts";

/** What a .npy file holds. `data` is row-major; f4 becomes f32, every other dtype f64 (exact up to 2^53). */
export interface NpyArray {
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array;
}

/** Headers of plain arrays take about 100 bytes; NumPy itself refuses more than 10,000 unless told otherwise. */
const LARGEST_HEADER = 65_536;

type Reader = (view: DataView, offset: number, littleEndian: boolean) => number;

const readers: Readonly<Record<string, readonly [bytes: number, Reader]>> = {
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

/**
 * The array in a .npy file of version 1, 2 or 3: floats of 4 or 8 bytes, integers of 1 to 8 bytes, booleans; either
 * byte order, C or Fortran order (the result is always row-major).
 *
 * @param source - the file's name, for messages.
 * @throws {@link DataError} when the bytes are no such file, are cut short, or are more than the shape says.
 */
export function readNpy(bytes: Uint8Array, source = "npy file"): NpyArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { text, from } = findHeader(view, source);
  const { kind, littleEndian, fortranOrder, shape } = parseHeader(text, source);

  const [bytesEach, read] = readers[kind];
  const count = sizeOf(shape);
  if (!Number.isSafeInteger(count) || count * bytesEach !== bytes.byteLength - from) {
    throw new DataError({
      subject: `${source}, data`,
      given: `${bytes.byteLength - from} bytes`,
      expected: `${count * bytesEach} bytes for shape (${shape.join(", ")}) of ${kind}`,
      remedy: "The file is cut short or was changed after it was written; write it again with numpy.save.",
    });
  }
  const data = kind === "f4" ? new Float32Array(count) : new Float64Array(count);
  for (let i = 0; i < count; i++) data[i] = read(view, from + i * bytesEach, littleEndian);
  return { shape, data: fortranOrder ? rowMajor(data, shape) : data };
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
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const literal = `{'descr': '<f${values.BYTES_PER_ELEMENT}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const prefix = 10; // magic, version, header length
  const headerLength = Math.ceil((prefix + literal.length + 1) / 64) * 64 - prefix; // data starts at a multiple of 64
  const header = `${literal.padEnd(headerLength - 1)}\n`;

  const bytes = new Uint8Array(prefix + headerLength + values.byteLength);
  bytes.set(MAGIC);
  bytes[6] = 1;
  new DataView(bytes.buffer).setUint16(8, headerLength, true);
  for (let i = 0; i < headerLength; i++) bytes[prefix + i] = header.charCodeAt(i);
  // As they lie in memory: every platform with WebAssembly is little-endian.
  bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), prefix + headerLength);
  return bytes;
}

function isFloatArray(given: unknown): given is Float32Array | Float64Array {
  return given instanceof Float32Array || given instanceof Float64Array;
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // "\x93NUMPY"

/** Whether bytes start as a .npy file does. */
export function isNpy(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, i) => bytes[i] === byte);
}

/** The header's text, and where the data starts. */
function findHeader(view: DataView, source: string): { text: string; from: number } {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  if (!isNpy(bytes)) {
    throw new DataError({
      subject: `${source}, first bytes`,
      given: view.byteLength === 0 ? "an empty file" : [...bytes.subarray(0, 6)],
      expected: `the magic bytes ${JSON.stringify(MAGIC)} ("\\x93NUMPY")`,
      remedy: "Write the file with numpy.save (not savez, not pickle).",
    });
  }
  const version = bytes[6];
  if (view.byteLength >= 8 && !(version >= 1 && version <= 3)) {
    throw new DataError({
      subject: `${source}, format version`,
      given: version,
      expected: "1, 2 or 3",
      remedy: "Write the file with numpy.save.",
    });
  }
  const lengthBytes = version === 1 ? 2 : 4;
  const from = 8 + lengthBytes;
  const length = view.byteLength < from ? 0 : version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > LARGEST_HEADER) {
    throw new DataError({
      subject: `${source}, header length`,
      given: length,
      expected: `at most ${LARGEST_HEADER} bytes`,
      remedy: "The file is damaged, or holds a structured array; write plain numbers with numpy.save.",
    });
  }
  if (length === 0 || from + length > view.byteLength) {
    throw new DataError({
      subject: `${source}, header`,
      given: `${view.byteLength} bytes in the file`,
      expected: `${from + Math.max(length, 1)} or more`,
      remedy: "The file is cut short; write it again with numpy.save.",
    });
  }
  return { text: new TextDecoder().decode(bytes.subarray(from, from + length)), from: from + length };
}

interface Header {
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
  const kind = typeof descr === "string" ? /^[<>|]([a-z]\d)$/.exec(descr)?.[1] : undefined;
  if (kind === undefined || !Object.hasOwn(readers, kind)) {
    throw new DataError({
      subject: `${source}, dtype`,
      given: descr ?? "none",
      expected: "floats of 4 or 8 bytes, integers of 1 to 8, or booleans",
      remedy: 'Convert with numpy: numpy.save(path, array.astype("float32")).',
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
  if (!isSizes(shape)) {
    throw new DataError({
      subject: `${source}, shape`,
      given: shape ?? "none",
      expected: "a tuple of sizes",
      remedy: "The file is damaged; write it again with numpy.save.",
    });
  }
  return { kind, littleEndian: (descr as string)[0] !== ">", fortranOrder, shape: shape as number[] };
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
