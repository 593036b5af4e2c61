/** PNG files of 8-bit pixels, which the pictures in a report are embedded as: one picture in colour, or greys that may move. */
import { crc32, deflateSync } from "node:zlib";

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const result = Buffer.alloc(body.length + 8);
  result.writeUInt32BE(data.length, 0);
  body.copy(result, 4);
  result.writeUInt32BE(crc32(body), body.length + 4);
  return result;
}

/** @param pixels - row-major [height, width, 3], from the top left. */
export function png(width: number, height: number, pixels: Uint8Array): Buffer {
  return Buffer.concat([
    ...headOf(width, height, RGB),
    chunk("IDAT", packed(width * 3, height, pixels)),
    chunk("IEND", new Uint8Array(0)),
  ]);
}

/**
 * A picture of greys; of several ones an animated PNG, which goes on without end.
 *
 * @param pictures - row-major [height, width] each.
 * @param time - milliseconds that each is seen.
 * @see Portable Network Graphics (third edition), section 11.3.6.
 */
export function greyPng(width: number, height: number, pictures: readonly Uint8Array[], time = 100): Buffer {
  const [first, ...others] = pictures.map((pixels) => packed(width, height, pixels)) as [Buffer, ...Buffer[]];
  const moves = others.length > 0;
  let order = 0; // of all chunks that say how it moves
  const frame = () => chunk("fcTL", numbersOf([order++, width, height, 0, 0], [time, 1000], [0, 0]));
  const animation = moves ? [chunk("acTL", numbersOf([pictures.length, 0])), frame()] : [];
  return Buffer.concat([
    ...headOf(width, height, GREY),
    ...animation,
    chunk("IDAT", first),
    ...others.flatMap((data) => [frame(), chunk("fdAT", Buffer.concat([numbersOf([order++]), data]))]),
    chunk("IEND", new Uint8Array(0)),
  ]);
}

/** Types of colour, as the header has them. */
const [GREY, RGB] = [0, 2];

function headOf(width: number, height: number, colours: number): Buffer[] {
  // 8 bits, deflate, no filter method, not interlaced
  return [Buffer.from(SIGNATURE), chunk("IHDR", numbersOf([width, height], [], [8, colours, 0, 0, 0]))];
}

/** Numbers of four bytes, of two and of one. */
function numbersOf(long: readonly number[], short: readonly number[] = [], bytes: readonly number[] = []): Buffer {
  const result = Buffer.alloc(4 * long.length + 2 * short.length + bytes.length);
  long.forEach((value, i) => {
    result.writeUInt32BE(value, 4 * i);
  });
  short.forEach((value, i) => {
    result.writeUInt16BE(value, 4 * long.length + 2 * i);
  });
  result.set(bytes, 4 * long.length + 2 * short.length);
  return result;
}

/** Rows of so many bytes, each after its filter, 0: none. */
function packed(width: number, height: number, pixels: Uint8Array): Buffer {
  const rows = Buffer.alloc(height * (width + 1));
  for (let y = 0; y < height; y++) rows.set(pixels.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
  return deflateSync(rows, { level: 9 });
}
