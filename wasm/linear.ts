/**
 * linear: out = left right + bias, or a chain over the product; src/kernels/linear.ts says the shapes. So is convolve,
 * whose left is packed through a window (window.ts), and is nothing else, but where fewer multiplications do (winograd.ts).
 * The work is cut into units of rows, by the shape alone; threads share units out. A unit of a chain is some rows of each
 * group: the product of all its groups lies in the thread's scratch, and the chain runs over it while it is in the caches.
 *
 * Each element of the product is summed in order of the depth, slice by slice (narrow.ts: in an order of its own), so
 * that it depends on nothing but its row of left, its column of right, and the depth; of convolutions that winograd.ts computes,
 * on its tile of the output.
 */
import { ADD, applyElements } from "./apply";
import { deepBytes, deepPart, deepParts, deepUnit, deepUnits, isDeep } from "./deep";
import { runChain } from "./elementwise";
import { isFractional, multiplyFractions } from "./fractions";
import { gemmBlock, KC, MR, NR, packLeft, packRight, TILE_BYTES } from "./gemm";
import { NARROW, narrowByDots, narrowByRows } from "./narrow";
import { channelsOf, groupsOf, LinearParameters, windowOf } from "./product";
import { sumColumns } from "./reduce";
import { VECTOR } from "./simd";
import { ALL } from "./variant";
import { packColumns, packRows, WINDOW_BYTES } from "./window";
import { winogradMultiply, winogradPack, winogradThreadBytes, winogradWeightBytes } from "./winograd";
import { Tiling, winogradFirst, winogradHeight, winogradOf, winogradRows, winogradUnits } from "./winograd-tiles";
import { weightSumBytes, weightSums, weightSumUnits, weightThreadBytes, weightUnit, weightUnits } from "./winograd-weights";

/**
 * How a product is made: packed panels; few columns, by dot products or, left transposed, row by row; few rows; convolutions with
 * fewer multiplications, and the gradients by their weights; sums over many rows.
 */
const enum Way { packed, dots, columns, rows, winograd, winogradWeights, deep }

/** Rows of a unit, all groups together: with KC x 4 bytes a row they stay in L2. */
const UNIT_ROWS: u32 = 128;
/** Elements of a unit's product that a chain reads: 256 KiB. */
const UNIT_ELEMENTS: u32 = 65536;
/** Rows that a unit has where there are so many: panels of right come into L1 for all of them. */
const LEAST_ROWS: u32 = 32;
/** Rows that all groups of a unit come to at most: four of each of 64 groups. */
const MOST_ROWS: usize = 256;
const LEFT_BYTES: usize = MOST_ROWS * KC * 4;
/** Of a thread's scratch, before a unit's product. */
const PACKING_BYTES: usize = LEFT_BYTES + TILE_BYTES + WINDOW_BYTES;
/** Columns of right that are packed at a time. */
const PACKED_COLUMNS: u32 = 64;

function wayOf(p: LinearParameters, chain: usize): Way {
  if (channelsOf(p)) {
    if (winogradOf(p, chain) == Tiling.none) return !chain && isDeep(p) ? Way.deep : Way.packed;
    return p.transposeLeft ? Way.winogradWeights : Way.winograd;
  }
  if (p.columns <= NARROW && p.depth >= 4) return p.transposeLeft ? Way.columns : Way.dots;
  if (p.rows <= NARROW && p.transposeLeft && !p.transposeRight && !chain) return Way.rows;
  return Way.packed;
}

/** Rows of each group in a unit. */
function unitRows(p: LinearParameters, chain: usize): u32 {
  const groups = groupsOf(p);
  const all = p.rows / groups;
  let rows = min(max(LEAST_ROWS, (all + 7) / 8), UNIT_ROWS / groups);
  if (chain) rows = min(rows, UNIT_ELEMENTS / (groups * p.columns));
  return min(max(MR, rows & ~(MR - 1)), all);
}

