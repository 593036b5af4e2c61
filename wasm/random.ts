/**
 * random: threefry2x32-20, four blocks (eight numbers) at a time; src/kernels/random.ts defines the numbers,
 * src/ops/normal.ts the polynomials. Every operation is rounded by itself in both builds: the same bits everywhere.
 */
import { choose, copyElements, splat, VECTOR } from "./simd";

/** Addresses are in elements of 4 bytes. */
@unmanaged
class RandomParameters {
  count: u32;
  kind: u32;
  stream: u32;
  bound: u32;
  seed: u32;
  counter: u32;
  out: u32;
}

const UNIFORM: u32 = 1;
const NORMAL: u32 = 2;
const RADEMACHER: u32 = 3;
const INDEX: u32 = 4;

/** Numbers made at once, and the bytes of scratch that they take. */
const BATCH: u32 = 8;
const BATCH_BYTES: usize = BATCH << 2;

/** `temporary`: 32 bytes. */
export function random(parameters: usize, temporary: usize): void {
  const p = changetype<RandomParameters>(parameters);
  const seed: usize = <usize>p.seed << 2;
  streamKey(v128.load32_splat(seed), v128.load32_splat(seed, 4), p.stream, temporary);
  const key0 = v128.load32_splat(temporary);
  const key1 = v128.load32_splat(temporary, VECTOR);
  const counter = v128.load32_splat(<usize>p.counter << 2);
  let out: usize = <usize>p.out << 2;
  let blocks = i32x4(0, 1, 2, 3);
  for (let e: u32 = 0; e < p.count; e += BATCH, out += BATCH_BYTES) {
    const left = p.count - e;
    const place = left < BATCH ? temporary : out;
    threefry(key0, key1, blocks, counter, temporary);
    const a = v128.load(temporary), b = v128.load(temporary, VECTOR);
    v128.store(place, drawn(p.kind, p.bound, v128.shuffle<i32>(a, b, 0, 4, 1, 5)));
    v128.store(place, drawn(p.kind, p.bound, v128.shuffle<i32>(a, b, 2, 6, 3, 7)), VECTOR);
    if (left < BATCH) copyElements(out, temporary, left);
    blocks = i32x4.add(blocks, i32x4.splat(4));
  }
}

/** What a chain's step says of its numbers, src/backends/wasm/chain.ts. */
@unmanaged
class Draw {
  stream: u32;
  bound: u32;
  stride: u32;
  offset: u32;
}

/**
 * out[i] = number (start + i) stride + offset of a stream, for i < size. seed0, seed1, counter: 16 bytes each, one
 * word all over; temporary: 32 bytes.
 */
export function randomElements(
  kind: u32, draw: usize, start: u32, size: u32, seed0: usize, seed1: usize, counter: usize, out: usize,
  temporary: usize,
): void {
  const d = changetype<Draw>(draw);
  streamKey(v128.load(seed0), v128.load(seed1), d.stream, temporary);
  const key0 = v128.load32_splat(temporary);
  const key1 = v128.load32_splat(temporary, VECTOR);
  const count = v128.load(counter);
  const first = i32x4.splat(start * d.stride + d.offset);
  let element = i32x4.add(first, i32x4.mul(i32x4(0, 1, 2, 3), i32x4.splat(d.stride)));
  for (let i: u32 = 0; i < size; i += 4, out += VECTOR) {
    threefry(key0, key1, i32x4.shr_u(element, 1), count, temporary);
    const odd = i32x4.shr_s(i32x4.shl(element, 31), 31);
    const numbers = drawn(kind, d.bound, choose(odd, v128.load(temporary, VECTOR), v128.load(temporary)));
    if (size - i >= 4) {
      v128.store(out, numbers);
    } else {
      v128.store(temporary, numbers);
      copyElements(out, temporary, size - i);
    }
    element = i32x4.add(element, i32x4.splat(d.stride << 2));
  }
}

/** The key of a stream: word 0 from `out` on, word 1 a vector farther. */
function streamKey(seed0: v128, seed1: v128, stream: u32, out: usize): void {
  threefry(seed0, seed1, i32x4.splat(stream), i32x4.splat(0), out);
}

