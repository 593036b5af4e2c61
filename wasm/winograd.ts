/**
 * Convolutions of 3 x 3 taps by Winograd's minimal filtering F(2 x 2, 3 x 3): 16 multiplications for four output places where
 * a sum over taps takes 36. Output places go by tiles of 2 x 2; a tile sees 4 x 4 input places d. It is
 * A' [sum over channels of (G w G') (B' d B), element by element] A (winograd-transforms.ts has the matrices): for each of the 16
 * elements, or points, the sum over channels is a product [tiles, channels] [channels, columns].
 *
 * A block of tiles is transformed, multiplied point by point and transformed back while it is in L2. Weights are transformed
 * first, once for all. Of the gradient by the weights: winograd-weights.ts.
 *
 * Whether a convolution is computed so, and in which units, its shape alone says; an element of the result depends on nothing but
 * its tile's input and the weights.
 *
 * Source: Lavin and Gray, Fast algorithms for convolutional neural networks (CVPR 2016).
 */
import { gemmRows, MR, NR, packRight } from "./gemm";
import { groupsOf, LinearParameters, windowOf } from "./product";
import { VECTOR } from "./simd";
import {
  flippedTap, lineBytes, LINES, pointBytes, POINTS, RUN, transformInputs, transformOutput, transformWeights,
} from "./winograd-transforms";

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
export function half(x: u32): u32 {
  return (x + 1) >> 1;
}

/** Images that the product has rows of or, left transposed, sums over. */
// @ts-ignore: decorator
@inline
export function imagesOf(p: LinearParameters): u32 {
  const w = windowOf(p);
  return (p.transposeLeft ? p.depth : p.rows) / (w.downOutput * w.acrossOutput);
}

/** Whether the convolution is computed so. */
export function isWinograd(p: LinearParameters, chain: usize): bool {
  const w = windowOf(p);
  const areThree = w.downTaps == 3 && w.acrossTaps == 3;
  const areNeighbours = abs(w.downDilation) == 1 && abs(w.acrossDilation) == 1;
  const isDense = (w.downStride | w.downFraction | w.acrossStride | w.acrossFraction) == 1;
  if (!areThree || !areNeighbours || !isDense) return false;
  if (w.channels & (MR - 1) || p.columns & (NR - 1) || min(w.channels, p.columns) < LEAST_CHANNELS) return false;
  const tiles = half(w.downOutput) * half(w.acrossOutput);
  // Tiles over the edge of small images take what they save: at least 1.4 times fewer multiplications must be left.
  if (tiles * imagesOf(p) < LEAST_TILES || 5 * tiles > 2 * w.downOutput * w.acrossOutput) return false;
  const groups = groupsOf(p);
  return imagesOf(p) % groups == 0 && (!chain || groups * winogradRows(p) * p.columns <= UNIT_ELEMENTS);
}

/** Lines of tiles in a unit, of each group: some of an image, or those of whole images. */
function unitLines(p: LinearParameters): u32 {
  const w = windowOf(p);
  const down = half(w.downOutput), groups = groupsOf(p);
  const lines = max(1, TILES / (half(w.acrossOutput) * groups));
  return lines < down ? lines : min(lines / down, imagesOf(p) / groups) * down;
}

export function winogradUnits(p: LinearParameters): u32 {
  const down = half(windowOf(p).downOutput), lines = unitLines(p);
  const images = imagesOf(p) / groupsOf(p);
  return lines < down ? images * ((down + lines - 1) / lines) : (images * down + lines - 1) / lines;
}

/** The first row of a unit in each group. */
export function winogradFirst(p: LinearParameters, unit: u32): u32 {
  const w = windowOf(p);
  const down = half(w.downOutput), lines = unitLines(p);
  const places = w.downOutput * w.acrossOutput;
  if (lines >= down) return unit * (lines / down) * places;
  const parts = (down + lines - 1) / lines;
  return (unit / parts) * places + (unit % parts) * lines * 2 * w.acrossOutput;
}

/** Rows of each group in a unit, at most. */
export function winogradRows(p: LinearParameters): u32 {
  const w = windowOf(p);
  const down = half(w.downOutput), lines = unitLines(p);
  return lines < down ? lines * 2 * w.acrossOutput : (lines / down) * w.downOutput * w.acrossOutput;
}

/** Rows of each group in the unit that begins at this one. */
export function winogradHeight(p: LinearParameters, first: u32): u32 {
  const w = windowOf(p);
  const places = w.downOutput * w.acrossOutput;
  const left = unitLines(p) < half(w.downOutput) ? places - (first % places) : p.rows / groupsOf(p) - first;
  return min(winogradRows(p), left);
}

// @ts-ignore: decorator
@inline
function tilesOf(p: LinearParameters): u32 {
  return windowOf(p).channels + p.columns > MANY_CHANNELS ? TILES / 2 : TILES;
}

/** Bytes of the weights, transformed: for each point panels of 8 columns, as packRight makes them. */
export function winogradWeightBytes(p: LinearParameters): usize {
  return POINTS * weightBytes(p);
}