export function linearUnits(parameters: usize, chain: usize): u32 {
  const p = changetype<LinearParameters>(parameters);
  const way = wayOf(p, chain);
  if (way == Way.rows) return 1;
  if (ALL && way == Way.winograd) return winogradUnits(p, winogradOf(p, chain));
  if (ALL && way == Way.winogradWeights) return weightUnits(p);
  if (ALL && way == Way.deep) return deepUnits(p);
  const rows = unitRows(p, chain);
  return (p.rows / groupsOf(p) + rows - 1) / rows;
}

/** The first element of a unit, in each group. */
export function linearFirst(parameters: usize, chain: usize, unit: u32): u32 {
  const p = changetype<LinearParameters>(parameters);
  return firstRow(p, chain, unit) * p.columns;
}

function firstRow(p: LinearParameters, chain: usize, unit: u32): u32 {
  if (ALL && wayOf(p, chain) == Way.winograd) return winogradFirst(p, winogradOf(p, chain), unit);
  return unit * unitRows(p, chain);
}

/** Whether there is so much to do that threads should share it: 2^18 multiplications, some 10 microseconds. */
export function linearIsLarge(parameters: usize): bool {
  const p = changetype<LinearParameters>(parameters);
  return <f64>p.rows * <f64>p.columns * <f64>p.depth >= 262144;
}

/** Units of what goes before the product's: packing `right`, sums of its columns. */
export function packUnits(parameters: usize, chain: usize): u32 {
  const p = changetype<LinearParameters>(parameters);
  const columns = (p.columns + PACKED_COLUMNS - 1) / PACKED_COLUMNS;
  const before = unitsBefore(p, wayOf(p, chain), chain);
  return before && !p.sumsDepth ? before : before + columns;
}

/** Of these, those that some ways have of their own. */
// @ts-ignore: decorator
@inline
function unitsBefore(p: LinearParameters, way: Way, chain: usize): u32 {
  if (!ALL) return 0;
  if (way == Way.winograd) return p.columns / NR;
  if (way == Way.deep) return deepParts();
  return way == Way.winogradWeights ? weightSumUnits(p, winogradOf(p, chain)) : 0;
}

/** Bytes of right, packed, or what else threads share; 0 where the product reads it as it is. */
export function linearSharedBytes(parameters: usize, chain: usize): usize {
  const p = changetype<LinearParameters>(parameters);
  const way = wayOf(p, chain);
  if (ALL && way == Way.winograd) return winogradWeightBytes(p, winogradOf(p, chain));
  if (ALL && way == Way.winogradWeights) return weightSumBytes(p, winogradOf(p, chain));
  if (ALL && way == Way.deep) return deepBytes(p);
  if (way != Way.packed && way != Way.dots) return 0;
  return (<usize>((p.columns + NR - 1) & ~(NR - 1)) * p.depth) << 2;
}

/** Bytes of scratch of each thread: packed left, a tile; a unit's product. */
export function linearThreadBytes(parameters: usize, chain: usize): usize {
  const p = changetype<LinearParameters>(parameters);
  const isFast = ALL && wayOf(p, chain) == Way.winograd;
  const before = bytesBefore(p, wayOf(p, chain), chain);
  if (!chain) return before;
  const rows = isFast ? winogradRows(p, winogradOf(p, chain)) : unitRows(p, chain);
  return before + ((<usize>rows * groupsOf(p) * p.columns) << 2) + VECTOR;
}

/** Of a thread's scratch those before a unit's product. */
// @ts-ignore: decorator
@inline
function bytesBefore(p: LinearParameters, way: Way, chain: usize): usize {
  if (ALL && way == Way.winograd) return max(PACKING_BYTES, winogradThreadBytes(p, winogradOf(p, chain)));
  if (ALL && way == Way.winogradWeights) return max(PACKING_BYTES, weightThreadBytes(p, winogradOf(p, chain)));
  return PACKING_BYTES;
}

