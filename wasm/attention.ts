/**
 * attention and attentionReverse; src/kernels/attention.ts has the shapes, src/ops/attention.ts the formulas and names. A
 * unit is a head of a sample: it packs keys and values into its own scratch once; what is of size L x L is there for ROWS
 * queries at a time.
 */
import { exp } from "./exponential";
import { gemmBlock, KC, NR, packLeft, packRight, TILE_BYTES } from "./gemm";
import { multiplyAdd, splat } from "./simd";

/** Addresses are in elements of 4 bytes. */
@unmanaged
class AttentionParameters {
  batch: u32;
  length: u32;
  heads: u32;
  width: u32;
  tangents: u32;
  kindStride: u32;
  headStride: u32;
  scale: f32;
  joined: u32;
  out: u32;
}

@unmanaged
class AttentionReverseParameters extends AttentionParameters {
  // `out` of the class above is where cotangents lie: bindings follow each other in order
  result: u32;
}

/** Queries at a time. */
const ROWS: u32 = 32;
/** Rows of a left operand that are packed at a time. */
const PANEL_ROWS: u32 = 64;
const PANEL_BYTES: usize = <usize>PANEL_ROWS * KC * 4;
/** Scratch before packed operands. */
const WORK_BYTES: usize = PANEL_BYTES + TILE_BYTES;

export function attentionUnits(parameters: usize): u32 {
  const p = changetype<AttentionParameters>(parameters);
  return p.batch * p.heads;
}

/** As of a product, of which there are six and more: 2^18 multiplications. */
export function attentionIsLarge(parameters: usize): bool {
  const p = changetype<AttentionParameters>(parameters);
  return <f64>p.batch * <f64>p.heads * <f64>p.length * <f64>p.length * <f64>p.width >= 65536;
}

// @ts-ignore: decorator
@inline
function padded(count: u32): usize {
  return (count + NR - 1) & ~(NR - 1);
}

/** Of a packed operand: keys by width, or width by keys. */
// @ts-ignore: decorator
@inline
function packedBytes(p: AttentionParameters): usize {
  return max(padded(p.length) * p.width, padded(p.width) * p.length) << 2;
}

/** From row to row of a matrix of queries by keys. */
// @ts-ignore: decorator
@inline
function strideOf(p: AttentionParameters): usize {
  return padded(p.length) << 2;
}

export function attentionThreadBytes(parameters: usize, reverse: bool): usize {
  const p = changetype<AttentionParameters>(parameters);
  const each: usize = 1 + p.tangents;
  const packed = (reverse ? 3 : 2) * each * packedBytes(p) + ((padded(p.width) * ROWS) << 2);
  return WORK_BYTES + packed + (reverse ? 2 * each : each) * ROWS * strideOf(p);
}

export function attentionUnit(parameters: usize, unit: u32, scratch: usize): void {
  const p = changetype<AttentionParameters>(parameters);
  const sample = unit / p.heads, head = unit % p.heads;
  const length = p.length, width = p.width, all = p.tangents + 1;
  const outRow: usize = <usize>(p.heads * width) << 2;
  const row = 3 * outRow;
  const next = p.batch * length * row, outNext = p.batch * length * outRow; // from the primal to the first tangent
  const kind: usize = <usize>p.kindStride << 2;
  const q: usize = (<usize>(p.joined + head * p.headStride) << 2) + sample * length * row;
  const out: usize = (<usize>(p.out + head * width) << 2) + sample * length * outRow;
  const each = packedBytes(p), stride = strideOf(p), block = ROWS * stride;
  const keys = scratch + WORK_BYTES;
  const values = keys + all * each;
  const weights = values + all * each;
  for (let t: u32 = 0; t < all; t++) {
    pack(q + kind + t * next, row, 4, length, width, p.scale, keys + t * each);
    pack(q + 2 * kind + t * next, 4, row, width, length, 1, values + t * each);
  }
  for (let first: u32 = 0; first < length; first += ROWS) {
    const height = min(ROWS, length - first);
    const from = q + first * row;
    const to = out + first * outRow;
    weigh(p, from, row, height, keys, weights, scratch);
    product(weights, stride, 4, height, length, values, width, to, outRow, true, scratch);
    for (let t: u32 = 1; t < all; t++) {
      const moved = weights + t * block;
      const tangent = to + t * outNext;
      move(p, from, from + t * next, row, height, keys, keys + t * each, moved, scratch);
      for (let r: u32 = 0; r < height; r++) centre(weights + r * stride, moved + r * stride, length);
      product(moved, stride, 4, height, length, values, width, tangent, outRow, true, scratch);
      product(weights, stride, 4, height, length, values + t * each, width, tangent, outRow, false, scratch);
    }
  }
}

