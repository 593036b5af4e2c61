/**
 * exp, expm1, log, log1p of four f32: the algorithms of shaders/elementwise.wgsl. Errors in units in the last place,
 * each function over its range, are in test/backends/wasm-functions.test.ts. NaN in, NaN out.
 */
import { choose, multiplyAdd, splat, subtractProduct } from "./simd";

/**
 * What exponentials compute with, in memory: V8 would build a constant vector anew in each turn of a loop, by three
 * instructions, where a load is one.
 *   ln2High and ln2Low: log(2); the first has so few bits that its product with a whole number below 2^9 is exact.
 *   rounder: 1.5 2^23. Added to a number below 2^22 it rounds that to a whole one, which the last bits then hold;
 *   rounderAndBias: 127 more, as exponents have.
 *   q4 to q0: q in exp(r) = 1 + r + r^2 q(r) for |r| <= log(2) / 2; our minimax fit, relative error of exp 4e-9, of
 *   expm1 2e-8.
 */
const numbers = memory.data<f32>([
  1.4426950409, -1.4426950409, 0.693145751953125, 1.42860682e-6, 12582912, 12583039,
  0.00138141797, 0.00836891867, 0.0416684076, 0.166665196, 0.49999994, 1, 87, -87,
]);
const enum Index { log2E, minusLog2E, ln2High, ln2Low, rounder, rounderAndBias, q4, q3, q2, q1, q0, one, high, low }

// @ts-ignore: decorator
@inline
function number(index: Index): v128 {
  return v128.load32_splat(numbers + (<usize>index << 2));
}

// @ts-ignore: decorator
@inline
export function one(): v128 {
  return number(Index.one);
}

const LN2_HIGH: f32 = 0.693145751953125;
const LN2_LOW: f32 = 1.42860682e-6;
const SMALLEST_NORMAL: f32 = 1.17549435e-38;
const SQRT_HALF_BITS: i32 = 0x3f3504f3;

/** Beyond these exp is 0, or infinite, in f32. `pmin` and `pmax` in this order let NaN through. */
// @ts-ignore: decorator
@inline
function clampExponent(x: v128): v128 {
  return f32x4.pmax(f32x4.pmin(x, splat(89)), splat(-104));
}

/** 2^n for -126 <= n <= 127. */
// @ts-ignore: decorator
@inline
function powerOfTwo(n: v128): v128 {
  return i32x4.shl(i32x4.add(n, i32x4.splat(127)), 23);
}

/** exp(r) - 1 for |r| <= log(2) / 2. */
// @ts-ignore: decorator
@inline
function expm1Near(r: v128): v128 {
  let p = multiplyAdd(r, number(Index.q4), number(Index.q3));
  p = multiplyAdd(p, r, number(Index.q2));
  p = multiplyAdd(p, r, number(Index.q1));
  p = multiplyAdd(p, r, number(Index.q0));
  return multiplyAdd(f32x4.mul(r, r), p, r);
}

/** x / log(2), rounded to a whole number n: n + ROUNDER. */
// @ts-ignore: decorator
@inline
function roundedPower(x: v128): v128 {
  return multiplyAdd(x, number(Index.log2E), number(Index.rounder));
}

/** x - n log(2). */
// @ts-ignore: decorator
@inline
function remainder(x: v128, rounded: v128): v128 {
  const n = f32x4.sub(number(Index.rounder), rounded);
  return multiplyAdd(n, number(Index.ln2Low), multiplyAdd(n, number(Index.ln2High), x));
}

/** exp(x) = 2^n exp(r), r = x - n log(2). The power of two comes as two factors, each in range. */
// @ts-ignore: decorator
@inline
export function exp(x: v128): v128 {
  const y = clampExponent(x);
  const rounded = roundedPower(y);
  const whole = i32x4.sub(rounded, number(Index.rounder));
  const half = i32x4.shr_s(whole, 1);
  const value = f32x4.add(expm1Near(remainder(y, rounded)), one());
  return f32x4.mul(f32x4.mul(value, powerOfTwo(half)), powerOfTwo(i32x4.sub(whole, half)));
}

/** exp(x) - 1 = 2^n (expm1(r) + 1) - 1, the second factor of 2^n taken out: n = 0 gives expm1(r) itself. */
// @ts-ignore: decorator
@inline
export function expm1(x: v128): v128 {
  const y = clampExponent(x);
  const rounded = roundedPower(y);
  const whole = i32x4.sub(rounded, number(Index.rounder));
  const half = i32x4.shr_s(whole, 1);
  const rest = i32x4.sub(whole, half);
  const scale = powerOfTwo(half);
  const value = multiplyAdd(scale, expm1Near(remainder(y, rounded)), f32x4.sub(scale, powerOfTwo(i32x4.neg(rest))));
  return f32x4.mul(value, powerOfTwo(rest));
}

