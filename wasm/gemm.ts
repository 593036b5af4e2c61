/**
 * Matrix product on packed panels: c += a b. The depth is cut into slices that stay in the caches; b is packed into
 * panels of 8 columns, a slice of some rows of a into panels of 4 rows, and the micro-kernel runs over pairs of panels.
 * How the sizes were found: docs/kernels/gemm.md.
 */
import { multiplyAdd } from "./simd";

/** Depth of a slice: a panel of b, 8 x KC x 4 bytes = 8 KiB, stays in L1 while the panels of a pass by. */
export const KC: u32 = 256;

/** Rows and columns of the micro-kernel. */
export const MR: u32 = 4;
export const NR: u32 = 8;

/**
 * A slice no deeper, of at least so many columns, fills c row by row. Else a panel of b stays while rows pass by, which
 * brings c's lines in half by half; rows a power of 2 apart push each other out of L1 before the second half comes. A
 * deeper slice has so much to do between that it does not notice.
 */
const SHALLOW: u32 = 8;
const WIDE: u32 = 256;

/** Bytes of a tile of c for edges. */
export const TILE_BYTES: usize = MR * NR * 4;

/**
 * c[rows, columns] += a[rows, depth] b[depth, columns] for one slice of the depth, at most KC, both packed. When
 * `fresh`, c is written without being read.
 *   right: the slice in the first panel of b; panels lie `panelBytes` apart.
 *   c: address of the corner, `stride` bytes from row to row.
 *   bias: after the sums [columns] elements at this address are added to whole tiles of the first `biasRows` rows.
 */
export function gemmBlock(
  rows: u32,
  columns: u32,
  depth: u32,
  left: usize,
  right: usize,
  panelBytes: usize,
  c: usize,
  stride: usize,
  fresh: bool,
  tile: usize,
  bias: usize,
  biasRows: u32,
): void {
  const leftBytes: usize = <usize>depth * MR << 2;
  if (depth <= SHALLOW && columns >= WIDE) {
    for (let row: u32 = 0; row < rows; row += MR, left += leftBytes) {
      let panel = right;
      for (let column: u32 = 0; column < columns; column += NR, panel += panelBytes) {
        gemmTile(row, column, rows, columns, depth, left, panel, c, stride, fresh, tile, bias, biasRows);
      }
    }
    return;
  }
  for (let column: u32 = 0; column < columns; column += NR, right += panelBytes) {
    let panel = left;
    for (let row: u32 = 0; row < rows; row += MR, panel += leftBytes) {
      gemmTile(row, column, rows, columns, depth, panel, right, c, stride, fresh, tile, bias, biasRows);
    }
  }
}

/** The tile of c at `row` and `column`, from a panel of each side; both loops have it, as one loop for both is slower. */
// @ts-ignore: decorator
@inline
function gemmTile(
  row: u32, column: u32, rows: u32, columns: u32, depth: u32, left: usize, right: usize, c: usize, stride: usize,
  fresh: bool, tile: usize, bias: usize, biasRows: u32,
): void {
  const height = min(MR, rows - row);
  const width = min(NR, columns - column);
  const corner = c + row * stride + (column << 2);
  const added = row + MR <= biasRows ? bias + (column << 2) : 0;
  if (height == MR && width == NR) gemm4x8(depth, left, right, corner, stride, fresh, added);
  else gemmEdge(height, width, depth, left, right, corner, stride, fresh, tile, added);
}

/** A tile of which c has only `height` rows and `width` columns. */
function gemmEdge(
  height: u32, width: u32, depth: u32, left: usize, right: usize, corner: usize, stride: usize, fresh: bool,
  tile: usize, added: usize,
): void {
  if (!fresh) copyTile(tile, NR << 2, corner, stride, height, width);
  gemm4x8(depth, left, right, tile, NR << 2, fresh, added);
  copyTile(corner, stride, tile, NR << 2, height, width);
}

function copyTile(target: usize, targetStride: usize, source: usize, sourceStride: usize, height: u32, width: u32): void {
  for (let row: u32 = 0; row < height; row++) {
    for (let column: u32 = 0; column < width; column++) {
      store<f32>(target + row * targetStride + (column << 2), load<f32>(source + row * sourceStride + (column << 2)));
    }
  }
}

