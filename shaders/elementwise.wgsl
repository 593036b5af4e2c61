// elementwise: the functions that chains are made of, named as src/kernels/elementwise.ts lists them; activations are in
// activation.wgsl, random numbers in random.wgsl. A chain's entry point is put together by
// src/backends/webgpu/elementwise-source.ts. `abs`, `sign`, `sqrt`, `floor` and `select` are WGSL's own; `exp`, `log`,
// `sin` and `cos` hide WGSL's own, whose errors grow with the argument (exp: 3 + 2 |x| ULP) or are not bounded where
// divflow needs them (log near 1, cos).
//
// Compilers may assume that NaN and infinities do not occur and reorder sums: tests for them look at the bits, exact
// differences go through fma, and no result hangs on (a + b) - a.
//
// The same text computes four elements at once, vec4f for f32 and so on (src/backends/webgpu/chain-quads.ts): so no `if`
// and no `&&`, but `select` and `&`.

// 2 / pi, log2(e); pi / 2 and log(2) in parts, each but the last of so few bits that its product with a whole number
// below 2^13 (2^9 for log(2)) is exact, with or without a fused multiply-add.
const TWO_OVER_PI = 0.6366197724;
const HALF_PI_HIGH = 1.5703125;
const HALF_PI_MIDDLE = 0.0004837512969970703;
const HALF_PI_LOW = 7.54978995489e-8;
const LOG2_E = 1.4426950409;
const LN2_HIGH = 0.693145751953125;
const LN2_LOW = 1.42860682e-6;

const EXPONENT_BITS = 0x7f800000u;
const SQRT_HALF_BITS = 0x3f3504f3;

// A call, unlike `bitcast` of a constant, may give an infinity or NaN.
fn fromBits(bits: u32) -> f32 {
  return bitcast<f32>(bits);
}

fn isNaN(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) > EXPONENT_BITS;
}

// What is converted to f16: beyond its numbers infinite, where devices may take the largest instead.
fn inHalfRange(x: f32) -> f32 {
  return select(x, fromBits((bitcast<u32>(x) & 0x80000000u) | EXPONENT_BITS), abs(x) > 65504.0);
}

// 2^n for -126 <= n <= 127.
fn powerOfTwo(n: i32) -> f32 {
  return bitcast<f32>((n + 127) << 23u);
}

fn negate(x: f32) -> f32 {
  return -x;
}

fn add(a: f32, b: f32) -> f32 {
  return a + b;
}

fn subtract(a: f32, b: f32) -> f32 {
  return a - b;
}

fn multiply(a: f32, b: f32) -> f32 {
  return a * b;
}

fn divide(a: f32, b: f32) -> f32 {
  return a / b;
}

fn minimum(a: f32, b: f32) -> f32 {
  return min(a, b);
}

fn maximum(a: f32, b: f32) -> f32 {
  return max(a, b);
}

fn less(a: f32, b: f32) -> f32 {
  return f32(a < b);
}

fn lessEqual(a: f32, b: f32) -> f32 {
  return f32(a <= b);
}

fn equal(a: f32, b: f32) -> f32 {
  return f32(a == b);
}

fn finite(x: f32) -> f32 {
  return f32((bitcast<u32>(x) & EXPONENT_BITS) != EXPONENT_BITS);
}

fn toFloat(x: u32) -> f32 {
  return f32(x);
}

fn increment(x: u32) -> u32 {
  return x + 1u;
}

// exp(r) - 1 for |r| <= log(2) / 2, relative error 2e-8: its series.
fn expm1Near(r: f32) -> f32 {
  var p = fma(r, 1.0 / 5040.0, 1.0 / 720.0);
  p = fma(p, r, 1.0 / 120.0);
  p = fma(p, r, 1.0 / 24.0);
  p = fma(p, r, 1.0 / 6.0);
  p = fma(p, r, 0.5);
  return fma(r * r, p, r);
}

// exp(x) = 2^n exp(r), r = x - n log(2). The power of two comes as two factors, each in range, from 2^-150 to 2^128.
fn exp(x: f32) -> f32 {
  let y = clamp(x, -104.0, 89.0);
  let n = round(y * LOG2_E);
  let r = fma(-n, LN2_LOW, fma(-n, LN2_HIGH, y));
  let half = i32(n) >> 1u;
  let result = (1.0 + expm1Near(r)) * powerOfTwo(half) * powerOfTwo(i32(n) - half);
  return select(result, x, isNaN(x)); // `clamp` may have lost it
}

