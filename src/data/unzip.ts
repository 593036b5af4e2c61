/**
 * Reading ZIP archives, stored or deflated, also beyond 4 GiB.
 *
 * @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, sections 4.3 and 4.5.3
 */
import { DataError } from "../errors.ts";
import { crc32 } from "./crc32.ts";

/** A file of which parts can be read. */
export interface RandomAccess {
  /** In bytes. */
  readonly size: number;
  /** The bytes from `offset` on, which lie within the file. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

export interface ZipEntry {
  readonly name: string;
  /** In bytes, unpacked. */
  readonly size: number;
  readonly packedSize: number;
  readonly deflated: boolean;
  readonly checksum: number;
  /** Where its header lies. */
  readonly offset: number;
}

/** Whether bytes start as a ZIP archive does. */
export function isZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b && (bytes[2] === 3 || bytes[2] === 5);
}

/** Bytes read and unpacked at once. */
const PIECE = 1 << 20;
const END_LENGTH = 22;
const LARGEST_COMMENT = 0xffff;

/**
 * What an archive holds, by the directory at its end.
 *
 * @throws {@link DataError} when there is none, or an entry is packed in another way or encrypted.
 */
export async function zipEntries(file: RandomAccess, source: string): Promise<ZipEntry[]> {
  const tailLength = Math.min(file.size, END_LENGTH + LARGEST_COMMENT + 20);
  const tail = viewOf(await file.read(file.size - tailLength, tailLength));
  let end = tailLength - END_LENGTH;
  while (end >= 0 && tail.getUint32(end, true) !== 0x06054b50) end--;
  if (end < 0) throw damaged(source, "an archive without a directory at its end");
  let [length, offset] = [tail.getUint32(end + 12, true), tail.getUint32(end + 16, true)];
  if (end >= 20 && tail.getUint32(end - 20, true) === 0x07064b50) {
    const at = Number(tail.getBigUint64(end - 12, true));
    const large = viewOf(await readWithin(file, at, 56, source));
    [length, offset] = [Number(large.getBigUint64(40, true)), Number(large.getBigUint64(48, true))];
  }
  const directory = viewOf(await readWithin(file, offset, length, source));
  const entries: ZipEntry[] = [];
  for (let at = 0; at + 46 <= length; ) {
    if (directory.getUint32(at, true) !== 0x02014b50) throw damaged(source, "a damaged directory");
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((field) => directory.getUint16(at + field, true));
    const next = at + 46 + nameLength + extraLength + commentLength;
    if (next > length) throw damaged(source, "a damaged directory");
    entries.push(entryAt(directory, at, nameLength, extraLength, source));
    at = next;
  }
  return entries;
}

function entryAt(view: DataView, at: number, nameLength: number, extraLength: number, source: string): ZipEntry {
  const name = new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset + at + 46, nameLength));
  const method = view.getUint16(at + 10, true);
  if ((method !== 0 && method !== 8) || view.getUint16(at + 8, true) & 1) {
    throw new DataError({
      subject: `${source}, ${name}`,
      given: method === 0 || method === 8 ? "an encrypted entry" : `packing method ${method}`,
      expected: "an entry that is stored or deflated",
      remedy: "Write the archive with numpy.savez or numpy.savez_compressed.",
    });
  }
  // Sizes beyond 32 bits stand in the extra field of kind 1, in this order, those alone that are all ones here.
  const large: number[] = [];
  const extraFrom = at + 46 + nameLength;
  for (let i = extraFrom; i + 4 <= extraFrom + extraLength; i += 4 + view.getUint16(i + 2, true)) {
    const end = Math.min(i + 4 + view.getUint16(i + 2, true), extraFrom + extraLength);
    if (view.getUint16(i, true) !== 1) continue;
    for (let field = i + 4; field + 8 <= end; field += 8) large.push(Number(view.getBigUint64(field, true)));
  }
  const [size, packedSize, offset] = [24, 20, 42].map((field) => {
    const value = view.getUint32(at + field, true);
    return value === 0xffffffff ? (large.shift() ?? value) : value;
  });
  return { name, size, packedSize, deflated: method === 8, checksum: view.getUint32(at + 16, true), offset };
}

/**
 * The bytes of an entry, in pieces.
 *
 * @throws {@link DataError} when they are damaged.
 */
export async function* unpack(file: RandomAccess, entry: ZipEntry, source: string): AsyncGenerator<Uint8Array> {
  const where = `${source}, ${entry.name}`;
  const header = viewOf(await readWithin(file, entry.offset, 30, where));
  if (header.getUint32(0, true) !== 0x04034b50) throw damaged(where, "a damaged header");
  const from = entry.offset + 30 + header.getUint16(26, true) + header.getUint16(28, true);
  if (from + entry.packedSize > file.size) throw damaged(where, "a file that is cut short");
  const packed = piecesOf(file, from, entry.packedSize);
  let [size, checksum] = [0, 0];
  for await (const piece of entry.deflated ? inflate(packed, where) : packed) {
    size += piece.length;
    checksum = crc32(piece, checksum);
    if (size > entry.size) break;
    yield piece;
  }
  if (size !== entry.size || checksum !== entry.checksum) throw damaged(where, "bytes that do not fit their checksum");
}

async function* piecesOf(file: RandomAccess, from: number, length: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < length; at += PIECE) yield await file.read(from + at, Math.min(PIECE, length - at));
}

async function* inflate(packed: AsyncGenerator<Uint8Array>, where: string): AsyncGenerator<Uint8Array> {
  const stream = new DecompressionStream("deflate-raw");
  const writer = stream.writable.getWriter();
  const reader = stream.readable.getReader();
  const fed = (async () => {
    for await (const piece of packed) await writer.write(piece as Uint8Array<ArrayBuffer>);
    await writer.close();
  })();
  fed.catch(() => {}); // what fails here fails the reading below too
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } catch (cause) {
    throw damaged(where, "bytes that cannot be unpacked", cause);
  } finally {
    await reader.cancel().catch(() => {});
  }
}

function readWithin(file: RandomAccess, offset: number, length: number, source: string): Promise<Uint8Array> {
  if (!(offset >= 0 && offset + length <= file.size)) throw damaged(source, "a damaged directory");
  return file.read(offset, length);
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function damaged(subject: string, given: string, cause?: unknown): DataError {
  const facts = { subject, given, expected: "a whole ZIP archive", remedy: "Write the file again." };
  return new DataError(facts, { cause });
}
