/** What each column of a table is: found from its fields, or said by hand. */
import { kindOf, numberIn } from "../../../data/table-field.ts";
import type { FieldsTable } from "../../../data.ts";
import { ConfigError, DataError } from "../../../index.ts";
import { closest } from "../../arguments.ts";

/** How a column of numbers is brought to where a model works. */
export type Scale = "real" | "log" | "bounded";

interface Named {
  readonly name: string;
  /** Its place in the file, from 0. */
  readonly index: number;
  /** Whether it was said by hand. */
  readonly said: boolean;
}

/** Numbers; dates are days since 1970. */
export interface NumberColumn extends Named {
  readonly kind: "number";
  readonly scale: Scale;
  /** Distance of the values that there are, such as 1 of whole numbers and 0.01 of prices; 0: any value. */
  readonly step: number;
  /** Ends, of a bounded column. */
  readonly low: number;
  readonly high: number;
  /** Least and greatest value in the file. */
  readonly least: number;
  readonly most: number;
  readonly decimal: "." | ",";
  readonly isDate: boolean;
  /** Digits behind the point in the file. */
  readonly decimals: number;
}

/** Kinds without an order. */
export interface CategoryColumn extends Named {
  readonly kind: "category";
  readonly categories: readonly string[];
}

/** No part of the model. */
export interface LeftOutColumn extends Named {
  readonly kind: "constant" | "left out";
  /** Of a constant. */
  readonly value?: string;
}

export type ModelColumn = NumberColumn | CategoryColumn;
export type Column = ModelColumn | LeftOutColumn;

export interface FoundColumns {
  readonly columns: readonly Column[];
  /** What is odd, or was decided and might be otherwise, a sentence each. */
  readonly notes: readonly string[];
}

/** Different texts of a column that is taken for categories by itself, and of one that is said to be. */
const [MOST_CATEGORIES, MOST_SAID] = [30, 100];

/** Columns with a larger share of missing values are left out unless they are named. */
const MOST_MISSING = 0.5;

/** Of a column with as many numbers, what is no number is a slip. */
const MOSTLY_NUMBERS = 0.9;

/** Fewer rows tell no index from numbers. */
const ROWS_OF_AN_INDEX = 10;

const saidKinds = ["real", "integer", "log", "bounded", "category", "skip"] as const;
type SaidKind = (typeof saidKinds)[number];

interface Said {
  readonly kind: SaidKind;
  readonly bounds?: readonly [number, number];
}

/**
 * The kinds of a table's columns.
 *
 * @param given - `name:kind,...` of those that are said by hand; names or numbers from 1; `bounded:LOW:HIGH`.
 * @throws {@link ConfigError} when a name or kind is unknown.
 * @throws {@link DataError} when a column of numbers has a field that is none, or the kind said cannot be.
 */
export function findColumns(table: FieldsTable, source: string, given = ""): FoundColumns {
  const said = readSaid(given, table.columns);
  const notes = [...table.notes];
  const columns = table.columns.map((name, index): Column => {
    const fields = table.rows.map((row) => row[index]);
    return columnOf({ name, index, fields, source, lines: table.lines, said: said.get(index), notes });
  });
  return { columns, notes };
}

/** `age:integer,share:bounded:0:1` */
function readSaid(given: string, names: readonly string[]): Map<number, Said> {
  const all = new Map<number, Said>();
  for (const one of given.split(",").filter((text) => text.trim() !== "")) {
    const found = /^(.*?):(\w+)(?::([^:]+):([^:]+))?$/.exec(one.trim());
    const [, name = "", kind = "", low, high] = found ?? [];
    const refuse = (expected: string, remedy: string) => {
      throw new ConfigError({ subject: "--set columns", given: one, expected, remedy });
    };
    if (!found || !(saidKinds as readonly string[]).includes(kind))
      refuse(`NAME:KIND, the kind one of ${saidKinds.join(", ")}`, "Write columns=age:integer,share:bounded:0:1.");
    const named = names.indexOf(name);
    const index = named >= 0 ? named : /^\d+$/.test(name) ? Number(name) - 1 : -1;
    if (index < 0 || index >= names.length)
      refuse(`a column's name, or its number from 1 to ${names.length}`, closest(name, names));
    const bounds = low === undefined ? undefined : ([Number(low), Number(high)] as const);
    const isInterval = bounds !== undefined && Number.isFinite(bounds[1] - bounds[0]) && bounds[0] < bounds[1];
    if (kind === "bounded" ? !isInterval : bounds !== undefined)
      refuse("bounds of bounded, and of no other kind, the lower first", "Write columns=share:bounded:0:1.");
    all.set(index, { kind: kind as SaidKind, ...(bounds && { bounds }) });
  }
  return all;
}

interface Fields {
  readonly name: string;
  readonly index: number;
  readonly fields: readonly (string | undefined)[];
  readonly source: string;
  readonly lines: readonly number[];
  readonly said: Said | undefined;
  readonly notes: string[];
}

