/** PNG files that reports embed, taken apart again. */
import { crc32, inflateSync } from "node:zlib";
import { expect, test } from "vitest";
import { greyPng, png } from "../../src/cli/report/png.ts";

/** Type and data of each chunk, whose checks are right. */
function chunksOf(file: Buffer): (readonly [type: string, data: Buffer])[] {
  expect(file.subarray(0, 8)).toEqual(Buffer.from("\x89PNG\r\n\x1a\n", "latin1"));
  const chunks: (readonly [string, Buffer])[] = [];
  for (let at = 8; at < file.length; ) {
    const length = file.readUInt32BE(at);
    const body = file.subarray(at + 4, at + 8 + length);
    expect(file.readUInt32BE(at + 8 + length)).toBe(crc32(body));
    chunks.push([body.toString("latin1", 0, 4), body.subarray(4)]);
    at += 12 + length;
  }
  return chunks;
}

const rowsOf = (data: Buffer) => [...inflateSync(data)];

test("a picture in colour: rows after a filter of 0", () => {
  const chunks = chunksOf(png(2, 1, Uint8Array.of(1, 2, 3, 4, 5, 6)));
  expect(chunks.map(([type]) => type)).toEqual(["IHDR", "IDAT", "IEND"]);
  expect([...(chunks[0]?.[1] ?? [])]).toEqual([0, 0, 0, 2, 0, 0, 0, 1, 8, 2, 0, 0, 0]);
  expect(rowsOf(chunks[1]?.[1] as Buffer)).toEqual([0, 1, 2, 3, 4, 5, 6]);
});

test("a still picture of greys", () => {
  const chunks = chunksOf(greyPng(2, 2, [Uint8Array.of(1, 2, 3, 4)]));
  expect(chunks.map(([type]) => type)).toEqual(["IHDR", "IDAT", "IEND"]);
  expect([...(chunks[0]?.[1] ?? [])]).toEqual([0, 0, 0, 2, 0, 0, 0, 2, 8, 0, 0, 0, 0]);
  expect(rowsOf(chunks[1]?.[1] as Buffer)).toEqual([0, 1, 2, 0, 3, 4]);
});

test("greys that move: frames in order, each seen for its time, without end", () => {
  const pictures = [1, 2, 3].map((grey) => new Uint8Array(4).fill(grey));
  const chunks = chunksOf(greyPng(2, 2, pictures, 150));
  expect(chunks.map(([type]) => type)).toEqual([
    "IHDR",
    "acTL",
    "fcTL",
    "IDAT",
    "fcTL",
    "fdAT",
    "fcTL",
    "fdAT",
    "IEND",
  ]);
  expect([...(chunks[1]?.[1] ?? [])]).toEqual([0, 0, 0, 3, 0, 0, 0, 0]);
  const controls = chunks.flatMap(([type, data]) => (type === "fcTL" ? [data] : []));
  // Its place, width, height, offsets, 150 / 1000 s, dispose of nothing, replace what is there.
  for (const [i, control] of controls.entries()) {
    expect([...control]).toEqual([
      0,
      0,
      0,
      [0, 1, 3][i],
      0,
      0,
      0,
      2,
      0,
      0,
      0,
      2,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      150,
      3,
      232,
      0,
      0,
    ]);
  }
  const frames = chunks.flatMap(([type, data]) => (type === "fdAT" ? [data] : []));
  expect(frames.map((data) => data.readUInt32BE(0))).toEqual([2, 4]);
  expect(rowsOf(chunks[3]?.[1] as Buffer)).toEqual([0, 1, 1, 0, 1, 1]);
  expect(frames.map((data) => rowsOf(data.subarray(4))[1])).toEqual([2, 3]);
});
