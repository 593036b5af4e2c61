/**
 * Activations and their derivatives on four f32, named by kind and order of derivative: those that derivatives.ts has
 * not. Formulas as in src/ops/activation.ts, in forms that do not cancel; relu and elu take the derivative from the
 * left at 0.
 */
import { exp, expm1, expOfNegative, one, within87 } from "./exponential";
import { choose, multiplyAdd, oneWhere, splat } from "./simd";

/** 1 / (1 + exp(-x)). */
// @ts-ignore: decorator
@inline
function sigmoid(x: v128): v128 {
  return f32x4.div(one(), f32x4.add(expOfNegative(within87(x)), one()));
}

/** sigmoid' = s (1 - s) = e s^2, e = exp(-x): without the difference. */
function sigmoidRate(x: v128): v128 {
  const e = expOfNegative(within87(x));
  const s = f32x4.div(one(), f32x4.add(e, one()));
  return f32x4.mul(f32x4.mul(e, s), s);
}

/** silu''' = s (1 - s) (x (t^2 - 2 s (1 - s)) - 3 t), t = tanh(x / 2). */
export function silu3(x: v128): v128 {
  const rate = sigmoidRate(x);
  const t = tanh0(f32x4.mul(x, splat(0.5)));
  const inner = multiplyAdd(t, t, f32x4.mul(rate, splat(-2)));
  return f32x4.mul(rate, multiplyAdd(x, inner, f32x4.mul(t, splat(-3))));
}

/** tanh = -d / (2 + d), d = expm1(-2 |x|), with the sign of x: no overflow, and exact to first order near 0. */
function tanh0(x: v128): v128 {
  const d = expm1(f32x4.mul(f32x4.abs(x), splat(-2)));
  const t = f32x4.div(f32x4.neg(d), f32x4.add(d, splat(2)));
  return v128.or(t, v128.and(x, i32x4.splat(0x80000000)));
}

/** tanh' = 1 - t^2 = 4 s (1 - s) at 2 x. */
function tanh1(x: v128): v128 {
  return f32x4.mul(sigmoidRate(f32x4.add(x, x)), splat(4));
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

/** gelu''' = f x (x^2 - 4), f = exp(-x^2 / 2) / sqrt(2 pi). */
export function gelu3(x: v128): v128 {
  const y = withinTails(x);
  const square = f32x4.mul(y, y);
  const f = f32x4.mul(exp(f32x4.mul(square, splat(-0.5))), splat(0.3989422804));
  return f32x4.mul(f32x4.mul(f, y), f32x4.sub(square, splat(4)));
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
  const y = withinTails(x);
  const u = cubic(y);
  return f32x4.mul(f32x4.pmax(x, y), sigmoid(f32x4.add(u, u)));
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
