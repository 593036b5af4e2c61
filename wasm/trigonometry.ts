/**
 * sin and cos of four f32: own range reduction, absolute error at most 2e-7 for |x| <= 1e4. Farther out they lose
 * digits, as x itself does, and stay within [-1, 1].
 */
import { choose, multiplyAdd, negateWhere, splat } from "./simd";

const TWO_OVER_PI: f32 = 0.6366197724;
/** pi / 2 in parts; the first two have so few bits that their products with a whole number below 2^13 are exact. */
const HALF_PI_HIGH: f32 = 1.5703125;
const HALF_PI_MIDDLE: f32 = 0.0004837512969970703;
const HALF_PI_LOW: f32 = 7.54978995489e-8;
/** A little beyond pi / 4: rounding n may take the rest there, and nothing takes it farther for |x| <= 1e4. */
const LARGEST_REST: f32 = 0.8;

/** sin(x + turns pi / 2). */
function sinAt(x: v128, turns: i32): v128 {
  const n = f32x4.nearest(f32x4.mul(x, splat(TWO_OVER_PI)));
  let r = multiplyAdd(n, splat(-HALF_PI_HIGH), x);
  r = multiplyAdd(n, splat(-HALF_PI_MIDDLE), r);
  r = multiplyAdd(n, splat(-HALF_PI_LOW), r);
  r = f32x4.pmax(f32x4.pmin(r, splat(LARGEST_REST)), splat(-LARGEST_REST));
  const quadrant = i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(turns));

  const z = f32x4.mul(r, r);
  let p = multiplyAdd(z, splat(1.0 / 362880.0), splat(-1.0 / 5040.0));
  p = multiplyAdd(p, z, splat(1.0 / 120.0));
  p = multiplyAdd(p, z, splat(-1.0 / 6.0));
  const sine = multiplyAdd(f32x4.mul(r, z), p, r);
  p = multiplyAdd(z, splat(1.0 / 40320.0), splat(-1.0 / 720.0));
  p = multiplyAdd(p, z, splat(1.0 / 24.0));
  p = multiplyAdd(p, z, splat(-0.5));
  const cosine = multiplyAdd(p, z, splat(1));

  const odd = i32x4.shr_s(i32x4.shl(quadrant, 31), 31);
  const upper = i32x4.shr_s(i32x4.shl(quadrant, 30), 31);
  return negateWhere(upper, choose(odd, cosine, sine));
}

export function sin(x: v128): v128 {
  return sinAt(x, 0);
}

export function cos(x: v128): v128 {
  return sinAt(x, 1);
}