export function attentionReverseUnit(parameters: usize, unit: u32, scratch: usize): void {
  const p = changetype<AttentionReverseParameters>(parameters);
  const sample = unit / p.heads, head = unit % p.heads;
  const length = p.length, width = p.width, all = p.tangents + 1;
  const outRow: usize = <usize>(p.heads * width) << 2;
  const row = 3 * outRow;
  const next = p.batch * length * row, outNext = p.batch * length * outRow;
  const kind: usize = <usize>p.kindStride << 2;
  const place = (<usize>head * p.headStride << 2) + sample * length * row;
  const q: usize = (<usize>p.joined << 2) + place;
  const result: usize = (<usize>p.result << 2) + place;
  const cotangent: usize = (<usize>(p.out + head * width) << 2) + sample * length * outRow;
  const each = packedBytes(p), stride = strideOf(p), block = ROWS * stride;
  const keys = scratch + WORK_BYTES; // by width: of scores
  const values = keys + all * each; // by width
  const back = values + all * each; // width by keys
  const right = back + all * each;
  const weights = right + ((padded(width) * ROWS) << 2);
  const ofScores = weights + block;
  const ofTangents = ofScores + block; // of each tangent T, then B; in their places W and G
  for (let t: u32 = 0; t < all; t++) {
    pack(q + kind + t * next, row, 4, length, width, p.scale, keys + t * each);
    pack(q + 2 * kind + t * next, row, 4, length, width, 1, values + t * each);
    pack(q + kind + t * next, 4, row, width, length, p.scale, back + t * each);
  }
  for (let first: u32 = 0; first < length; first += ROWS) {
    const fresh = first == 0;
    const height = min(ROWS, length - first);
    const from = q + first * row;
    const given = cotangent + first * outRow;
    weigh(p, from, row, height, keys, weights, scratch);
    product(given, outRow, 4, height, width, values, length, ofScores, stride, true, scratch);
    for (let t: u32 = 1; t < all; t++) {
      const moved = ofTangents + 2 * (t - 1) * block, met = moved + block;
      move(p, from, from + t * next, row, height, keys, keys + t * each, moved, scratch);
      product(given + t * outNext, outRow, 4, height, width, values, length, met, stride, true, scratch);
      product(given + t * outNext, outRow, 4, height, width, values + t * each, length, ofScores, stride, false, scratch);
      for (let r: u32 = 0; r < height; r++) {
        const at = r * stride;
        ofTangent(weights + at, moved + at, met + at, ofScores + at, length);
      }
    }
    for (let r: u32 = 0; r < height; r++) centre(weights + r * stride, ofScores + r * stride, length);

    const ofQueries = result + first * row, ofKeys = result + kind, ofValues = result + 2 * kind;
    product(ofScores, stride, 4, height, length, back, width, ofQueries, row, true, scratch);
    pack(from, 4, row, width, height, p.scale, right);
    product(ofScores, 4, stride, length, height, right, width, ofKeys, row, fresh, scratch);
    for (let t: u32 = 1; t < all; t++) {
      const met = ofTangents + (2 * t - 1) * block;
      product(met, stride, 4, height, length, back + t * each, width, ofQueries, row, false, scratch);
      product(met, stride, 4, height, length, back, width, ofQueries + t * next, row, true, scratch);
      product(met, 4, stride, length, height, right, width, ofKeys + t * next, row, fresh, scratch);
    }
    pack(given, 4, outRow, width, height, 1, right);
    product(weights, 4, stride, length, height, right, width, ofValues, row, fresh, scratch);
    for (let t: u32 = 1; t < all; t++) {
      const moved = ofTangents + 2 * (t - 1) * block;
      pack(from + t * next, 4, row, width, height, p.scale, right);
      product(moved + block, 4, stride, length, height, right, width, ofKeys, row, false, scratch);
      pack(given + t * outNext, 4, outRow, width, height, 1, right);
      product(moved, 4, stride, length, height, right, width, ofValues, row, false, scratch);
      product(weights, 4, stride, length, height, right, width, ofValues + t * next, row, fresh, scratch);
    }
  }
}

/** The weights of queries from `from` on. */
function weigh(
  p: AttentionParameters, from: usize, row: usize, height: u32, keys: usize, weights: usize, scratch: usize,
): void {
  const stride = strideOf(p);
  product(from, row, 4, height, p.width, keys, p.length, weights, stride, true, scratch);
  for (let r: u32 = 0; r < height; r++) softmax(weights + r * stride, p.length);
}

