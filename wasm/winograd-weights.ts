/**
 * The weights' gradient of a convolution by fewer multiplications, the transposed of winograd.ts: G' [sum over tiles of
 * (B' d) (A c)], where c are a tile's cotangents; for each point the sum over tiles is a product [channels, tiles] [tiles,
 * columns].
 *
 * First the sums: tiles are cut into parts, channels and columns into blocks, by the shape alone; a unit is a part of a block.
 * Then units of channels add up the parts, in their order, and transform them.
 */
import { gemmBlock, MR, NR, TILE_BYTES } from "./gemm";
import { LinearParameters, windowOf } from "./product";
import { VECTOR } from "./simd";
import { flippedTap, lineBytes, LINES, RUN, transformCotangents, transformInputs, transformSums } from "./winograd-images";
import { transformPlaceCotangents, transformTapSums } from "./winograd-sequence-weights";
import { transformPlaces } from "./winograd-sequences";
import {
  imageLines, imagesOf, lineRows, lineTiles, placesOf, pointBytes, pointsOf, Tiling,
} from "./winograd-tiles";

/** Channels and columns of a block, at most: with its tiles it stays in L2. */
const BLOCK: u32 = 64;
/** Points of all tiles that are transformed and multiplied at a time. */
const BLOCK_POINTS: u32 = 1200;
/** Parts of the tiles, where channels and columns are one block: 8 units for threads to share. */
const PARTS: u32 = 8;
/** Channels of a unit that transforms what parts have summed up. */
const CHANNELS: u32 = 8;

/** Tiles at a time: no power of 2, or what the transforms write would be in few lines of L1. */
// @ts-ignore: decorator
@inline
function tilesOf(tiling: Tiling): u32 {
  return (BLOCK_POINTS / pointsOf(tiling)) & ~3;
}

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
function linesOf(p: LinearParameters, tiling: Tiling): u32 {
  return imagesOf(p) * imageLines(windowOf(p), tiling);
}

function partsOf(p: LinearParameters, tiling: Tiling): u32 {
  return min(linesOf(p, tiling), max(1, PARTS / (blocks(windowOf(p).channels) * blocks(p.columns))));
}

/** Bytes of a point's sums, of a part. */
// @ts-ignore: decorator
@inline
function sumBytes(p: LinearParameters): usize {
  return (<usize>windowOf(p).channels * p.columns) << 2;
}

/** Units that sum up. */
export function weightSumUnits(p: LinearParameters, tiling: Tiling): u32 {
  return partsOf(p, tiling) * blocks(windowOf(p).channels) * blocks(p.columns);
}

/** Bytes of all sums. */
export function weightSumBytes(p: LinearParameters, tiling: Tiling): usize {
  return <usize>partsOf(p, tiling) * pointsOf(tiling) * sumBytes(p);
}

/** Bytes of a thread's scratch. */
export function weightThreadBytes(p: LinearParameters, tiling: Tiling): usize {
  const zeros = lineBytes(max(windowOf(p).channels, BLOCK));
  return 2 * pointsOf(tiling) * pointBytes(tilesOf(tiling) * BLOCK) + (LINES - 1) * lineBytes(BLOCK) + zeros + TILE_BYTES;
}

/** The sums of a unit, to their place. */
export function weightSums(p: LinearParameters, tiling: Tiling, unit: u32, sums: usize, scratch: usize): void {
  const w = windowOf(p);
  const channels = w.channels, columns = p.columns;
  const parts = partsOf(p, tiling), points = pointsOf(tiling);
  const part = unit % parts, block = unit / parts;
  const channel = (block % blocks(channels)) * blockOf(channels), column = (block / blocks(channels)) * blockOf(columns);
  const height = min(blockOf(channels), channels - channel), width = min(blockOf(columns), columns - column);
  const tiles = tilesOf(tiling);
  const inputBytes = pointBytes(tiles * height), cotangentBytes = pointBytes(tiles * width);
  const cotangents = scratch + points * inputBytes;
  const lines = cotangents + points * cotangentBytes;
  const zeros = lines + (LINES - 1) * lineBytes(BLOCK);
  memory.fill(zeros, 0, lineBytes(max(channels, BLOCK)));
  const tile = scratch + weightThreadBytes(p, tiling) - TILE_BYTES;
  const across = lineTiles(w, tiling), all: u64 = linesOf(p, tiling);
  const begin = <u32>((all * part) / parts) * across, end = <u32>((all * (part + 1)) / parts) * across;
  const corner = sums + <usize>part * points * sumBytes(p) + ((<usize>channel * columns + column) << 2);
  for (let done = begin; done < end; done += tiles) {
    const some = min(tiles, end - done);
    transformTiles(p, tiling, done, some, channel, height, lines, zeros, scratch, inputBytes);
    for (let t: u32 = 0; t < some; t++) {
      transformTile(
        p, tiling, done + t, column, width, lines, zeros, cotangents + t * (NR << 2), some * (NR << 2), cotangentBytes,
      );
    }
    for (let point: u32 = 0; point < points; point++) {
      gemmBlock(
        height, width, some, scratch + point * inputBytes, cotangents + point * cotangentBytes, some * (NR << 2),
        corner + point * sumBytes(p), <usize>columns << 2, done == begin, tile, 0, 0,
      );
    }
  }
}

