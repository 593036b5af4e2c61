/** Records of a table as text, cut into fields: what readers of numbers and of fields have in common. */
import { ConfigError, DataError } from "../errors.ts";
import { findLayout, hasQuotedDecimals, type Layout, LINES_LOOKED_AT } from "./layout.ts";
import { type Delimiter, delimiters, fieldsOf, type Line, LineReader } from "./lines.ts";
import type { Decimal } from "./table-field.ts";
import { Utf8Decoder } from "./utf8.ts";

export interface RecordOptions {
  readonly delimiter?: Delimiter;
  readonly header: "auto" | boolean;
  readonly decimal: Decimal;
}

/** What becomes of the records. */
export interface RecordTaker {
  /** Once, before the first row. */
  begin(layout: Layout): void;
  /** @param line - its number in the file, from 1. */
  row(fields: readonly string[], line: number, layout: Layout): void;
}

/** Bytes decoded at once: a string may not hold a whole file. */
const PIECE = 1 << 20;

/** Reads bytes that come in pieces: `push` each, then `end`. */
export class RecordReader {
  readonly #source: string;
  readonly #options: RecordOptions;
  readonly #taker: RecordTaker;
  /** As asked for, or as the first line says. */
  #delimiter: Delimiter | undefined;
  readonly #decoder: Utf8Decoder;
  readonly #lines: LineReader;
  /** The first records, until there are enough to tell the layout. */
  #held: Line[] = [];
  #layout: Layout | undefined;
  #count = 0;

  constructor(source: string, options: RecordOptions, taker: RecordTaker) {
    this.#source = source;
    this.#options = options;
    this.#taker = taker;
    this.#delimiter = options.delimiter;
    this.#decoder = new Utf8Decoder(source);
    this.#lines = new LineReader(source, (line) => {
      if (line.number === 1 && /^sep=/i.test(line.text)) this.#delimiter ??= separatorIn(line.text, source);
      else if (this.#layout) this.#take(line, this.#layout);
      else if (this.#held.push(line) === LINES_LOOKED_AT) this.#begin();
    });
  }

  push(bytes: Uint8Array): void {
    for (let start = 0; start < bytes.length; start += PIECE) {
      this.#lines.push(this.#decoder.decode(bytes.subarray(start, start + PIECE)));
    }
  }

  /** @throws {@link DataError} when there was no row. */
  end(): Layout {
    this.#lines.push(this.#decoder.end());
    this.#lines.end();
    const layout = this.#layout ?? this.#begin();
    if (this.#count > 0) return layout as Layout;
    throw new DataError({
      subject: this.#source,
      given: layout ? "only a header line" : "no lines",
      expected: "at least one line of numbers",
      remedy: "Write one point per line, such as 0.5,-1.25.",
    });
  }

  /** Reads the records held, now that their layout can be told. */
  #begin(): Layout | undefined {
    if (this.#held.length === 0) return undefined;
    const delimiter = this.#delimiter;
    if (delimiter === this.#options.decimal && !this.#held.some(({ text }) => hasQuotedDecimals(text))) {
      const facts = {
        given: "a comma, beside decimals with a comma",
        expected: "another character, or quotes",
      };
      throw new ConfigError({ subject: "delimiter", ...facts, remedy: "Leave the delimiter out." });
    }
    const layout = findLayout(this.#held, { ...this.#options, delimiter });
    this.#taker.begin(layout);
    this.#layout = layout;
    for (const line of this.#held.slice(layout.columns ? 1 : 0)) this.#take(line, layout);
    this.#held = [];
    return layout;
  }

  #take(line: Line, layout: Layout): void {
    const { width, trailing, delimiter } = layout;
    const fields = fieldsOf(line.text, delimiter);
    const tooMany = fields.length > width && !(trailing && fields.slice(width).every((field) => field === ""));
    if (fields.length < width || tooMany)
      throw wrongWidth(`${this.#source}, line ${line.number}`, fields.length, width);
    this.#taker.row(fields, line.number, layout);
    this.#count++;
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

function wrongWidth(where: string, given: number, expected: number): DataError {
  return new DataError({
    subject: where,
    given: `${given} ${given === 1 ? "field" : "fields"}`,
    expected: `${expected}, as on the first line`,
    remedy: "Every line holds one point of the same dimension; remove the line, or complete it.",
  });
}
