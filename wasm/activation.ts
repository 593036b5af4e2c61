/**
 * Activations and their derivatives on four f32, named by kind and order of derivative. Formulas as in
 * src/ops/activation.ts, in forms that do not cancel; relu and elu take the derivative from the left at 0.
 */
import { exp, expm1, log1pOfUnit } from "./exponential";
import { choose, multiplyAdd, oneWhere, splat } from "./simd";

/** q = exp(-|x|), in [0, 1]: what sigmoid and its kin are made of without overflow. */
// @ts-ignore: decorator
@inline
export function expOfNegativeMagnitude(x: v128): v128 {
  return exp(f32x4.neg(f32x4.abs(x)));
}

/** 1 / (1 + exp(-x)). */
export function sigmoid(x: v128): v128 {
  const q = expOfNegativeMagnitude(x);
  return f32x4.div(choose(f32x4.ge(x, splat(0)), splat(1), q), f32x4.add(q, splat(1)));
}

/** sigmoid' = s (1 - s) = q / (1 + q)^2, q = exp(-|x|): even, so without the difference. */
export function sigmoidRate(x: v128): v128 {
  const q = expOfNegativeMagnitude(x);
  const sum = f32x4.add(q, splat(1));
  return f32x4.div(q, f32x4.mul(sum, sum));
}

/** s = n / (1 + q), n = 1 for x >= 0, else q; from q and 1 / (1 + q). */
// @ts-ignore: decorator
@inline
export function siluSigmoid(x: v128, q: v128, reciprocal: v128): v128 {
  return f32x4.mul(choose(f32x4.ge(x, splat(0)), splat(1), q), reciprocal);
}

/** silu' = s (1 + x (1 - s)) = s + x q / (1 + q)^2, since s (1 - s) = q / (1 + q)^2. */
// @ts-ignore: decorator
@inline
export function siluSlope(x: v128, q: v128, reciprocal: v128, s: v128): v128 {
  return multiplyAdd(f32x4.mul(x, q), f32x4.mul(reciprocal, reciprocal), s);
}

/** silu'' = s (1 - s) (2 - |x| tanh(|x| / 2)), tanh(|x| / 2) = (1 - q) / (1 + q). */
// @ts-ignore: decorator
@inline
export function siluCurvature(x: v128, q: v128, reciprocal: v128): v128 {
  const t = f32x4.mul(f32x4.sub(splat(1), q), reciprocal);
  const rate = f32x4.mul(q, f32x4.mul(reciprocal, reciprocal));
  return f32x4.mul(rate, f32x4.sub(splat(2), f32x4.mul(f32x4.abs(x), t)));
}

/** silu = x s. These three give the same bits as when they share what they have in common (apply.ts). */
export function silu0(x: v128): v128 {
  const q = expOfNegativeMagnitude(x);
  return f32x4.mul(x, siluSigmoid(x, q, f32x4.div(splat(1), f32x4.add(q, splat(1)))));
}

export function silu1(x: v128): v128 {
  const q = expOfNegativeMagnitude(x);
  const reciprocal = f32x4.div(splat(1), f32x4.add(q, splat(1)));
  return siluSlope(x, q, reciprocal, siluSigmoid(x, q, reciprocal));
}

export function silu2(x: v128): v128 {
  const q = expOfNegativeMagnitude(x);
  return siluCurvature(x, q, f32x4.div(splat(1), f32x4.add(q, splat(1))));
}

/** silu''' = s (1 - s) (x (t^2 - 2 s (1 - s)) - 3 t), t = tanh(x / 2). */
export function silu3(x: v128): v128 {
  const rate = sigmoidRate(x);
  const t = tanh0(f32x4.mul(x, splat(0.5)));
  const inner = multiplyAdd(t, t, f32x4.mul(rate, splat(-2)));
  return f32x4.mul(rate, multiplyAdd(x, inner, f32x4.mul(t, splat(-3))));
}

