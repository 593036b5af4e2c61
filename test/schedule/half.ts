/** f16 as the tests know it. */

/** Largest error of a number of at least 2^-14 that is stored as f16, relative to it: 11 bits, to the nearest. */
export const HALF = 2 ** -11;

/** The nearest f16: 11 bits, the even one of two; multiples of 2^-24 below 2^-14; infinite from 65520 on. */
export function roundToHalf(value: number): number {
  if (!Number.isFinite(value) || value === 0) return value;
  const unit = 2 ** (Math.max(Math.floor(Math.log2(Math.abs(value))), -14) - 10);
  const units = value / unit;
  const below = Math.floor(units);
  const [rest, isOdd] = [units - below, Math.abs(below % 2) === 1];
  const rounded = unit * (rest > 0.5 || (rest === 0.5 && isOdd) ? below + 1 : below);
  return Math.abs(rounded) < 65520 ? rounded : Math.sign(value) * Number.POSITIVE_INFINITY;
}