/** x, or 87 or -87 where it is farther out: there exp(-x) is normal, and past there it is next to 0 or infinite. */
// @ts-ignore: decorator
@inline
export function within87(x: v128): v128 {
  return f32x4.pmax(f32x4.pmin(x, number(Index.high)), number(Index.low));
}

// For |x| <= 87 exp(-x) = 2^n exp(-r), n = -x / log(2) rounded, r = x + n log(2):

/** n, as bits that are 2^n when those before them are shifted out. */
// @ts-ignore: decorator
@inline
export function negativePower(x: v128): v128 {
  return multiplyAdd(x, number(Index.minusLog2E), number(Index.rounderAndBias));
}

/** r. */
// @ts-ignore: decorator
@inline
export function negativeRest(x: v128, power: v128): v128 {
  const n = f32x4.sub(power, number(Index.rounderAndBias));
  return multiplyAdd(n, number(Index.ln2Low), multiplyAdd(n, number(Index.ln2High), x));
}

/** (1 - exp(-r)) / r. */
// @ts-ignore: decorator
@inline
export function lossRate(r: v128): v128 {
  let p = subtractProduct(number(Index.q3), number(Index.q4), r);
  p = subtractProduct(number(Index.q2), p, r);
  p = subtractProduct(number(Index.q1), p, r);
  p = subtractProduct(number(Index.q0), p, r);
  return subtractProduct(one(), p, r);
}

// @ts-ignore: decorator
@inline
export function scaleOf(power: v128): v128 {
  return i32x4.shl(power, 23);
}

/** exp(-x) for |x| <= 87. */
// @ts-ignore: decorator
@inline
export function expOfNegative(x: v128): v128 {
  const power = negativePower(x);
  const r = negativeRest(x, power);
  return f32x4.mul(subtractProduct(one(), lossRate(r), r), scaleOf(power));
}

/**
 * log(1 + f) for 1 + f in [sqrt(1/2), sqrt(2)]: with s = f / (2 + f) it is 2 atanh(s), its series summed so that the
 * division's rounding counts only in the second order.
 */
// @ts-ignore: decorator
@inline
function log1pNear(f: v128): v128 {
  const s = f32x4.div(f, f32x4.add(f, splat(2)));
  const z = f32x4.mul(s, s);
  let p = multiplyAdd(z, splat(2.0 / 9.0), splat(2.0 / 7.0));
  p = multiplyAdd(p, z, splat(2.0 / 5.0));
  p = multiplyAdd(p, z, splat(2.0 / 3.0));
  const half = f32x4.mul(f32x4.mul(f, f), splat(0.5));
  return f32x4.sub(f, f32x4.sub(half, f32x4.mul(s, multiplyAdd(p, z, half))));
}

/** log(x) = e log(2) + log(m), x = 2^e m. Subnormals are scaled by 2^24 first. -infinity at 0, NaN below. */
export function log(x: v128): v128 {
  const subnormal = f32x4.lt(x, splat(SMALLEST_NORMAL));
  const bits = choose(subnormal, f32x4.mul(x, splat(16777216)), x);
  const e = i32x4.shr_s(i32x4.sub(bits, i32x4.splat(SQRT_HALF_BITS)), 23);
  const exponent = f32x4.convert_i32x4_s(i32x4.sub(e, v128.and(subnormal, i32x4.splat(24))));
  const m = i32x4.sub(bits, i32x4.shl(e, 23));
  const near = log1pNear(f32x4.sub(m, splat(1)));
  let result = multiplyAdd(exponent, splat(LN2_HIGH), multiplyAdd(exponent, splat(LN2_LOW), near));
  result = choose(f32x4.eq(x, splat(<f32>Infinity)), x, result);
  result = choose(f32x4.eq(x, splat(0)), splat(<f32>-Infinity), result);
  return choose(f32x4.ge(x, splat(0)), result, splat(<f32>NaN));
}

export function log1p(x: v128): v128 {
  const near = v128.and(f32x4.gt(x, splat(-0.29)), f32x4.lt(x, splat(0.41)));
  return choose(near, log1pNear(x), log(f32x4.add(x, splat(1))));
}

/** log(1 + x) for x in [0, 1]. */
export function log1pOfUnit(x: v128): v128 {
  const halved = f32x4.gt(x, splat(0.41)); // 1 + x = 2 (1 + (x - 1) / 2)
  const f = choose(halved, f32x4.mul(f32x4.sub(x, splat(1)), splat(0.5)), x);
  return f32x4.add(log1pNear(f), v128.and(halved, splat(0.6931471806)));
}
