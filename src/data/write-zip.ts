/** Writing ZIP archives whose entries are stored as they are. */
import { LimitError } from "../errors.ts";
import { crc32 } from "./crc32.ts";

/** Sizes and offsets of plain archives have 32 bits. */
const LARGEST = 0xffffffff;
/** 1 January 1980, the earliest that there is: the same content gives the same bytes. */
const DATE = 0x21;
const UTF8_NAMES = 0x800;

/**
 * An archive of these files, by name.
 *
 * @throws {@link LimitError} when it would have 4 GiB or more.
 */
export function writeZip(files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const entries = [...files].map(([name, bytes]) => ({ name: new TextEncoder().encode(name), bytes }));
  const sizes = entries.map(({ name, bytes }) => [30 + name.length + bytes.length, 46 + name.length]);
  const body = sizes.reduce((sum, [size]) => sum + size, 0);
  const directory = sizes.reduce((sum, [, size]) => sum + size, 0);
  const total = body + directory + 22;
  if (total > LARGEST) {
    throw new LimitError({
      subject: "archive to write",
      given: `${total} bytes`,
      expected: `at most ${LARGEST}`,
      remedy: "Write the arrays into files of their own, or fewer rows.",
    });
  }
  const archive = new Uint8Array(total);
  const view = new DataView(archive.buffer);
  let [at, listedAt] = [0, body];
  for (const { name, bytes } of entries) {
    const checksum = crc32(bytes);
    const header = (from: number) => {
      view.setUint16(from, 20, true); // version needed
      view.setUint16(from + 2, UTF8_NAMES, true);
      view.setUint16(from + 8, DATE, true);
      view.setUint32(from + 10, checksum, true);
      view.setUint32(from + 14, bytes.length, true);
      view.setUint32(from + 18, bytes.length, true);
      view.setUint16(from + 22, name.length, true);
    };
    view.setUint32(listedAt, 0x02014b50, true);
    view.setUint16(listedAt + 4, 20, true); // version made by
    header(listedAt + 6);
    view.setUint32(listedAt + 42, at, true);
    archive.set(name, listedAt + 46);
    listedAt += 46 + name.length;

    view.setUint32(at, 0x04034b50, true);
    header(at + 4);
    archive.set(name, at + 30);
    archive.set(bytes, at + 30 + name.length);
    at += 30 + name.length + bytes.length;
  }
  view.setUint32(listedAt, 0x06054b50, true);
  view.setUint16(listedAt + 8, entries.length, true);
  view.setUint16(listedAt + 10, entries.length, true);
  view.setUint32(listedAt + 12, directory, true);
  view.setUint32(listedAt + 16, body, true);
  return archive;
}
