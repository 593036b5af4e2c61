/**
 * The module of optimal transport: loops over a matrix of costs or of a kernel, each as src/transport/loops.ts has it, in the same
 * order of operations and so with the same bits; that file says what they do. A module of its own, in plain SIMD and on one thread,
 * with a memory that it exports: pages that pair nothing do not have it.
 *
 * Matrices are row-major, their rows `width` elements apart, a multiple of 16, all addresses multiples of 16 bytes; what is behind a row's
 * end is f64's largest number in costs, 0 in kernels. Suffix 32: with a kernel of f32.
 */
import { exp2, exp4 } from "./exponential";

export { augment, twoLeast } from "./assignment";

/** Bytes of a vector. */
const V: usize = 16;

// @ts-ignore: decorator
@inline
function splat64(x: f64): v128 {
  return f64x2.splat(x);
}

// @ts-ignore: decorator
@inline
function square(x: v128, y: usize): v128 {
  const p = f64x2.sub(x, v128.load(y));
  return f64x2.mul(p, p);
}

/** x [rows, dimension]; y in blocks of four columns, [width / 4, dimension, 4]. */
export function distances(x: usize, y: usize, rows: u32, width: u32, dimension: u32, out: usize): void {
  const bytes: usize = <usize>dimension << 3;
  const fours: usize = bytes & ~31;
  for (let i: u32 = 0; i < rows; i++, x += bytes) {
    let to = y;
    for (const end = out + (<usize>width << 3); out < end; out += 2 * V) {
      let a = splat64(0), b = a, c = a, d = a;
      let a1 = a, b1 = a, c1 = a, d1 = a;
      let k: usize = 0;
      for (; k < fours; k += 32, to += 8 * V) {
        let at = v128.load64_splat(x + k);
        a = f64x2.add(a, square(at, to)), a1 = f64x2.add(a1, square(at, to + V));
        at = v128.load64_splat(x + k, 8);
        b = f64x2.add(b, square(at, to + 2 * V)), b1 = f64x2.add(b1, square(at, to + 3 * V));
        at = v128.load64_splat(x + k, 16);
        c = f64x2.add(c, square(at, to + 4 * V)), c1 = f64x2.add(c1, square(at, to + 5 * V));
        at = v128.load64_splat(x + k, 24);
        d = f64x2.add(d, square(at, to + 6 * V)), d1 = f64x2.add(d1, square(at, to + 7 * V));
      }
      for (; k < bytes; k += 8, to += 2 * V) {
        const at = v128.load64_splat(x + k);
        a = f64x2.add(a, square(at, to)), a1 = f64x2.add(a1, square(at, to + V));
      }
      v128.store(out, f64x2.add(f64x2.add(a, b), f64x2.add(c, d)));
      v128.store(out, f64x2.add(f64x2.add(a1, b1), f64x2.add(c1, d1)), V);
    }
  }
}

export function begin(cost: usize, rows: u32, width: u32, f: usize, g: usize, nearest: usize): void {
  const bytes: usize = <usize>width << 3;
  for (let i: u32 = 0; i < rows; i++, cost += bytes, f += 8) {
    let p = splat64(Infinity), q = p;
    for (let j: usize = 0; j < bytes; j += 2 * V) {
      p = f64x2.pmin(p, f64x2.sub(v128.load(cost + j), v128.load(g + j)));
      q = f64x2.pmin(q, f64x2.sub(v128.load(cost + j, V), v128.load(g + j, V)));
    }
    p = f64x2.pmin(p, q);
    p = f64x2.pmin(p, v128.shuffle<i64>(p, p, 1, 0));
    store<f64>(f, f64x2.extract_lane(p, 0));
    for (let j: usize = 0; j < bytes; j += V) {
      const exponent = f64x2.sub(f64x2.add(p, v128.load(g + j)), v128.load(cost + j));
      v128.store(nearest + j, f64x2.pmax(v128.load(nearest + j), exponent));
    }
  }
}

// @ts-ignore: decorator
@inline
function exponent(f: v128, g: usize, cost: usize, inverse: v128): v128 {
  return f64x2.mul(f64x2.sub(f64x2.add(f, v128.load(g)), v128.load(cost)), inverse);
}

