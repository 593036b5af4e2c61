/**
 * How a table as text is laid out: what sets fields apart, how many there are, whether the first line is a header. The
 * rules, which look at the first lines alone, are in docs/data.md; what they leave open is said in `notes`.
 */
import { printable } from "../errors.ts";
import { countOutsideQuotes, type Delimiter, fieldsOf, type Line, textOutsideQuotes } from "./lines.ts";
import { type Decimal, kindOf } from "./table-field.ts";

export interface Layout {
  readonly delimiter: Delimiter;
  /** Fields of a row. */
  readonly width: number;
  /** Whether lines have empty fields behind these, which count for nothing. */
  readonly trailing: boolean;
  /** Names from the header, as many as `width`. */
  readonly columns?: readonly string[];
  readonly notes: readonly string[];
}

export interface LayoutOptions {
  readonly delimiter?: Delimiter | undefined;
  readonly header: "auto" | boolean;
  readonly decimal: Decimal;
}

/** Records that are looked at before anything is decided. */
export const LINES_LOOKED_AT = 100;

/** The layout of a table that begins with these records, of which there is at least one. */
export function findLayout(lines: readonly Line[], options: LayoutOptions): Layout {
  const texts = lines.map(({ text }) => text);
  const delimiter = options.delimiter ?? chooseDelimiter(texts, options.decimal);
  const [first, ...below] = texts.map((text) => fieldsOf(text, delimiter));
  const oneName = delimiter === " " && below.length > 0 && below.every(({ length }) => length === 1);
  const top = oneName && first.length > 1 && first.every(isText) ? [first.join(" ")] : first;

  const all = [top, ...below];
  const filled = Math.max(...all.map(({ length }, i) => length - emptyAtEnd(all[i])));
  const trailing = filled > 0 && all.some(({ length }) => length > filled);
  const widthOf = ({ length }: readonly string[]) => (trailing ? Math.min(length, filled) : length);
  const width = widthOf(top);
  const notes = trailing ? ["Lines end with a delimiter: the empty last column is left out."] : [];

  if (options.header === false) return { delimiter, width, trailing, notes };
  const names = top.slice(0, width);
  const rows = below.map((fields) => fields.slice(0, filled));
  const oneShort = rows.length > 0 && rows.every((fields) => widthOf(fields) === width + 1);
  const found = headerIn(
    names,
    oneShort ? rows.map((fields) => fields.slice(1)) : rows,
    quotedAboveOnly(texts, delimiter),
  );
  if (options.header === "auto" && found.note) notes.push(found.note);
  if (options.header === "auto" && !found.header) return { delimiter, width, trailing, notes };
  if (names.some((name) => /[^\P{C}\s]/u.test(name))) {
    notes.push("Names in the first line hold characters that do not print: it may be damaged.");
  }
  if (!oneShort) return { delimiter, width, trailing, columns: names, notes };
  notes.push("The header is one name short, as R writes row names: the first column has no name.");
  return { delimiter, width: width + 1, trailing, columns: ["", ...names], notes };
}

function emptyAtEnd(fields: readonly string[]): number {
  let count = 0;
  while (count < fields.length && fields[fields.length - 1 - count] === "") count++;
  return count;
}

/**
 * The first of tab, semicolon, comma and bar that all lines have equally often outside quotes (the first line may have
 * one less); else the first that the first line has; else spaces.
 */
function chooseDelimiter(texts: readonly string[], decimal: Decimal): Delimiter {
  const quoted = texts.some(hasQuotedDecimals); // then a comma outside quotes is no decimal one
  const candidates = (["\t", ";", ",", "|"] as const).filter((one) => one !== decimal || quoted);
  const counts = candidates.map((one) => texts.map((text) => countOutsideQuotes(text, one)));
  const even = counts.findIndex(([first, ...below]) => {
    const [usual = first] = below;
    return first > 0 && below.every((count) => count === usual) && (first === usual || first === usual - 1);
  });
  return candidates[even >= 0 ? even : counts.findIndex(([first], i) => first > 0 && candidates[i] !== decimal)] ?? " ";
}

/** Whether a line has a number with a comma in quotes: "1,5". */
export const hasQuotedDecimals = (text: string): boolean => /"\s*[+-]?\d*,\d[\de+-]*\s*"/i.test(text);

/** How many fields of the first line stand in quotes, where no line below has one. */
type Quoted = "none" | "some" | "all";

