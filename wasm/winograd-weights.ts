/**
 * The weights' gradient of a convolution by F(2 x 2, 3 x 3), the transposed of winograd.ts: G' [sum over tiles of (B' d B) (A c A')] G,
 * where c are a tile's 2 x 2 cotangents; for each point the sum over tiles is a product [channels, tiles] [tiles, columns].
 *
 * First the sums: tiles are cut into parts, channels and columns into blocks, by the shape alone; a unit is a part of a block. Then
 * units of channels add up the parts, in their order, and transform them.
 */
import { gemmBlock, MR, NR, TILE_BYTES } from "./gemm";
import { LinearParameters, windowOf } from "./product";
import { splat, VECTOR } from "./simd";
import { half, imagesOf } from "./winograd";
import {
  flippedTap, lineBytes, LINES, pointBytes, POINTS, RUN, transformCotangents, transformInputs,
} from "./winograd-transforms";

/** Channels and columns of a block, at most: with its tiles it stays in L2. */
const BLOCK: u32 = 64;
/** Tiles that are transformed and multiplied at a time. */
const TILES: u32 = 64;
/** Parts of the tiles, where channels and columns are one block: 8 units for threads to share. */
const PARTS: u32 = 8;
/** Channels of a unit that transforms what parts have summed up. */
const CHANNELS: u32 = 8;

// @ts-ignore: decorator
@inline
function blocks(width: u32): u32 {
  return (width + BLOCK - 1) / BLOCK;
}

/** The width of a block of so many: equal but the last, whole panels. */
// @ts-ignore: decorator
@inline
function blockOf(width: u32): u32 {
  const even = (width + blocks(width) - 1) / blocks(width);
  return (even + NR - 1) & ~(NR - 1);
}

/** Lines of tiles of all images. */
// @ts-ignore: decorator
@inline
function linesOf(p: LinearParameters): u32 {
  return imagesOf(p) * half(windowOf(p).downOutput);
}

function partsOf(p: LinearParameters): u32 {
  return min(linesOf(p), max(1, PARTS / (blocks(windowOf(p).channels) * blocks(p.columns))));
}

/** Bytes of a point's sums, of a part. */
// @ts-ignore: decorator
@inline
function sumBytes(p: LinearParameters): usize {
  return (<usize>windowOf(p).channels * p.columns) << 2;
}

/** Units that sum up. */
export function weightSumUnits(p: LinearParameters): u32 {
  return partsOf(p) * blocks(windowOf(p).channels) * blocks(p.columns);
}

/** Bytes of all sums. */
export function weightSumBytes(p: LinearParameters): usize {
  return <usize>partsOf(p) * POINTS * sumBytes(p);
}

/** Bytes of a thread's scratch. */
export function weightThreadBytes(p: LinearParameters): usize {
  const zeros = lineBytes(max(windowOf(p).channels, BLOCK));
  return 2 * POINTS * pointBytes(TILES * BLOCK) + (LINES - 1) * lineBytes(BLOCK) + zeros + TILE_BYTES;
}

/** The sums of a unit, to their place. */
export function weightSums(p: LinearParameters, unit: u32, sums: usize, scratch: usize): void {
  const w = windowOf(p);
  const channels = w.channels, columns = p.columns;
  const parts = partsOf(p);
  const part = unit % parts, block = unit / parts;
  const channel = (block % blocks(channels)) * blockOf(channels), column = (block / blocks(channels)) * blockOf(columns);
  const height = min(blockOf(channels), channels - channel), width = min(blockOf(columns), columns - column);
  const inputBytes = pointBytes(TILES * height), cotangentBytes = pointBytes(TILES * width);
  const cotangents = scratch + POINTS * inputBytes;
  const lines = cotangents + POINTS * cotangentBytes;
  const zeros = lines + (LINES - 1) * lineBytes(height);
  memory.fill(zeros, 0, lineBytes(max(channels, BLOCK)));
  const tile = scratch + weightThreadBytes(p) - TILE_BYTES;
  const across = half(w.acrossOutput);
  const begin = <u32>((<u64>linesOf(p) * part) / parts) * across, end = <u32>((<u64>linesOf(p) * (part + 1)) / parts) * across;
  const corner = sums + <usize>part * POINTS * sumBytes(p) + ((<usize>channel * columns + column) << 2);
  for (let done = begin; done < end; done += TILES) {
    const some = min(TILES, end - done);
    transformTiles(p, done, some, channel, height, lines, zeros, scratch, inputBytes);
    for (let t: u32 = 0; t < some; t++) {
      transformTile(p, done + t, column, width, zeros, cotangents + t * (NR << 2), some * (NR << 2), cotangentBytes);
    }
    for (let point: u32 = 0; point < POINTS; point++) {
      gemmBlock(
        height, width, some, scratch + point * inputBytes, cotangents + point * cotangentBytes, some * (NR << 2),
        corner + point * sumBytes(p), <usize>columns << 2, done == begin, tile, 0, 0,
      );
    }
  }
}

