/** Columns of a table as text that are told of its points: labels, and numbers. */
import { ConfigError, DataError } from "../errors.ts";
import { type ColumnOptions, chooseColumns, findColumn, type Header } from "./choose-columns.ts";
import { badField, type Decimal, numberIn } from "./table-field.ts";

/** One that is read as it comes. */
export interface ToldColumn {
  readonly name: string;
  /** From 0. */
  readonly column: number;
  readonly values: string[] | number[];
  readonly isLabel: boolean;
}

interface ToldOptions extends ColumnOptions {
  readonly labels?: readonly (string | number)[] | undefined;
  readonly conditions?: readonly (string | number)[] | undefined;
}

/**
 * The columns that these options ask for. Without a header they are called column0, column1 and so on.
 *
 * @throws {@link DataError} when a column is not there, or a name stands for two.
 * @throws {@link ConfigError} when a column is asked for twice.
 */
export function chooseTold(source: string, header: Header, { labels, conditions }: ToldOptions): ToldColumn[] {
  const seen = new Set<number>();
  return [labels, conditions].flatMap((asked, kind) => {
    if (asked === undefined) return [];
    const subject = `${kind === 0 ? "labels" : "conditions"} of ${source}`;
    if (!Array.isArray(asked) || asked.length === 0) {
      const facts = { given: asked, expected: "a list of names or of numbers from 0", remedy: "Leave it out." };
      throw new ConfigError({ subject, ...facts });
    }
    return asked.map((one) => {
      const column = findColumn(source, header, one);
      if (seen.size === seen.add(column).size) {
        const facts = { given: one, expected: "each column once", remedy: "Leave the second one out." };
        throw new ConfigError({ subject, ...facts });
      }
      return { name: header.columns?.[column] || `column${column}`, column, values: [], isLabel: kind === 0 };
    });
  });
}

/**
 * The numbers of the columns that are points, beside these.
 *
 * @param choice - asked, with the names of the columns that are not told, where no option says which to keep.
 */
export function keptColumns(
  source: string,
  header: Header,
  told: readonly ToldColumn[],
  options: ToldOptions,
  choice: (columns: readonly string[] | undefined) => readonly number[] | undefined,
): readonly number[] {
  const taken = new Set(told.map(({ column }) => column));
  const left = Array.from({ length: header.width }, (_, column) => column).filter((column) => !taken.has(column));
  if (options.columns === undefined && !options.skipIndex) {
    const chosen = choice(header.columns && left.map((column) => header.columns?.[column] as string));
    if (chosen) return chosen.map((column) => left[column]);
  }
  const all = chooseColumns(source, header, options);
  const twice = all.findIndex((column) => taken.has(column));
  if (options.columns !== undefined && twice >= 0) {
    const facts = { expected: "columns beside labels and conditions", remedy: "Name it once." };
    throw new ConfigError({ subject: `columns of ${source}`, given: options.columns[twice], ...facts });
  }
  const kept = all.filter((column) => !taken.has(column));
  if (kept.length > 0) return kept;
  throw new DataError({
    subject: source,
    given: "labels and conditions alone",
    expected: "columns of points beside them",
    remedy: "Leave one out of labels and conditions (--label, --condition).",
  });
}

/** What stands where nothing is known; other words may be kinds, such as none. */
const nothing = /^(<?na>?|n\/a|nan|null|\?|#.*)?$/i;

/** Reads the field of a row. */
export function readTold(
  { name, column, values, isLabel }: ToldColumn,
  fields: readonly string[],
  decimal: Decimal,
  where: string,
): void {
  const field = fields[column];
  if (!isLabel) {
    const value = numberIn(field, decimal);
    if (Number.isNaN(value)) throw badField(where, column, name, field, decimal, false);
    (values as number[]).push(value);
    return;
  }
  if (nothing.test(field)) {
    throw new DataError({
      subject: `${where}, column ${column + 1}`,
      given: field,
      expected: "a label",
      remedy: `Remove the line, or give it a label of its own in column ${JSON.stringify(name)}.`,
    });
  }
  (values as string[]).push(field);
}

/** All of them by name. */
export function conditionsIn(told: readonly ToldColumn[]): Readonly<Record<string, readonly string[] | Float64Array>> {
  return Object.fromEntries(
    told.map(({ name, values, isLabel }) => [
      name,
      isLabel ? (values as string[]) : Float64Array.from(values as number[]),
    ]),
  );
}
