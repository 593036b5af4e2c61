/**
 * Reading the safetensors format, which safetensors.ts describes. A damaged file gives a CheckpointError that says
 * where; its bytes can cause no other error.
 */
import { isSizes } from "../graph/node.ts";
import { isDeeper, isRecord } from "../graph/options.ts";
import { duplicateKey } from "./duplicate-key.ts";
import {
  arrays,
  bytesOf,
  damage,
  elements,
  METADATA,
  type StoredTensor,
  type TensorDType,
  type TensorFile,
  type WritableDType,
} from "./safetensors.ts";

/** Read only: widened to f32, which holds every value of both exactly. */
const halves = { F16: widenF16, BF16: widenBF16 } as const;

/** The format's limit, in bytes. */
const LARGEST_HEADER = 100_000_000;
/** Lists in a tensor's object; whatever else a writer adds is not much deeper. */
const DEEPEST = 16;
const DAMAGED = "The file is damaged, or no safetensors file; fetch it or save it again.";
const CUT_SHORT_OR_OTHER = "The file is cut short, or no safetensors file; fetch it or save it again.";
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
    throw damage(`${source}, header length`, length, expected, CUT_SHORT_OR_OTHER);
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
  if (isDeeper(header, DEEPEST)) throw damage(`${source}, header`, text, "lists in objects in an object", DAMAGED);
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
