/**
 * linear: out = activation(left right + bias + addend); shapes and layouts in src/kernels/linear.ts.
 *
 * The product goes block by block: a slice of right [KC, NC] is packed, then blocks of left [MC, KC], and the block of
 * out [MC, NC] gathers one slice of the depth after the other. After the last slice, while the block is in the
 * caches, come bias, addend and activation. An element of out is the sum of its slices in order, each summed in order
 * of the depth: it depends on nothing but its row of left, its column of right, and the depth.
 */
import { ADD, applyElements, FIRST_ACTIVATION, ORDERS } from "./apply";
import { GEMM_BYTES, gemmBlock, KC, LEFT_BYTES, MC, NC, packLeft, packRight, RIGHT_BYTES } from "./gemm";
import { VECTOR } from "./simd";

/** Addresses are in elements of 4 bytes. */
@unmanaged
class LinearParameters {
  rows: u32;
  columns: u32;
  depth: u32;
  transposeLeft: u32;
  transposeRight: u32;
  biasRows: u32;
  hasAddend: u32;
  activation: u32;
  left: u32;
  right: u32;
  bias: u32;
  addend: u32;
  out: u32;
}

/** Bytes of scratch that `linear` takes. */
export const LINEAR_BYTES: usize = GEMM_BYTES;

export function linear(parameters: usize, scratch: usize): void {
  const p = changetype<LinearParameters>(parameters);
  const leftRowStride: usize = p.transposeLeft ? 4 : <usize>p.depth << 2;
  const leftDepthStride: usize = p.transposeLeft ? <usize>p.rows << 2 : 4;
  const rightColumnStride: usize = p.transposeRight ? <usize>p.depth << 2 : 4;
  const rightDepthStride: usize = p.transposeRight ? 4 : <usize>p.columns << 2;
  const left: usize = <usize>p.left << 2;
  const right: usize = <usize>p.right << 2;
  const out: usize = <usize>p.out << 2;
  const stride: usize = <usize>p.columns << 2;
  const packedLeft = scratch;
  const packedRight = packedLeft + LEFT_BYTES;
  const tile = packedRight + RIGHT_BYTES;

  for (let column: u32 = 0; column < p.columns; column += NC) {
    const width = min(NC, p.columns - column);
    for (let k: u32 = 0; k < p.depth; k += KC) {
      const slice = min(KC, p.depth - k);
      const corner = right + column * rightColumnStride + k * rightDepthStride;
      packRight(corner, rightColumnStride, rightDepthStride, width, slice, packedRight);
      for (let row: u32 = 0; row < p.rows; row += MC) {
        const height = min(MC, p.rows - row);
        const block = out + row * stride + (column << 2);
        packLeft(left + row * leftRowStride + k * leftDepthStride, leftRowStride, leftDepthStride, height, slice, packedLeft);
        gemmBlock(height, width, slice, packedLeft, packedRight, block, stride, k == 0, tile);
        if (k + slice == p.depth) finish(p, row, height, column, width, block, tile);
      }
    }
  }
}

/** Bias, addend and activation of a block of out, row by row. */
function finish(
  p: LinearParameters, firstRow: u32, height: u32, column: u32, width: u32, block: usize, cell: usize,
): void {
  const bias: usize = (<usize>p.bias + column) << 2;
  const stride: usize = <usize>p.columns << 2;
  const addend: usize = (<usize>p.addend << 2) + firstRow * stride + (column << 2);
  for (let row: u32 = 0; row < height; row++) {
    const out = block + row * stride;
    if (firstRow + row < p.biasRows) applyElements(ADD, width, out, out, VECTOR, bias, VECTOR, 0, 0, cell);
    if (p.hasAddend) applyElements(ADD, width, out, out, VECTOR, addend + row * stride, VECTOR, 0, 0, cell);
    if (p.activation) {
      const opcode = FIRST_ACTIVATION + (p.activation - 1) * ORDERS;
      applyElements(opcode, width, out, out, VECTOR, 0, 0, 0, 0, cell);
    }
  }
}