/** Of `height` channels, from one on: panels of 4, as packLeft makes them. */
function transformTiles(
  p: LinearParameters, tiling: Tiling, tile: u32, tiles: u32, channel: u32, height: u32, lines: usize, zeros: usize,
  out: usize, pointStep: usize,
): void {
  const w = windowOf(p);
  const across = lineTiles(w, tiling), down = imageLines(w, tiling), rows = lineRows(w, tiling);
  const from = (<usize>p.left << 2) + (channel << 2);
  for (let t: u32 = 0, run: u32 = 0; t < tiles; t += run) {
    const line = (tile + t) / across, x = (tile + t) % across, y = line % down;
    const image = from + ((<usize>(line / down) * w.downInput * w.acrossInput * w.channels) << 2);
    const to = out + t * (MR << 2), vectorStep = tiles * (MR << 2);
    if (tiling == Tiling.images) {
      run = min(min(RUN, across - x), tiles - t);
      transformInputs(w, image, y, x, run, height, lines, zeros, to, MR << 2, vectorStep, pointStep);
    } else {
      run = 1;
      transformPlaces(w, tiling, image, y * rows + x, height << 2, lines, to, vectorStep, pointStep);
    }
  }
}

/** Of `width` columns of a tile's cotangents, from one on. */
// @ts-ignore: decorator
@inline
function transformTile(
  p: LinearParameters, tiling: Tiling, tile: u32, column: u32, width: u32, lines: usize, zeros: usize,
  out: usize, panelStep: usize, pointStep: usize,
): void {
  const w = windowOf(p);
  const across = lineTiles(w, tiling), down = imageLines(w, tiling);
  const line = tile / across, x = tile % across, y = line % down;
  const rowBytes: usize = <usize>p.columns << 2, bytes: usize = <usize>width << 2;
  const image = (<usize>p.right << 2) + (<usize>(line / down) * placesOf(w)) * rowBytes + (column << 2);
  if (tiling != Tiling.images) {
    const first = y * lineRows(w, tiling) + x;
    transformPlaceCotangents(w, tiling, image, first, rowBytes, bytes, lines, out, panelStep, pointStep);
    return;
  }
  const place = image + <usize>(2 * (y * w.acrossOutput + x)) * rowBytes;
  const below = place + w.acrossOutput * rowBytes;
  const isLow = y * 2 + 1 < w.downOutput, isRight = x * 2 + 1 < w.acrossOutput;
  transformCotangents(
    place, isRight ? place + rowBytes : zeros, isLow ? below : zeros, isLow && isRight ? below + rowBytes : zeros,
    bytes, out, panelStep, pointStep,
  );
}

/** Units that transform the sums. */
export function weightUnits(p: LinearParameters): u32 {
  return (windowOf(p).channels + CHANNELS - 1) / CHANNELS;
}

/** The gradient by some channels' weights. `scratch`: the thread's. */
export function weightUnit(p: LinearParameters, tiling: Tiling, unit: u32, sums: usize, scratch: usize): void {
  const w = windowOf(p);
  const bytes: usize = <usize>p.columns << 2;
  const first = unit * CHANNELS;
  const out = (<usize>p.out << 2) + first * bytes;
  const some: usize = <usize>min(CHANNELS, w.channels - first) * bytes, tapBytes: usize = w.channels * bytes;
  const points = pointsOf(tiling), parts = partsOf(p, tiling), taps = w.downTaps * w.acrossTaps;
  for (let i: usize = 0; i < some; i += VECTOR) {
    for (let point: u32 = 0; point < points; point++) {
      let at = sums + first * bytes + i + point * tapBytes;
      let sum = v128.load(at);
      for (let part: u32 = 1; part < parts; part++) {
        at += points * tapBytes;
        sum = f32x4.add(sum, v128.load(at));
      }
      v128.store(scratch + point * VECTOR, sum);
    }
    if (tiling == Tiling.images) transformSums(scratch);
    else transformTapSums(tiling, scratch);
    for (let tap: u32 = 0; tap < taps; tap++) {
      v128.store(out + i + flippedTap(w, tap) * tapBytes, v128.load(scratch + tap * VECTOR));
    }
  }
}
