/** PNG files by hand, and folders of them. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32, deflateSync } from "node:zlib";
import { randomNumbers } from "../../../src/cli/experiment/random-numbers.ts";

/** A PNG of these packed rows, each with a filter of its own. */
export function pngOf(
  header: readonly number[],
  rows: readonly Uint8Array[],
  step: number,
  palette?: readonly number[],
): Uint8Array {
  const chunk = (type: string, data: Uint8Array) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const ends = Buffer.alloc(8);
    ends.writeUInt32BE(data.length, 0);
    ends.writeUInt32BE(crc32(body), 4);
    return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)]);
  };
  const [width, height, depth, colour, interlaced = 0] = header as [number, number, number, number, number?];
  const first = Buffer.alloc(13);
  first.writeUInt32BE(width, 0);
  first.writeUInt32BE(height, 4);
  first.set([depth, colour, 0, 0, interlaced], 8);
  const filtered = rows.map((row, y) => {
    const above = rows[y - 1] ?? new Uint8Array(row.length);
    const filter = (y + 1) % 5;
    const guess = (x: number) => {
      const [a, b, c] = [row[x - step] ?? 0, above[x] ?? 0, (x >= step ? above[x - step] : 0) ?? 0];
      const p = a + b - c;
      const [pa, pb, pc] = [Math.abs(p - a), Math.abs(p - b), Math.abs(p - c)];
      const paeth = pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
      return [0, a, b, Math.floor((a + b) / 2), paeth][filter] as number;
    };
    return Uint8Array.of(filter, ...Array.from(row, (value, x) => value - guess(x)));
  });
  const packed = deflateSync(Buffer.concat(filtered));
  return Buffer.concat([
    Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]),
    chunk("IHDR", first),
    ...(palette ? [chunk("PLTE", Uint8Array.from(palette))] : []),
    chunk("IDAT", packed.subarray(0, 5)),
    chunk("IDAT", packed.subarray(5)),
    chunk("IEND", new Uint8Array(0)),
  ]);
}

export const bytesOf = (count: number, seed: number) => {
  return Uint8Array.from(randomNumbers("uniform", count, seed), (value) => Math.floor(256 * value));
};
export const rowsOf = (all: Uint8Array, width: number) =>
  Array.from({ length: all.length / width }, (_, y) => all.subarray(y * width, (y + 1) * width));

/** Writes a folder of pictures, brightest in the upper or in the lower half, by its class. */
export async function folderOf(path: string, classes: readonly string[], each = 24, side = 8): Promise<string> {
  for (const [label, folder] of classes.entries()) {
    await mkdir(join(path, folder), { recursive: true });
    const noise = bytesOf(each * side * side, 7 + label);
    for (let i = 0; i < each; i++) {
      const levels = noise.subarray(i * side * side, (i + 1) * side * side).map((value, at) => {
        return at < (side * side) / 2 === (label === 0) ? 128 + value / 2 : value / 4;
      });
      const rows = rowsOf(levels, side);
      await writeFile(join(path, folder, `${i}.png`), pngOf([side, side, 8, 0], rows, 1));
    }
  }
  return path;
}
