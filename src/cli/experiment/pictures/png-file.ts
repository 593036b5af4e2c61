/** Pictures from PNG files: all bit depths and kinds of colour, not interlaced; transparency is laid over white. */
import { crc32, inflateSync } from "node:zlib";
import { DataError } from "../../../index.ts";
import type { PictureShape } from "./picture.ts";

export interface OnePicture extends PictureShape {
  /** Row-major [height, width, channels]. */
  readonly levels: Uint8Array;
}

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];

/** By kind of colour: grey, RGB, a palette's number, grey and RGB with transparency. */
const samplesOf: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/** More would be no picture to train on. */
const LARGEST_SIDE = 1 << 14;

interface Header {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly colour: number;
  /** Numbers of a pixel in the file. */
  readonly samples: number;
}

const damaged = (path: string, given: string): DataError =>
  new DataError({ subject: path, given, expected: "a whole PNG file", remedy: "Copy it again, or take it away." });

/** @throws {@link DataError} when the bytes are no such file, or damaged. */
export function readPng(bytes: Uint8Array, path: string): OnePicture {
  if (!SIGNATURE.every((byte, i) => bytes[i] === byte)) throw damaged(path, "no PNG file");
  const chunks = chunksOf(bytes, path);
  const header = headerOf(chunks.find(({ type }) => type === "IHDR")?.data, path);
  const palette = chunks.find(({ type }) => type === "PLTE")?.data ?? new Uint8Array(0);
  const packed = chunks.flatMap(({ type, data }) => (type === "IDAT" ? [data] : []));
  let raw: Uint8Array;
  try {
    raw = inflateSync(Buffer.concat(packed));
  } catch (cause) {
    throw new DataError(damaged(path, "compressed pixels that do not unpack").facts, { cause });
  }
  const { width, height, depth, colour, samples } = header;
  const bytesInRow = Math.ceil((width * samples * depth) / 8);
  if (raw.length < height * (bytesInRow + 1)) throw damaged(path, `${raw.length} bytes of pixels, too few`);
  const rows = unfiltered(raw, height, bytesInRow, Math.max(1, (samples * depth) / 8), path);
  const value = (row: number, i: number) => {
    if (depth >= 8) return rows[row * bytesInRow + i * (depth / 8)] as number; // of 16 bits the higher 8
    const byte = rows[row * bytesInRow + Math.floor((i * depth) / 8)] as number;
    return (byte >> (8 - depth - ((i * depth) % 8))) & (2 ** depth - 1);
  };
  const isGrey = colour === 0 || colour === 4;
  const channels = isGrey ? 1 : 3;
  const spread = colour === 3 || depth >= 8 ? 1 : 255 / (2 ** depth - 1);
  const levels = new Uint8Array(width * height * channels);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const alpha = colour === 4 || colour === 6 ? value(y, x * samples + samples - 1) / 255 : 1;
      for (let c = 0; c < channels; c++) {
        const own = colour === 3 ? palette[3 * value(y, x) + c] : spread * value(y, x * samples + (isGrey ? 0 : c));
        if (own === undefined) throw damaged(path, "a colour that its palette does not have");
        levels[(y * width + x) * channels + c] = Math.round(alpha * own + (1 - alpha) * 255);
      }
    }
  }
  return { levels, height, width, channels };
}

/** Its parts up to the end, each checked. */
function chunksOf(bytes: Uint8Array, path: string): readonly { readonly type: string; readonly data: Uint8Array }[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks: { type: string; data: Uint8Array }[] = [];
  for (let at = SIGNATURE.length; at + 12 <= bytes.length; ) {
    const length = view.getUint32(at);
    if (at + 12 + length > bytes.length) break;
    const body = bytes.subarray(at + 4, at + 8 + length);
    if (crc32(body) !== view.getUint32(at + 8 + length)) throw damaged(path, "a part whose checksum is another");
    const type = Buffer.from(body.subarray(0, 4)).toString("latin1");
    chunks.push({ type, data: body.subarray(4) });
    if (type === "IEND") return chunks;
    at += 12 + length;
  }
  throw damaged(path, "a file that ends in the middle");
}

function headerOf(data: Uint8Array | undefined, path: string): Header {
  if (data?.length !== 13) throw damaged(path, "no header");
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  const [depth, colour, , , interlaced] = data.subarray(8) as unknown as [number, number, number, number, number];
  const samples = samplesOf[colour];
  const isSize = (side: number) => side > 0 && side <= LARGEST_SIDE;
  if (samples === undefined || ![1, 2, 4, 8, 16].includes(depth) || !isSize(width) || !isSize(height))
    throw damaged(path, `a header of ${width} x ${height}, ${depth} bits, colours of kind ${colour}`);
  if (interlaced === 0) return { width, height, depth, colour, samples };
  throw new DataError({
    subject: path,
    given: "an interlaced PNG",
    expected: "one that is not",
    remedy: "Save it without interlacing, such as by magick mogrify -interlace none.",
  });
}

/** Rows as they were before their filters, which predict a byte from those to the left and above. */
function unfiltered(raw: Uint8Array, height: number, width: number, step: number, path: string): Uint8Array {
  const rows = new Uint8Array(height * width);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (width + 1)] as number;
    if (filter > 4) throw damaged(path, `a filter of number ${filter}`);
    for (let x = 0; x < width; x++) {
      const at = y * width + x;
      const left = x >= step ? (rows[at - step] as number) : 0;
      const up = y > 0 ? (rows[at - width] as number) : 0;
      const corner = x >= step && y > 0 ? (rows[at - width - step] as number) : 0;
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter] as number;
      rows[at] = (raw[y * (width + 1) + 1 + x] as number) + guess;
    }
  }
  return rows;
}

/** Paeth's prediction: the one of three that is nearest to left + up - corner. */
function paeth(left: number, up: number, corner: number): number {
  const guess = left + up - corner;
  const [a, b, c] = [left, up, corner].map((one) => Math.abs(guess - one)) as [number, number, number];
  if (a <= b && a <= c) return left;
  return b <= c ? up : corner;
}
