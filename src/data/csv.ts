/** Tables of numbers as text: one point per line, fields apart by comma, semicolon, tab, bar or spaces. */
import { ConfigError, DataError } from "../errors.ts";
import { booleanOption, choiceOption, optionsObject } from "../graph/options.ts";
import { notAnIndex } from "./choose-columns.ts";
import { columnNotes } from "./column-notes.ts";
import { GrowingValues } from "./growing-values.ts";
import { findLayout, hasQuotedDecimals, type Layout, LINES_LOOKED_AT } from "./layout.ts";
import { type Delimiter, delimiters, fieldsOf, type Line, LineReader } from "./lines.ts";
import { viewedBytes } from "./numbers.ts";
import { badField, type Decimal, numberIn } from "./table-field.ts";
import { chooseTold, conditionsIn, keptColumns, readTold, type ToldColumn } from "./told-columns.ts";
import { Utf8Decoder } from "./utf8.ts";

export type { Delimiter } from "./lines.ts";

export interface CsvTable {
  /** Row-major [count, dimension]. */
  readonly values: Float64Array;
  readonly count: number;
  readonly dimension: number;
  /** Names from the header line, if there is one, of the columns kept. */
  readonly columns?: readonly string[];
  /** The columns taken as labels and conditions, by name, as `arrayData` takes them: strings [count], numbers [count]. */
  readonly conditions?: Readonly<Record<string, readonly string[] | Float64Array>>;
  /**
   * What is not certain or looks wrong, in sentences: a header of numbers, a column that looks like an index, one that
   * never changes, names twice. Left out where there is nothing to say.
   */
  readonly notes?: readonly string[];
}

export interface CsvOptions {
  /**
   * What sets fields apart; " " stands for runs of spaces and tabs. Default: the first of tab, semicolon, comma and bar
   * that all of the first 100 lines have equally often outside quotes; else the first that the first line has; else " ".
   */
  readonly delimiter?: Delimiter;
  /** Whether the first line holds names. Default "auto": it does where it has words above numbers; see docs/data.md. */
  readonly header?: "auto" | boolean;
  /** The columns to keep, in this order: names, or numbers from 0. Default: all. */
  readonly columns?: readonly (string | number)[];
  /** Leaves out the first column, which numbers or labels the rows. Default false. */
  readonly skipIndex?: boolean;
  /** Columns of labels, each a text or a number that stands for a kind: not points but what is told of them. */
  readonly labels?: readonly (string | number)[];
  /** Columns of numbers that are told of the points, not part of them. */
  readonly conditions?: readonly (string | number)[];
  /** How decimals are written. Default ".". */
  readonly decimal?: Decimal;
}

/**
 * The numbers in a text file (UTF-8). Blank lines and lines that start with `#` are passed over; fields may stand in
 * double quotes, with line breaks in them. Nothing else is passed over: a missing value is an error.
 *
 * @param given - the file's bytes.
 * @param source - the file's name, for messages, which name line and column from 1.
 * @throws {@link DataError} when these are no bytes, there is no line of numbers, a line has more or fewer fields than the first, a field
 * that is kept is not a finite number, or a column asked for is not there.
 * @throws {@link ConfigError} when an option is unknown or outside its range.
 * @example
 * const { values, count, dimension, columns } = readCsv(bytes, "points.csv", { columns: ["age", "income"] });
 */
export function readCsv(given: Uint8Array | ArrayBuffer, source = "csv file", options: CsvOptions = {}): CsvTable {
  const bytes = viewedBytes(source, given);
  const reader = new CsvReader(source, options);
  for (let start = 0; start < bytes.length; start += PIECE) reader.push(bytes.subarray(start, start + PIECE));
  return reader.end();
}

/** Bytes decoded at once: a string may not hold a whole file. */
const PIECE = 1 << 20;

/** Which columns to keep, in which order, once the names are known; undefined: all. */
export type ColumnChoice = (columns: readonly string[] | undefined) => readonly number[] | undefined;

/** {@link readCsv} for bytes that come in pieces: `push` each, then `end` gives the table. */
export class CsvReader {
  private readonly source: string;
  private readonly options: CheckedOptions;
  /** As asked for, or as the first line says. */
  private delimiter: Delimiter | undefined;
  private readonly decoder: Utf8Decoder;
  private readonly lines: LineReader;
  /** The first records, until there are enough to tell the layout. */
  private held: Line[] = [];
  private layout: Layout | undefined;
  /** Numbers of the columns kept. */
  private kept: readonly number[] = [];
  private told: readonly ToldColumn[] = [];
  private readonly values = new GrowingValues();
  private count = 0;
  private readonly choice: ColumnChoice;

  /** @param choice - asked where neither `columns` nor `skipIndex` says which columns to keep. */
  constructor(source: string, options: CsvOptions = {}, choice: ColumnChoice = () => undefined) {
    this.source = source;
    this.choice = choice;
    this.options = checkOptions(options);
    this.delimiter = this.options.delimiter;
    this.decoder = new Utf8Decoder(source);
    this.lines = new LineReader(source, (line) => {
      if (line.number === 1 && /^sep=/i.test(line.text)) this.delimiter ??= separatorIn(line.text, source);
      else if (this.layout) this.readRow(line, this.layout);
      else if (this.held.push(line) === LINES_LOOKED_AT) this.begin();
    });
  }