function quotedAboveOnly([first, ...below]: readonly string[], delimiter: Delimiter): Quoted {
  if (!first.includes('"') || below.length === 0 || below.some((text) => text.includes('"'))) return "none";
  const outside = textOutsideQuotes(first).trim();
  return outside.split(delimiter === " " ? /\s+/ : delimiter).every((field) => field.trim() === '"') ? "all" : "some";
}

const isText = (field: string): boolean => kindOf(field) === "text";
const isYear = (field: string): boolean => /^(19\d\d|20\d\d|2100)$/.test(field);

/** 0, 1, 2, ... or 1, 2, 3, ... */
const isCounting = (fields: readonly string[]): boolean =>
  [0, 1].some((first) => fields.every((field, i) => field === `${first + i}`));

interface Found {
  readonly header: boolean;
  /** What is not certain about it. */
  readonly note?: string;
}

/** Whether `names`, the fields of the first line, are a header over these rows. */
function headerIn(names: readonly string[], rows: readonly (readonly string[])[], quoted: Quoted): Found {
  const doubtful = (header: boolean): Found => ({ header, note: noteOf(header, names) });
  const numeric = names.map(
    (_, i) => rows.some((row) => isNumber(row[i])) && !rows.some((row) => isText(row[i] ?? "")),
  );
  if (!numeric.includes(true)) return { header: names.every(isText) };

  const over = names.filter((_, i) => numeric[i]);
  const texts = over.filter(isText);
  const numbers = over.filter(isNumber);
  const below = rows.map((row) => row.filter((_, i) => numeric[i]));
  if (texts.length === over.length) {
    // One that begins like a number may be a number with a slip of the pen, such as 1.2x.
    const slips = texts.filter((name) => /^[+-]?[.\d]/.test(name));
    const sure = slips.length === 0;
    if (sure || (over.length > 1 && !slips.some((name) => /^[+-]?\d*[.,]\d/.test(name)))) {
      return sure && !texts.every((name) => /[.,]\d/.test(name)) ? { header: true } : doubtful(true);
    }
  }
  if (quoted === "all") return doubtful(true);
  if (texts.length > 0) {
    // A row of which a field is damaged has numbers beside a word too: names that are numbers have to look like names.
    if (numbers.length === 0) return { header: texts.length < over.length };
    const isLabel = (i: number) => isNumber(over[i]) && isYear(over[i]) && !below.every((row) => isYear(row[i] ?? ""));
    const labelled =
      over.every((name, i) => !isNumber(name) || isLabel(i)) || (numbers.length > 2 && isCounting(numbers));
    return labelled && !texts.some((name) => /\d/.test(name)) ? doubtful(true) : { header: false };
  }

  // Numbers alone, over numbers. An index, as pandas writes it, has no name.
  const unnamed = over[0] === "" && over.length > 1;
  const series = unnamed ? over.slice(1) : over;
  const values = unnamed ? below.map((row) => row.slice(1)) : below;
  const enough = series.length > 1 || unnamed;
  if (series.every(isYear) && isMonotone(series.map(Number)) && !values.some((row) => row.every(isYear))) {
    return doubtful(enough || quoted !== "none");
  }
  if (quoted !== "none" && series.every(isNumber)) return doubtful(true);
  if (mayBeYears(series, values)) return doubtful(false);
  if (!isCounting(series) || !enough) return { header: false };
  const decimals = values.some((row) => row.some((field) => /[.,e]/i.test(field)));
  if (!unnamed && series.length < 3 && !decimals) return { header: false }; // 1, 2 above whole numbers is nothing odd
  return doubtful(unnamed || series.length > 9 || (series.length > 2 && decimals));
}

const isNumber = (field: string | undefined): boolean => field !== undefined && kindOf(field) === "number";

/** Years in order above years that are in none. */
function mayBeYears(series: readonly string[], below: readonly (readonly string[])[]): boolean {
  if (series.length < 2 || !series.every(isYear) || !isMonotone(series.map(Number))) return false;
  const rows = below.map((row) => row.map(Number));
  return rows.some((row) => !isMonotone(row));
}

function isMonotone(values: readonly number[]): boolean {
  const steps = values.slice(1).map((value, i) => value - values[i]);
  return steps.every((step) => step > 0) || steps.every((step) => step < 0);
}

function noteOf(header: boolean, names: readonly string[]): string {
  const some = names.slice(0, names.length > 6 ? 5 : 6).map((name) => printable(name, 40));
  const shown = names.length > 6 ? `${some.join(", ")}, ...` : some.join(", ");
  return header
    ? `The first line (${shown}) is read as a header, not as a row: header false (--header no) reads it as a row.`
    : `The first line (${shown}) is read as a row, though it may be a header: header true (--header yes) reads it so.`;
}
