/**
 * Products of a transposed left that sum over many more rows than either side has columns, as gradients of a layer's weights over
 * all places of many images do: out = left^T right, both read as they lie. The rows are cut into parts, by the shape alone, each
 * summed by itself; then the parts are added up, in their order. Such a product comes as a convolution of one place and one tap;
 * src/backends/wasm/deep-products.ts says which ones.
 *
 * Nothing is packed, as each number is used but a few times: some rows of both sides stay in L1 while all tiles of the result
 * pass over them.
 */
import { gemmColumns, MR, NR } from "./gemm";
import { LinearParameters, windowOf } from "./product";
import { VECTOR } from "./simd";

/** Parts: units for threads to share. */
const PARTS: u32 = 8;
/** Elements of both sides that stay in L1. */
const BLOCK_ELEMENTS: u32 = 8192;
/** Elements of a unit that adds up. */
const UNIT_ELEMENTS: u32 = 512;

export function isDeep(p: LinearParameters): bool {
  const w = windowOf(p);
  const isOnePlace = w.channels == p.rows && w.downInput * w.acrossInput == 1 && w.downOutput * w.acrossOutput == 1;
  return isOnePlace && p.transposeLeft && !p.transposeRight && !p.biasRows && !(p.rows & (MR - 1)) && !(p.columns & (NR - 1));
}

/** Units that sum up, and those that add up their sums. */
export function deepParts(): u32 {
  return PARTS;
}

export function deepUnits(p: LinearParameters): u32 {
  return (p.rows * p.columns + UNIT_ELEMENTS - 1) / UNIT_ELEMENTS;
}

/** Bytes of all parts. */
export function deepBytes(p: LinearParameters): usize {
  return (<usize>PARTS * p.rows * p.columns) << 2;
}

/** The sums of a part. */
export function deepPart(p: LinearParameters, part: u32, sums: usize): void {
  const leftStride: usize = <usize>p.rows << 2, rightStride: usize = <usize>p.columns << 2;
  const begin = <u32>((<u64>p.depth * part) / PARTS), end = <u32>((<u64>p.depth * (part + 1)) / PARTS);
  const most = max(8, BLOCK_ELEMENTS / (p.rows + p.columns));
  const out = sums + <usize>part * p.rows * rightStride;
  for (let k = begin; k < end; k += most) {
    const some = min(most, end - k);
    const left = (<usize>p.left << 2) + k * leftStride, right = (<usize>p.right << 2) + k * rightStride;
    for (let column: usize = 0; column < rightStride; column += NR << 2) {
      for (let row: usize = 0; row < p.rows; row += MR) {
        gemmColumns(
          some, left + (row << 2), leftStride, right + column, rightStride, out + row * rightStride + column, rightStride, k == begin,
        );
      }
    }
  }
}

/** Some elements of the product: the parts' sums, added up. */
export function deepUnit(p: LinearParameters, unit: u32, sums: usize): void {
  const all: usize = (<usize>p.rows * p.columns) << 2;
  const begin: usize = <usize>unit * (UNIT_ELEMENTS << 2), out: usize = <usize>p.out << 2;
  for (let i = begin, end = min(all, begin + (UNIT_ELEMENTS << 2)); i < end; i += VECTOR) {
    let sum = v128.load(sums + i);
    for (let part: usize = 1; part < PARTS; part++) sum = f32x4.add(sum, v128.load(sums + part * all + i));
    v128.store(out + i, sum);
  }
}
