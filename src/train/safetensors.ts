/**
 * The safetensors format, bytes only: 8 bytes of header length N (u64), N bytes of JSON
 * `{"name": {"dtype", "shape", "data_offsets": [begin, end]}, ..., "__metadata__": {string: string}}`, then the data,
 * row-major, which the offsets (counted from byte 8 + N) cover without gap or overlap. All is little-endian, as is
 * every platform with WebAssembly memory to share.
 *
 * A damaged file gives a CheckpointError that says where; its bytes can cause no other error.
 *
 * @see https://github.com/huggingface/safetensors (the format's description)
 */
import { CheckpointError } from "../errors.ts";
import { isSizes } from "../graph/node.ts";
import { isRecord } from "../graph/options.ts";
import { duplicateKey } from "./duplicate-key.ts";

const arrays = {
  F64: Float64Array,
  F32: Float32Array,
  I64: BigInt64Array,
  I32: Int32Array,
  U32: Uint32Array,
  U8: Uint8Array,
} as const;

/** Read only: widened to f32, which holds every value of both exactly. */
const halves = { F16: widenF16, BF16: widenBF16 } as const;

/** Dtypes that are written; those are read too. */
export type WritableDType = keyof typeof arrays;
export type TensorDType = WritableDType | keyof typeof halves;
export type TensorData = Float64Array | Float32Array | BigInt64Array | Int32Array | Uint32Array | Uint8Array;

const bytesOf: Readonly<Record<TensorDType, number>> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  U32: 4,
  U8: 1,
};

/** Floating-point dtypes: what weights may have. */
export const floatDTypes: readonly TensorDType[] = ["F64", "F32", "F16", "BF16"];

export interface StoredTensor<DType extends TensorDType = TensorDType> {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Row-major, of the class that goes with the dtype; Float32Array for F16 and BF16. */
  readonly data: TensorData;
}

export interface TensorFile<DType extends TensorDType = TensorDType> {
  readonly tensors: ReadonlyMap<string, StoredTensor<DType>>;
  /** Text by name; divflow keeps JSON in it. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** The format's limit, in bytes. */
const LARGEST_HEADER = 100_000_000;
const METADATA = "__metadata__";
const DAMAGED = "The file is damaged, or no safetensors file; fetch it or save it again.";
const CUT_SHORT = "The file is cut short; fetch it or save it again.";

/**
 * The tensors and metadata in the bytes of a safetensors file. Copies: the bytes may change afterwards.
 *
 * @param source - the file's name, for messages.
 * @throws {@link CheckpointError} when the header or the offsets are damaged, the file is cut short or too long, a name
 * stands twice, or a dtype is none of F64, F32, F16, BF16, I64, I32, U32, U8.
 */
export function readSafetensors(given: Uint8Array, source = "safetensors file"): TensorFile {
  const bytes = new Uint8Array(given.buffer, given.byteOffset, given.byteLength); // Node's Buffer slices do not copy
  const { text, dataStart } = readHeader(bytes, source);
  const header = parseHeader(text, source);
  const { [METADATA]: metadata = {}, ...entries } = header;
  checkMetadata(metadata, source);

  const data = bytes.subarray(dataStart);
  const places = Object.entries(entries).map(([name, entry]) => parseEntry(name, entry, data.length, source));
  checkCoverage(places, data.length, source);

  const tensors = new Map<string, StoredTensor>();
  for (const { name, dtype, shape, begin, end } of places) {
    const own = data.slice(begin, end).buffer; // a copy, so aligned for any array class
    const values = dtype in halves ? halves[dtype as keyof typeof halves](new Uint16Array(own)) : undefined;
    tensors.set(name, { dtype, shape, data: values ?? new arrays[dtype as WritableDType](own) });
  }
  return { tensors, metadata };
}

/**
 * The bytes of a safetensors file. Tensors of large elements come first, so that all data is aligned; the same input
 * gives the same bytes.
 *
 * @throws {@link CheckpointError} when a tensor's data does not fit its dtype or shape, or its name is reserved.
 */
export function writeSafetensors({ tensors, metadata }: TensorFile<WritableDType>): Uint8Array {
  const ordered = [...tensors].sort(([, a], [, b]) => bytesOf[b.dtype] - bytesOf[a.dtype]);
  const entries: [string, unknown][] = Object.keys(metadata).length > 0 ? [[METADATA, metadata]] : [];
  let end = 0;
  for (const [name, tensor] of ordered) {
    checkTensor(name, tensor);
    const begin = end;
    end += tensor.data.byteLength;
    entries.push([name, { dtype: tensor.dtype, shape: tensor.shape, data_offsets: [begin, end] }]);
  }
  // Not JSON.stringify of an object: that would move names such as "0" to the front and lose "__proto__".
  const json = `{${entries.map(([name, entry]) => `${JSON.stringify(name)}:${JSON.stringify(entry)}`).join(",")}}`;
  const header = new TextEncoder().encode(json);
  const headerLength = Math.ceil(header.length / 8) * 8;

  const bytes = new Uint8Array(8 + headerLength + end).fill(0x20, 8 + header.length, 8 + headerLength);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerLength), true);
  bytes.set(header, 8);
  let offset = 8 + headerLength;
  for (const [, { data }] of ordered) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset);
    offset += data.byteLength;
  }
  return bytes;
}