/**
 * gemm4x8: c[4, 8] += a[4, depth] b[depth, 8], f32: the micro-kernel under every matmul.
 *   a: panel of 4 rows, for each k: a[0][k] a[1][k] a[2][k] a[3][k].  b: panel of 8 columns.  Both zero-padded.
 *   c: row-major, `stride` bytes from row to row; starts from zero when `fresh`.  bias: 8 numbers added at the end, or 0.
 * 8 sums + 2 of b + 1 of a = 11 vectors of x86's 16: nothing spills. Other tiles, with figures: docs/kernels/gemm.md.
 */
export function gemm4x8(depth: u32, a: usize, b: usize, c: usize, stride: usize, fresh: bool, bias: usize): void {
  const c1 = c + stride;
  const c2 = c1 + stride;
  const c3 = c2 + stride;
  let c00 = f32x4.splat(0), c01 = c00;
  let c10 = c00, c11 = c00;
  let c20 = c00, c21 = c00;
  let c30 = c00, c31 = c00;
  if (!fresh) {
    c00 = v128.load(c), c01 = v128.load(c, 16);
    c10 = v128.load(c1), c11 = v128.load(c1, 16);
    c20 = v128.load(c2), c21 = v128.load(c2, 16);
    c30 = v128.load(c3), c31 = v128.load(c3, 16);
  }
  for (const end = a + (depth << 4); a < end; a += 16, b += 32) {
    const b0 = v128.load(b), b1 = v128.load(b, 16);
    const a0 = v128.load32_splat(a);
    c00 = multiplyAdd(a0, b0, c00);
    c01 = multiplyAdd(a0, b1, c01);
    const a1 = v128.load32_splat(a, 4);
    c10 = multiplyAdd(a1, b0, c10);
    c11 = multiplyAdd(a1, b1, c11);
    const a2 = v128.load32_splat(a, 8);
    c20 = multiplyAdd(a2, b0, c20);
    c21 = multiplyAdd(a2, b1, c21);
    const a3 = v128.load32_splat(a, 12);
    c30 = multiplyAdd(a3, b0, c30);
    c31 = multiplyAdd(a3, b1, c31);
  }
  if (bias) {
    const b0 = v128.load(bias), b1 = v128.load(bias, 16);
    c00 = f32x4.add(c00, b0), c01 = f32x4.add(c01, b1);
    c10 = f32x4.add(c10, b0), c11 = f32x4.add(c11, b1);
    c20 = f32x4.add(c20, b0), c21 = f32x4.add(c21, b1);
    c30 = f32x4.add(c30, b0), c31 = f32x4.add(c31, b1);
  }
  v128.store(c, c00), v128.store(c, c01, 16);
  v128.store(c1, c10), v128.store(c1, c11, 16);
  v128.store(c2, c20), v128.store(c2, c21, 16);
  v128.store(c3, c30), v128.store(c3, c31, 16);
}

/**
 * gemmRows: c[4, 8] = a[4, depth] b[depth, 8], as gemm4x8, but a is row-major as it lies, `leftStride` bytes from row to row, and
 * depth even. Two of the depth a turn: with four V8 spills registers, and a third of the speed is gone.
 */