/** T: the tangents of queries by keys, and the queries by the keys' tangents. */
function move(
  p: AttentionParameters, from: usize, tangent: usize, row: usize, height: u32, keys: usize, tangentKeys: usize, moved: usize,
  scratch: usize,
): void {
  const stride = strideOf(p);
  product(tangent, row, 4, height, p.width, keys, p.length, moved, stride, true, scratch);
  product(from, row, 4, height, p.width, tangentKeys, p.length, moved, stride, false, scratch);
}

/** Packs `scale` times a right operand, all of its depth. */
function pack(
  source: usize, columnStride: usize, depthStride: usize, columns: u32, depth: u32, scale: f32, out: usize,
): void {
  packRight(source, columnStride, depthStride, columns, depth, out, (<usize>depth * NR) << 2);
  if (scale == 1) return;
  for (const end = out + ((padded(columns) * depth) << 2); out < end; out += 16) {
    v128.store(out, f32x4.mul(v128.load(out), splat(scale)));
  }
}

/** out[rows, columns] = left right, or added to it where it is not `fresh`; strides are bytes. */
function product(
  left: usize, leftRow: usize, leftDepth: usize, rows: u32, depth: u32, packed: usize, columns: u32, out: usize,
  outRow: usize, fresh: bool, scratch: usize,
): void {
  const panelBytes: usize = (<usize>depth * NR) << 2;
  const tile = scratch + PANEL_BYTES;
  for (let first: u32 = 0; first < rows; first += PANEL_ROWS) {
    const height = min(PANEL_ROWS, rows - first);
    for (let k: u32 = 0; k < depth; k += KC) {
      const slice = min(KC, depth - k);
      packLeft(left + first * leftRow + k * leftDepth, leftRow, leftDepth, height, slice, scratch);
      const right = packed + ((<usize>k * NR) << 2);
      const to = out + first * outRow;
      gemmBlock(height, columns, slice, scratch, right, panelBytes, to, outRow, fresh && k == 0, tile, 0, 0);
    }
  }
}

/** The elements past a row's last one, up to a whole vector; returns where that ends. */
function fillPast(row: usize, count: u32, value: f32): usize {
  const end = row + ((<usize>count + 3 & ~3) << 2);
  for (let at = row + (<usize>count << 2); at < end; at += 4) store<f32>(at, value);
  return end;
}

// @ts-ignore: decorator
@inline
function sumOf(x: v128): f32 {
  return f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 1) + (f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3));
}

/** Scores become weights; those past the last 0. */
function softmax(row: usize, count: u32): void {
  const end = fillPast(row, count, -Infinity);
  let largest = splat(-Infinity);
  for (let at = row; at < end; at += 16) largest = f32x4.max(largest, v128.load(at));
  largest = f32x4.max(largest, v128.shuffle<f32>(largest, largest, 2, 3, 0, 1));
  largest = f32x4.max(largest, v128.shuffle<f32>(largest, largest, 1, 0, 3, 2));
  for (let at = row; at < end; at += 16) v128.store(at, exp(f32x4.sub(v128.load(at), largest)));
  fillPast(row, count, 0);
  let sum = splat(0);
  for (let at = row; at < end; at += 16) sum = f32x4.add(sum, v128.load(at));
  const share = splat(1 / sumOf(sum));
  for (let at = row; at < end; at += 16) v128.store(at, f32x4.mul(v128.load(at), share));
}

/** The sum of weights times x. */
function mean(weights: usize, x: usize, end: usize): v128 {
  let sum = splat(0);
  for (let at: usize = 0; x + at < end; at += 16) sum = multiplyAdd(v128.load(weights + at), v128.load(x + at), sum);
  return splat(sumOf(sum));
}

/** x = weights (x - sum(weights x)). */
function centre(weights: usize, x: usize, count: u32): void {
  const end = fillPast(x, count, 0);
  const m = mean(weights, x, end);
  for (; x < end; x += 16, weights += 16) v128.store(x, f32x4.mul(v128.load(weights), f32x4.sub(v128.load(x), m)));
}

/** C += (T - r) B - sum(P B) T; in the places of T and B then W = P (T - r) and G = P (B - sum(P B)). */
function ofTangent(p: usize, t: usize, b: usize, c: usize, count: u32): void {
  const end = fillPast(t, count, 0);
  const r = mean(p, t, end);
  const m = mean(p, b, fillPast(b, count, 0));
  for (; t < end; t += 16, b += 16, c += 16, p += 16) {
    const moved = v128.load(t), met = v128.load(b), weights = v128.load(p);
    const centred = f32x4.sub(moved, r);
    v128.store(c, f32x4.add(v128.load(c), f32x4.sub(f32x4.mul(centred, met), f32x4.mul(m, moved))));
    v128.store(t, f32x4.mul(weights, centred));
    v128.store(b, f32x4.mul(weights, f32x4.sub(met, m)));
  }
}