export function kernel(
  cost: usize, rows: u32, width: u32, f: usize, g: usize, inverse: f64, out: usize,
): void {
  const bytes: usize = <usize>width << 3;
  const scale = splat64(inverse);
  for (let i: u32 = 0; i < rows; i++, cost += bytes, f += 8, out += bytes) {
    const own = v128.load64_splat(f);
    for (let j: usize = 0; j < bytes; j += V) v128.store(out + j, exp2(exponent(own, g + j, cost + j, scale)));
  }
}

export function kernel32(
  cost: usize, rows: u32, width: u32, f: usize, g: usize, inverse: f64, out: usize,
): void {
  const bytes: usize = <usize>width << 3;
  const scale = splat64(inverse);
  for (let i: u32 = 0; i < rows; i++, cost += bytes, f += 8) {
    const own = v128.load64_splat(f);
    for (let j: usize = 0; j < bytes; j += 2 * V, out += V) {
      const low = f32x4.demote_f64x2_zero(exponent(own, g + j, cost + j, scale));
      const high = f32x4.demote_f64x2_zero(exponent(own, g + j + V, cost + j + V, scale));
      v128.store(out, exp4(v128.shuffle<i64>(low, high, 0, 2)));
    }
  }
}

function dot64(kernel: usize, bytes: usize, x: usize): f64 {
  let p = splat64(0), q = p, r = p, s = p;
  for (let j: usize = 0; j < bytes; j += 4 * V) {
    p = f64x2.add(p, f64x2.mul(v128.load(kernel + j), v128.load(x + j)));
    q = f64x2.add(q, f64x2.mul(v128.load(kernel + j, V), v128.load(x + j, V)));
    r = f64x2.add(r, f64x2.mul(v128.load(kernel + j, 2 * V), v128.load(x + j, 2 * V)));
    s = f64x2.add(s, f64x2.mul(v128.load(kernel + j, 3 * V), v128.load(x + j, 3 * V)));
  }
  p = f64x2.add(f64x2.add(p, q), f64x2.add(r, s));
  return f64x2.extract_lane(p, 0) + f64x2.extract_lane(p, 1);
}

function addScaled64(kernel: usize, bytes: usize, scale: f64, sums: usize): void {
  const own = splat64(scale);
  for (let j: usize = 0; j < bytes; j += 4 * V) {
    v128.store(sums + j, f64x2.add(v128.load(sums + j), f64x2.mul(own, v128.load(kernel + j))));
    v128.store(sums + j, f64x2.add(v128.load(sums + j, V), f64x2.mul(own, v128.load(kernel + j, V))), V);
    v128.store(sums + j, f64x2.add(v128.load(sums + j, 2 * V), f64x2.mul(own, v128.load(kernel + j, 2 * V))), 2 * V);
    v128.store(sums + j, f64x2.add(v128.load(sums + j, 3 * V), f64x2.mul(own, v128.load(kernel + j, 3 * V))), 3 * V);
  }
}

function dot32(kernel: usize, bytes: usize, x: usize): f64 {
  let p = f32x4.splat(0), q = p, r = p, s = p;
  for (let j: usize = 0; j < bytes; j += 4 * V) {
    p = f32x4.add(p, f32x4.mul(v128.load(kernel + j), v128.load(x + j)));
    q = f32x4.add(q, f32x4.mul(v128.load(kernel + j, V), v128.load(x + j, V)));
    r = f32x4.add(r, f32x4.mul(v128.load(kernel + j, 2 * V), v128.load(x + j, 2 * V)));
    s = f32x4.add(s, f32x4.mul(v128.load(kernel + j, 3 * V), v128.load(x + j, 3 * V)));
  }
  p = f32x4.add(f32x4.add(p, q), f32x4.add(r, s));
  const pair = f64x2.add(f64x2.promote_low_f32x4(p), f64x2.promote_low_f32x4(v128.shuffle<i64>(p, p, 1, 0)));
  return f64x2.extract_lane(pair, 0) + f64x2.extract_lane(pair, 1);
}

