/** Tables of numbers as text: one point per line, fields apart by comma, semicolon, tab or spaces. */
import { DataError } from "../errors.ts";

export interface CsvTable {
  /** Row-major [count, dimension]. */
  readonly values: Float64Array;
  readonly count: number;
  readonly dimension: number;
  /** Names from the header line, if there is one. */
  readonly columns?: readonly string[];
}

export const delimiters = [",", ";", "\t", " "] as const;
export type Delimiter = (typeof delimiters)[number];

export interface CsvOptions {
  /** Default: tab, semicolon or comma, the first of them that the first line has, else spaces. */
  readonly delimiter?: Delimiter;
}

/**
 * The numbers in a text file (UTF-8). The first line may be a header: then none of its fields is a number. Empty lines
 * and lines that start with `#` are passed over; fields may stand in double quotes.
 *
 * @param source - the file's name, for messages, which name line and column from 1.
 * @throws {@link DataError} when there is no line of numbers, a line has more or fewer fields than the one before, or
 * a field is not a finite number.
 */
export function readCsv(bytes: Uint8Array, source = "csv file", options: CsvOptions = {}): CsvTable {
  const text = decode(bytes, source);
  let delimiter = options.delimiter;
  let columns: string[] | undefined;
  let dimension = 0;
  let count = 0;
  let values = new Float64Array(1024);

  let number = 0;
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf("\n", start);
    const end = newline < 0 ? text.length : newline;
    const line = text.slice(start, end).replace(/\r$/, "");
    start = end + 1;
    number++;
    if (line.trim() === "" || line.startsWith("#")) continue;

    delimiter ??= ["\t" as const, ";" as const, "," as const].find((candidate) => line.includes(candidate)) ?? " ";
    const fields = split(line, delimiter);
    if (dimension === 0) {
      dimension = fields.length;
      if (!fields.some(looksNumeric)) {
        columns = fields;
        continue;
      }
    }
    const where = `${source}, line ${number}`;
    if (fields.length !== dimension) throw wrongWidth(where, fields.length, dimension);
    if ((count + 1) * dimension > values.length) {
      const longer = new Float64Array(2 * (values.length + dimension));
      longer.set(values);
      values = longer;
    }
    for (let i = 0; i < dimension; i++) values[count * dimension + i] = parse(fields[i], where, i + 1);
    count++;
  }
  if (count === 0) {
    throw new DataError({
      subject: source,
      given: columns ? "only a header line" : "no lines",
      expected: "at least one line of numbers",
      remedy: "Write one point per line, such as 0.5,-1.25.",
    });
  }
  return { values: values.slice(0, count * dimension), count, dimension, columns };
}

function decode(bytes: Uint8Array, source: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes); // drops a byte order mark
  } catch (cause) {
    const facts = {
      subject: source,
      given: "bytes that are not UTF-8 text",
      expected: "a .npy file or a table of numbers as text",
      remedy: "Save the table as UTF-8 CSV, or the array with numpy.save.",
    };
    throw new DataError(facts, { cause });
  }
}

function split(line: string, delimiter: Delimiter): string[] {
  if (delimiter === " ") return line.trim().split(/\s+/).map(unquote);
  if (!line.includes('"')) return line.split(delimiter).map((field) => field.trim());
  const fields: string[] = [];
  let from = 0;
  let quoted = false;
  for (let i = 0; i <= line.length; i++) {
    if (line[i] === '"') quoted = !quoted;
    if (i === line.length || (line[i] === delimiter && !quoted)) {
      fields.push(unquote(line.slice(from, i).trim()));
      from = i + 1;
    }
  }
  return fields;
}

const unquote = (field: string): string => field.replace(/^"(.*)"$/, "$1").trim();

const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** Also what some program wrote for a number that is none, so that such a first line is no header. */
const looksNumeric = (field: string): boolean => decimal.test(field) || /^[+-]?(nan|inf|infinity)$/i.test(field);

function parse(field: string, where: string, column: number): number {
  const value = decimal.test(field) ? Number(field) : Number.NaN;
  if (Number.isFinite(value)) return value;
  throw new DataError({
    subject: `${where}, column ${column}`,
    given: field,
    expected: "a finite number",
    remedy: /^[+-]?\d+,\d+/.test(field)
      ? "Write decimals with a point, not a comma."
      : "Remove the line, or fill the gap.",
  });
}

function wrongWidth(where: string, given: number, expected: number): DataError {
  return new DataError({
    subject: where,
    given: `${given} ${given === 1 ? "field" : "fields"}`,
    expected: `${expected}, as on the first line`,
    remedy: "Every line holds one point of the same dimension; remove the line, or complete it.",
  });
}
