import { ConfigError, DataError } from "../errors.ts";
import { listed } from "./column-notes.ts";

/** A table's width and names. */
export interface Header {
  readonly width: number;
  readonly columns?: readonly string[] | undefined;
}

export interface ColumnOptions {
  /** Names, or numbers from 0. */
  readonly columns?: readonly (string | number)[] | undefined;
  readonly skipIndex?: boolean | undefined;
}

/**
 * The numbers, from 0, of the columns to keep. A text of digits that is no name counts as a number: command lines know
 * no other.
 *
 * @throws {@link DataError} when a column is not there, or a name stands for two.
 * @throws {@link ConfigError} when the options contradict each other, or ask for nothing or for a column twice.
 */
export function chooseColumns(source: string, header: Header, { columns, skipIndex }: ColumnOptions): number[] {
  const { width } = header;
  if (columns === undefined) {
    const all = Array.from({ length: width }, (_, i) => i);
    if (!skipIndex) return all;
    if (width > 1) return all.slice(1);
    throw new DataError({
      subject: source,
      given: "one column",
      expected: "an index, and columns of data beside it",
      remedy: "Leave out skipIndex (--skip-index).",
    });
  }
  const refuse = (given: unknown, expected: string, remedy: string) =>
    new ConfigError({ subject: `columns of ${source}`, given, expected, remedy });
  if (!Array.isArray(columns) || columns.length === 0) {
    throw refuse(columns, "a list of names or of numbers from 0", "Leave columns out to keep all.");
  }
  if (skipIndex) {
    throw refuse(
      "columns beside skipIndex",
      "one of the two",
      "The columns listed are all that is kept: leave out skipIndex.",
    );
  }
  const numbers = columns.map((one) => findColumn(source, header, one));
  const seen = new Set<number>();
  const again = numbers.findIndex((number) => seen.size === seen.add(number).size);
  if (again >= 0) throw refuse(columns[again], "each column once", "Leave the second one out.");
  return numbers;
}

/** The number of a column that is asked for by name or number. */
export function findColumn(source: string, { width, columns }: Header, asked: unknown): number {
  const named = typeof asked === "string" && columns ? columns.flatMap((name, i) => (name === asked ? [i] : [])) : [];
  if (named.length === 1) return named[0];
  const refuse = (given: unknown, expected: string, remedy: string) =>
    new DataError({ subject: `columns of ${source}`, given, expected, remedy });
  if (named.length > 1) {
    throw refuse(
      asked,
      "a name that one column has",
      `Columns ${named.join(" and ")} have it: give the number, from 0.`,
    );
  }
  const number = typeof asked === "string" && /^\d+$/.test(asked) ? Number(asked) : asked;
  if (Number.isInteger(number) && (number as number) >= 0 && (number as number) < width) return number as number;
  const names = columns
    ? `${listed(
        columns.map((name) => JSON.stringify(name)),
        20,
      )}, or `
    : "";
  const expected = `${names}a number from 0 to ${width - 1}`;
  throw refuse(
    asked,
    expected,
    columns ? "Names are case-sensitive." : "The table has no header line: choose by number.",
  );
}

/** The refusal of a first column that is to be left out as an index, and holds something else. */
export function notAnIndex(subject: string, given: unknown): DataError {
  return new DataError({
    subject,
    given,
    expected: "an index: whole numbers or labels",
    remedy: "Leave out skipIndex (--skip-index): this column is data; or say which to keep by columns (--columns).",
  });
}
