/**
 * Activations with their derivatives, over vectors of four: they share what is costly, an exponential and a division.
 * One body of each kind makes them all, so that a result has the same bits whatever is made with it; of it stays in each
 * order's loop what that stores. Formulas as in src/ops/activation.ts, in forms that do not cancel; elu and
 * selu take the derivative from the left at 0. relu and sin, which have nothing to share, are in apply.ts.
 */
import { lossRate, log1pOfUnit, negativePower, negativeRest, one, scaleOf, within87 } from "./exponential";
import { choose, multiplyAdd, oneWhere, splat, subtractProduct, VECTOR } from "./simd";
import { ALL } from "./variant";

/** In the order of src/kernels/elementwise.ts. */
const enum Kind { silu, tanh, relu, gelu, geluTanh, softplus, sin, elu, selu }

/**
 * Of the `bytes` from `a` on the derivative of an order from 0 to 3; for order 1 the function and the curvature too. The
 * slope is written last, so that the others may be thrown to its place. Any may be written over `a`.
 */
export function activate(
  kind: u32, order: u32, bytes: usize, a: usize, aStep: usize, values: usize, slopes: usize, curvatures: usize,
): void {
  if (order == 0) activateBy<Value>(kind, bytes, a, aStep, values, slopes, curvatures);
  else if (order == 1) activateBy<All>(kind, bytes, a, aStep, values, slopes, curvatures);
  else if (order == 2) activateBy<Curvature>(kind, bytes, a, aStep, values, slopes, curvatures);
  else activateBy<Third>(kind, bytes, a, aStep, values, slopes, curvatures);
}

/**
 * Orders as types, told apart by their size: of types alone AssemblyScript knows when it compiles, so that each order has
 * loops of its own. Engines newer than Node 20's do not move work into the branch that wants it.
 */
type Value = u8;
type All = u16;
type Curvature = u32;
type Third = u64;

// @ts-ignore: decorator
@inline
function activateBy<Order>(
  kind: u32, bytes: usize, a: usize, aStep: usize, values: usize, slopes: usize, curvatures: usize,
): void {
  switch (kind) {
    case Kind.silu:
      for (let at: usize = 0; at < bytes; at += VECTOR, a += aStep) {
        silu<Order>(v128.load(a), values + at, slopes + at, curvatures + at);
      }
      return;
    case Kind.tanh:
      for (let at: usize = 0; at < bytes; at += VECTOR, a += aStep) {
        tanh<Order>(v128.load(a), values + at, slopes + at, curvatures + at);
      }
      return;
  }
  if (ALL) activateMore<Order>(kind, bytes, a, aStep, values, slopes, curvatures);
}

/** Kinds that not every module has. */
// @ts-ignore: decorator
@inline
function activateMore<Order>(
  kind: u32, bytes: usize, a: usize, aStep: usize, values: usize, slopes: usize, curvatures: usize,
): void {
  switch (kind) {
    case Kind.gelu:
      for (let at: usize = 0; at < bytes; at += VECTOR, a += aStep) {
        gelu<Order>(v128.load(a), values + at, slopes + at, curvatures + at);
      }
      return;
    case Kind.geluTanh:
      for (let at: usize = 0; at < bytes; at += VECTOR, a += aStep) {
        geluTanh<Order>(v128.load(a), values + at, slopes + at, curvatures + at);
      }
      return;
    case Kind.softplus:
      for (let at: usize = 0; at < bytes; at += VECTOR, a += aStep) {
        softplus<Order>(v128.load(a), values + at, slopes + at, curvatures + at);
      }
      return;
    case Kind.elu:
      for (let at: usize = 0; at < bytes; at += VECTOR, a += aStep) {
        elu<Order>(v128.load(a), values + at, slopes + at, curvatures + at);
      }
      return;
    case Kind.selu:
      for (let at: usize = 0; at < bytes; at += VECTOR, a += aStep) {
        selu<Order>(v128.load(a), values + at, slopes + at, curvatures + at);
      }
      return;
  }
}

