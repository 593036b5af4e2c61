/** Numbers as people read them. */

/** A number with as many decimals as tell apart what is 1/100 of `scale`; very large and small ones with an exponent. */
export function within(value: number, scale: number): string {
  const decimals = scale > 0 ? Math.max(0, 2 - Math.floor(Math.log10(scale))) : 3;
  const size = Math.max(Math.abs(value), scale);
  if (size >= 1e9 || decimals > 9) return String(Number(value.toPrecision(6)));
  return value.toLocaleString("en", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

/** Three digits: 0.0123, 4.56, 789, 1.2e+5. */
export function brief(value: number): string {
  const rounded = Number(value.toPrecision(3));
  return Math.abs(rounded) >= 1e5 ? rounded.toExponential().replace("e+", "e") : String(rounded);
}

/** "1 row", "16,000 rows". */
export function counted(count: number, word: string): string {
  return `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;
}

/** "1.2345 ± 0.0123"; without the error where there is none, which of a single value none can tell. */
export function withError(value: number, error: number | undefined, digits = 4): string {
  return value.toFixed(digits) + errorOf(error, digits);
}

/** " ± 0.0123", or nothing. */
export function errorOf(error: number | undefined, digits = 4): string {
  return error === undefined || Number.isNaN(error) ? "" : ` ± ${error.toFixed(digits)}`;
}

/** The least and the most of any number of values; infinite of none. */
export function extremes(values: Iterable<number>): { readonly least: number; readonly most: number } {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return { least, most };
}
