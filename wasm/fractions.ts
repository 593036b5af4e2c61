/**
 * Products through a window with a fraction, as a strided convolution's cotangent of its input is: of each output place only
 * every so many taps see a place at all. Rows that see through the same taps, those of a phase of each axis, are multiplied four at a
 * time, by these taps alone; each element is summed as gemm.ts sums it, without the zeros.
 */
import { gemm4x8, KC, MR, NR, packRowsOfFour } from "./gemm";
import { groupsOf, LinearParameters, windowOf } from "./product";
import { placeOf, Row, rowAt, Window } from "./window";

/** Most taps: those of four rows, of KC channels at most, are packed where left is. */
const MOST_TAPS: u32 = 64;

export function isFractional(p: LinearParameters): bool {
  const w = windowOf(p);
  return !p.transposeLeft && w.downFraction * w.acrossFraction > 1 && w.channels <= KC && w.downTaps * w.acrossTaps <= MOST_TAPS;
}

/**
 * target[group, height, columns] = the rows `first` and following of each group.
 *   packed: right.  panel: for four rows' taps.  tile: TILE_BYTES.  zeros: WINDOW_BYTES.
 */
export function multiplyFractions(
  p: LinearParameters, first: u32, height: u32, target: usize, packed: usize, panel: usize, tile: usize, zeros: usize,
): void {
  const w = windowOf(p);
  const groups = groupsOf(p), groupRows = p.rows / groups;
  const rows = zeros + KC * 4, left: usize = <usize>p.left << 2;
  memory.fill(zeros, 0, KC * 4);
  for (let group: u32 = 0; group < groups; group++) {
    const out = target + <usize>group * height * (p.columns << 2);
    for (let down: i32 = 0; down < w.downFraction; down++) {
      for (let across: i32 = 0; across < w.acrossFraction; across++) {
        for (let r: u32 = 0, some: u32 = 0; r < height; r++) {
          const row = group * groupRows + first + r;
          const y = row / w.acrossOutput % w.downOutput, x = row % w.acrossOutput;
          if (y % w.downFraction == down && x % w.acrossFraction == across) {
            const at = rows + some++ * offsetof<Row>();
            rowAt(w, left, row, at);
            changetype<Row>(at).target = out + <usize>r * (p.columns << 2);
          }
          if (some < MR && (!some || r + 1 < height)) continue;
          multiplyFour(p, down, across, some, rows, packed, panel, tile, zeros);
          some = 0;
        }
      }
    }
  }
}

/** `count` rows that are in one phase. */
function multiplyFour(
  p: LinearParameters, down: i32, across: i32, count: u32, rows: usize, packed: usize, panel: usize, tile: usize, zeros: usize,
): void {
  const w = windowOf(p);
  const channels = w.channels, taps = w.downTaps * w.acrossTaps;
  const second = rows + offsetof<Row>(), third = second + offsetof<Row>(), fourth = third + offsetof<Row>();
  for (let lane = count; lane < MR; lane++) changetype<Row>(rows + lane * offsetof<Row>()).image = 0;
  for (let tap: u32 = 0, to = panel; tap < taps; tap++) {
    if (!sees(w, down, across, tap)) continue;
    const y = tap / w.acrossTaps, x = tap % w.acrossTaps;
    packRowsOfFour(
      placeOf(w, rows, y, x, 0, zeros), placeOf(w, second, y, x, 0, zeros),
      placeOf(w, third, y, x, 0, zeros), placeOf(w, fourth, y, x, 0, zeros), channels, to, 16,
    );
    to += channels * MR << 2;
  }
  for (let column: u32 = 0; column < p.columns; column += NR) {
    let isFresh = true, from = panel, right = packed + ((<usize>column * p.depth) << 2);
    for (let tap: u32 = 0; tap < taps; tap++, right += channels * NR << 2) {
      if (!sees(w, down, across, tap)) continue;
      gemm4x8(channels, from, right, tile, NR << 2, isFresh, 0);
      from += channels * MR << 2;
      isFresh = false;
    }
    if (isFresh) memory.fill(tile, 0, MR * NR << 2);
    const bytes = min(NR, p.columns - column) << 2;
    for (let lane: u32 = 0; lane < count; lane++) {
      memory.copy(changetype<Row>(rows + lane * offsetof<Row>()).target + (column << 2), tile + lane * (NR << 2), bytes);
    }
  }
}

/** Whether places of a phase see places through the tap, not what is between them. */
function sees(w: Window, down: i32, across: i32, tap: u32): bool {
  const y = down * w.downStride + <i32>(tap / w.acrossTaps) * w.downDilation + w.downStart;
  const x = across * w.acrossStride + <i32>(tap % w.acrossTaps) * w.acrossDilation + w.acrossStart;
  return y % w.downFraction == 0 && x % w.acrossFraction == 0;
}