// @ts-ignore: decorator
@inline
function keep<Order>(
  value: v128, slope: v128, curvature: v128, third: v128, toValue: usize, toSlope: usize, toCurvature: usize,
): void {
  if (sizeof<Order>() == sizeof<Value>()) {
    v128.store(toValue, value);
  } else if (sizeof<Order>() == sizeof<Curvature>()) {
    v128.store(toCurvature, curvature);
  } else if (sizeof<Order>() == sizeof<Third>()) {
    v128.store(toValue, third);
  } else {
    v128.store(toValue, value);
    v128.store(toCurvature, curvature);
    v128.store(toSlope, slope);
  }
}

/** 2^n exp(-r), from 2^n and 1 - exp(-r). */
// @ts-ignore: decorator
@inline
function scaled(scale: v128, loss: v128): v128 {
  return subtractProduct(scale, scale, loss);
}

/** 1 - 2^n exp(-r), exact to first order where that is near 1. */
// @ts-ignore: decorator
@inline
function lost(scale: v128, loss: v128): v128 {
  return multiplyAdd(scale, loss, f32x4.sub(one(), scale));
}

/**
 * silu = x s, s = 1 / (1 + e), e = exp(-x). With 1 - s = e s and t = tanh(x / 2) = (1 - e) s:
 *   silu' = s + x s (1 - s);  silu'' = s (1 - s) (2 - x t);  silu''' = s (1 - s) (x (t^2 - 2 s (1 - s)) - 3 t)
 */
// @ts-ignore: decorator
@inline
function silu<Order>(x: v128, toValue: usize, toSlope: usize, toCurvature: usize): void {
  const y = within87(x);
  const power = negativePower(y);
  const r = negativeRest(y, power);
  const h = lossRate(r);
  const scale = scaleOf(power);
  const e = f32x4.mul(subtractProduct(one(), h, r), scale);
  const s = f32x4.div(one(), f32x4.add(e, one()));
  const rest = f32x4.mul(e, s);
  const rate = f32x4.mul(s, rest);
  const value = f32x4.mul(f32x4.pmax(x, y), s); // not -infinity times 0
  const slope = multiplyAdd(f32x4.mul(y, s), rest, s);
  const curvature = f32x4.mul(rate, multiplyAdd(y, f32x4.sub(rest, s), splat(2)));
  const t = f32x4.mul(lost(scale, f32x4.mul(h, r)), s);
  const inner = multiplyAdd(t, t, f32x4.mul(rate, splat(-2)));
  const third = f32x4.mul(rate, multiplyAdd(y, inner, f32x4.mul(t, splat(-3))));
  keep<Order>(value, slope, curvature, third, toValue, toSlope, toCurvature);
}

/**
 * tanh = (1 - e) / (1 + e), e = exp(-2 |x|), with the sign of x.
 *   tanh' = 4 e / (1 + e)^2;  tanh'' = -2 tanh tanh';  tanh''' = tanh' (4 tanh^2 - 2 tanh')
 */
// @ts-ignore: decorator
@inline
function tanh<Order>(x: v128, toValue: usize, toSlope: usize, toCurvature: usize): void {
  const magnitude = f32x4.abs(x);
  const y = within87(f32x4.add(magnitude, magnitude));
  const power = negativePower(y);
  const r = negativeRest(y, power);
  const loss = f32x4.mul(lossRate(r), r);
  const scale = scaleOf(power);
  const e = scaled(scale, loss);
  const reciprocal = f32x4.div(one(), f32x4.add(e, one()));
  const twice = f32x4.add(reciprocal, reciprocal);
  const value = signed(f32x4.mul(lost(scale, loss), reciprocal), x);
  const slope = f32x4.mul(e, f32x4.mul(twice, twice));
  const curvature = f32x4.mul(f32x4.mul(value, splat(-2)), slope);
  const square = f32x4.mul(value, value);
  const third = f32x4.mul(slope, multiplyAdd(square, splat(4), f32x4.mul(slope, splat(-2))));
  keep<Order>(value, slope, curvature, third, toValue, toSlope, toCurvature);
}

