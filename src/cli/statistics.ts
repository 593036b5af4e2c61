/** Means and how sure they are. */
import { studentQuantile, studentTail } from "../diagnostics/student.ts";

/** Mean and standard deviation, of a sample: with one value less in the divisor; 0 for a single value. */
export function meanAndDeviation(values: readonly number[]): { mean: number; deviation: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : 0 };
}

/** How sure a mean of so many values is; NaN, in JSON null, of a single one, for which there is no telling. */
export function standardErrorOf(deviation: number, count: number): number {
  return count > 1 ? deviation / Math.sqrt(count) : Number.NaN;
}

/** A figure that is a mean, as metrics have it. */
export function meanWithError(values: readonly number[]): { readonly value: number; readonly error: number } {
  const { mean, deviation } = meanAndDeviation(values);
  return { value: mean, error: standardErrorOf(deviation, values.length) };
}

/**
 * Mean of a[i] - b[i] and its standard error. Two models of the same data find the same points hard, so the differences
 * scatter far less than either does.
 */
export function pairedDifference(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
): { readonly mean: number; readonly standardError: number } {
  const { mean, deviation } = meanAndDeviation(Array.from(a, (value, i) => value - (b[i] as number)));
  return { mean, standardError: standardErrorOf(deviation, a.length) };
}

/** The middle value, or the mean of both; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2;
}

/** What Student's t says of a difference of means. */
export interface TTest {
  /** Of the first less the second. */
  readonly difference: number;
  readonly standardError: number;
  readonly t: number;
  readonly degrees: number;
  /** Two-sided: how often chance alone gives a difference as large. NaN where there are too few values to tell. */
  readonly p: number;
  /** 95 % of such intervals hold the true difference. */
  readonly interval: readonly [low: number, high: number];
}

/** The paired t-test: values of equal places belong together, such as two losses' from one seed. */
export function pairedTest(a: readonly number[], b: readonly number[]): TTest {
  const { mean, standardError } = pairedDifference(a, b);
  return studentTest(mean, standardError, a.length - 1);
}

/** Welch's t-test: of independent values, whose variances may differ. */
export function welchTest(a: readonly number[], b: readonly number[]): TTest {
  const [first, second] = [meanAndDeviation(a), meanAndDeviation(b)];
  const [u, v] = [first.deviation ** 2 / a.length, second.deviation ** 2 / b.length];
  const enough = a.length > 1 && b.length > 1;
  const degrees = (u + v) ** 2 / (u ** 2 / (a.length - 1) + v ** 2 / (b.length - 1));
  const known = u + v > 0 ? degrees : a.length + b.length - 2;
  return studentTest(first.mean - second.mean, enough ? Math.sqrt(u + v) : Number.NaN, enough ? known : 0);
}

function studentTest(difference: number, standardError: number, degrees: number): TTest {
  if (!(degrees > 0) || Number.isNaN(standardError)) {
    const none = Number.NaN;
    return { difference, standardError: none, t: none, degrees: Math.max(0, degrees), p: none, interval: [none, none] };
  }
  const t = difference === 0 ? 0 : difference / standardError;
  const p = Math.min(1, 2 * studentTail(Math.abs(t), degrees));
  const reach = studentQuantile(0.975, degrees) * standardError;
  return { difference, standardError, t, degrees, p, interval: [difference - reach, difference + reach] };
}