/** Packs 64 columns of right, and adds up theirs, or does what else goes before. `scratch`: the thread's. */
export function packUnit(parameters: usize, chain: usize, unit: u32, packed: usize, scratch: usize): void {
  const p = changetype<LinearParameters>(parameters);
  const way = wayOf(p, chain);
  const before = unitsBefore(p, way, chain);
  if (unit < before) {
    if (way == Way.deep) {
      deepPart(p, unit, packed);
      return;
    }
    const tiling = winogradOf(p, chain);
    if (way == Way.winograd) winogradPack(p, tiling, unit, packed, scratch);
    else weightSums(p, tiling, unit, packed, scratch);
    return;
  }
  const column = (unit - before) * PACKED_COLUMNS;
  const width = min(PACKED_COLUMNS, p.columns - column);
  const columnStride: usize = p.transposeRight ? <usize>p.depth << 2 : 4;
  const depthStride: usize = p.transposeRight ? 4 : <usize>p.columns << 2;
  const corner = (<usize>p.right << 2) + column * columnStride;
  const panelBytes: usize = <usize>p.depth * NR << 2;
  const channels: usize = channelsOf(p);
  if (way == Way.packed && channels && p.transposeRight) {
    let out = packed + ((<usize>column * p.depth) << 2);
    let tap = (<usize>p.right << 2) + (column * channels << 2);
    for (let k: usize = 0; k < p.depth; k += channels, out += channels * NR << 2, tap += p.columns * channels << 2) {
      packRight(tap, channels << 2, 4, width, <u32>channels, out, panelBytes);
    }
  } else if (way == Way.packed) {
    packRight(corner, columnStride, depthStride, width, p.depth, packed + ((<usize>column * p.depth) << 2), panelBytes);
  } else if (way == Way.dots) {
    for (let c: u32 = 0; c < width; c++) {
      const out = packed + ((<usize>(column + c) * p.depth) << 2);
      for (let k: usize = 0; k < p.depth; k++) store<f32>(out + (k << 2), load<f32>(corner + c * columnStride + k * depthStride));
    }
  }
  if (p.sumsDepth) sumColumns(corner, depthStride, p.sumsDepth, width, false, 1, (<usize>p.sums + column) << 2, scratch);
}

/** Some rows of the product, of each group, and what follows them. */
export function linearUnit(
  parameters: usize, chain: usize, unit: u32, packed: usize, scratch: usize, slots: usize, temporary: usize,
): void {
  const p = changetype<LinearParameters>(parameters);
  const stride: usize = <usize>p.columns << 2;
  const way = wayOf(p, chain);
  if (ALL && way == Way.winogradWeights) {
    weightUnit(p, winogradOf(p, chain), unit, packed, scratch);
    return;
  }
  if (ALL && way == Way.deep) {
    deepUnit(p, unit, packed);
    return;
  }
  if (way == Way.rows) {
    narrowByRows(
      <usize>p.right << 2, stride, <usize>p.left << 2, <usize>p.rows << 2, 4, p.depth, p.columns, p.rows,
      <usize>p.out << 2, 4, stride,
    );
    addBias(p, 0, p.rows, <usize>p.out << 2, temporary);
    return;
  }
  const groups = groupsOf(p);
  const groupRows = p.rows / groups;
  const isFast = ALL && way == Way.winograd;
  const tiling = isFast ? winogradOf(p, chain) : Tiling.none;
  const first = firstRow(p, chain, unit);
  const height = isFast ? winogradHeight(p, tiling, first) : min(unitRows(p, chain), groupRows - first);
  const target = chain ? scratch + bytesBefore(p, way, chain) : (<usize>p.out << 2) + first * stride;
  let done: u32 = 0;
  if (isFast) {
    if (biasRows(p, first, height) == height) done = height;
    winogradMultiply(p, tiling, first, height, target, packed, scratch, done ? <usize>p.bias << 2 : 0);
  } else done = multiply(p, chain, first, height, groups, groupRows, target, packed, scratch);
  addBias(p, first + done, height - done, target + done * stride, temporary);
  if (!chain) return;
  const groupBytes = height * stride;
  for (let group: u32 = 1; group < groups; group++) {
    addBias(p, group * groupRows + first, height, target + group * groupBytes, temporary);
  }
  runChain(chain, unit, first * p.columns, (first + height) * p.columns, slots, target, groupBytes, temporary);
}

