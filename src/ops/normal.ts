/**
 * Standard normals from 32 random bits, by an own inverse CDF in f32: additions, multiplications and integer
 * operations only, no log, cos, sqrt or division, so that every backend gives the same numbers. Without fused
 * multiply-adds they are the same bits; with them the last bit or two may differ.
 *
 *   u = (2 (bits >> 9) + 1) 2^-24           odd multiples of 2^-24 in (0, 1), exact in f32
 *   x = 2 u - 1                             exact; u and 1 - u give opposite numbers, bit for bit
 *   v = 4 (u (1 - u))                       = 1 - x^2, in (0, 1)
 *   w = -log(v):
 *     i = the bits of v as i32;  e = (i - 0x3f3504f3) >> 23, arithmetic shift
 *     t = (the f32 whose bits are i - (e << 23)) - 1       v = 2^e (1 + t), 1 + t in [sqrt 1/2, sqrt 2)
 *     l = LOG(t) (t t) + t                                 log(1 + t)
 *     w = f32(e) * -0.6931472 - l
 *   normal = x * (w < 5.5 ? BODY(w - 2.75) : TAIL(w - 10.25))
 *
 * LOG, BODY and TAIL are polynomials by Horner's rule, r = r s + coefficient, coefficients from the highest power
 * down. sqrt(2) erfinv(x) / x is analytic in w = -log(1 - x^2) near [0, inf), so two of degree 9 will do (Giles,
 * "Approximating the erfinv function", takes w for this and sqrt(w) in the tail; the fits are ours, minimax in
 * relative error).
 *
 * Accuracy, over all 2^23 values of u: relative error at most 2.2e-7, absolute 6.7e-7. Largest draw 5.2947.
 */

export const LOG = [-0.10034608, 0.16335641, -0.17325996, 0.19888277, -0.24961466, 0.33335263, -0.50000584] as const;

export const BODY = [
  -1.0440852e-8, 1.04434275e-8, 6.752001e-7, -3.7624013e-6, -1.3400954e-5, 0.00029599114, -0.0014687735, -0.0071222396,
  0.34553516, 2.2101183,
] as const;

export const TAIL = [
  -6.053314e-11, 7.880545e-10, -3.9487444e-9, 1.7614686e-9, 4.329103e-7, -1.1294377e-5, 0.00023096395, -0.0052070552,
  0.22190355, 4.2924294,
] as const;

const NEGATIVE_LN2 = Math.fround(-Math.LN2);
/** Bits of sqrt(1/2) in f32, the least 1 + t. */
const SQRT_HALF_BITS = 0x3f3504f3;

const { fround } = Math;
const word = new DataView(new ArrayBuffer(4));

/** The standard normal of these bits (u32): an f32 number, |normal| <= 5.2947. */
export function normalFromBits(bits: number): number {
  const u = (2 * (bits >>> 9) + 1) * 2 ** -24;
  const x = 2 * u - 1;
  const v = 4 * fround(u * (1 - u));
  word.setFloat32(0, v);
  const i = word.getInt32(0);
  const e = (i - SQRT_HALF_BITS) >> 23;
  word.setInt32(0, i - (e << 23));
  const t = word.getFloat32(0) - 1;
  const l = fround(fround(horner(LOG, t) * fround(t * t)) + t);
  const w = fround(fround(e * NEGATIVE_LN2) - l);
  return fround(x * (w < 5.5 ? horner(BODY, fround(w - 2.75)) : horner(TAIL, fround(w - 10.25))));
}

/** The polynomial in f32, each operation rounded. */
function horner(coefficients: readonly number[], s: number): number {
  let r = fround(coefficients[0] as number);
  for (let k = 1; k < coefficients.length; k++) r = fround(fround(r * s) + fround(coefficients[k] as number));
  return r;
}
