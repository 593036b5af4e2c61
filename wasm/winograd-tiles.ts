/**
 * How winograd.ts cuts a convolution's output places into tiles, lines of tiles and units, by its shape alone.
 *
 * Images have tiles of 2 x 2 places; a line of tiles is two lines of places. In a sequence places a dilation apart are a class
 * of their own, and a tile is 3, 4 or 6 places of a class that follow each other; a line is a tile of each class. So the rows
 * of a line of tiles lie side by side.
 */
import { MR, NR } from "./gemm";
import { groupsOf, LinearParameters, windowOf } from "./product";
import { Window } from "./window";

/**
 * What is computed by fewer multiplications: 3 x 3 taps of images; of sequences 3 taps, the 7 between four places and four, up to
 * 9 taps.
 */
export const enum Tiling { none, images, three, four, nine }

/** Fewest channels and columns: with fewer, transforms take what multiplications save. */
const LEAST_CHANNELS: u32 = 16;
/** Fewest tiles, for all of which the weights are transformed. */
const LEAST_TILES: u32 = 64;
/** Tiles of a block, and of the least units that there are; with many channels half as many. */
const TILES: u32 = 64;
const MANY_CHANNELS: u32 = 192;
/** Most elements of a unit's product that a chain reads: 1 MiB. */
const UNIT_ELEMENTS: u32 = 262144;

// @ts-ignore: decorator
@inline
function half(x: u32): u32 {
  return (x + 1) >> 1;
}

/** Elements of a transformed tile, each a product of its own. */
export function pointsOf(tiling: Tiling): u32 {
  if (tiling == Tiling.images) return 16;
  return tiling == Tiling.three ? 5 : tiling == Tiling.four ? 9 : 20;
}

/** Bytes of so many elements of a point: points a power of 2 apart would be in the same lines of L1. */
// @ts-ignore: decorator
@inline
export function pointBytes(elements: u32): usize {
  return (<usize>elements << 2) + 64;
}

/** Output places of a tile of a sequence, and input places that it sees. */
// @ts-ignore: decorator
@inline
export function tileOutputs(tiling: Tiling): u32 {
  return tiling == Tiling.three ? 3 : tiling == Tiling.four ? 4 : 6;
}

// @ts-ignore: decorator
@inline
export function tileInputs(tiling: Tiling): u32 {
  return tiling == Tiling.three ? 5 : tiling == Tiling.four ? 4 : 14;
}

/** How far apart places of a class are. */
// @ts-ignore: decorator
@inline
export function dilationOf(w: Window): u32 {
  return <u32>abs(w.acrossDilation);
}

/** The first of the places that output place 0 sees: transposed windows have the last tap first. */
// @ts-ignore: decorator
@inline
export function originOf(w: Window): i32 {
  return w.acrossStart + min(0, w.acrossDilation) * (<i32>w.acrossTaps - 1);
}

function tilingOf(w: Window): Tiling {
  if ((w.downStride | w.downFraction | w.acrossStride | w.acrossFraction) != 1) return Tiling.none;
  const dilation = dilationOf(w), taps = w.acrossTaps;
  if (w.downTaps == 3) {
    return taps == 3 && dilation == 1 && abs(w.downDilation) == 1 ? Tiling.images : Tiling.none;
  }
  if (w.downTaps != 1 || w.downInput != 1 || w.downOutput != 1 || w.downStart || !dilation) return Tiling.none;
  if (taps == 3) return Tiling.three;
  const isWithin = <u32>max(w.acrossInput, w.acrossOutput) <= 4 * dilation;
  if (taps == 7 && isWithin && originOf(w) == -3 * <i32>dilation) return Tiling.four;
  return taps > 3 && taps <= 9 ? Tiling.nine : Tiling.none;
}

/** Images that the product has rows of or, left transposed, sums over. */
// @ts-ignore: decorator
@inline
export function imagesOf(p: LinearParameters): u32 {
  return (p.transposeLeft ? p.depth : p.rows) / placesOf(windowOf(p));
}

