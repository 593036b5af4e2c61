/** Tables of numbers as text: one point per line, fields apart by comma, semicolon, tab, bar or spaces. */
import { booleanOption, choiceOption, optionsObject } from "../graph/options.ts";
import { notAnIndex } from "./choose-columns.ts";
import { columnNotes } from "./column-notes.ts";
import { GrowingValues } from "./growing-values.ts";
import type { Layout } from "./layout.ts";
import { type Delimiter, delimiters } from "./lines.ts";
import { viewedBytes } from "./numbers.ts";
import { RecordReader } from "./records.ts";
import { badField, type Decimal, numberIn } from "./table-field.ts";
import { chooseTold, conditionsIn, keptColumns, readTold, type ToldColumn } from "./told-columns.ts";

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
  const reader = new CsvReader(source, options);
  reader.push(given);
  return reader.end();
}

/** Which columns to keep, in which order, once the names are known; undefined: all. */
export type ColumnChoice = (columns: readonly string[] | undefined) => readonly number[] | undefined;

/** {@link readCsv} for bytes that come in pieces: `push` each, then `end` gives the table. */
export class CsvReader {
  private readonly source: string;
  private readonly options: CheckedOptions;
  private readonly records: RecordReader;
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
    this.records = new RecordReader(source, this.options, {
      begin: (layout) => this.begin(layout),
      row: (fields, line, layout) => this.readRow(fields, line, layout),
    });
  }

  push(bytes: Uint8Array | ArrayBuffer): void {
    this.records.push(viewedBytes(this.source, bytes));
  }

  end(): CsvTable {
    const layout = this.records.end();
    const columns = layout.columns && this.kept.map((i) => layout.columns?.[i] as string);
    const table = { values: this.values.joined(this.source), count: this.count, dimension: this.kept.length };
    const notes = [...layout.notes, ...columnNotes({ ...table, columns })];
    const conditions = this.told.length > 0 && { conditions: conditionsIn(this.told) };
    return { ...table, columns, ...conditions, ...(notes.length > 0 && { notes }) };
  }

  private begin(layout: Layout): void {
    this.told = chooseTold(this.source, layout, this.options);
    this.kept = keptColumns(this.source, layout, this.told, this.options, this.choice);
  }

  private readRow(fields: readonly string[], line: number, { columns }: Layout): void {
    const { decimal, skipIndex } = this.options;
    const where = `${this.source}, line ${line}`;
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
