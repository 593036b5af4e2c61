// elementwise: the functions that chains are made of, named as src/kernels/elementwise.ts lists them. A chain's entry
// point is put together by src/backends/webgpu/elementwise-source.ts. `abs`, `sign`, `sqrt`, `floor` and `select` are
// WGSL's own; `exp`, `log`, `sin` and `cos` hide WGSL's own, whose errors grow with the argument (exp: 3 + 2 |x| ULP)
// or are not bounded where divflow needs them (log near 1, cos).
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

// Activations, named by kind and order of derivative.

// sigmoid(x) = s, and its derivative s (1 - s), without the difference.
fn sigmoid(x: f32) -> f32 {
  let q = exp(-abs(x));
  return select(q, 1.0, x >= 0.0) / (1.0 + q);
}

fn sigmoidRate(x: f32) -> f32 {
  let q = exp(-abs(x));
  return q / ((1.0 + q) * (1.0 + q));
}

// silu = x s.  silu' = s (1 + x (1 - s)).  silu'' = s (1 - s) (2 + x q), q = 1 - 2 s = -tanh(x / 2).
// silu''' = s (1 - s) (3 q + x (q^2 - 2 s (1 - s))).
// Of the first three the functions named Of take exp(-|x|), which a chain has once for all of them.
fn silu0(x: f32) -> f32 {
  return silu0Of(x, decay(x));
}

fn silu1(x: f32) -> f32 {
  return silu1Of(x, decay(x));
}

fn silu2(x: f32) -> f32 {
  return silu2Of(x, decay(x));
}

fn decay(x: f32) -> f32 {
  return exp(-abs(x));
}

fn silu0Of(x: f32, d: f32) -> f32 {
  return x * select(d, 1.0, x >= 0.0) / (1.0 + d);
}

fn silu1Of(x: f32, d: f32) -> f32 {
  let r = 1.0 / (1.0 + d);
  return select(d, 1.0, x >= 0.0) * r * (1.0 + x * select(1.0, d, x >= 0.0) * r);
}

// x tanh(x / 2) = |x| (1 - d) / (1 + d): what 1 - d has lost near 0 does not count beside 2.
fn silu2Of(x: f32, d: f32) -> f32 {
  let r = 1.0 / (1.0 + d);
  return d * r * r * (2.0 - abs(x) * (1.0 - d) * r);
}

fn silu3(x: f32) -> f32 {
  let rate = sigmoidRate(x);
  let q = -tanh0(0.5 * x);
  return rate * (3.0 * q + x * (q * q - 2.0 * rate));
}

// tanh = (1 - e) / (1 + e), e = exp(-2 |x|), with the sign of x; no overflow, and exact to first order near 0.
fn tanh0(x: f32) -> f32 {
  let d = expm1(-2.0 * abs(x));
  let t = -d / (2.0 + d);
  return select(t, -t, x < 0.0);
}

// tanh' = 1 - t^2 = 4 e / (1 + e)^2.  tanh'' = -2 t t'.  tanh''' = t' (4 t^2 - 2 t').
fn tanh1(x: f32) -> f32 {
  return 4.0 * sigmoidRate(2.0 * x);
}

fn tanh2(x: f32) -> f32 {
  return -2.0 * tanh0(x) * tanh1(x);
}

fn tanh3(x: f32) -> f32 {
  let t = tanh0(x);
  let rate = tanh1(x);
  return rate * (4.0 * t * t - 2.0 * rate);
}

fn relu0(x: f32) -> f32 {
  return select(x, 0.0, x < 0.0);
}

fn relu1(x: f32) -> f32 {
  return f32(x > 0.0);
}

fn relu2(x: f32) -> f32 {
  return 0.0;
}

fn relu3(x: f32) -> f32 {
  return 0.0;
}

// Normal density and CDF. P(X > a) = exp(-a^2 / 2) t P(t), t = 1 / (1 + 0.3 a), for a >= 0: our minimax fit of the
// scaled tail, relative error 4e-7 in f32 for a <= 14, past which exp is 0.
fn normalDensity(x: f32) -> f32 {
  return 0.3989422804 * exp(-0.5 * x * x);
}