function columnOf(given: Fields): Column {
  const { name, index, fields, said, notes } = given;
  const named = { name, index, said: said !== undefined };
  const leaveOut = (note: string): Column => {
    notes.push(`${name} ${note}: it is left out.`);
    return { ...named, kind: "left out" };
  };
  if (said?.kind === "skip") return { ...named, kind: "left out" };
  const present = fields.filter((field) => field !== undefined);
  if (present.length === 0) return leaveOut("is empty");
  const missing = 1 - present.length / fields.length;
  if (missing > MOST_MISSING && !said) return leaveOut(`has no value in ${percent(missing)} of the rows`);
  const different = [...new Set(present)].sort();
  if (different.length === 1) {
    notes.push(`${name} is ${different[0]} in every row that has it: no model is needed for it.`);
    return { ...named, kind: "constant", value: different[0] as string };
  }
  if (said?.kind === "category") return categoryOf(given, named, different);
  const numbers = numbersOf(given, present);
  if (numbers) return numberColumn(given, named, numbers, different);
  const isUnique = different.length === present.length && present.length >= ROWS_OF_AN_INDEX;
  if (isUnique) return leaveOut("is another text in each row, such as an identifier");
  const most = Math.min(MOST_CATEGORIES, Math.max(ROWS_OF_AN_INDEX, present.length / 5));
  if (different.length > most) return leaveOut(`has ${different.length} different texts, too many for categories`);
  return categoryOf(given, named, different);
}

function categoryOf({ name, source, notes }: Fields, named: Named, categories: readonly string[]): CategoryColumn {
  if (categories.length > MOST_SAID) {
    throw new DataError({
      subject: `${source}, column ${name}`,
      given: `${categories.length} categories`,
      expected: `at most ${MOST_SAID}`,
      remedy: "Put rare ones together, or leave the column out (skip).",
    });
  }
  const lower = categories.map((one) => one.toLowerCase());
  const twice = categories.filter(
    (_, i) => lower.indexOf(lower[i] as string) !== lower.lastIndexOf(lower[i] as string),
  );
  if (twice.length > 0) notes.push(`${name} has categories that differ in case alone: ${twice.join(", ")}.`);
  return { ...named, kind: "category", categories };
}

interface Numbers {
  readonly values: readonly number[];
  readonly decimal: "." | ",";
  readonly isDate: boolean;
}

const DAY = 86_400_000;

/** Days since 1970 of a date such as 2024-02-29; NaN of what is none. */
export function dayOf(field: string): number {
  if (!/^\d{4}-\d\d-\d\d$/.test(field)) return Number.NaN;
  const time = Date.parse(`${field}T00:00:00Z`);
  return Number.isNaN(time) || dateOf(time / DAY) !== field ? Number.NaN : time / DAY;
}

export function dateOf(day: number): string {
  return new Date(day * DAY).toISOString().slice(0, 10);
}

/** The number of a field of such a column. */
export function numberOf({ decimal, isDate }: Pick<NumberColumn, "decimal" | "isDate">, field: string): number {
  return isDate ? dayOf(field) : numberIn(field, decimal);
}

/** Undefined: texts. */
function numbersOf({ name, source, fields, lines, said }: Fields, present: readonly string[]): Numbers | undefined {
  const readings = [
    ...([".", ","] as const).map((decimal) => ({ decimal, isDate: false })),
    { decimal: "." as const, isDate: true },
  ].map((one) => ({ ...one, values: present.map((field) => numberOf(one, field)) }));
  // 1,200 may be a thousand or one: commas are decimal where one of them cannot be of thousands.
  const isThousands = (field: string) => !field.includes(",") || /^[+-]?\d{1,3}(,\d{3})+$/.test(field);
  if (present.every(isThousands)) readings.splice(1, 1);
  const slips = ({ values }: (typeof readings)[number]) => values.filter(Number.isNaN).length;
  const [best] = readings.sort((a, b) => slips(a) - slips(b)) as [(typeof readings)[number]];
  if (slips(best) === 0) return best;
  const isMostly = present.length - slips(best) >= MOSTLY_NUMBERS * present.length;
  if (!isMostly && !said) return undefined;
  const row = fields.findIndex((field) => field !== undefined && Number.isNaN(numberOf(best, field)));
  const field = fields[row] as string;
  throw new DataError({
    subject: `${source}, line ${lines[row]}, column ${name}`,
    given: field,
    expected: best.isDate ? "a date such as 2024-02-29" : "a number, as in the other rows",
    remedy:
      kindOf(field) === "number"
        ? "Write it as the others are written, without thousands separators; or leave the column out (--set columns=NAME:skip)."
        : "Correct it or leave the field empty; or take the column as categories (--set columns=NAME:category), or leave it out (NAME:skip).",
  });
}