/** The magnitude with the sign of x. */
// @ts-ignore: decorator
@inline
function signed(magnitude: v128, x: v128): v128 {
  return v128.or(magnitude, v128.and(x, i32x4.splat(0x80000000)));
}

/**
 * gelu = x F, F the normal CDF and f its density; gelu' = F + x f;  gelu'' = f (2 - x^2);  gelu''' = f x (x^2 - 4).
 * 1 - F(a) = exp(-a^2 / 2) t P(t), t = 1 / (1 + 0.3 a), for a >= 0: our minimax fit of the scaled tail, relative error
 * 4e-7 for a <= 13, past which exp is less than 2e-37.
 */
// @ts-ignore: decorator
@inline
function gelu<Order>(x: v128, toValue: usize, toSlope: usize, toCurvature: usize): void {
  const y = f32x4.pmax(f32x4.pmin(x, splat(13)), splat(-13)); // past which no derivative changes
  const square = f32x4.mul(y, y);
  const half = f32x4.mul(square, splat(0.5));
  const power = negativePower(half);
  const r = negativeRest(half, power);
  const e = f32x4.mul(subtractProduct(one(), lossRate(r), r), scaleOf(power));
  const t = f32x4.div(one(), multiplyAdd(f32x4.abs(y), splat(0.3), one()));
  let p = multiplyAdd(t, splat(0.03567488), splat(-0.1572035));
  p = multiplyAdd(p, t, splat(0.20635419));
  p = multiplyAdd(p, t, splat(-0.053684242));
  p = multiplyAdd(p, t, splat(0.12856193));
  p = multiplyAdd(p, t, splat(0.09991341));
  p = multiplyAdd(p, t, splat(0.12075397));
  p = multiplyAdd(p, t, splat(0.1196293));
  const tail = f32x4.mul(e, f32x4.mul(t, p));
  const below = choose(f32x4.ge(x, splat(0)), f32x4.sub(one(), tail), tail);
  const density = f32x4.mul(e, splat(0.3989422804));
  const value = f32x4.mul(f32x4.pmax(x, y), below); // not -infinity times a little
  const slope = multiplyAdd(y, density, below);
  const curvature = f32x4.mul(density, f32x4.sub(splat(2), square));
  const third = f32x4.mul(f32x4.mul(density, y), f32x4.sub(square, splat(4)));
  keep<Order>(value, slope, curvature, third, toValue, toSlope, toCurvature);
}

const TWO_C: f32 = 1.5957691216;
const CUBIC: f32 = 0.044715;

/**
 * geluTanh = x (1 + tanh(v / 2)) / 2 = x s, s = 1 / (1 + exp(-v)), v = 2 c (x + a x^3), a = 0.044715, c = sqrt(2 / pi).
 * With w = s (1 - s) and t = tanh(v / 2):
 *   s' = w v';  s'' = w (v'' - t v'^2);  s''' = w (v''' - 3 t v' v'' + (t^2 - 2 w) v'^3)
 *   geluTanh' = s + x s';  geluTanh'' = 2 s' + x s'';  geluTanh''' = 3 s'' + x s'''
 */
// @ts-ignore: decorator
@inline
function geluTanh<Order>(x: v128, toValue: usize, toSlope: usize, toCurvature: usize): void {
  const z = f32x4.pmax(f32x4.pmin(x, splat(13)), splat(-13)); // past which no derivative changes
  const square = f32x4.mul(z, z);
  const v = f32x4.mul(f32x4.mul(z, splat(TWO_C)), multiplyAdd(square, splat(CUBIC), one()));
  const v1 = multiplyAdd(square, splat(3 * CUBIC * TWO_C), splat(TWO_C));
  const v2 = f32x4.mul(z, splat(6 * CUBIC * TWO_C));
  const y = within87(v);
  const power = negativePower(y);
  const r = negativeRest(y, power);
  const loss = f32x4.mul(lossRate(r), r);
  const scale = scaleOf(power);
  const e = scaled(scale, loss);
  const s = f32x4.div(one(), f32x4.add(e, one()));
  const w = f32x4.mul(f32x4.mul(e, s), s);
  const t = f32x4.mul(lost(scale, loss), s);
  const s1 = f32x4.mul(w, v1);
  const s2 = f32x4.mul(w, subtractProduct(v2, f32x4.mul(t, v1), v1));
  const cube = f32x4.mul(f32x4.mul(v1, v1), multiplyAdd(t, t, f32x4.mul(w, splat(-2))));
  const s3 = f32x4.mul(w, multiplyAdd(v1, subtractProduct(cube, f32x4.mul(t, splat(3)), v2), splat(6 * CUBIC * TWO_C)));
  const value = f32x4.mul(f32x4.pmax(x, z), s); // not -infinity times a little
  const slope = multiplyAdd(z, s1, s);
  const curvature = multiplyAdd(z, s2, f32x4.add(s1, s1));
  const third = multiplyAdd(z, s3, f32x4.mul(s2, splat(3)));
  keep<Order>(value, slope, curvature, third, toValue, toSlope, toCurvature);
}