fn expm1(x: f32) -> f32 {
  let y = clamp(x, -104.0, 89.0);
  let n = round(y * LOG2_E);
  let r = fma(-n, LN2_LOW, fma(-n, LN2_HIGH, y));
  let half = i32(n) >> 1u;
  let rest = i32(n) - half;
  let scale = powerOfTwo(half);
  // 2^n (expm1(r) + 1) - 1, the second factor taken out: n = 0 gives expm1(r) itself.
  let result = fma(scale, expm1Near(r), scale - powerOfTwo(-rest)) * powerOfTwo(rest);
  return select(result, x, isNaN(x));
}

// log(1 + f) for 1 + f in [sqrt(1/2), sqrt(2)]: with s = f / (2 + f) it is 2 atanh(s), its series summed so that the
// division's rounding counts only in the second order.
fn log1pNear(f: f32) -> f32 {
  let s = f / (2.0 + f);
  let z = s * s;
  var p = fma(z, 2.0 / 9.0, 2.0 / 7.0);
  p = fma(p, z, 2.0 / 5.0);
  p = fma(p, z, 2.0 / 3.0);
  let half = 0.5 * f * f;
  return f - (half - s * fma(p, z, half));
}

// log(x) = e log(2) + log(m), x = 2^e m. Subnormals, where the device keeps them, are scaled by 2^24 first.
fn log(x: f32) -> f32 {
  let subnormal = abs(x) < 1.17549435e-38;
  let bits = bitcast<i32>(select(x, x * 16777216.0, subnormal));
  let e = (bits - SQRT_HALF_BITS) >> 23u;
  let exponent = f32(e - select(0, 24, subnormal));
  let m = bitcast<f32>(bits - (e << 23u));
  var result = fma(exponent, LN2_HIGH, fma(exponent, LN2_LOW, log1pNear(m - 1.0)));
  let sign = bitcast<u32>(x) >> 31u;
  let rest = bitcast<u32>(x) & 0x7fffffffu;
  result = select(result, fromBits(0x7fc00000u), (sign == 1u) | (rest > EXPONENT_BITS));
  result = select(result, fromBits(0x7f800000u), bitcast<u32>(x) == EXPONENT_BITS);
  return select(result, fromBits(0xff800000u), bits << 1u == 0);
}

fn log1p(x: f32) -> f32 {
  return select(log(1.0 + x), log1pNear(x), (x > -0.29) & (x < 0.41));
}

// x = q pi / 2 + r, |r| <= pi / 4: r, with an error of 4e-8 for |x| <= 1e4.
fn quadrantRest(x: f32, quadrant: f32) -> f32 {
  return fma(-quadrant, HALF_PI_LOW, fma(-quadrant, HALF_PI_MIDDLE, fma(-quadrant, HALF_PI_HIGH, x)));
}

// Series of sin and cos for |r| <= pi / 4, absolute errors 2e-9 and 3e-8.
fn sinNear(r: f32) -> f32 {
  let z = r * r;
  var p = fma(z, 1.0 / 362880.0, -1.0 / 5040.0);
  p = fma(p, z, 1.0 / 120.0);
  p = fma(p, z, -1.0 / 6.0);
  return fma(r * z, p, r);
}

fn cosNear(r: f32) -> f32 {
  let z = r * r;
  var p = fma(z, 1.0 / 40320.0, -1.0 / 720.0);
  p = fma(p, z, 1.0 / 24.0);
  p = fma(p, z, -0.5);
  return fma(p, z, 1.0);
}

// sin(x) when `turns` is 0, cos(x) when it is 1: the sine a quarter turn on.
fn sinAt(x: f32, turns: i32) -> f32 {
  let n = round(x * TWO_OVER_PI);
  let r = quadrantRest(x, n);
  let quadrant = i32(n) + turns;
  let value = select(sinNear(r), cosNear(r), (quadrant & 1) == 1);
  return select(value, -value, (quadrant & 2) == 2);
}

fn sin(x: f32) -> f32 {
  return sinAt(x, 0);
}

fn cos(x: f32) -> f32 {
  return sinAt(x, 1);
}
