/**
 * Packing of a left operand that a window sees (src/kernels/convolve.ts): into the panels that gemm.ts reads, straight
 * from the images. Rows of the matrix are (image, y, x), its columns (tap down, tap across, channel); channels of a tap lie
 * side by side in the image, so they are moved together, and what is no place is read from zeros.
 */
import { KC, MR, packRowsOfFour } from "./gemm";

/** Follows LinearParameters; `channels` is 0 where left is a matrix. */
@unmanaged
export class Window {
  channels: u32;
  downInput: i32;
  downOutput: u32;
  downTaps: u32;
  downStride: i32;
  downFraction: i32;
  downDilation: i32;
  downStart: i32;
  acrossInput: i32;
  acrossOutput: u32;
  acrossTaps: u32;
  acrossStride: i32;
  acrossFraction: i32;
  acrossDilation: i32;
  acrossStart: i32;
}

/** Zeros for a tap's channels within a slice, and where the four rows of a panel are. */
export const WINDOW_BYTES: usize = KC * 4 + MR * offsetof<Row>();

/** A row of a panel: its image, and where in it tap 0 of each axis is, before the fraction. */
@unmanaged
class Row {
  image: usize;
  down: i32;
  across: i32;
}

/** As packLeft: rows `row` and following of the matrix, columns `k` and following. `zeros`: WINDOW_BYTES. */
export function packRows(
  w: Window, left: usize, row: u32, rows: u32, k: u32, depth: u32, out: usize, zeros: usize,
): void {
  const panel = zeros + KC * 4;
  memory.fill(zeros, 0, KC * 4);
  const places = w.downOutput * w.acrossOutput;
  const end = k + depth;
  for (const last = row + rows; row < last; row += MR) {
    for (let lane: u32 = 0; lane < MR; lane++) {
      const at = changetype<Row>(panel + lane * offsetof<Row>());
      const place = (row + lane) % places;
      at.image = row + lane < last ? left + <usize>((row + lane) / places) * imageBytes(w) : 0;
      at.down = <i32>(place / w.acrossOutput) * w.downStride + w.downStart;
      at.across = <i32>(place % w.acrossOutput) * w.acrossStride + w.acrossStart;
    }
    let tap = k / w.channels;
    let down = tap / w.acrossTaps, across = tap % w.acrossTaps;
    let channel = k % w.channels;
    for (let column = k; column < end;) {
      const count = min(w.channels - channel, end - column);
      const first = placeOf(w, panel, down, across, channel, zeros);
      const second = placeOf(w, panel + offsetof<Row>(), down, across, channel, zeros);
      const third = placeOf(w, panel + 2 * offsetof<Row>(), down, across, channel, zeros);
      packRowsOfFour(
        first, second, third, placeOf(w, panel + 3 * offsetof<Row>(), down, across, channel, zeros), count, out, 16,
      );
      out += count << 4;
      column += count;
      channel = 0;
      if (++across == w.acrossTaps) across = 0, down++;
    }
  }
}

/** As packLeft of the transposed matrix: its columns `row` and following, rows `k` and following. */
export function packColumns(
  w: Window, left: usize, row: u32, rows: u32, k: u32, depth: u32, out: usize, zeros: usize,
): void {
  const panelBytes: usize = <usize>depth * MR << 2;
  memory.fill(zeros, 0, KC * 4);
  if (rows & (MR - 1)) memory.fill(out + (rows / MR) * panelBytes, 0, panelBytes);
  const places = w.downOutput * w.acrossOutput;
  const at = changetype<Row>(zeros + KC * 4);
  for (let done: u32 = 0; done < rows;) {
    const tap = (row + done) / w.channels, channel = (row + done) % w.channels;
    const down = tap / w.acrossTaps, across = tap % w.acrossTaps;
    const count = min(min(w.channels - channel, rows - done), 16);
    const place = k % places;
    let y = place / w.acrossOutput, x = place % w.acrossOutput;
    at.image = left + <usize>(k / places) * imageBytes(w);
    at.down = <i32>y * w.downStride + w.downStart;
    at.across = <i32>x * w.acrossStride + w.acrossStart;
    let to = out + (done / MR) * panelBytes + ((done & (MR - 1)) << 2);
    for (const end = to + (<usize>depth << 4); to < end; to += 16) {
      const from = placeOf(w, changetype<usize>(at), down, across, channel, zeros);
      let c: u32 = 0;
      if ((done & (MR - 1)) == 0) {
        for (; c + MR <= count; c += MR) v128.store(to + (c / MR) * panelBytes, v128.load(from + (<usize>c << 2)));
      }
      for (; c < count; c++) {
        const lane = (done & (MR - 1)) + c;
        store<f32>(to + (lane / MR) * panelBytes + ((<usize>(lane & (MR - 1)) - (done & (MR - 1))) << 2), load<f32>(from + (<usize>c << 2)));
      }
      at.across += w.acrossStride;
      if (++x < w.acrossOutput) continue;
      x = 0;
      at.across = w.acrossStart;
      at.down += w.downStride;
      if (++y < w.downOutput) continue;
      y = 0;
      at.down = w.downStart;
      at.image += imageBytes(w);
    }
    done += count;
  }
}

// @ts-ignore: decorator
@inline
function imageBytes(w: Window): usize {
  return <usize>(w.downInput * w.acrossInput) * w.channels << 2;
}

/** Where a tap of a row finds its channels from `channel` on: zeros where there is no place. */
function placeOf(w: Window, row: usize, down: u32, across: u32, channel: u32, zeros: usize): usize {
  const at = changetype<Row>(row);
  let y = at.down + <i32>down * w.downDilation;
  let x = at.across + <i32>across * w.acrossDilation;
  if (!at.image || y < 0 || x < 0) return zeros;
  if (w.downFraction != 1) {
    if (y % w.downFraction) return zeros;
    y /= w.downFraction;
  }
  if (w.acrossFraction != 1) {
    if (x % w.acrossFraction) return zeros;
    x /= w.acrossFraction;
  }
  if (y >= w.downInput || x >= w.acrossInput) return zeros;
  return at.image + (<usize>((y * w.acrossInput + x) * w.channels + channel) << 2);
}