/** tanh = -d / (2 + d), d = expm1(-2 |x|), with the sign of x: no overflow, and exact to first order near 0. */
export function tanh0(x: v128): v128 {
  const d = expm1(f32x4.mul(f32x4.abs(x), splat(-2)));
  const t = f32x4.div(f32x4.neg(d), f32x4.add(d, splat(2)));
  return v128.or(t, v128.and(x, i32x4.splat(0x80000000)));
}

/** tanh' = 1 - t^2 = 4 s (1 - s) at 2 x. */
export function tanh1(x: v128): v128 {
  return f32x4.mul(sigmoidRate(f32x4.add(x, x)), splat(4));
}

/** tanh'' = -2 t t'. */
export function tanh2(x: v128): v128 {
  return f32x4.mul(f32x4.mul(tanh0(x), splat(-2)), tanh1(x));
}

/** tanh''' = t' (4 t^2 - 2 t'). */
export function tanh3(x: v128): v128 {
  const t = tanh0(x);
  const rate = tanh1(x);
  return f32x4.mul(rate, f32x4.sub(f32x4.mul(f32x4.mul(t, t), splat(4)), f32x4.add(rate, rate)));
}

/** Past these every derivative of gelu, in both forms, is what it is there; and no power of x overflows. */
// @ts-ignore: decorator
@inline
function withinTails(x: v128): v128 {
  return f32x4.pmax(f32x4.pmin(x, splat(64)), splat(-64));
}

/** Normal density. */
export function normalDensity(x: v128): v128 {
  return f32x4.mul(exp(f32x4.mul(f32x4.mul(x, x), splat(-0.5))), splat(0.3989422804));
}

/**
 * Normal CDF. P(X > a) = exp(-a^2 / 2) t P(t), t = 1 / (1 + 0.3 a), for a >= 0: our minimax fit of the scaled tail,
 * relative error 4e-7 for a <= 14, past which exp is 0.
 */
export function normalCDF(x: v128): v128 {
  const t = f32x4.div(splat(1), multiplyAdd(f32x4.abs(x), splat(0.3), splat(1)));
  let p = multiplyAdd(t, splat(0.03567488), splat(-0.1572035));
  p = multiplyAdd(p, t, splat(0.20635419));
  p = multiplyAdd(p, t, splat(-0.053684242));
  p = multiplyAdd(p, t, splat(0.12856193));
  p = multiplyAdd(p, t, splat(0.09991341));
  p = multiplyAdd(p, t, splat(0.12075397));
  p = multiplyAdd(p, t, splat(0.1196293));
  const tail = f32x4.mul(exp(f32x4.mul(f32x4.mul(x, x), splat(-0.5))), f32x4.mul(t, p));
  return choose(f32x4.ge(x, splat(0)), f32x4.sub(splat(1), tail), tail);
}

/** gelu = x F, F the normal CDF and f its density. */
export function gelu0(x: v128): v128 {
  return f32x4.mul(x, normalCDF(x));
}

/** gelu' = F + x f. */
export function gelu1(x: v128): v128 {
  return multiplyAdd(x, normalDensity(x), normalCDF(x));
}

/** gelu'' = f (2 - x^2). */
export function gelu2(x: v128): v128 {
  const y = withinTails(x);
  return f32x4.mul(normalDensity(y), f32x4.sub(splat(2), f32x4.mul(y, y)));
}

/** gelu''' = f x (x^2 - 4). */
export function gelu3(x: v128): v128 {
  const y = withinTails(x);
  return f32x4.mul(f32x4.mul(normalDensity(y), y), f32x4.sub(f32x4.mul(y, y), splat(4)));
}

// geluTanh = x (1 + T) / 2, T = tanh(u), u = c (x + a x^3), a = 0.044715, c = sqrt(2 / pi). With S = 1 - T^2:
//   T' = S u';  T'' = S (u'' - 2 T u'^2);  T''' = S (u''' - 6 T u' u'' + (4 T^2 - 2 S) u'^3)
const C: f32 = 0.7978845608;
const CUBIC: f32 = 0.044715;

