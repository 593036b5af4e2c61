/**
 * Animated GIFs of pictures with few colours, such as charts: the 256 colours that there are most of stand for all, in all
 * frames; of each frame the file holds the rectangle that changed.
 *
 * @see https://www.w3.org/Graphics/GIF/spec-gif89a.txt
 */
import { compressed } from "./lzw.ts";

/** RGBA, row by row, as ImageData has it. */
export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly data: ArrayLike<number>;
}

export interface GifOptions {
  /** How long each frame is shown: hundredths of a second are what the format has. Default 100. */
  readonly milliseconds?: number;
  /** How long the last one is shown. Default: as the others. */
  readonly lastMilliseconds?: number;
}

const COLOURS = 256;
/** Colours are counted by 5 bits of red, green and blue. */
const CELLS = 1 << 15;
const cellOf = (data: ArrayLike<number>, at: number) =>
  (((data[at] as number) >> 3) << 10) | (((data[at + 1] as number) >> 3) << 5) | ((data[at + 2] as number) >> 3);

/**
 * The bytes of a GIF that repeats for ever. What is transparent is taken for white.
 *
 * @param frames - all of one size, one at least.
 * @throws RangeError where sizes differ, or there is no frame.
 */
export function gifOf(
  frames: readonly Frame[],
  { milliseconds = 100, lastMilliseconds = milliseconds }: GifOptions = {},
) {
  const [first] = frames;
  if (!first) throw new RangeError("A GIF needs one frame at least.");
  const { width, height } = first;
  for (const { width: wide, height: high } of frames) {
    if (wide === width && high === height) continue;
    throw new RangeError(`Frames of a GIF have one size: got ${wide} x ${high} beside ${width} x ${height}.`);
  }
  const opaque = frames.map(onWhite);
  const { palette, indexOf } = paletteOf(opaque);
  const bytes: number[] = [...ascii("GIF89a"), ...short(width), ...short(height), 0xf7, 0, 0, ...palette];
  bytes.push(0x21, 0xff, 11, ...ascii("NETSCAPE2.0"), 3, 1, ...short(0), 0); // repeats without an end
  let before: Uint8Array | undefined;
  for (const [i, data] of opaque.entries()) {
    const indices = Uint8Array.from({ length: width * height }, (_, at) => indexOf[cellOf(data, 4 * at)] as number);
    const { left, top, right, bottom } = changed(indices, before, width, height);
    before = indices;
    const shown = Math.max(2, Math.round((i === frames.length - 1 ? lastMilliseconds : milliseconds) / 10));
    bytes.push(0x21, 0xf9, 4, 0x04, ...short(shown), 0, 0); // stays where the next one leaves it
    bytes.push(0x2c, ...short(left), ...short(top), ...short(right - left), ...short(bottom - top), 0, 8);
    const part = new Uint8Array((right - left) * (bottom - top));
    for (let row = top; row < bottom; row++) {
      part.set(indices.subarray(row * width + left, row * width + right), (row - top) * (right - left));
    }
    const codes = compressed(part);
    for (let from = 0; from < codes.length; from += 255) {
      const block = codes.subarray(from, from + 255);
      bytes.push(block.length);
      for (const byte of block) bytes.push(byte);
    }
    bytes.push(0);
  }
  bytes.push(0x3b);
  return Uint8Array.from(bytes);
}

const ascii = (text: string) => Array.from(text, (one) => one.charCodeAt(0));
const short = (value: number) => [value & 255, (value >> 8) & 255];

function onWhite({ data }: Frame): Uint8ClampedArray {
  const opaque = new Uint8ClampedArray(data.length);
  for (let i = 0; i < data.length; i++) {
    const alpha = (data[i | 3] as number) / 255;
    opaque[i] = (data[i] as number) * alpha + 255 * (1 - alpha);
  }
  return opaque;
}

/** The colours there are most of, and which of them stands for each cell: the nearest. */
function paletteOf(frames: readonly Uint8ClampedArray[]) {
  const counts = new Uint32Array(CELLS);
  const sums = new Float64Array(3 * CELLS);
  for (const data of frames) {
    for (let at = 0; at < data.length; at += 4) {
      const cell = cellOf(data, at);
      counts[cell] = (counts[cell] as number) + 1;
      for (let k = 0; k < 3; k++) sums[3 * cell + k] = (sums[3 * cell + k] as number) + (data[at + k] as number);
    }
  }
  const used = Array.from(counts.keys()).filter((cell) => (counts[cell] as number) > 0);
  const mean = (cell: number) =>
    [0, 1, 2].map((k) => Math.round((sums[3 * cell + k] as number) / (counts[cell] as number)));
  const most = [...used]
    .sort((a, b) => (counts[b] as number) - (counts[a] as number))
    .slice(0, COLOURS)
    .map(mean);
  const indexOf = new Uint8Array(CELLS);
  for (const cell of used) indexOf[cell] = nearest(most, mean(cell));
  const palette = Array.from({ length: COLOURS }, (_, i) => most[i] ?? [0, 0, 0]).flat();
  return { palette, indexOf };
}

function nearest(colours: readonly (readonly number[])[], colour: readonly number[]): number {
  let [best, least] = [0, Number.POSITIVE_INFINITY];
  for (const [i, one] of colours.entries()) {
    const distance = one.reduce((sum, value, k) => sum + (value - (colour[k] as number)) ** 2, 0);
    if (distance < least) [best, least] = [i, distance];
  }
  return best;
}

/** The rectangle in which a frame differs from the one before; a pixel of it where it does nowhere. */
function changed(now: Uint8Array, before: Uint8Array | undefined, width: number, height: number) {
  if (!before) return { left: 0, top: 0, right: width, bottom: height };
  let [left, top, right, bottom] = [width, height, 0, 0];
  for (let i = 0; i < now.length; i++) {
    if (now[i] === before[i]) continue;
    const [x, y] = [i % width, Math.floor(i / width)];
    [left, top] = [Math.min(left, x), Math.min(top, y)];
    [right, bottom] = [Math.max(right, x + 1), Math.max(bottom, y + 1)];
  }
  return right > left ? { left, top, right, bottom } : { left: 0, top: 0, right: 1, bottom: 1 };
}
