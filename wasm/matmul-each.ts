/**
 * matmulEach: out[n, m] = scale left[n, m] right[n, m]; src/kernels/matmul-each.ts. A unit is some rows of one product: it
 * packs both operands into its own scratch, from where they lie, and threads share units out.
 */
import { gemmBlock, KC, MR, NR, packLeft, packRight, TILE_BYTES } from "./gemm";
import { splat } from "./simd";

/** Addresses are in elements of 4 bytes. */
@unmanaged
class MatmulEachParameters {
  batch0: u32;
  batch1: u32;
  rows: u32;
  columns: u32;
  depth: u32;
  scale: f32;
  left0: u32;
  left1: u32;
  leftRow: u32;
  leftDepth: u32;
  right0: u32;
  right1: u32;
  rightDepth: u32;
  rightColumn: u32;
  out0: u32;
  out1: u32;
  outRow: u32;
  left: u32;
  right: u32;
  out: u32;
}

/** Rows of a unit, and columns that are packed at a time. */
const ROWS: u32 = 128;
const COLUMNS: u32 = 256;
const LEFT_BYTES: usize = <usize>ROWS * KC * 4;

// @ts-ignore: decorator
@inline
function unitsOfProduct(p: MatmulEachParameters): u32 {
  return (p.rows + ROWS - 1) / ROWS;
}

export function matmulEachUnits(parameters: usize): u32 {
  const p = changetype<MatmulEachParameters>(parameters);
  return p.batch0 * p.batch1 * unitsOfProduct(p);
}

/** As of one product: 2^18 multiplications. */
export function matmulEachIsLarge(parameters: usize): bool {
  const p = changetype<MatmulEachParameters>(parameters);
  return <f64>p.batch0 * <f64>p.batch1 * <f64>p.rows * <f64>p.columns * <f64>p.depth >= 262144;
}

/** Scratch of each thread: packed left, a tile, packed right. */
export function matmulEachThreadBytes(parameters: usize): usize {
  const p = changetype<MatmulEachParameters>(parameters);
  const columns = min(COLUMNS, (p.columns + NR - 1) & ~(NR - 1));
  return LEFT_BYTES + TILE_BYTES + ((<usize>columns * p.depth) << 2);
}

export function matmulEachUnit(parameters: usize, unit: u32, scratch: usize): void {
  const p = changetype<MatmulEachParameters>(parameters);
  const product = unit / unitsOfProduct(p);
  const first = unit % unitsOfProduct(p) * ROWS;
  const n = product / p.batch1, m = product % p.batch1;
  const height = min(ROWS, p.rows - first);
  const left: usize = <usize>(p.left + n * p.left0 + m * p.left1 + first * p.leftRow) << 2;
  const right: usize = <usize>(p.right + n * p.right0 + m * p.right1) << 2;
  const out: usize = <usize>(p.out + n * p.out0 + m * p.out1 + first * p.outRow) << 2;
  const tile = scratch + LEFT_BYTES;
  const packed = tile + TILE_BYTES;
  const leftRow: usize = <usize>p.leftRow << 2, leftDepth: usize = <usize>p.leftDepth << 2;
  const rightColumn: usize = <usize>p.rightColumn << 2, rightDepth: usize = <usize>p.rightDepth << 2;
  for (let column: u32 = 0; column < p.columns; column += COLUMNS) {
    const width = min(COLUMNS, p.columns - column);
    packRight(right + column * rightColumn, rightColumn, rightDepth, width, p.depth, packed, <usize>p.depth * NR << 2);
    if (p.scale != 1) {
      const end = packed + ((<usize>((width + NR - 1) & ~(NR - 1)) * p.depth) << 2);
      for (let at = packed; at < end; at += 16) v128.store(at, f32x4.mul(v128.load(at), splat(p.scale)));
    }
    for (let k: u32 = 0; k < p.depth; k += KC) {
      const slice = min(KC, p.depth - k);
      packLeft(left + k * leftDepth, leftRow, leftDepth, height, slice, scratch);
      gemmBlock(
        height, width, slice, scratch, packed + ((<usize>k * NR) << 2), (<usize>p.depth * NR) << 2,
        out + (column << 2), <usize>p.outRow << 2, k == 0, tile, 0, 0,
      );
    }
  }
}