/**
 * softplus = max(x, 0) + log(1 + q), q = exp(-|x|).
 *   softplus' = 1 / (1 + exp(-x));  softplus'' = q / (1 + q)^2;  softplus''' = -softplus'' tanh(x / 2)
 */
// @ts-ignore: decorator
@inline
function softplus<Order>(x: v128, toValue: usize, toSlope: usize, toCurvature: usize): void {
  const y = within87(f32x4.abs(x));
  const power = negativePower(y);
  const r = negativeRest(y, power);
  const loss = f32x4.mul(lossRate(r), r);
  const scale = scaleOf(power);
  const q = scaled(scale, loss);
  const reciprocal = f32x4.div(one(), f32x4.add(q, one()));
  const rest = f32x4.mul(q, reciprocal);
  const value = f32x4.add(f32x4.pmax(x, splat(0)), log1pOfUnit(q));
  const slope = choose(f32x4.ge(x, splat(0)), reciprocal, rest);
  const curvature = f32x4.mul(rest, reciprocal);
  const t = f32x4.mul(lost(scale, loss), reciprocal);
  const third = signed(f32x4.mul(curvature, t), f32x4.neg(x));
  keep<Order>(value, slope, curvature, third, toValue, toSlope, toCurvature);
}

/** elu = x for x > 0, else exp(x) - 1. */
// @ts-ignore: decorator
@inline
function elu<Order>(x: v128, toValue: usize, toSlope: usize, toCurvature: usize): void {
  const y = within87(f32x4.abs(x));
  const power = negativePower(y);
  const r = negativeRest(y, power);
  const loss = f32x4.mul(lossRate(r), r);
  const scale = scaleOf(power);
  const right = f32x4.gt(x, splat(0));
  const value = choose(right, x, f32x4.neg(lost(scale, loss)));
  const curvature = v128.andnot(scaled(scale, loss), right);
  const slope = f32x4.add(curvature, oneWhere(right));
  keep<Order>(value, slope, curvature, curvature, toValue, toSlope, toCurvature);
}

const SELU_SCALE: f32 = 1.0507009873554805;
const SELU_LEFT: f32 = 1.7580993408473766; // scale times alpha

/** selu = scale x for x > 0, else scale alpha (exp(x) - 1). */
// @ts-ignore: decorator
@inline
function selu<Order>(x: v128, toValue: usize, toSlope: usize, toCurvature: usize): void {
  const y = within87(f32x4.abs(x));
  const power = negativePower(y);
  const r = negativeRest(y, power);
  const loss = f32x4.mul(lossRate(r), r);
  const scale = scaleOf(power);
  const right = f32x4.gt(x, splat(0));
  const value = choose(right, f32x4.mul(x, splat(SELU_SCALE)), f32x4.mul(lost(scale, loss), splat(-SELU_LEFT)));
  const curvature = v128.andnot(f32x4.mul(scaled(scale, loss), splat(SELU_LEFT)), right);
  const slope = f32x4.add(curvature, v128.and(right, splat(SELU_SCALE)));
  keep<Order>(value, slope, curvature, curvature, toValue, toSlope, toCurvature);
}