/** Of `height` channels, from one on: panels of 4, as packLeft makes them. */
function transformTiles(
  p: LinearParameters, tile: u32, tiles: u32, channel: u32, height: u32, lines: usize, zeros: usize, out: usize, pointStep: usize,
): void {
  const w = windowOf(p);
  const across = half(w.acrossOutput), down = half(w.downOutput);
  const from = (<usize>p.left << 2) + (channel << 2);
  for (let t: u32 = 0, run: u32 = 0; t < tiles; t += run) {
    const line = (tile + t) / across, x = (tile + t) % across;
    run = min(min(RUN, across - x), tiles - t);
    const image = from + ((<usize>(line / down) * w.downInput * w.acrossInput * w.channels) << 2);
    transformInputs(
      w, image, line % down, x, run, height, lines, zeros, out + t * (MR << 2), MR << 2, tiles * (MR << 2), pointStep,
    );
  }
}

/** Of `width` columns of a tile's cotangents, from one on. */
// @ts-ignore: decorator
@inline
function transformTile(
  p: LinearParameters, tile: u32, column: u32, width: u32, zeros: usize, out: usize, panelStep: usize, pointStep: usize,
): void {
  const w = windowOf(p);
  const across = half(w.acrossOutput), down = half(w.downOutput);
  const line = tile / across, x = (tile % across) * 2;
  const image = line / down, y = (line % down) * 2;
  const rowBytes: usize = <usize>p.columns << 2;
  const row = (image * w.downOutput + y) * w.acrossOutput + x;
  const place = (<usize>p.right << 2) + <usize>row * rowBytes + (column << 2);
  const below = place + w.acrossOutput * rowBytes;
  const isLow = y + 1 < w.downOutput, isRight = x + 1 < w.acrossOutput;
  transformCotangents(
    place, isRight ? place + rowBytes : zeros, isLow ? below : zeros, isLow && isRight ? below + rowBytes : zeros,
    <usize>width << 2, out, panelStep, pointStep,
  );
}

/** Units that transform the sums. */
export function weightUnits(p: LinearParameters): u32 {
  return (windowOf(p).channels + CHANNELS - 1) / CHANNELS;
}

/** The gradient by some channels' weights. */
export function weightUnit(p: LinearParameters, unit: u32, sums: usize): void {
  const channels = windowOf(p).channels;
  const bytes: usize = <usize>p.columns << 2;
  const first = unit * CHANNELS;
  const from = sums + first * bytes;
  const out = (<usize>p.out << 2) + first * bytes;
  const some: usize = <usize>min(CHANNELS, channels - first) * bytes;
  for (let i: usize = 0; i < some; i += VECTOR) transformSums(p, from + i, out + i, channels * bytes);
}

/** G' m G of the sums at this address, to the nine taps. */
function transformSums(p: LinearParameters, from: usize, out: usize, tapBytes: usize): void {
  const w = windowOf(p);
  const h = splat(0.5);
  for (let across: u32 = 0; across < 3; across++) {
    const x0 = sumsLine(p, from, 0, across), x1 = f32x4.mul(h, sumsLine(p, from, 1, across));
    const x2 = f32x4.mul(h, sumsLine(p, from, 2, across)), x3 = sumsLine(p, from, 3, across);
    const sum = f32x4.add(x1, x2);
    v128.store(out + flippedTap(w, across) * tapBytes, f32x4.add(x0, sum));
    v128.store(out + flippedTap(w, 3 + across) * tapBytes, f32x4.sub(x1, x2));
    v128.store(out + flippedTap(w, 6 + across) * tapBytes, f32x4.add(sum, x3));
  }
}

/** Element `across` of m G on a line of points. */
function sumsLine(p: LinearParameters, from: usize, line: u32, across: u32): v128 {
  const h = splat(0.5);
  const first = 4 * line;
  const middle = f32x4.mul(h, sumOf(p, from, first + 1)), other = f32x4.mul(h, sumOf(p, from, first + 2));
  if (across == 1) return f32x4.sub(middle, other);
  const end = sumOf(p, from, across == 0 ? first : first + 3);
  return f32x4.add(end, f32x4.add(middle, other));
}

/** What all parts have of a point. */
function sumOf(p: LinearParameters, from: usize, point: u32): v128 {
  let at = from + point * sumBytes(p);
  let sum = v128.load(at);
  for (let part = partsOf(p); part > 1; part--) {
    at += POINTS * sumBytes(p);
    sum = f32x4.add(sum, v128.load(at));
  }
  return sum;
}
