/** Words on vectors of four f32 that every kernel uses. */

/** Bytes of a vector. */
export const VECTOR: usize = 16;

/** Rounds once in the relaxed build, twice in the plain one: they differ in the last bit, each repeats itself. */
// @ts-ignore: decorator
@inline
export function multiplyAdd(x: v128, y: v128, sum: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(x, y, sum);
  return f32x4.add(f32x4.mul(x, y), sum);
}

/** As multiplyAdd rounds. */
// @ts-ignore: decorator
@inline
export function subtractProduct(from: v128, x: v128, y: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_nmadd(x, y, from);
  return f32x4.sub(from, f32x4.mul(x, y));
}

// @ts-ignore: decorator
@inline
export function splat(x: f32): v128 {
  return f32x4.splat(x);
}

/** a where the mask has ones, else b. */
// @ts-ignore: decorator
@inline
export function choose(mask: v128, a: v128, b: v128): v128 {
  return v128.bitselect(a, b, mask);
}

/** 1 where the mask has ones, else 0. */
// @ts-ignore: decorator
@inline
export function oneWhere(mask: v128): v128 {
  return v128.and(mask, splat(1));
}

/** -x where the mask has ones, else x. */
// @ts-ignore: decorator
@inline
export function negateWhere(mask: v128, x: v128): v128 {
  return v128.xor(x, v128.and(mask, i32x4.splat(0x80000000)));
}

/** Copies `count` elements; for the one to three after the last whole vector. */
// @ts-ignore: decorator
@inline
export function copyElements(target: usize, source: usize, count: usize): void {
  for (let i: usize = 0; i < count; i++) store<u32>(target + (i << 2), load<u32>(source + (i << 2)));
}
