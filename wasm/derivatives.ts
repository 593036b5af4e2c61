/**
 * silu, tanh, gelu and softplus with their first two derivatives, over vectors of four: they share what is costly, an
 * exponential and a division. One loop of each makes them all, so that a result has the same bits whatever is made
 * with it; V8 computes in each branch of `keep` only what that branch stores. Formulas as in src/ops/activation.ts, in
 * forms that do not cancel.
 */
import { expOfNegative, log1pOfUnit, lossRate, negativePower, negativeRest, one, scaleOf, within87 } from "./exponential";
import { choose, multiplyAdd, splat, subtractProduct, VECTOR } from "./simd";

/** In the order of the kinds that have such loops. */
export const enum Kind { silu, tanh, gelu, softplus }

/**
 * Of the `bytes` from `a` on: for order 0 the function, for order 2 its second derivative, for order 1 both and the
 * slope. That is written last, so that the others may be thrown to its place. Any may be written over `a`.
 */
export function derive(
  kind: u32, order: u32, bytes: usize, a: usize, aStep: usize, values: usize, slopes: usize, curvatures: usize,
): void {
  switch (kind) {
    case Kind.silu:
      for (let at: usize = 0; at < bytes; at += VECTOR, a += aStep) {
        silu(order, v128.load(a), values + at, slopes + at, curvatures + at);
      }
      return;
    case Kind.tanh:
      for (let at: usize = 0; at < bytes; at += VECTOR, a += aStep) {
        tanh(order, v128.load(a), values + at, slopes + at, curvatures + at);
      }
      return;
    case Kind.gelu:
      for (let at: usize = 0; at < bytes; at += VECTOR, a += aStep) {
        gelu(order, v128.load(a), values + at, slopes + at, curvatures + at);
      }
      return;
    case Kind.softplus:
      for (let at: usize = 0; at < bytes; at += VECTOR, a += aStep) {
        softplus(order, v128.load(a), values + at, slopes + at, curvatures + at);
      }
      return;
  }
}

// @ts-ignore: decorator
@inline
function keep(
  order: u32, value: v128, slope: v128, curvature: v128, toValue: usize, toSlope: usize, toCurvature: usize,
): void {
  if (order == 0) {
    v128.store(toValue, value);
  } else if (order == 2) {
    v128.store(toCurvature, curvature);
  } else {
    v128.store(toValue, value);
    v128.store(toCurvature, curvature);
    v128.store(toSlope, slope);
  }
}

/**
 * silu = x s, s = 1 / (1 + e), e = exp(-x). With 1 - s = e s and tanh(x / 2) = s - (1 - s):
 *   silu' = s + x s (1 - s);  silu'' = s (1 - s) (2 - x tanh(x / 2))
 */
// @ts-ignore: decorator
@inline
function silu(order: u32, x: v128, toValue: usize, toSlope: usize, toCurvature: usize): void {
  const y = within87(x);
  const e = expOfNegative(y);
  const s = f32x4.div(one(), f32x4.add(e, one()));
  const rest = f32x4.mul(e, s);
  const value = f32x4.mul(f32x4.pmax(x, y), s); // not -infinity times 0
  const slope = multiplyAdd(f32x4.mul(y, s), rest, s);
  const curvature = f32x4.mul(f32x4.mul(s, rest), multiplyAdd(y, f32x4.sub(rest, s), splat(2)));
  keep(order, value, slope, curvature, toValue, toSlope, toCurvature);
}

/**
 * tanh = -d / (2 + d), d = exp(-2 |x|) - 1, with the sign of x: exact to first order near 0.
 *   tanh' = 4 (1 + d) / (2 + d)^2;  tanh'' = -2 tanh tanh'
 */
// @ts-ignore: decorator
@inline
function tanh(order: u32, x: v128, toValue: usize, toSlope: usize, toCurvature: usize): void {
  const magnitude = f32x4.abs(x);
  const y = within87(f32x4.add(magnitude, magnitude));
  const power = negativePower(y);
  const r = negativeRest(y, power);
  const scale = scaleOf(power);
  const loss = f32x4.mul(lossRate(r), r);
  const d = subtractProduct(f32x4.sub(scale, one()), scale, loss);
  const twice = f32x4.div(splat(2), f32x4.add(d, splat(2)));
  const value = v128.or(f32x4.mul(f32x4.mul(d, splat(-0.5)), twice), v128.and(x, i32x4.splat(0x80000000)));
  const slope = f32x4.mul(subtractProduct(scale, scale, loss), f32x4.mul(twice, twice));
  const curvature = f32x4.mul(f32x4.mul(value, splat(-2)), slope);
  keep(order, value, slope, curvature, toValue, toSlope, toCurvature);
}

/**
 * gelu = x F, F the normal CDF and f its density; gelu' = F + x f;  gelu'' = f (2 - x^2).
 * 1 - F(a) = exp(-a^2 / 2) t P(t), t = 1 / (1 + 0.3 a), for a >= 0: our minimax fit of the scaled tail, relative error
 * 4e-7 for a <= 13, past which exp is less than 2e-38.
 */
// @ts-ignore: decorator
@inline
function gelu(order: u32, x: v128, toValue: usize, toSlope: usize, toCurvature: usize): void {
  const y = f32x4.pmax(f32x4.pmin(x, splat(13)), splat(-13)); // past which no derivative changes
  const e = expOfNegative(f32x4.mul(f32x4.mul(y, y), splat(0.5)));
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
  const curvature = f32x4.mul(density, subtractProduct(splat(2), y, y));
  keep(order, value, slope, curvature, toValue, toSlope, toCurvature);
}

/** softplus = max(x, 0) + log(1 + q), q = exp(-|x|);  softplus' = 1 / (1 + exp(-x));  softplus'' = q / (1 + q)^2. */
// @ts-ignore: decorator
@inline
function softplus(order: u32, x: v128, toValue: usize, toSlope: usize, toCurvature: usize): void {
  const q = expOfNegative(within87(f32x4.abs(x)));
  const reciprocal = f32x4.div(one(), f32x4.add(q, one()));
  const rest = f32x4.mul(q, reciprocal);
  const value = f32x4.add(f32x4.pmax(x, splat(0)), log1pOfUnit(q));
  const slope = choose(f32x4.ge(x, splat(0)), reciprocal, rest);
  const curvature = f32x4.mul(rest, reciprocal);
  keep(order, value, slope, curvature, toValue, toSlope, toCurvature);
}