/** Those of a point. */
// @ts-ignore: decorator
@inline
function weightBytes(p: LinearParameters): usize {
  return ((<usize>windowOf(p).channels * p.columns) << 2) + VECTOR;
}

/** Bytes of a thread's scratch: a block's tiles before and after the products, and lines; or a panel of weights. */
export function winogradThreadBytes(p: LinearParameters): usize {
  const channels = windowOf(p).channels, tiles = tilesOf(p);
  const block = POINTS * (pointBytes(tiles * channels) + pointBytes(tiles * p.columns));
  return max(block + LINES * lineBytes(max(channels, p.columns)), (<usize>9 * channels * NR) << 2);
}

/** Transforms the weights of 8 columns. `scratch`: the thread's. */
export function winogradPack(p: LinearParameters, panel: u32, packed: usize, scratch: usize): void {
  const channels = windowOf(p).channels;
  const panelBytes: usize = (<usize>channels * NR) << 2;
  const columnStride: usize = p.transposeRight ? <usize>channels << 2 : 4;
  const depthStride: usize = p.transposeRight ? 4 : <usize>p.columns << 2;
  const corner = (<usize>p.right << 2) + panel * NR * columnStride;
  for (let tap: u32 = 0; tap < 9; tap++) {
    const from = corner + ((<usize>flippedTap(windowOf(p), tap) * channels * p.columns) << 2);
    packRight(from, columnStride, depthStride, NR, channels, scratch + tap * panelBytes, panelBytes);
  }
  transformWeights(scratch, panelBytes, packed + panel * panelBytes, weightBytes(p));
}

/**
 * target[group, height, columns] = the rows `first` and following of each group; on those of the first group the bias at this
 * address, if any.
 */
export function winogradMultiply(
  p: LinearParameters, first: u32, height: u32, target: usize, packed: usize, scratch: usize, bias: usize,
): void {
  const w = windowOf(p);
  const channels = w.channels, columns = p.columns;
  const groups = groupsOf(p), tiles = tilesOf(p);
  const inputBytes = pointBytes(tiles * channels), outputBytes = pointBytes(tiles * columns);
  const outputs = scratch + POINTS * inputBytes;
  const lines = outputs + POINTS * outputBytes;
  const spare = lines; // of a line: for places of a tile over the edge
  const zeros = lines + (LINES - 1) * lineBytes(channels);
  memory.fill(zeros, 0, lineBytes(max(channels, columns)));
  const rowBytes: usize = <usize>columns << 2;
  const width = w.acrossOutput, places = w.downOutput * width;
  const across = half(width), down = half(w.downOutput);
  // Lines of tiles count from the first one of the first row's image on; of other groups likewise.
  const begin = (first % places) / (2 * width);
  const each = height < places ? (height + 2 * width - 1) / (2 * width) : (height / places) * down;
  const count = groups * each * across;
  for (let done: u32 = 0; done < count; done += tiles) {
    const some = min(tiles, count - done);
    for (let t: u32 = 0, run: u32 = 0; t < some; t += run) {
      const line = (done + t) / across, x = (done + t) % across;
      run = min(min(RUN, across - x), some - t);
      const image = ((line / each) * (p.rows / groups) + first) / places + (begin + line % each) / down;
      const from = (<usize>p.left << 2) + ((<usize>image * w.downInput * w.acrossInput * channels) << 2);
      transformInputs(
        w, from, (begin + line % each) % down, x, run, channels, lines, zeros,
        scratch + t * (channels << 2), channels << 2, VECTOR, inputBytes,
      );
    }
    for (let point: u32 = 0; point < POINTS; point++) {
      multiplyPoint(
        some, channels, columns, scratch + point * inputBytes, packed + point * weightBytes(p), outputs + point * outputBytes,
      );
    }
    for (let t: u32 = 0; t < some; t++) {
      const line = (done + t) / across, x = ((done + t) % across) * 2;
      const image = (begin + line % each) / down, y = ((begin + line % each) % down) * 2;
      const row = (line / each) * height + image * places + (y - 2 * begin) * width + x;
      const corner = target + <usize>row * rowBytes;
      const isLow = y + 1 < w.downOutput, isRight = x + 1 < width;
      const below = corner + width * rowBytes;
      transformOutput(
        outputs + t * rowBytes, outputBytes, rowBytes, bias && line < each ? bias : zeros,
        corner, isRight ? corner + rowBytes : spare, isLow ? below : spare, isLow && isRight ? below + rowBytes : spare,
      );
    }
  }
}

/** out[tiles, columns] = left[tiles, channels] right, packed; up to three tiles more, of whatever lies there. */
function multiplyPoint(tiles: u32, channels: u32, columns: u32, left: usize, right: usize, out: usize): void {
  const leftStride: usize = <usize>channels << 2, stride: usize = <usize>columns << 2;
  for (const end = out + stride; out < end; out += NR << 2, right += channels * NR << 2) {
    let from = left, to = out;
    for (let tile: u32 = 0; tile < tiles; tile += MR, from += MR * leftStride, to += MR * stride) {
      gemmRows(channels, from, leftStride, right, to, stride);
    }
  }
}