export function gemmRows(depth: u32, a: usize, leftStride: usize, b: usize, c: usize, stride: usize): void {
  const c1 = c + stride;
  const c2 = c1 + stride;
  const c3 = c2 + stride;
  const second = leftStride, third = 2 * leftStride, fourth = 3 * leftStride;
  let c00 = f32x4.splat(0), c01 = c00;
  let c10 = c00, c11 = c00;
  let c20 = c00, c21 = c00;
  let c30 = c00, c31 = c00;
  for (const end = a + (<usize>depth << 2); a < end; a += 8, b += 64) {
    const b0 = v128.load(b), b1 = v128.load(b, 16);
    const a0 = v128.load32_splat(a);
    c00 = multiplyAdd(a0, b0, c00);
    c01 = multiplyAdd(a0, b1, c01);
    const a1 = v128.load32_splat(a + second);
    c10 = multiplyAdd(a1, b0, c10);
    c11 = multiplyAdd(a1, b1, c11);
    const a2 = v128.load32_splat(a + third);
    c20 = multiplyAdd(a2, b0, c20);
    c21 = multiplyAdd(a2, b1, c21);
    const a3 = v128.load32_splat(a + fourth);
    c30 = multiplyAdd(a3, b0, c30);
    c31 = multiplyAdd(a3, b1, c31);
    const d0 = v128.load(b, 32), d1 = v128.load(b, 48);
    const e0 = v128.load32_splat(a, 4);
    c00 = multiplyAdd(e0, d0, c00);
    c01 = multiplyAdd(e0, d1, c01);
    const e1 = v128.load32_splat(a + second, 4);
    c10 = multiplyAdd(e1, d0, c10);
    c11 = multiplyAdd(e1, d1, c11);
    const e2 = v128.load32_splat(a + third, 4);
    c20 = multiplyAdd(e2, d0, c20);
    c21 = multiplyAdd(e2, d1, c21);
    const e3 = v128.load32_splat(a + fourth, 4);
    c30 = multiplyAdd(e3, d0, c30);
    c31 = multiplyAdd(e3, d1, c31);
  }
  v128.store(c, c00), v128.store(c, c01, 16);
  v128.store(c1, c10), v128.store(c1, c11, 16);
  v128.store(c2, c20), v128.store(c2, c21, 16);
  v128.store(c3, c30), v128.store(c3, c31, 16);
}

/**
 * gemmColumns: c[4, 8] += a[depth, 4]^T b[depth, 8], as gemm4x8, but rows of a and b lie `aStride` and `bStride` bytes apart: columns
 * of matrices as they lie.
 */
export function gemmColumns(
  depth: u32, a: usize, aStride: usize, b: usize, bStride: usize, c: usize, stride: usize, fresh: bool,
): void {
  const c1 = c + stride;
  const c2 = c1 + stride;
  const c3 = c2 + stride;
  let c00 = f32x4.splat(0), c01 = c00;
  let c10 = c00, c11 = c00;
  let c20 = c00, c21 = c00;
  let c30 = c00, c31 = c00;
  if (!fresh) {
    c00 = v128.load(c), c01 = v128.load(c, 16);
    c10 = v128.load(c1), c11 = v128.load(c1, 16);
    c20 = v128.load(c2), c21 = v128.load(c2, 16);
    c30 = v128.load(c3), c31 = v128.load(c3, 16);
  }
  for (const end = a + depth * aStride; a < end; a += aStride, b += bStride) {
    const b0 = v128.load(b), b1 = v128.load(b, 16);
    const a0 = v128.load32_splat(a);
    c00 = multiplyAdd(a0, b0, c00);
    c01 = multiplyAdd(a0, b1, c01);
    const a1 = v128.load32_splat(a, 4);
    c10 = multiplyAdd(a1, b0, c10);
    c11 = multiplyAdd(a1, b1, c11);
    const a2 = v128.load32_splat(a, 8);
    c20 = multiplyAdd(a2, b0, c20);
    c21 = multiplyAdd(a2, b1, c21);
    const a3 = v128.load32_splat(a, 12);
    c30 = multiplyAdd(a3, b0, c30);
    c31 = multiplyAdd(a3, b1, c31);
  }
  v128.store(c, c00), v128.store(c, c01, 16);
  v128.store(c1, c10), v128.store(c1, c11, 16);
  v128.store(c2, c20), v128.store(c2, c21, 16);
  v128.store(c3, c30), v128.store(c3, c31, 16);
}

/** Packs a block of the left matrix into panels of MR rows. Strides in bytes; one of them is 4. */
export function packLeft(source: usize, rowStride: usize, depthStride: usize, rows: u32, depth: u32, out: usize): void {
  const panelBytes: usize = <usize>depth * MR << 2;
  let row: u32 = 0;
  if (rowStride == 4) {
    for (; row + 4 * MR <= rows; row += 4 * MR, out += 4 * panelBytes) {
      const third = out + 2 * panelBytes;
      packSixteen(
        source + (<usize>row << 2), depthStride, depth, out, out + panelBytes, third, third + panelBytes, 16,
      );
    }
  }
  for (; row < rows; row += MR, out += panelBytes) {
    packFour(source + row * rowStride, rowStride, depthStride, min(4, rows - row), depth, out, 16);
  }
}

