/**
 * reduce: out[o, i] = scale * sum (or max, or sum of squares) over r of in[o, r, i]; in [outer, reduced, inner],
 * src/kernels/reduce.ts. Sums are carried in f64, in an order that the shape alone decides: a long one is cut into
 * chunks, which threads share out; else they share `outer`.
 */
import { splat, VECTOR } from "./simd";

/** Addresses are in elements of 4 bytes. */
@unmanaged
class ReduceParameters {
  outer: u32;
  reduced: u32;
  inner: u32;
  kind: u32;
  scale: f32;
  in: u32;
  out: u32;
}

const MAX: u32 = 1;
const SUM_OF_SQUARES: u32 = 2;
/** Elements of a chunk of a long sum. */
const CHUNK: u32 = 16384;
/** Columns that are summed side by side. */
const COLUMNS: u32 = 512;
/** Bytes of scratch of a thread: an f64 for each of these columns. */
export const REDUCE_BYTES: usize = COLUMNS << 3;

/** Whether it is one long sum, which is cut into chunks. */
function isLong(p: ReduceParameters): bool {
  return p.outer == 1 && p.inner == 1 && p.kind != MAX && p.reduced > CHUNK;
}

/** Chunks of a long sum; else units of `outer`, about a chunk of elements each. */
export function reduceUnits(parameters: usize): u32 {
  const p = changetype<ReduceParameters>(parameters);
  if (isLong(p)) return (p.reduced + CHUNK - 1) / CHUNK;
  const each = outerOfUnit(p);
  return (p.outer + each - 1) / each;
}

/** Whether `reduceChunks` is to follow. */
export function reduceHasChunks(parameters: usize): bool {
  return isLong(changetype<ReduceParameters>(parameters));
}

function outerOfUnit(p: ReduceParameters): u32 {
  return max(1, CHUNK / max(1, p.reduced * p.inner));
}

/** The sum of a chunk, to partials[unit] in f64; or all of some `outer`. */
export function reduceUnit(parameters: usize, unit: u32, partials: usize, scratch: usize): void {
  const p = changetype<ReduceParameters>(parameters);
  if (!isLong(p)) {
    const each = outerOfUnit(p);
    reduce(p, unit * each, min(p.outer, (unit + 1) * each), scratch);
    return;
  }
  const first = unit * CHUNK;
  const source: usize = (<usize>p.in + first) << 2;
  store<f64>(partials + (<usize>unit << 3), sumOf(source, min(CHUNK, p.reduced - first), p.kind == SUM_OF_SQUARES));
}

/** The chunks' sums, in order. */
export function reduceChunks(parameters: usize, partials: usize): void {
  const p = changetype<ReduceParameters>(parameters);
  let sum: f64 = 0;
  for (let unit: u32 = 0, units = reduceUnits(parameters); unit < units; unit++) {
    sum += load<f64>(partials + (<usize>unit << 3));
  }
  store<f32>(<usize>p.out << 2, <f32>(<f64>p.scale * sum));
}

function reduce(p: ReduceParameters, from: u32, to: u32, scratch: usize): void {
  const source: usize = <usize>p.in << 2;
  const stride: usize = <usize>p.inner << 2;
  let out: usize = <usize>(p.out + from * p.inner) << 2;
  const squares = p.kind == SUM_OF_SQUARES;
  for (let o = from; o < to; o++) {
    const first = source + o * p.reduced * stride;
    if (p.kind == MAX) {
      for (let i: u32 = 0; i < p.inner; i++, out += 4) {
        store<f32>(out, p.scale * maxOf(first + (i << 2), stride, p.reduced));
      }
    } else if (p.inner == 1) {
      store<f32>(out, <f32>(<f64>p.scale * sumOf(first, p.reduced, squares)));
      out += 4;
    } else {
      for (let i: u32 = 0; i < p.inner; i += COLUMNS) {
        const width = min(COLUMNS, p.inner - i);
        sumColumns(first + (i << 2), stride, p.reduced, width, squares, p.scale, out, scratch);
        out += width << 2;
      }
    }
  }
}

/** NaN when one of them is. */
function maxOf(source: usize, stride: usize, count: u32): f32 {
  let result: f32 = -Infinity;
  for (let r: u32 = 0; r < count; r++, source += stride) result = max<f32>(result, load<f32>(source));
  return result;
}

// @ts-ignore: decorator
@inline
function low(x: v128): v128 {
  return f64x2.promote_low_f32x4(x);
}

// @ts-ignore: decorator
@inline
function high(x: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<f32>(x, x, 2, 3, 2, 3));
}

/** x, or its square. */
// @ts-ignore: decorator
@inline
function term(x: v128, squares: bool): v128 {
  return squares ? f64x2.mul(x, x) : x;
}

/** Neighbours side by side: four partial sums of two, then the last ones one by one. */
function sumOf(source: usize, count: u32, squares: bool): f64 {
  let s0 = splat(0), s1 = s0, s2 = s0, s3 = s0;
  let r: u32 = 0;
  for (; r + 8 <= count; r += 8, source += 32) {
    const x = v128.load(source), y = v128.load(source, 16);
    s0 = f64x2.add(s0, term(low(x), squares));
    s1 = f64x2.add(s1, term(high(x), squares));
    s2 = f64x2.add(s2, term(low(y), squares));
    s3 = f64x2.add(s3, term(high(y), squares));
  }
  const s = f64x2.add(f64x2.add(s0, s1), f64x2.add(s2, s3));
  let sum = f64x2.extract_lane(s, 0) + f64x2.extract_lane(s, 1);
  for (; r < count; r++, source += 4) {
    const x: f64 = load<f32>(source);
    sum += squares ? x * x : x;
  }
  return sum;
}

/** out[i] = scale * sum over r of source[r, i], or of its square, i < width: row by row into f64 sums at `sums`. */
export function sumColumns(
  source: usize, stride: usize, rows: u32, width: u32, squares: bool, scale: f32, out: usize, sums: usize,
): void {
  memory.fill(sums, 0, width << 3);
  for (let r: u32 = 0; r < rows; r++, source += stride) {
    let i: u32 = 0;
    let sum = sums;
    for (; i + 4 <= width; i += 4, sum += 2 * VECTOR) {
      const x = v128.load(source + (i << 2));
      v128.store(sum, f64x2.add(v128.load(sum), term(low(x), squares)));
      v128.store(sum, f64x2.add(v128.load(sum, 16), term(high(x), squares)), 16);
    }
    for (; i < width; i++, sum += 8) {
      const x: f64 = load<f32>(source + (i << 2));
      store<f64>(sum, load<f64>(sum) + (squares ? x * x : x));
    }
  }
  for (let i: u32 = 0; i < width; i++) store<f32>(out + (i << 2), <f32>(scale * load<f64>(sums + (i << 3))));
}
