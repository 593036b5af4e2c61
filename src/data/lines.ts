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

/**
 * Gives the records of a text that comes in pieces. Lines end with LF, CRLF or a lone CR; blank lines and lines that
 * start with # are passed over.
 */
export class LineReader {
  /** What came after the last line end. */
  private rest = "";
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
    let piece = this.rest + text;
    this.rest = "";
    let held = "";
    if (piece.endsWith("\r")) {
      held = "\r"; // the LF that belongs to it may come next
      piece = piece.slice(0, -1);
    }
    if (piece.includes("\r")) piece = piece.replace(/\r\n?/g, "\n");
    let start = 0;
    for (let end = piece.indexOf("\n"); end >= 0; end = piece.indexOf("\n", start)) {
      this.take(piece.slice(start, end));
      start = end + 1;
    }
    this.rest = piece.slice(start) + held;
  }

  end(): void {
    if (this.rest !== "") this.push("\n");
    if (this.open) throw unclosed(this.source, this.open.number);
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

/** Calls `visit` for each character outside quotes; gives whether the text ends `inside`, as it may begin. */
function outsideQuotes(text: string, visit: (character: string) => void, inside = false): boolean {
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (inside) {
      if (character !== '"') continue;
      if (text[i + 1] === '"') i++;
      else inside = false;
    } else if (character === '"' && (i === 0 || opensAfter.includes(text[i - 1]))) inside = true;
    else visit(character);
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

/** The fields of a record, without spaces around them and without quotes. */
export function fieldsOf(text: string, delimiter: Delimiter): string[] {
  if (!text.includes('"')) return delimiter === " " ? text.trim().split(/\s+/) : text.split(delimiter).map(trimmed);
  const fields: string[] = [];
  const separator = delimiter === " " ? /\s+/y : new RegExp(`\\${delimiter}`, "y");
  const field = delimiter === " " ? /\S*/y : new RegExp(`[^\\${delimiter}]*`, "y");
  const source = delimiter === " " ? text.trim() : text;
  const take = (pattern: RegExp, from: number) => {
    pattern.lastIndex = from;
    return pattern.exec(source)?.[0];
  };
  for (let at = 0; ; ) {
    // A quoted part, then what follows it up to the delimiter: nothing, in files that keep the rules.
    const quoted = take(/[ ]*"(?:[^"]|"")*"/y, at) ?? "";
    const plain = take(field, at + quoted.length) ?? "";
    const inner = quoted.trim().slice(1, -1).replaceAll('""', '"');
    fields.push((inner + plain).trim());
    at += quoted.length + plain.length;
    const separated = take(separator, at);
    if (separated === undefined) return fields;
    at += separated.length;
  }
}

const trimmed = (field: string): string => field.trim();
