/**
 * exp of two f64, and of four f32, as src/transport/loops.ts computes them: the same operations in the same order, each rounded by
 * itself, so that both have the same bits.
 *
 * exp(x) = 2^n (1 + r + r^2 q(r)), n = x / log(2) rounded, r = x - n log(2). The numbers are in memory, since V8 would build a constant
 * vector anew in each turn of a loop.
 */

/** 1 / log(2), log(2) in two parts, 1.5 2^52 that rounds to whole numbers, exponents' bias, the largest x, the least, 1, then 1 / k! for k = 12 to 2. */
const doubles = memory.data<f64>([
  1.4426950408889634, 0.6931471803691238, 1.9082149292705877e-10, 6755399441055744, 80, -74, 1,
  2.08767569878681e-9, 2.505210838544172e-8, 2.755731922398589e-7, 0.0000027557319223985893, 0.0000248015873015873,
  0.0001984126984126984, 0.001388888888888889, 0.008333333333333333, 0.041666666666666664, 0.16666666666666666, 0.5,
]);
const enum Double { log2E, ln2High, ln2Low, rounder, most, least, one, c12, c11, c10, c9, c8, c7, c6, c5, c4, c3, c2 }

/** The same in f32, of which the least is such that products stay clear of numbers below 1e-38, which are slow; and our minimax fit of q as in wasm/exponential.ts: relative error of exp 4e-9 before rounding. */
const singles = memory.data<f32>([
  1.4426950409, 0.693145751953125, 1.42860682e-6, 12582912, 80, -44, 1,
  0.00138141797, 0.00836891867, 0.0416684076, 0.166665196, 0.49999994,
]);
const enum Single { log2E, ln2High, ln2Low, rounder, most, least, one, q4, q3, q2, q1, q0 }

// @ts-ignore: decorator
@inline
function double(index: Double): v128 {
  return v128.load64_splat(doubles + (<usize>index << 3));
}

// @ts-ignore: decorator
@inline
function single(index: Single): v128 {
  return v128.load32_splat(singles + (<usize>index << 2));
}

// @ts-ignore: decorator
@inline
function step(p: v128, r: v128, index: Double): v128 {
  return f64x2.add(f64x2.mul(p, r), double(index));
}

/** exp, 0 below exp(-74), as if x were 80 above that. Where both are 0, as most are of a small regularisation, nothing is computed. */
export function exp2(x: v128): v128 {
  const isSome = f64x2.ge(x, double(Double.least));
  if (!v128.any_true(isSome)) return isSome;
  const y = f64x2.pmin(x, double(Double.most));
  const rounded = f64x2.add(f64x2.mul(y, double(Double.log2E)), double(Double.rounder));
  const n = f64x2.sub(rounded, double(Double.rounder));
  const r = f64x2.sub(f64x2.sub(y, f64x2.mul(n, double(Double.ln2High))), f64x2.mul(n, double(Double.ln2Low)));
  let p = step(double(Double.c12), r, Double.c11);
  p = step(p, r, Double.c10);
  p = step(p, r, Double.c9);
  p = step(p, r, Double.c8);
  p = step(p, r, Double.c7);
  p = step(p, r, Double.c6);
  p = step(p, r, Double.c5);
  p = step(p, r, Double.c4);
  p = step(p, r, Double.c3);
  p = step(p, r, Double.c2);
  p = f64x2.add(f64x2.mul(p, r), double(Double.one));
  p = f64x2.add(f64x2.mul(p, r), double(Double.one));
  const power = i64x2.shl(i64x2.add(rounded, i64x2.splat(1023)), 52);
  return v128.and(f64x2.mul(p, power), isSome);
}

/** The same of four, 0 below exp(-44). */
export function exp4(x: v128): v128 {
  const isSome = f32x4.ge(x, single(Single.least));
  if (!v128.any_true(isSome)) return isSome;
  const y = f32x4.pmin(x, single(Single.most));
  const rounded = f32x4.add(f32x4.mul(y, single(Single.log2E)), single(Single.rounder));
  const n = f32x4.sub(rounded, single(Single.rounder));
  const r = f32x4.sub(f32x4.sub(y, f32x4.mul(n, single(Single.ln2High))), f32x4.mul(n, single(Single.ln2Low)));
  let p = f32x4.add(f32x4.mul(r, single(Single.q4)), single(Single.q3));
  p = f32x4.add(f32x4.mul(p, r), single(Single.q2));
  p = f32x4.add(f32x4.mul(p, r), single(Single.q1));
  p = f32x4.add(f32x4.mul(p, r), single(Single.q0));
  p = f32x4.add(f32x4.mul(f32x4.mul(r, r), p), r);
  p = f32x4.add(p, single(Single.one));
  const power = i32x4.shl(i32x4.add(rounded, i32x4.splat(127)), 23);
  return v128.and(f32x4.mul(p, power), isSome);
}
