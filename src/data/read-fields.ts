/** Tables of whatever kinds as text: their fields as they stand, for readers that make something of them. */
import { choiceOption, optionsObject } from "../graph/options.ts";
import { type Delimiter, delimiters } from "./lines.ts";
import { viewedBytes } from "./numbers.ts";
import { RecordReader } from "./records.ts";
import { type Decimal, kindOf } from "./table-field.ts";

export interface FieldsOptions {
  /** As of `readCsv`. */
  readonly delimiter?: Delimiter;
  /** As of `readCsv`. */
  readonly header?: "auto" | boolean;
  /** How decimals are written, which says what a comma in a line may be. Default ".". */
  readonly decimal?: Decimal;
}

export interface FieldsTable {
  /** Names from the header; "column 1" and so on where there is none. */
  readonly columns: readonly string[];
  /** Whether there is a header. */
  readonly header: boolean;
  /** Fields of each row, without the quotes and spaces around them; undefined where a value is missing: "", NA, NaN, n/a, null, ?, -. */
  readonly rows: readonly (readonly (string | undefined)[])[];
  /** The line of the file that each row begins on, from 1. */
  readonly lines: readonly number[];
  /** What is not certain about the layout, in sentences. */
  readonly notes: readonly string[];
}

/**
 * The fields of a text file (UTF-8) with a row per line, numbers and text alike: delimiter, header, quotes, comments and blank lines
 * as of `readCsv`, which reads tables of numbers.
 *
 * @param given - the file's bytes.
 * @param source - the file's name, for messages.
 * @throws {@link DataError} when these are no bytes, there is no row, or a line has more or fewer fields than the first.
 * @throws {@link ConfigError} when an option is unknown or outside its range.
 */
export function readFields(
  given: Uint8Array | ArrayBuffer,
  source = "csv file",
  options: FieldsOptions = {},
): FieldsTable {
  optionsObject("options of readFields", options, ["delimiter", "header", "decimal"]);
  const { delimiter, header = "auto", decimal = "." } = options;
  if (delimiter !== undefined) choiceOption("delimiter of readFields", delimiter, delimiters);
  choiceOption("header of readFields", header, ["auto", true, false]);
  choiceOption("decimal of readFields", decimal, [".", ","]);
  const rows: (string | undefined)[][] = [];
  const lines: number[] = [];
  const reader = new RecordReader(
    source,
    { header, decimal, ...(delimiter && { delimiter }) },
    {
      begin() {},
      row(fields, line, { width }) {
        rows.push(fields.slice(0, width).map((field) => (kindOf(field) === "missing" ? undefined : field)));
        lines.push(line);
      },
    },
  );
  reader.push(viewedBytes(source, given));
  const { columns, width, notes } = reader.end();
  const names = Array.from({ length: width }, (_, i) => columns?.[i] || `column ${i + 1}`);
  return { columns: names, header: columns !== undefined, rows, lines, notes };
}
