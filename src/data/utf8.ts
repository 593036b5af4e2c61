import { DataError } from "../errors.ts";

/** Text of UTF-8 bytes that come in pieces; a byte order mark is dropped. */
export class Utf8Decoder {
  private readonly decoder = new TextDecoder("utf-8", { fatal: true });
  private readonly source: string;
  private first = true;

  constructor(source: string) {
    this.source = source;
  }

  /** @throws {@link DataError} when the bytes are no such text, but UTF-16, another character set, or no text at all. */
  decode(bytes: Uint8Array): string {
    if (this.first && bytes.length > 1) {
      this.first = false;
      const mark = (bytes[0] << 8) | bytes[1];
      if (mark === 0xfffe || mark === 0xfeff) throw this.refusal("UTF-16 text, not UTF-8");
    }
    const text = this.read(() => this.decoder.decode(bytes, { stream: true }));
    // A NUL is UTF-8, but no text has one: half the bytes of UTF-16 without a mark are NULs.
    if (text.includes("\0")) throw this.refusal("bytes that are not UTF-8 text: there are zeros among them");
    return text;
  }

  end(): string {
    return this.read(() => this.decoder.decode());
  }

  private read(decode: () => string): string {
    try {
      return decode();
    } catch (cause) {
      throw this.refusal("bytes that are not UTF-8 text", cause);
    }
  }

  private refusal(given: string, cause?: unknown): DataError {
    const facts = {
      subject: this.source,
      given,
      expected: "a .npy file or a table of numbers as text",
      remedy: "Save the table as UTF-8 CSV, or the array with numpy.save.",
    };
    return new DataError(facts, { cause });
  }
}