function readHeader(bytes: Uint8Array, source: string): { text: string; dataStart: number } {
  if (bytes.length < 8) {
    throw damage(source, `${bytes.length} bytes`, "at least 8, the length of the header", CUT_SHORT);
  }
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (length > LARGEST_HEADER) {
    throw damage(`${source}, header length`, length, `at most ${LARGEST_HEADER} bytes`, DAMAGED);
  }
  if (8 + length > bytes.length) {
    const expected = `at most ${bytes.length - 8}, the bytes that follow`;
    throw damage(`${source}, header length`, length, expected, "The file is cut short, or no safetensors file.");
  }
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes.subarray(8, 8 + length));
    return { text, dataStart: 8 + length };
  } catch (cause) {
    throw damage(`${source}, header`, "bytes that are not UTF-8", "JSON text", DAMAGED, cause);
  }
}

function parseHeader(text: string, source: string): Record<string, unknown> {
  let header: unknown;
  try {
    header = text.startsWith("{") ? JSON.parse(text) : undefined;
  } catch (cause) {
    throw damage(`${source}, header`, text, "JSON", DAMAGED, cause);
  }
  if (!isRecord(header)) throw damage(`${source}, header`, text, "a JSON object that begins with {", DAMAGED);
  const twice = duplicateKey(text); // JSON.parse keeps the last one without a word
  if (twice !== undefined) throw damage(`${source}, header`, `"${twice}" twice`, "each name once", DAMAGED);
  return header;
}

function checkMetadata(metadata: unknown, source: string): asserts metadata is Record<string, string> {
  if (isRecord(metadata) && Object.values(metadata).every((value) => typeof value === "string")) return;
  throw damage(`${source}, ${METADATA}`, metadata, "an object of strings", DAMAGED);
}

/** Where a tensor lies in the data, in bytes from its start. */
interface Place {
  readonly name: string;
  readonly dtype: TensorDType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

function parseEntry(name: string, entry: unknown, dataLength: number, source: string): Place {
  const subject = `${source}, tensor "${name}"`;
  if (!isRecord(entry)) throw damage(subject, entry, "an object with dtype, shape and data_offsets", DAMAGED);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== "string" || !Object.hasOwn(bytesOf, dtype)) {
    const remedy = "Convert the tensor before saving it, such as tensor.float() in PyTorch.";
    throw damage(`${subject}, dtype`, dtype ?? "none", `one of ${Object.keys(bytesOf).join(", ")}`, remedy);
  }
  if (!isSizes(shape)) throw damage(`${subject}, shape`, shape ?? "none", "a list of sizes", DAMAGED);
  if (!isSizes(offsets) || offsets.length !== 2 || offsets[0] > offsets[1]) {
    throw damage(`${subject}, data_offsets`, offsets ?? "none", "[begin, end] with begin <= end", DAMAGED);
  }
  const [begin, end] = offsets;
  if (end > dataLength) {
    throw damage(`${subject}, data_offsets`, offsets, `an end within the ${dataLength} bytes of data`, CUT_SHORT);
  }
  const size = elements(shape) * bytesOf[dtype as TensorDType];
  if (end - begin !== size) {
    const expected = `${size} for ${dtype} of shape [${shape.join(", ")}]`;
    throw damage(`${subject}, data_offsets`, `${end - begin} bytes`, expected, DAMAGED);
  }
  return { name, dtype: dtype as TensorDType, shape, begin, end };
}

/** Offsets must cover the data: a gap could carry anything, an overlap ties tensors together. */
function checkCoverage(places: readonly Place[], dataLength: number, source: string): void {
  let end = 0;
  for (const place of [...places].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (place.begin !== end) {
      const given = `begin ${place.begin}, ${place.begin < end ? "inside the tensor before it" : "after a gap"}`;
      throw damage(`${source}, tensor "${place.name}", data_offsets`, given, `begin ${end}`, DAMAGED);
    }
    end = place.end;
  }
  if (end !== dataLength) {
    throw damage(`${source}, data`, `${dataLength} bytes`, `${end}, where the last tensor ends`, DAMAGED);
  }
}

function checkTensor(name: string, { dtype, shape, data }: StoredTensor<WritableDType>): void {
  const subject = `tensor "${name}" to write`;
  if (name === METADATA) throw damage(subject, name, "another name", "Put text into `metadata`.");
  if (!(data instanceof arrays[dtype])) {
    const remedy = "Give the array class that goes with the dtype.";
    throw damage(subject, (data as TensorData).constructor.name, `${arrays[dtype].name} for ${dtype}`, remedy);
  }
  if (!isSizes(shape) || elements(shape) !== data.length) {
    const remedy = "Give a shape whose product is the number of values.";
    throw damage(subject, `${data.length} values`, `as many as shape [${shape.join(", ")}] holds`, remedy);
  }
}

/** Number of elements; not a safe integer when there can be no such tensor. */
const elements = (shape: readonly number[]): number =>
  shape.includes(0) ? 0 : shape.reduce((product, size) => product * size, 1);

/** An error about a file, or about what is to be one. */
export function damage(
  subject: string,
  given: unknown,
  expected: string,
  remedy: string,
  cause?: unknown,
): CheckpointError {
  return new CheckpointError({ subject, given, expected, remedy }, cause === undefined ? undefined : { cause });
}

/** IEEE 754 binary16: sign 1, exponent 5 (bias 15), fraction 10. */
function widenF16(bits: Uint16Array): Float32Array {
  return Float32Array.from(bits, (half) => {
    const sign = half & 0x8000 ? -1 : 1;
    const exponent = (half >> 10) & 31;
    const fraction = half & 1023;
    if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
    if (exponent === 0) return sign * fraction * 2 ** -24; // zero and subnormals
    return sign * (1024 + fraction) * 2 ** (exponent - 25);
  });
}

/** bfloat16: the upper half of an f32. */
function widenBF16(bits: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(bits, (half) => half << 16).buffer);
}
