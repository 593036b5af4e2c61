/**
 * Products with few columns (or, seen transposed, few rows), for which panels would be mostly padding: the first and
 * last layers of networks of points, and their weight gradients.
 */
import { multiplyAdd, splat, VECTOR } from "./simd";

/** The most columns (rows) that count as few. */
export const NARROW: u32 = 4;

/**
 * out[row, column] = left[row] . right[column]: rows of `depth` elements each, dense; out [rows, columns] dense.
 * Four rows at a time share the vectors of right.
 */
export function narrowByDots(left: usize, right: usize, depth: u32, rows: u32, columns: u32, out: usize): void {
  const bytes: usize = <usize>depth << 2;
  const stride: usize = <usize>columns << 2;
  let row: u32 = 0;
  for (; row + 4 <= rows; row += 4, left += 4 * bytes, out += 4 * stride) {
    for (let column: u32 = 0; column < columns; column++) {
      fourDots(left, bytes, right + column * bytes, depth, out + (column << 2), stride);
    }
  }
  for (; row < rows; row++, left += bytes, out += stride) {
    for (let column: u32 = 0; column < columns; column++) {
      fourDots(left, 0, right + column * bytes, depth, out + (column << 2), 0); // one row, four times
    }
  }
}

/** out[r] = left[r] . right for four rows. */
function fourDots(left: usize, leftStride: usize, right: usize, depth: u32, out: usize, outStride: usize): void {
  const left1 = left + leftStride, left2 = left1 + leftStride, left3 = left2 + leftStride;
  let s0 = splat(0), s1 = s0, s2 = s0, s3 = s0;
  let at: usize = 0;
  for (const end: usize = <usize>(depth & ~3) << 2; at < end; at += VECTOR) {
    const x = v128.load(right + at);
    s0 = multiplyAdd(v128.load(left + at), x, s0);
    s1 = multiplyAdd(v128.load(left1 + at), x, s1);
    s2 = multiplyAdd(v128.load(left2 + at), x, s2);
    s3 = multiplyAdd(v128.load(left3 + at), x, s3);
  }
  // The four sums of four lanes each, as one vector of sums.
  const t0 = f32x4.add(v128.shuffle<f32>(s0, s1, 0, 1, 4, 5), v128.shuffle<f32>(s0, s1, 2, 3, 6, 7));
  const t1 = f32x4.add(v128.shuffle<f32>(s2, s3, 0, 1, 4, 5), v128.shuffle<f32>(s2, s3, 2, 3, 6, 7));
  let sums = f32x4.add(v128.shuffle<f32>(t0, t1, 0, 2, 4, 6), v128.shuffle<f32>(t0, t1, 1, 3, 5, 7));
  for (const end: usize = <usize>depth << 2; at < end; at += 4) {
    let x = v128.load32_splat(left + at);
    x = v128.load32_lane(left1 + at, x, 1);
    x = v128.load32_lane(left2 + at, x, 2);
    x = v128.load32_lane(left3 + at, x, 3);
    sums = multiplyAdd(x, v128.load32_splat(right + at), sums);
  }
  v128.store32_lane(out, sums, 0);
  v128.store32_lane(out + outStride, sums, 1);
  v128.store32_lane(out + 2 * outStride, sums, 2);
  v128.store32_lane(out + 3 * outStride, sums, 3);
}

/**
 * out[wide, narrow] = sum over k of left[k, wide] right[k, narrow]: left's `wide` elements lie side by side, all strides
 * are bytes. Sixteen of them by two of right are eight sums in registers.
 */
export function narrowByRows(
  left: usize, leftDepth: usize, right: usize, rightDepth: usize, rightNarrow: usize, depth: u32, wide: u32, narrow: u32,
  out: usize, outWide: usize, outNarrow: usize,
): void {
  for (let n: u32 = 0; n < narrow; n += 2) {
    const x = right + n * rightNarrow;
    const y = n + 1 < narrow ? x + rightNarrow : x; // the last one twice
    const toX = out + n * outNarrow;
    const toY = n + 1 < narrow ? toX + outNarrow : toX;
    let w: u32 = 0;
    for (; w + 16 <= wide; w += 16) {
      sixteenByTwo(left + (w << 2), leftDepth, x, y, rightDepth, depth, toX + w * outWide, toY + w * outWide, outWide);
    }
    for (; w < wide; w++) {
      let sums = splat(0); // in lanes 0 and 1, rounded as the vectors' are
      let from = left + (w << 2), atX = x, atY = y;
      for (let k: u32 = 0; k < depth; k++, from += leftDepth, atX += rightDepth, atY += rightDepth) {
        sums = multiplyAdd(v128.load32_splat(from), v128.load32_lane(atY, v128.load32_splat(atX), 1), sums);
      }
      v128.store32_lane(toX + w * outWide, sums, 0);
      v128.store32_lane(toY + w * outWide, sums, 1);
    }
  }
}

function sixteenByTwo(
  left: usize, leftDepth: usize, x: usize, y: usize, rightDepth: usize, depth: u32, toX: usize, toY: usize, outWide: usize,
): void {
  let x0 = splat(0), x1 = x0, x2 = x0, x3 = x0;
  let y0 = x0, y1 = x0, y2 = x0, y3 = x0;
  for (let k: u32 = 0; k < depth; k++, left += leftDepth, x += rightDepth, y += rightDepth) {
    const a0 = v128.load(left), a1 = v128.load(left, 16), a2 = v128.load(left, 32), a3 = v128.load(left, 48);
    const b0 = v128.load32_splat(x);
    x0 = multiplyAdd(a0, b0, x0);
    x1 = multiplyAdd(a1, b0, x1);
    x2 = multiplyAdd(a2, b0, x2);
    x3 = multiplyAdd(a3, b0, x3);
    const b1 = v128.load32_splat(y);
    y0 = multiplyAdd(a0, b1, y0);
    y1 = multiplyAdd(a1, b1, y1);
    y2 = multiplyAdd(a2, b1, y2);
    y3 = multiplyAdd(a3, b1, y3);
  }
  storeLanes(toX, outWide, x0), storeLanes(toX + 4 * outWide, outWide, x1);
  storeLanes(toX + 8 * outWide, outWide, x2), storeLanes(toX + 12 * outWide, outWide, x3);
  storeLanes(toY, outWide, y0), storeLanes(toY + 4 * outWide, outWide, y1);
  storeLanes(toY + 8 * outWide, outWide, y2), storeLanes(toY + 12 * outWide, outWide, y3);
}

function storeLanes(out: usize, stride: usize, x: v128): void {
  v128.store32_lane(out, x, 0);
  v128.store32_lane(out + stride, x, 1);
  v128.store32_lane(out + 2 * stride, x, 2);
  v128.store32_lane(out + 3 * stride, x, 3);
}
