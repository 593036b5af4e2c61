/**
 * The safetensors format, bytes only, and writing it (read-safetensors.ts reads it): 8 bytes of header length N (u64), N bytes of JSON
 * `{"name": {"dtype", "shape", "data_offsets": [begin, end]}, ..., "__metadata__": {string: string}}`, then the data,
 * row-major, which the offsets (counted from byte 8 + N) cover without gap or overlap. All is little-endian, as is
 * every platform with WebAssembly memory to share.
 *
 * @see https://github.com/huggingface/safetensors (the format's description)
 */
import { CheckpointError } from "../errors.ts";
import { isSizes } from "../graph/node.ts";

/** The array classes of the dtypes that are written. */
export const arrays = {
  F64: Float64Array,
  F32: Float32Array,
  I64: BigInt64Array,
  I32: Int32Array,
  U32: Uint32Array,
  U8: Uint8Array,
} as const;

/** Dtypes that are written; those are read too. */
export type WritableDType = keyof typeof arrays;
export type TensorDType = WritableDType | "F16" | "BF16";
export type TensorData = Float64Array | Float32Array | BigInt64Array | Int32Array | Uint32Array | Uint8Array;

export const bytesOf: Readonly<Record<TensorDType, number>> = {
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

/** The header's entry that holds text, not a tensor. */
export const METADATA = "__metadata__";

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
export const elements = (shape: readonly number[]): number =>
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