/** Output places of an image or a sequence. */
// @ts-ignore: decorator
@inline
export function placesOf(w: Window): u32 {
  return w.downOutput * w.acrossOutput;
}

/** Tiles of a line. */
export function lineTiles(w: Window, tiling: Tiling): u32 {
  return tiling == Tiling.images ? half(w.acrossOutput) : min(dilationOf(w), w.acrossOutput);
}

/** Rows of a line of tiles; the last one of an image may have fewer. */
export function lineRows(w: Window, tiling: Tiling): u32 {
  return tiling == Tiling.images ? 2 * w.acrossOutput : tileOutputs(tiling) * dilationOf(w);
}

/** Lines of tiles of an image. */
export function imageLines(w: Window, tiling: Tiling): u32 {
  if (tiling == Tiling.images) return half(w.downOutput);
  const rows = lineRows(w, tiling);
  return (w.acrossOutput + rows - 1) / rows;
}

/** How the convolution is computed by fewer multiplications, if it is. */
export function winogradOf(p: LinearParameters, chain: usize): Tiling {
  const w = windowOf(p);
  const tiling = tilingOf(w);
  if (tiling == Tiling.none) return tiling;
  if (w.channels & (MR - 1) || p.columns & (NR - 1) || min(w.channels, p.columns) < LEAST_CHANNELS) return Tiling.none;
  const tiles = lineTiles(w, tiling) * imageLines(w, tiling);
  // Tiles over the edge of small images take what they save: at least 1.4 times fewer multiplications must be left.
  const most = 5 * w.downTaps * w.acrossTaps * placesOf(w);
  if (tiles * imagesOf(p) < LEAST_TILES || 7 * pointsOf(tiling) * tiles > most) return Tiling.none;
  const groups = groupsOf(p);
  if (imagesOf(p) % groups) return Tiling.none;
  return chain && groups * winogradRows(p, tiling) * p.columns > UNIT_ELEMENTS ? Tiling.none : tiling;
}

/** Tiles of a block. */
// @ts-ignore: decorator
@inline
export function blockTiles(p: LinearParameters): u32 {
  return windowOf(p).channels + p.columns > MANY_CHANNELS ? TILES / 2 : TILES;
}

/** Lines of tiles in a unit, of each group: some of an image, or those of whole images. */
function unitLines(p: LinearParameters, tiling: Tiling): u32 {
  const w = windowOf(p);
  const down = imageLines(w, tiling), groups = groupsOf(p);
  const lines = max(1, TILES / (lineTiles(w, tiling) * groups));
  return lines < down ? lines : min(lines / down, imagesOf(p) / groups) * down;
}

export function winogradUnits(p: LinearParameters, tiling: Tiling): u32 {
  const down = imageLines(windowOf(p), tiling), lines = unitLines(p, tiling);
  const images = imagesOf(p) / groupsOf(p);
  return lines < down ? images * ((down + lines - 1) / lines) : (images * down + lines - 1) / lines;
}

/** The first row of a unit in each group. */
export function winogradFirst(p: LinearParameters, tiling: Tiling, unit: u32): u32 {
  const w = windowOf(p);
  const down = imageLines(w, tiling), lines = unitLines(p, tiling);
  if (lines >= down) return unit * (lines / down) * placesOf(w);
  const parts = (down + lines - 1) / lines;
  return (unit / parts) * placesOf(w) + (unit % parts) * lines * lineRows(w, tiling);
}

/** Rows of each group in a unit, at most. */
export function winogradRows(p: LinearParameters, tiling: Tiling): u32 {
  const w = windowOf(p);
  const down = imageLines(w, tiling), lines = unitLines(p, tiling);
  return lines < down ? lines * lineRows(w, tiling) : (lines / down) * placesOf(w);
}

/** Rows of each group in the unit that begins at this one. */
export function winogradHeight(p: LinearParameters, tiling: Tiling, first: u32): u32 {
  const w = windowOf(p);
  const isPart = unitLines(p, tiling) < imageLines(w, tiling);
  const left = isPart ? placesOf(w) - (first % placesOf(w)) : p.rows / groupsOf(p) - first;
  return min(winogradRows(p, tiling), left);
}