/**
 * target[group, height, columns] = the rows `first` and following of each group of left, times right.
 * @returns how many rows of the first group have their bias already.
 */
function multiply(
  p: LinearParameters, chain: usize, first: u32, height: u32, groups: u32, groupRows: u32, target: usize,
  packed: usize, scratch: usize,
): u32 {
  const rowStride: usize = p.transposeLeft ? 4 : <usize>p.depth << 2;
  const depthStride: usize = p.transposeLeft ? <usize>p.rows << 2 : 4;
  const left = (<usize>p.left << 2) + first * rowStride;
  const groupStride: usize = groupRows * rowStride;
  const stride: usize = <usize>p.columns << 2;
  const groupBytes = height * stride;
  const way = wayOf(p, chain);
  if (way != Way.packed) {
    const right: usize = <usize>p.right << 2;
    const rightDepth: usize = p.transposeRight ? 4 : stride;
    const rightColumn: usize = p.transposeRight ? <usize>p.depth << 2 : 4;
    for (let group: u32 = 0; group < groups; group++) {
      const from = left + group * groupStride;
      const to = target + group * groupBytes;
      if (way == Way.dots) narrowByDots(from, packed, p.depth, height, p.columns, to);
      else narrowByRows(from, depthStride, right, rightDepth, rightColumn, p.depth, height, p.columns, to, stride, 4);
    }
    return 0;
  }
  const tile = scratch + LEFT_BYTES;
  const zeros = tile + TILE_BYTES;
  if (ALL && channelsOf(p) && isFractional(p)) {
    multiplyFractions(p, first, height, target, packed, scratch, tile, zeros);
    return 0;
  }
  const window = windowOf(p);
  const panelBytes: usize = (<usize>p.depth * NR) << 2;
  const together = (height & (MR - 1)) == 0; // then the groups' panels of left follow each other without gaps
  const bias: usize = <usize>p.bias << 2;
  const biased = biasRows(p, first, height) & ~(MR - 1);
  for (let k: u32 = 0; k < p.depth; k += KC) {
    const slice = min(KC, p.depth - k);
    const right = packed + ((<usize>k * NR) << 2);
    const some = k + slice == p.depth ? biased : 0;
    for (let group: u32 = 0; group < groups; group++) {
      const panels = scratch + (together ? (<usize>group * height * slice) << 2 : 0);
      if (channelsOf(p)) {
        const row = group * groupRows + first;
        if (p.transposeLeft) packColumns(window, <usize>p.left << 2, row, height, k, slice, panels, zeros);
        else packRows(window, <usize>p.left << 2, row, height, k, slice, panels, zeros);
      } else {
        packLeft(left + group * groupStride + k * depthStride, rowStride, depthStride, height, slice, panels);
      }
      if (together) continue;
      const to = target + group * groupBytes;
      gemmBlock(height, p.columns, slice, panels, right, panelBytes, to, stride, k == 0, tile, bias, group ? 0 : some);
    }
    if (together) {
      const all = groups * height;
      gemmBlock(all, p.columns, slice, scratch, right, panelBytes, target, stride, k == 0, tile, bias, some);
    }
  }
  return biased;
}

/** Of the rows from `row` on those that have a bias. */
// @ts-ignore: decorator
@inline
function biasRows(p: LinearParameters, row: u32, height: u32): u32 {
  return min(height, p.biasRows > row ? p.biasRows - row : 0);
}

function addBias(p: LinearParameters, row: u32, height: u32, target: usize, temporary: usize): void {
  const bias: usize = <usize>p.bias << 2;
  const stride: usize = <usize>p.columns << 2;
  const end = biasRows(p, row, height);
  for (let r: u32 = 0; r < end; r++) {
    const out = target + r * stride;
    applyElements(ADD, p.columns, out, out, VECTOR, bias, VECTOR, 0, 0, temporary);
  }
}
