/** Text of a table, cut into records (a line, or several where a quoted field holds line breaks) and these into fields. */
import { DataError } from "../errors.ts";

export const delimiters = [",", ";", "\t", "|", " "] as const;
/** What sets fields apart; " " stands for runs of spaces and tabs. */
export type Delimiter = (typeof delimiters)[number];

/** One record as it stands in the file. */
export interface Line {
  /** Of its first line in the file, from 1. */
  readonly number: number;
  readonly text: string;
}

/** More than any header takes: what is longer has a quote that was never closed. */
const LONGEST_QUOTED = 65_536;

/** More than a row takes: what is longer is no table of lines. Text that grows without end would fill the memory. */
const LONGEST_LINE = 1 << 24;

/**
 * Gives the records of a text that comes in pieces. Lines end with LF, CRLF or a lone CR; blank lines and lines that
 * start with # are passed over.
 */
export class LineReader {
  /** What came after the last line end, in the pieces it came in: joined once, however many they are. */
  private rest: string[] = [];
  private length = 0;
  /** A CR at the end of a piece: the LF that belongs to it may come next. */
  private held = "";
  /** The start of a record whose quoted field goes on in the next line. */
  private open: Line | undefined;
  private number = 0;
  private readonly source: string;
  private readonly accept: (line: Line) => void;

  constructor(source: string, accept: (line: Line) => void) {
    this.source = source;
    this.accept = accept;
  }

  push(text: string): void {
    let piece = this.held + text;
    this.held = "";
    if (piece.endsWith("\r")) {
      this.held = "\r";
      piece = piece.slice(0, -1);
    }
    if (piece.includes("\r")) piece = piece.replace(/\r\n?/g, "\n");
    let start = 0;
    for (let end = piece.indexOf("\n"); end >= 0; end = piece.indexOf("\n", start)) {
      this.keep(piece.slice(start, end));
      const line = this.rest.length === 1 ? (this.rest[0] as string) : this.rest.join("");
      this.rest = [];
      this.length = 0;
      this.take(line);
      start = end + 1;
    }
    if (start < piece.length) this.keep(piece.slice(start));
  }

  end(): void {
    if (this.rest.length > 0 || this.held !== "") this.push("\n");
    if (this.open) throw unclosed(this.source, this.open.number);
  }

  private keep(part: string): void {
    this.rest.push(part);
    this.length += part.length;
    if (this.length <= LONGEST_LINE) return;
    throw new DataError({
      subject: `${this.source}, line ${this.number + 1}`,
      given: `more than ${LONGEST_LINE} characters`,
      expected: "a line for each point",
      remedy: "Write one point per line; if this is no text, say by the file's ending what it is.",
    });
  }

  private take(line: string): void {
    this.number++;
    const before = this.open;
    if (!before && (line.trim() === "" || isComment(line))) return;
    const record = before ? { ...before, text: `${before.text}\n${line}` } : { number: this.number, text: line };
    if (before || line.includes('"')) {
      const inside = outsideQuotes(line, () => {}, before !== undefined);
      if (inside && record.text.length > LONGEST_QUOTED) throw unclosed(this.source, record.number);
      this.open = inside ? record : undefined;
      if (inside) return;
    }
    this.accept(record);
  }
}

/** Not what spreadsheets write for errors, such as #N/A. */
const isComment = (line: string): boolean => /^\s*#(?!(n\/a|num!|div\/0!|value!|ref!|name\?|null!))/i.test(line);

function unclosed(source: string, line: number): DataError {
  return new DataError({
    subject: `${source}, line ${line}`,
    given: "a quote that is never closed",
    expected: 'two quotes " around a field',
    remedy: 'Close it; a quote inside a quoted field is written twice: "".',
  });
}

/** A quote opens a field at its start only: after a delimiter, whichever it is, or spaces. */
const opensAfter = `${delimiters.join("")}\n`;

/** Calls `visit` for each character outside quotes and each quote that opens; gives whether the text ends `inside`, as it may begin. */
function outsideQuotes(text: string, visit: (character: string) => void, inside = false): boolean {
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (inside) {
      if (character !== '"') continue;
      if (text[i + 1] === '"') i++;
      else inside = false;
      continue;
    }
    inside = character === '"' && (i === 0 || opensAfter.includes(text[i - 1]));
    visit(character);
  }
  return inside;
}

/** How often a character stands in a text, outside quotes. */
export function countOutsideQuotes(text: string, character: string): number {
  let count = 0;
  outsideQuotes(text, (one) => {
    if (one === character) count++;
  });
  return count;
}

/** A text in which each part in quotes is a quote alone. */
export function textOutsideQuotes(text: string): string {
  let outside = "";
  outsideQuotes(text, (one) => {
    outside += one;
  });
  return outside;
}

/** The fields of a record, without spaces around them and without quotes. */
export function fieldsOf(text: string, delimiter: Delimiter): string[] {
  if (!text.includes('"')) return delimiter === " " ? text.trim().split(/\s+/) : text.split(delimiter).map(trimmed);
  const fields: string[] = [];
  const source = delimiter === " " ? text.trim() : text;
  for (let at = 0; ; ) {
    // A quoted part, then what follows it up to the delimiter: nothing, in files that keep the rules.
    let quote = at;
    while (source[quote] === " ") quote++;
    const closing = source[quote] === '"' ? closingQuote(source, quote) : -1;
    const inner = closing < 0 ? "" : source.slice(quote + 1, closing).replaceAll('""', '"');
    const plain = closing < 0 ? at : closing + 1;
    const end = nextDelimiter(source, delimiter, plain);
    fields.push((inner + source.slice(plain, end)).trim());
    if (end === source.length) return fields;
    at = end + 1;
    while (delimiter === " " && /\s/.test(source[at])) at++; // ends: spaces at the end are trimmed
  }
}

/** Where the quote of the field that begins here is closed; -1: nowhere. */
function closingQuote(text: string, opening: number): number {
  for (let at = text.indexOf('"', opening + 1); at >= 0; at = text.indexOf('"', at + 2)) {
    if (text[at + 1] !== '"') return at;
  }
  return -1;
}

function nextDelimiter(text: string, delimiter: Delimiter, from: number): number {
  if (delimiter !== " ") {
    const at = text.indexOf(delimiter, from);
    return at < 0 ? text.length : at;
  }
  let at = from;
  while (at < text.length && !/\s/.test(text[at])) at++;
  return at;
}

const trimmed = (field: string): string => field.trim();