fn normalCDF(x: f32) -> f32 {
  let t = 1.0 / (1.0 + 0.3 * abs(x));
  var p = fma(t, 0.03567488, -0.1572035);
  p = fma(p, t, 0.20635419);
  p = fma(p, t, -0.053684242);
  p = fma(p, t, 0.12856193);
  p = fma(p, t, 0.09991341);
  p = fma(p, t, 0.12075397);
  p = fma(p, t, 0.1196293);
  let tail = exp(-0.5 * x * x) * t * p;
  return select(tail, 1.0 - tail, x >= 0.0);
}

// gelu = x F, F the normal CDF and f its density.  gelu' = F + x f.  gelu'' = f (2 - x^2).  gelu''' = f x (x^2 - 4).
fn gelu0(x: f32) -> f32 {
  return x * normalCDF(x);
}

fn gelu1(x: f32) -> f32 {
  return fma(x, normalDensity(x), normalCDF(x));
}

fn gelu2(x: f32) -> f32 {
  return normalDensity(x) * (2.0 - x * x);
}

fn gelu3(x: f32) -> f32 {
  return normalDensity(x) * x * (x * x - 4.0);
}

// geluTanh = x (1 + T) / 2, T = tanh(u), u = c (x + a x^3), a = 0.044715, c = sqrt(2 / pi). With S = T' by u:
//   dT = S u';  d2T = S (u'' - 2 T u'^2);  d3T = S (u''' - 6 T u' u'' + (4 T^2 - 2 S) u'^3)
struct TanhOfCubic {
  value: f32,
  first: f32,
  second: f32,
  third: f32,
}

fn tanhOfCubic(x: f32) -> TanhOfCubic {
  const c = 0.7978845608;
  const a = 0.044715;
  let u = c * x * (1.0 + a * x * x);
  let u1 = c * (1.0 + 3.0 * a * x * x);
  let u2 = 6.0 * a * c * x;
  const u3 = 6.0 * a * c;
  let t = tanh0(u);
  let s = tanh1(u);
  return TanhOfCubic(
    t,
    s * u1,
    s * (u2 - 2.0 * t * u1 * u1),
    s * (u3 - 6.0 * t * u1 * u2 + (4.0 * t * t - 2.0 * s) * u1 * u1 * u1),
  );
}

fn geluTanh0(x: f32) -> f32 {
  return x * sigmoid(1.5957691216 * x * (1.0 + 0.044715 * x * x)); // (1 + tanh(u)) / 2 = sigmoid(2 u)
}

fn geluTanh1(x: f32) -> f32 {
  let t = tanhOfCubic(x);
  return 0.5 * (1.0 + t.value + x * t.first);
}

fn geluTanh2(x: f32) -> f32 {
  let t = tanhOfCubic(x);
  return t.first + 0.5 * x * t.second;
}

fn geluTanh3(x: f32) -> f32 {
  let t = tanhOfCubic(x);
  return 1.5 * t.second + 0.5 * x * t.third;
}

// softplus = log(1 + exp(x)).  softplus' = s.  softplus'' = s (1 - s).  softplus''' = s (1 - s) (1 - 2 s).
fn softplus0(x: f32) -> f32 {
  return max(x, 0.0) + log1p(exp(-abs(x)));
}

fn softplus1(x: f32) -> f32 {
  return sigmoid(x);
}

fn softplus2(x: f32) -> f32 {
  return sigmoidRate(x);
}

fn softplus3(x: f32) -> f32 {
  return -sigmoidRate(x) * tanh0(0.5 * x);
}

fn sin0(x: f32) -> f32 {
  return sin(x);
}

fn sin1(x: f32) -> f32 {
  return cos(x);
}

fn sin2(x: f32) -> f32 {
  return -sin(x);
}

fn sin3(x: f32) -> f32 {
  return -cos(x);
}

fn elu0(x: f32) -> f32 {
  return select(expm1(x), x, x > 0.0);
}

fn elu1(x: f32) -> f32 {
  return select(exp(x), 1.0, x > 0.0);
}

fn elu2(x: f32) -> f32 {
  return select(exp(x), 0.0, x > 0.0);
}

fn elu3(x: f32) -> f32 {
  return select(exp(x), 0.0, x > 0.0);
}