  push(bytes: Uint8Array): void {
    this.lines.push(this.decoder.decode(viewedBytes(this.source, bytes)));
  }

  end(): CsvTable {
    this.lines.push(this.decoder.end());
    this.lines.end();
    const layout = this.layout ?? this.begin();
    const { count, source } = this;
    if (!layout || count === 0) {
      throw new DataError({
        subject: source,
        given: layout ? "only a header line" : "no lines",
        expected: "at least one line of numbers",
        remedy: "Write one point per line, such as 0.5,-1.25.",
      });
    }
    const columns = layout.columns && this.kept.map((i) => layout.columns?.[i] as string);
    const table = { values: this.values.joined(source), count, dimension: this.kept.length };
    const notes = [...layout.notes, ...columnNotes({ ...table, columns })];
    const conditions = this.told.length > 0 && { conditions: conditionsIn(this.told) };
    return { ...table, columns, ...conditions, ...(notes.length > 0 && { notes }) };
  }

  /** Reads the records held, now that their layout can be told. */
  private begin(): Layout | undefined {
    if (this.held.length === 0) return undefined;
    const { delimiter } = this;
    if (delimiter === this.options.decimal && !this.held.some(({ text }) => hasQuotedDecimals(text))) {
      const facts = {
        given: "a comma, beside decimals with a comma",
        expected: "another character, or quotes",
      };
      throw new ConfigError({ subject: "delimiter of readCsv", ...facts, remedy: "Leave the delimiter out." });
    }
    const layout = findLayout(this.held, { ...this.options, delimiter });
    this.told = chooseTold(this.source, layout, this.options);
    this.kept = keptColumns(this.source, layout, this.told, this.options, this.choice);
    this.layout = layout;
    for (const line of this.held.slice(layout.columns ? 1 : 0)) this.readRow(line, layout);
    this.held = [];
    return layout;
  }

  private readRow(line: Line, layout: Layout): void {
    const { width, trailing, columns, delimiter } = layout;
    const { decimal, skipIndex } = this.options;
    const fields = fieldsOf(line.text, delimiter);
    const where = `${this.source}, line ${line.number}`;
    const tooMany = fields.length > width && !(trailing && fields.slice(width).every((field) => field === ""));
    if (fields.length < width || tooMany) throw wrongWidth(where, fields.length, width);
    if (skipIndex && isMeasurement(numberIn(fields[0], decimal))) throw notAnIndex(`${where}, column 1`, fields[0]);
    const { block, from } = this.values.room(this.kept.length);
    for (let i = 0; i < this.kept.length; i++) {
      const column = this.kept[i];
      const value = numberIn(fields[column], decimal);
      if (Number.isNaN(value)) {
        const first = this.count === 0 && columns === undefined;
        throw badField(where, column, columns?.[column], fields[column], decimal, first);
      }
      block[from + i] = value;
    }
    for (const told of this.told) readTold(told, fields, decimal, where);
    this.count++;
  }
}

/** What the line sep=; that Excel puts first says of the others. */
function separatorIn(line: string, source: string): Delimiter {
  const given = line.slice("sep=".length);
  const separator = delimiters.find((one) => one === given || one === given.trim());
  if (separator) return separator;
  throw new DataError({
    subject: `${source}, line 1`,
    given: line,
    expected: "comma, semicolon, tab, bar or space",
    remedy: "Remove the line.",
  });
}

type CheckedOptions = Required<Pick<CsvOptions, "header" | "skipIndex" | "decimal">> &
  Pick<CsvOptions, "delimiter" | "columns" | "labels" | "conditions">;

function checkOptions(given: CsvOptions): CheckedOptions {
  const known = ["delimiter", "header", "columns", "skipIndex", "labels", "conditions", "decimal"] as const;
  optionsObject("options of readCsv", given, known);
  const { delimiter, header = "auto", columns, skipIndex = false, decimal = "." } = given;
  if (delimiter !== undefined) choiceOption("delimiter of readCsv", delimiter, delimiters);
  choiceOption("header of readCsv", header, ["auto", true, false]);
  choiceOption("decimal of readCsv", decimal, [".", ","]);
  booleanOption("skipIndex of readCsv", skipIndex);
  const { labels, conditions } = given;
  return {
    ...{ header, skipIndex, decimal },
    ...(delimiter && { delimiter }),
    ...(columns && { columns }),
    ...(labels && { labels }),
    ...(conditions && { conditions }),
  };
}

/** A column of measurements that is left out by mistake is told by its decimals. */
const isMeasurement = (value: number): boolean => !Number.isNaN(value) && !Number.isInteger(value);

function wrongWidth(where: string, given: number, expected: number): DataError {
  return new DataError({
    subject: where,
    given: `${given} ${given === 1 ? "field" : "fields"}`,
    expected: `${expected}, as on the first line`,
    remedy: "Every line holds one point of the same dimension; remove the line, or complete it.",
  });
}