/** 20 rounds on four blocks of two words, under one key; stores the four words 0 and, a vector farther, the words 1. */
function threefry(key0: v128, key1: v128, word0: v128, word1: v128, out: usize): void {
  const key2 = v128.xor(i32x4.splat(0x1bd11bda), v128.xor(key0, key1));
  let a = i32x4.add(word0, key0);
  let b = i32x4.add(word1, key1);

  a = i32x4.add(a, b), b = mixed(a, b, 13);
  a = i32x4.add(a, b), b = mixed(a, b, 15);
  a = i32x4.add(a, b), b = mixed(a, b, 26);
  a = i32x4.add(a, b), b = mixed(a, b, 6);
  a = i32x4.add(a, key1), b = i32x4.add(b, i32x4.add(key2, i32x4.splat(1)));

  a = i32x4.add(a, b), b = mixed(a, b, 17);
  a = i32x4.add(a, b), b = mixed(a, b, 29);
  a = i32x4.add(a, b), b = mixed(a, b, 16);
  a = i32x4.add(a, b), b = mixed(a, b, 24);
  a = i32x4.add(a, key2), b = i32x4.add(b, i32x4.add(key0, i32x4.splat(2)));

  a = i32x4.add(a, b), b = mixed(a, b, 13);
  a = i32x4.add(a, b), b = mixed(a, b, 15);
  a = i32x4.add(a, b), b = mixed(a, b, 26);
  a = i32x4.add(a, b), b = mixed(a, b, 6);
  a = i32x4.add(a, key0), b = i32x4.add(b, i32x4.add(key1, i32x4.splat(3)));

  a = i32x4.add(a, b), b = mixed(a, b, 17);
  a = i32x4.add(a, b), b = mixed(a, b, 29);
  a = i32x4.add(a, b), b = mixed(a, b, 16);
  a = i32x4.add(a, b), b = mixed(a, b, 24);
  a = i32x4.add(a, key1), b = i32x4.add(b, i32x4.add(key2, i32x4.splat(4)));

  a = i32x4.add(a, b), b = mixed(a, b, 13);
  a = i32x4.add(a, b), b = mixed(a, b, 15);
  a = i32x4.add(a, b), b = mixed(a, b, 26);
  a = i32x4.add(a, b), b = mixed(a, b, 6);
  a = i32x4.add(a, key2), b = i32x4.add(b, i32x4.add(key0, i32x4.splat(5)));

  v128.store(out, a);
  v128.store(out, b, VECTOR);
}

/** b rotated, xor the new a. */
// @ts-ignore: decorator
@inline
function mixed(a: v128, b: v128, rotation: i32): v128 {
  return v128.xor(v128.or(i32x4.shl(b, rotation), i32x4.shr_u(b, 32 - rotation)), a);
}

/** What to store for these bits. */
function drawn(kind: u32, bound: u32, bits: v128): v128 {
  if (kind == UNIFORM) return f32x4.mul(f32x4.convert_i32x4_s(i32x4.shr_u(bits, 8)), splat(5.9604644775390625e-8));
  if (kind == NORMAL) return normal(bits);
  if (kind == RADEMACHER) return v128.or(splat(1), v128.and(bits, i32x4.splat(0x80000000)));
  if (kind == INDEX) {
    const low = i64x2.extmul_low_i32x4_u(bits, i32x4.splat(bound));
    const high = i64x2.extmul_high_i32x4_u(bits, i32x4.splat(bound));
    return v128.shuffle<i32>(low, high, 1, 3, 5, 7);
  }
  return bits;
}

/** One step of Horner's rule, rounded twice. */
// @ts-ignore: decorator
@inline
function horner(r: v128, s: v128, coefficient: f32): v128 {
  return f32x4.add(f32x4.mul(r, s), splat(coefficient));
}

/** Standard normal, by the inverse CDF at u = (2 (bits >> 9) + 1) 2^-24; names as in src/ops/normal.ts. */
function normal(bits: v128): v128 {
  const odd = v128.or(i32x4.shl(i32x4.shr_u(bits, 9), 1), i32x4.splat(1));
  const u = f32x4.mul(f32x4.convert_i32x4_s(odd), splat(5.9604644775390625e-8));
  const x = f32x4.sub(f32x4.add(u, u), splat(1));
  const v = f32x4.mul(f32x4.mul(u, f32x4.sub(splat(1), u)), splat(4));
  const e = i32x4.shr_s(i32x4.sub(v, i32x4.splat(0x3f3504f3)), 23);
  const t = f32x4.sub(i32x4.sub(v, i32x4.shl(e, 23)), splat(1));
  let p = horner(splat(-0.10034608), t, 0.16335641);
  p = horner(p, t, -0.17325996);
  p = horner(p, t, 0.19888277);
  p = horner(p, t, -0.24961466);
  p = horner(p, t, 0.33335263);
  p = horner(p, t, -0.50000584);
  const l = f32x4.add(f32x4.mul(p, f32x4.mul(t, t)), t);
  const w = f32x4.sub(f32x4.mul(f32x4.convert_i32x4_s(e), splat(-0.6931472)), l);

  let s = f32x4.sub(w, splat(2.75));
  let body = horner(splat(-1.0440852e-8), s, 1.04434275e-8);
  body = horner(body, s, 6.752001e-7);
  body = horner(body, s, -3.7624013e-6);
  body = horner(body, s, -1.3400954e-5);
  body = horner(body, s, 0.00029599114);
  body = horner(body, s, -0.0014687735);
  body = horner(body, s, -0.0071222396);
  body = horner(body, s, 0.34553516);
  body = horner(body, s, 2.2101183);

  s = f32x4.sub(w, splat(10.25));
  let tail = horner(splat(-6.053314e-11), s, 7.880545e-10);
  tail = horner(tail, s, -3.9487444e-9);
  tail = horner(tail, s, 1.7614686e-9);
  tail = horner(tail, s, 4.329103e-7);
  tail = horner(tail, s, -1.1294377e-5);
  tail = horner(tail, s, 0.00023096395);
  tail = horner(tail, s, -0.0052070552);
  tail = horner(tail, s, 0.22190355);
  tail = horner(tail, s, 4.2924294);
  return f32x4.mul(x, choose(f32x4.lt(w, splat(5.5)), body, tail));
}