function numberColumn(given: Fields, named: Named, numbers: Numbers, different: readonly string[]): Column {
  const { name, fields, said, notes, source } = given;
  const { values, decimal, isDate } = numbers;
  const [least, most] = [Math.min(...ends(values)), Math.max(...ends(values))];
  const count = new Set(values).size;
  const isWhole = values.every(Number.isInteger);
  if (count === 1) return { ...named, kind: "constant", value: different[0] as string }; // 1 and 1.0
  if (!said && isWhole && !isDate && count === 2) return categoryOf(given, named, different);
  if (!said && isWhole && !isDate && count === values.length && count >= ROWS_OF_AN_INDEX) {
    if (most - least === count - 1 || isIdentifier(name)) {
      notes.push(`${name} is another whole number in each row, such as an index: it is left out.`);
      return { ...named, kind: "left out" };
    }
    notes.push(
      `${name} is another whole number in each row: if it names rows, leave it out (--set columns=NAME:skip).`,
    );
  }
  const texts = fields.filter((field) => field !== undefined);
  const decimals = isDate ? 0 : Math.max(...ends(texts.map((field) => decimalsOf(field, decimal))));
  const hasTies = count <= TIES * values.length || isWhole;
  const step = hasTies && decimals <= MOST_DECIMALS ? stepOf(values, decimals) : 0;
  const column = { ...named, kind: "number" as const, least, most, step, decimal, isDate, decimals };
  const refuse = (expected: string): never => {
    throw new DataError({
      subject: `${source}, column ${name}, said to be ${said?.kind}`,
      given: `values from ${least} to ${most}`,
      expected,
      remedy: "Say another kind, or none.",
    });
  };
  const free = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
  if (said?.kind === "integer" && !isWhole) refuse("whole numbers");
  if (said?.kind === "log" && !canBeLog(least, step)) refuse("values above 0, or whole numbers from 0");
  if (said?.bounds) {
    const [low, high] = said.bounds;
    const inside = step > 0 ? least >= low && most <= high : least > low && most < high;
    if (!inside) refuse(`values between ${low} and ${high}`);
    return { ...column, scale: "bounded", low, high };
  }
  if (said) return { ...column, scale: said.kind === "log" ? "log" : "real", ...free };
  const high = isDate ? undefined : naturalBound(least, most, step);
  if (high !== undefined) return { ...column, scale: "bounded", low: 0, high };
  return { ...column, scale: !isDate && wantsLog(values, least, step) ? "log" : "real", ...free };
}

/** Arrays that `Math.min` may spread: it takes no more than so many arguments. */
function ends(values: readonly number[]): number[] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
  return [low, high];
}

/** With more of the values different from each other a column is not taken to lie on a grid. */
const TIES = 0.8;
const MOST_DECIMALS = 6;

function decimalsOf(field: string, decimal: "." | ","): number {
  if (/e/i.test(field)) return Number.POSITIVE_INFINITY;
  const at = field.indexOf(decimal);
  return at < 0 ? 0 : field.length - at - 1;
}

/** The largest step of which all differences are multiples. */
function stepOf(values: readonly number[], decimals: number): number {
  const unit = 10 ** decimals;
  const first = Math.round((values[0] as number) * unit);
  let common = 0;
  for (const value of values) {
    let [a, b] = [Math.abs(Math.round(value * unit) - first), common];
    if (!Number.isSafeInteger(a)) return 0;
    while (a > 0) [a, b] = [b % a, a];
    common = b;
    if (common === 1) break;
  }
  return common / unit;
}

const isIdentifier = (name: string) => /(^|[^a-z])(id|key|index|uuid|nr|no|number|row)([^a-z]|$)|Id$/i.test(name);

const canBeLog = (least: number, step: number) => least > 0 || (least === 0 && step > 0);

/** Skewness that a logarithm is to take away, and what share of it. */
const [SKEWED, TAKEN] = [1, 0.5];

function wantsLog(values: readonly number[], least: number, step: number): boolean {
  if (!canBeLog(least, step)) return false;
  const before = skewness(values);
  return before > SKEWED && Math.abs(skewness(values.map((value) => Math.log(value + step / 2)))) < TAKEN * before;
}

function skewness(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value / values.length, 0);
  const moment = (power: number) => values.reduce((sum, value) => sum + (value - mean) ** power / values.length, 0);
  return moment(3) / (moment(2) ** 1.5 || 1);
}

/** 1 or 100 where a column spans what shares or percentages span. */
function naturalBound(least: number, most: number, step: number): number | undefined {
  return [1, 100].find((high) => {
    const inside = step > 0 ? least >= 0 && most <= high : least > 0 && most < high;
    return inside && step < high / 20 && least < high / 10 && most > 0.9 * high;
  });
}

const percent = (share: number) => `${Math.round(100 * share)} %`;

/** A column's kind in words, for reports. */
export function describeColumn(column: Column): string {
  if (column.kind === "category") {
    const shown = column.categories.slice(0, 6).join(", ");
    return `${column.categories.length} categories: ${shown}${column.categories.length > 6 ? ", ..." : ""}`;
  }
  if (column.kind !== "number") return column.kind === "constant" ? `always ${column.value}` : "left out";
  const { scale, step, isDate, low, high, least, most } = column;
  const what = isDate ? "date" : step === 1 ? "whole number" : step > 0 ? `number in steps of ${step}` : "number";
  const how = { real: "", log: ", logarithmic", bounded: `, between ${low} and ${high}` }[scale];
  const span = isDate ? `${dateOf(least)} to ${dateOf(most)}` : `${least} to ${most}`;
  return `${what}${how}; ${span}`;
}