function addScaled32(kernel: usize, bytes: usize, scale: f32, sums: usize): void {
  const own = f32x4.splat(scale);
  for (let j: usize = 0; j < bytes; j += 4 * V) {
    v128.store(sums + j, f32x4.add(v128.load(sums + j), f32x4.mul(own, v128.load(kernel + j))));
    v128.store(sums + j, f32x4.add(v128.load(sums + j, V), f32x4.mul(own, v128.load(kernel + j, V))), V);
    v128.store(sums + j, f32x4.add(v128.load(sums + j, 2 * V), f32x4.mul(own, v128.load(kernel + j, 2 * V))), 2 * V);
    v128.store(sums + j, f32x4.add(v128.load(sums + j, 3 * V), f32x4.mul(own, v128.load(kernel + j, 3 * V))), 3 * V);
  }
}

export function sweep(kernel: usize, rows: u32, width: u32, b: usize, weights: usize, a: usize, sums: usize): f64 {
  const bytes: usize = <usize>width << 3;
  let off: f64 = 0;
  for (const end = a + (<usize>rows << 3); a < end; a += 8, weights += 8, kernel += bytes) {
    const sum = dot64(kernel, bytes, b);
    const weight = load<f64>(weights);
    off += abs(load<f64>(a) * sum - weight);
    const scale = weight / sum;
    store<f64>(a, scale);
    addScaled64(kernel, bytes, scale, sums);
  }
  return off;
}

export function sweep32(kernel: usize, rows: u32, width: u32, b: usize, weights: usize, a: usize, sums: usize): f64 {
  const bytes: usize = <usize>width << 2;
  let off: f64 = 0;
  for (const end = a + (<usize>rows << 3); a < end; a += 8, weights += 8, kernel += bytes) {
    const sum = dot32(kernel, bytes, b);
    const weight = load<f64>(weights);
    off += abs(load<f64>(a) * sum - weight);
    const scale = weight / sum;
    store<f64>(a, scale);
    addScaled32(kernel, bytes, <f32>scale, sums);
  }
  return off;
}

export function times(kernel: usize, rows: u32, width: u32, x: usize, out: usize): void {
  const bytes: usize = <usize>width << 3;
  for (const end = out + (<usize>rows << 3); out < end; out += 8, kernel += bytes) {
    store<f64>(out, dot64(kernel, bytes, x));
  }
}

export function times32(kernel: usize, rows: u32, width: u32, x: usize, out: usize): void {
  const bytes: usize = <usize>width << 2;
  for (const end = out + (<usize>rows << 3); out < end; out += 8, kernel += bytes) {
    store<f64>(out, dot32(kernel, bytes, x));
  }
}

export function transposed(kernel: usize, rows: u32, width: u32, x: usize, sums: usize): void {
  const bytes: usize = <usize>width << 3;
  for (const end = x + (<usize>rows << 3); x < end; x += 8, kernel += bytes) addScaled64(kernel, bytes, load<f64>(x), sums);
}

export function transposed32(kernel: usize, rows: u32, width: u32, x: usize, sums: usize): void {
  const bytes: usize = <usize>width << 2;
  for (const end = x + (<usize>rows << 3); x < end; x += 8, kernel += bytes) addScaled32(kernel, bytes, <f32>load<f64>(x), sums);
}

export function plan(
  kernel: usize, cost: usize, rows: u32, width: u32, a: usize, b: usize,
): f64 {
  const bytes: usize = <usize>width << 3;
  let p = splat64(0), q = p;
  for (let i: u32 = 0; i < rows; i++, a += 8, kernel += bytes, cost += bytes) {
    const own = v128.load64_splat(a);
    for (let j: usize = 0; j < bytes; j += 2 * V) {
      const share = f64x2.mul(f64x2.mul(own, v128.load(kernel + j)), v128.load(b + j));
      const next = f64x2.mul(f64x2.mul(own, v128.load(kernel + j, V)), v128.load(b + j, V));
      v128.store(kernel + j, share);
      v128.store(kernel + j, next, V);
      p = f64x2.add(p, f64x2.mul(share, v128.load(cost + j)));
      q = f64x2.add(q, f64x2.mul(next, v128.load(cost + j, V)));
    }
  }
  p = f64x2.add(p, q);
  return f64x2.extract_lane(p, 0) + f64x2.extract_lane(p, 1);
}