// @ts-ignore: decorator
@inline
function cubic(x: v128): v128 {
  return f32x4.mul(f32x4.mul(x, splat(C)), multiplyAdd(f32x4.mul(x, x), splat(CUBIC), splat(1)));
}

// @ts-ignore: decorator
@inline
function cubicRate(x: v128): v128 {
  return multiplyAdd(f32x4.mul(x, x), splat(3 * CUBIC * C), splat(C));
}

/** T'. */
function tanhOfCubic1(x: v128): v128 {
  return f32x4.mul(tanh1(cubic(x)), cubicRate(x));
}

function tanhOfCubic2(x: v128): v128 {
  const t = tanh0(cubic(x));
  const u1 = cubicRate(x);
  const inner = f32x4.sub(f32x4.mul(x, splat(6 * CUBIC * C)), f32x4.mul(f32x4.add(t, t), f32x4.mul(u1, u1)));
  return f32x4.mul(tanh1(cubic(x)), inner);
}

function tanhOfCubic3(x: v128): v128 {
  const t = tanh0(cubic(x));
  const s = tanh1(cubic(x));
  const u1 = cubicRate(x);
  const u2 = f32x4.mul(x, splat(6 * CUBIC * C));
  const square = f32x4.sub(f32x4.mul(f32x4.mul(t, t), splat(4)), f32x4.add(s, s));
  let inner = f32x4.mul(square, f32x4.mul(u1, u1));
  inner = f32x4.mul(u1, f32x4.sub(inner, f32x4.mul(f32x4.mul(t, splat(6)), u2)));
  return f32x4.mul(s, f32x4.add(inner, splat(6 * CUBIC * C)));
}

/** (1 + tanh(u)) / 2 = sigmoid(2 u). */
export function geluTanh0(x: v128): v128 {
  const u = cubic(x);
  return f32x4.mul(x, sigmoid(f32x4.add(u, u)));
}

export function geluTanh1(x: v128): v128 {
  const y = withinTails(x);
  const u = cubic(y);
  return multiplyAdd(f32x4.mul(y, splat(0.5)), tanhOfCubic1(y), sigmoid(f32x4.add(u, u)));
}

export function geluTanh2(x: v128): v128 {
  const y = withinTails(x);
  return multiplyAdd(f32x4.mul(y, splat(0.5)), tanhOfCubic2(y), tanhOfCubic1(y));
}

export function geluTanh3(x: v128): v128 {
  const y = withinTails(x);
  return multiplyAdd(f32x4.mul(y, splat(0.5)), tanhOfCubic3(y), f32x4.mul(tanhOfCubic2(y), splat(1.5)));
}

/** softplus = log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|)). */
export function softplus0(x: v128): v128 {
  return f32x4.add(f32x4.pmax(x, splat(0)), log1pOfUnit(expOfNegativeMagnitude(x)));
}

/** softplus''' = s (1 - s) (1 - 2 s) = -s (1 - s) tanh(x / 2). */
export function softplus3(x: v128): v128 {
  return f32x4.neg(f32x4.mul(sigmoidRate(x), tanh0(f32x4.mul(x, splat(0.5)))));
}

export function relu0(x: v128): v128 {
  return f32x4.pmax(x, splat(0));
}

export function relu1(x: v128): v128 {
  return oneWhere(f32x4.gt(x, splat(0)));
}

export function elu0(x: v128): v128 {
  return choose(f32x4.gt(x, splat(0)), x, expm1(x));
}

export function elu1(x: v128): v128 {
  return choose(f32x4.gt(x, splat(0)), splat(1), exp(x));
}

export function elu2(x: v128): v128 {
  return v128.andnot(exp(x), f32x4.gt(x, splat(0)));
}