/**
 * Packs columns of the right matrix into panels of NR columns, `panelBytes` apart: all of their depth, or some. Strides in
 * bytes; one is 4.
 */
export function packRight(
  source: usize, columnStride: usize, depthStride: usize, columns: u32, depth: u32, out: usize, panelBytes: usize,
): void {
  let column: u32 = 0;
  if (columnStride == 4) {
    for (; column + 2 * NR <= columns; column += 2 * NR, out += 2 * panelBytes) {
      const next = out + panelBytes;
      packSixteen(source + (<usize>column << 2), depthStride, depth, out, out + 16, next, next + 16, 32);
    }
  }
  for (; column < columns; column += NR, out += panelBytes) {
    const width = min(NR, columns - column);
    const corner = source + column * columnStride;
    packFour(corner, columnStride, depthStride, min(4, width), depth, out, 32);
    packFour(corner + 4 * columnStride, columnStride, depthStride, width > 4 ? width - 4 : 0, depth, out + 16, 32);
  }
}

/** Sixteen rows of left or columns of right that lie side by side: for each k a cache line, to four places. */
function packSixteen(
  source: usize, depthStride: usize, depth: u32, out0: usize, out1: usize, out2: usize, out3: usize, outStride: usize,
): void {
  for (const end = out0 + depth * outStride; out0 < end; source += depthStride) {
    v128.store(out0, v128.load(source)), out0 += outStride;
    v128.store(out1, v128.load(source, 16)), out1 += outStride;
    v128.store(out2, v128.load(source, 32)), out2 += outStride;
    v128.store(out3, v128.load(source, 48)), out3 += outStride;
  }
}

/** For each k of `depth`, a vector of the elements at k of `lanes` rows (or columns), zeros after them. */
function packFour(
  source: usize, stride: usize, depthStride: usize, lanes: u32, depth: u32, out: usize, outStride: usize,
): void {
  if (lanes == 4 && stride != 4) {
    packRowsOfFour(source, source + stride, source + 2 * stride, source + 3 * stride, depth, out, outStride);
    return;
  }
  let k: u32 = 0;
  if (lanes == 4) for (; k < depth; k++, source += depthStride, out += outStride) v128.store(out, v128.load(source));
  for (; k < depth; k++, source += depthStride, out += outStride) {
    v128.store(out, f32x4.splat(0));
    for (let lane: u32 = 0; lane < lanes; lane++) store<f32>(out + (lane << 2), load<f32>(source + lane * stride));
  }
}

/** For each k a vector of the elements at k of four rows, wherever they begin. */
export function packRowsOfFour(a: usize, b: usize, c: usize, d: usize, depth: u32, out: usize, outStride: usize): void {
  let k: u32 = 0;
  for (; k + 4 <= depth; k += 4, a += 16, b += 16, c += 16, d += 16, out += 4 * outStride) {
    const x0 = v128.load(a), x1 = v128.load(b), x2 = v128.load(c), x3 = v128.load(d);
    const low01 = v128.shuffle<f32>(x0, x1, 0, 4, 1, 5), high01 = v128.shuffle<f32>(x0, x1, 2, 6, 3, 7);
    const low23 = v128.shuffle<f32>(x2, x3, 0, 4, 1, 5), high23 = v128.shuffle<f32>(x2, x3, 2, 6, 3, 7);
    v128.store(out, v128.shuffle<f64>(low01, low23, 0, 2));
    v128.store(out + outStride, v128.shuffle<f64>(low01, low23, 1, 3));
    v128.store(out + 2 * outStride, v128.shuffle<f64>(high01, high23, 0, 2));
    v128.store(out + 3 * outStride, v128.shuffle<f64>(high01, high23, 1, 3));
  }
  for (; k < depth; k++, a += 4, b += 4, c += 4, d += 4, out += outStride) {
    store<f32>(out, load<f32>(a));
    store<f32>(out, load<f32>(b), 4);
    store<f32>(out, load<f32>(c), 8);
    store<f32>(out, load<f32>(d), 12);
  }
}
