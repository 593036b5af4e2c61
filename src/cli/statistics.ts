/** Means and how sure they are. */

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
