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
export class Row {
  image: usize;
  down: i32;
  across: i32;
  /** Where fractions.ts puts its elements. */
  target: usize;
}

/** Describes a row of the matrix at this address. */
// @ts-ignore: decorator
@inline
export function rowAt(w: Window, left: usize, row: u32, address: usize): void {
  const at = changetype<Row>(address);
  const places = w.downOutput * w.acrossOutput, place = row % places;
  at.image = left + <usize>(row / places) * imageBytes(w);
  at.down = <i32>(place / w.acrossOutput) * w.downStride + w.downStart;
  at.across = <i32>(place % w.acrossOutput) * w.acrossStride + w.acrossStart;
}

/** As packLeft: rows `row` and following of the matrix, columns `k` and following. `zeros`: WINDOW_BYTES. */
export function packRows(
  w: Window, left: usize, row: u32, rows: u32, k: u32, depth: u32, out: usize, zeros: usize,
): void {
  const panel = zeros + KC * 4;
  memory.fill(zeros, 0, KC * 4);
  const end = k + depth;
  for (const last = row + rows; row < last; row += MR) {
    for (let lane: u32 = 0; lane < MR; lane++) {
      const at = panel + lane * offsetof<Row>();
      rowAt(w, left, row + lane, at);
      if (row + lane >= last) changetype<Row>(at).image = 0;
    }
    const side = sideBySide(w, panel);
    const tap = k / w.channels;
    let down = tap / w.acrossTaps, across = tap % w.acrossTaps;
    let channel = k % w.channels;
    for (let column = k; column < end;) {
      const count = min(w.channels - channel, end - column);
      const first = placeOf(w, panel, down, across, channel, zeros);
      if (side && first != zeros && seesAll(w, panel, across)) {
        const step: usize = <usize>(w.acrossStride * w.channels) << 2;
        packRowsOfFour(first, first + step, first + 2 * step, first + 3 * step, count, out, 16);
      } else {
        const second = placeOf(w, panel + offsetof<Row>(), down, across, channel, zeros);
        const third = placeOf(w, panel + 2 * offsetof<Row>(), down, across, channel, zeros);
        const fourth = placeOf(w, panel + 3 * offsetof<Row>(), down, across, channel, zeros);
        packRowsOfFour(first, second, third, fourth, count, out, 16);
      }
      out += count << 4;
      column += count;
      channel = 0;
      if (++across == w.acrossTaps) across = 0, down++;
    }
  }
}

/** Whether the four rows of a panel are places of one line, and see what lies a stride apart. */
// @ts-ignore: decorator
@inline
function sideBySide(w: Window, panel: usize): bool {
  const first = changetype<Row>(panel), last = changetype<Row>(panel + 3 * offsetof<Row>());
  return w.acrossFraction == 1 && first.image == last.image && first.down == last.down;
}

/** Whether the last of four rows side by side, the first of which does, sees a place through this tap. */
// @ts-ignore: decorator
@inline
function seesAll(w: Window, panel: usize, across: u32): bool {
  const x = changetype<Row>(panel + 3 * offsetof<Row>()).across + <i32>across * w.acrossDilation;
  return x >= 0 && x < w.acrossInput;
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
    const end = to + (<usize>depth << 4);
    const whole = count == 16 && (done & (MR - 1)) == 0 && w.acrossFraction == 1;
    const step: usize = <usize>(w.acrossStride * w.channels) << 2;
    while (to < end) {
      const from = placeOf(w, changetype<usize>(at), down, across, channel, zeros);
      let moved: u32 = 1;
      if (whole && from != zeros) {
        moved = min(min(<u32>(end - to) >> 4, w.acrossOutput - x), run(w, changetype<usize>(at), across));
        moveSixteen(from, step, moved, to, panelBytes);
      } else {
        moveSome(from, count, done & (MR - 1), to, panelBytes);
      }
      to += <usize>moved << 4;
      at.across += <i32>moved * w.acrossStride;
      x += moved;
      if (x < w.acrossOutput) continue;
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

/** How many output places from this one on, which sees one, see places that lie a stride apart. */
// @ts-ignore: decorator
@inline
function run(w: Window, row: usize, across: u32): u32 {
  const x = changetype<Row>(row).across + <i32>across * w.acrossDilation;
  return <u32>((w.acrossInput - 1 - x) / w.acrossStride) + 1;
}

/** Sixteen channels of `places` places, `step` bytes apart, into four panels. */
function moveSixteen(from: usize, step: usize, places: u32, to: usize, panelBytes: usize): void {
  const second = panelBytes, third = 2 * panelBytes, fourth = 3 * panelBytes;
  for (const end = to + (<usize>places << 4); to < end; to += 16, from += step) {
    v128.store(to, v128.load(from));
    v128.store(to + second, v128.load(from, 16));
    v128.store(to + third, v128.load(from, 32));
    v128.store(to + fourth, v128.load(from, 48));
  }
}

/** Up to sixteen channels of one place, from a panel's `lane` on. */
// @ts-ignore: decorator
@inline
function moveSome(from: usize, count: u32, lane: u32, to: usize, panelBytes: usize): void {
  let c: u32 = 0;
  if (lane == 0) {
    for (; c + MR <= count; c += MR) v128.store(to + (c / MR) * panelBytes, v128.load(from + (<usize>c << 2)));
  }
  for (; c < count; c++) {
    const at = lane + c;
    store<f32>(to + (at / MR) * panelBytes + ((<usize>(at & (MR - 1)) - lane) << 2), load<f32>(from + (<usize>c << 2)));
  }
}

// @ts-ignore: decorator
@inline
function imageBytes(w: Window): usize {
  return <usize>(w.downInput * w.acrossInput) * w.channels << 2;
}

/** Where a tap of a row finds its channels from `channel` on: zeros where there is no place. */
export function placeOf(w: Window, row: usize, down: u32, across: u32, channel: u32, zeros: usize): usize {
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
