/** Some rows of a whole, one after the other. */
import { ConfigError } from "../errors.ts";
import { integerOption, optionsObject } from "../graph/options.ts";

export interface RowRange {
  /** From 0. */
  readonly first: number;
  /** The row after the last one of them. */
  readonly last: number;
}

/** At least one row of `total`; all of them where nothing is said. */
export function rangeOption(subject: string, given: RowRange | undefined, total: number): RowRange {
  if (given === undefined) return { first: 0, last: total };
  const { first, last } = optionsObject(subject, given, ["first", "last"]);
  integerOption(`first of ${subject}`, first, 0);
  integerOption(`last of ${subject}`, last, 1);
  if (first < last && last <= total) return { first, last };
  throw new ConfigError({
    subject,
    given: `${first} to ${last}`,
    expected: `at least one of ${total} rows: first < last <= ${total}`,
    remedy: "Rows are counted from 0, and last is the one behind them.",
  });
}
