/**
 * Convolutions by Winograd's minimal filtering. A tile of output places, of which winograd-tiles.ts says the kinds, is
 * A' [sum over channels of (G w) (B' d), element by element] of the input places d that it sees and the weights w: for each of
 * the elements, or points, the sum over channels is a product [tiles, channels] [channels, columns]. F(2 x 2, 3 x 3) has 16
 * points for four places where a sum over taps takes 36 multiplications (winograd-images.ts); what sequences have:
 * winograd-sequences.ts.
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
import { flippedTap, lineBytes, LINES, RUN, transformInputs, transformOutput, transformWeights } from "./winograd-images";
import { transformPlaces, transformProducts, transformTaps } from "./winograd-sequences";
import {
  blockTiles, imageLines, lineRows, lineTiles, placesOf, pointBytes, pointsOf, Tiling,
} from "./winograd-tiles";

/** Bytes of the weights, transformed: for each point panels of 8 columns, as packRight makes them. */
export function winogradWeightBytes(p: LinearParameters, tiling: Tiling): usize {
  return pointsOf(tiling) * weightBytes(p);
}

/** Those of a point. */
// @ts-ignore: decorator
@inline
function weightBytes(p: LinearParameters): usize {
  return ((<usize>windowOf(p).channels * p.columns) << 2) + VECTOR;
}

/** Bytes of a thread's scratch: a block's tiles before and after the products, and lines; or a panel of weights. */
export function winogradThreadBytes(p: LinearParameters, tiling: Tiling): usize {
  const channels = windowOf(p).channels, tiles = blockTiles(p);
  const block = pointsOf(tiling) * (pointBytes(tiles * channels) + pointBytes(tiles * p.columns));
  return max(block + LINES * lineBytes(max(channels, p.columns)), (<usize>9 * channels * NR) << 2);
}

/** Transforms the weights of 8 columns. `scratch`: the thread's. */
export function winogradPack(p: LinearParameters, tiling: Tiling, panel: u32, packed: usize, scratch: usize): void {
  const w = windowOf(p);
  const channels = w.channels, taps = w.downTaps * w.acrossTaps;
  const panelBytes: usize = (<usize>channels * NR) << 2;
  const columnStride: usize = p.transposeRight ? <usize>channels << 2 : 4;
  const depthStride: usize = p.transposeRight ? 4 : <usize>p.columns << 2;
  const corner = (<usize>p.right << 2) + panel * NR * columnStride;
  memory.fill(scratch + taps * panelBytes, 0, (9 - taps) * panelBytes);
  for (let tap: u32 = 0; tap < taps; tap++) {
    const from = corner + ((<usize>flippedTap(w, tap) * channels * p.columns) << 2);
    packRight(from, columnStride, depthStride, NR, channels, scratch + tap * panelBytes, panelBytes);
  }
  const out = packed + panel * panelBytes;
  if (tiling == Tiling.images) transformWeights(scratch, panelBytes, out, weightBytes(p));
  else transformTaps(tiling, scratch, panelBytes, out, weightBytes(p));
}

/**
 * target[group, height, columns] = the rows `first` and following of each group; on those of the first group the bias at this
 * address, if any.
 */
export function winogradMultiply(
  p: LinearParameters, tiling: Tiling, first: u32, height: u32, target: usize, packed: usize, scratch: usize, bias: usize,
): void {
  const w = windowOf(p);
  const channels = w.channels, columns = p.columns;
  const groups = groupsOf(p), tiles = blockTiles(p), points = pointsOf(tiling);
  const inputBytes = pointBytes(tiles * channels), outputBytes = pointBytes(tiles * columns);
  const outputs = scratch + points * inputBytes;
  const lines = outputs + points * outputBytes;
  const zeros = lines + (LINES - 1) * lineBytes(max(channels, columns));
  memory.fill(zeros, 0, lineBytes(max(channels, columns)));
  const rowBytes: usize = <usize>columns << 2;
  const rows = lineRows(w, tiling), places = placesOf(w);
  const across = lineTiles(w, tiling), down = imageLines(w, tiling);
  // Lines of tiles count from the first one of the first row's image on; of other groups likewise.
  const begin = (first % places) / rows;
  const each = height < places ? (height + rows - 1) / rows : (height / places) * down;
  const count = groups * each * across;
  for (let done: u32 = 0; done < count; done += tiles) {
    const some = min(tiles, count - done);
    for (let t: u32 = 0, run: u32 = 0; t < some; t += run) {
      const line = (done + t) / across, x = (done + t) % across;
      const image = ((line / each) * (p.rows / groups) + first) / places + (begin + line % each) / down;
      const from = (<usize>p.left << 2) + ((<usize>image * w.downInput * w.acrossInput * channels) << 2);
      const y = (begin + line % each) % down, to = scratch + t * (channels << 2);
      if (tiling == Tiling.images) {
        run = min(min(RUN, across - x), some - t);
        transformInputs(w, from, y, x, run, channels, lines, zeros, to, channels << 2, VECTOR, inputBytes);
      } else {
        run = 1;
        transformPlaces(w, tiling, from, y * rows + x, channels << 2, lines, to, VECTOR, inputBytes);
      }
    }
    for (let point: u32 = 0; point < points; point++) {
      multiplyPoint(
        some, channels, columns, scratch + point * inputBytes, packed + point * weightBytes(p), outputs + point * outputBytes,
      );
    }
    for (let t: u32 = 0; t < some; t++) {
      const line = (done + t) / across, x = (done + t) % across;
      const image = (begin + line % each) / down, y = (begin + line % each) % down;
      const row = (line / each) * height + image * places + (y - begin) * rows;
      const added = bias && line < each ? bias : zeros;
      if (tiling == Tiling.images) {
        const corner = target + <usize>(row + 2 * x) * rowBytes;
        const isLow = y * 2 + 1 < w.downOutput, isRight = x * 2 + 1 < w.acrossOutput;
        const below = corner + w.acrossOutput * rowBytes;
        transformOutput(
          outputs + t * rowBytes, outputBytes, rowBytes, added,
          corner, isRight ? corner + rowBytes : lines, isLow ? below : lines, isLow && isRight ? below + rowBytes : lines,
        );
      } else {
        transformProducts(
          w, tiling, outputs + t * rowBytes, outputBytes, rowBytes, added, target + <usize>(row + x) * rowBytes, y * rows + x,
          lines,
        );
      }
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
