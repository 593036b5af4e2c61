/** FASTA files: what they hold, however it is written, and what is refused. */
import { describe, expect, test } from "vitest";
import { type FastaOptions, readFasta } from "../../src/data/fasta.ts";
import { ConfigError, DataError } from "../../src/errors.ts";

const read = (text: string, options?: FastaOptions) => readFasta(new TextEncoder().encode(text), "a.fasta", options);

describe("readFasta reads", () => {
  test("records over several lines, blank ones and comments between, small letters as large ones", () => {
    expect(read(">one of a kind\nACgt\n\nTT\n; said beside\n>two\nGGA\n")).toEqual({
      ...{ sequences: ["ACGTTT", "GGA"], ids: ["one", "two"], lines: [1, 6] },
    });
  });

  test.each(["\n", "\r\n", "\r"])("lines that end with %j, also where a piece of the file ends", (end) => {
    // More than a piece of 2^20 bytes, of lines that meet its end at every place.
    const sequences = Array.from({ length: 40_000 }, (_, i) => "ACGTTGCAACGTACGTTGCATTTACG".slice(i % 7));
    const text = sequences.map((one, i) => `>${i}${end}${one}${end}`).join("");
    expect(text.length).toBeGreaterThan(2 ** 20);
    const found = read(text);
    expect(found.sequences).toEqual(sequences);
    expect(found.lines.at(-1)).toBe(2 * sequences.length - 1);
  });

  test("a line whose end is cut by the end of a piece, as one", () => {
    const first = `>a\r\n${"ACGTACGT".repeat(2 ** 17)}`; // 2^20 letters
    const cut = `${first.slice(0, 2 ** 20 - 1)}\r\n>b\r\nAC\r\n`; // the CR is the piece's last byte
    expect(cut.charCodeAt(2 ** 20 - 1)).toBe(13);
    expect(read(cut)).toMatchObject({ ids: ["a", "b"], lines: [1, 3] });
  });

  test("a mark of UTF-8 at the start, names in any script, spaces in lines", () => {
    expect(read("\ufeff>α β\nAC GT\n")).toMatchObject({ sequences: ["ACGT"], ids: ["α"] });
  });

  test("labels wherever they stand in headers, and none where that is asked", () => {
    const text = ">a label=fly\nAC\n>b|label=human|x\nGT\n>c some;label=fly\nTT";
    expect(read(text).labels).toEqual(["fly", "human", "fly"]);
    expect(read(text, { labels: false })).not.toHaveProperty("labels");
    expect(read(">a mylabel=fly\nAC")).not.toHaveProperty("labels");
  });

  test("other alphabets, small letters apart where both are in it", () => {
    expect(read(">a\nacdw-", { alphabet: "ACDEFGHIKLMNPQRSTVWY-" }).sequences).toEqual(["ACDW-"]);
    expect(read(">a\nAaA", { alphabet: "Aa" }).sequences).toEqual(["AaA"]);
  });
});

describe("readFasta refuses", () => {
  test.each<[what: string, text: string, words: RegExp]>([
    ["no file", "", /a\.fasta: got "no lines", expected a FASTA file/],
    ["a table", "1,2,3\n", /a\.fasta, line 1: got "1,2,3", expected a FASTA file/],
    ["FASTQ", "@read\nACGT\n+\nIIII\n", /FASTQ.*no qualities/],
    ["an unknown base", ">a\nACGT\nACNT\n", /line 3, column 3: got "N".*unknown base: leave the record out/],
    ["an RNA", ">a\nACGU\n", /line 2, column 4: got "U".*"ACGU"/],
    ["a gap", ">a\nAC-T\n", /column 3: got "-".*gap of an alignment/],
    ["a letter of none", ">a\nAC9T\n", /got "9", expected one of ACGT/],
    ["an empty record", ">a\nACGT\n>b\n>c\nACGT", /line 3: got "a header .*b.* without a sequence"/],
    ["a record that was cut off", ">a\nACGT\n>b\n", /line 3/],
    ["a record without a label", ">a label=x\nAC\n>b\nAC", /line 3: got "a header .*b.* without a label"/],
  ])("%s", (_, text, words) => {
    expect(() => read(text)).toThrow(DataError);
    expect(() => read(text)).toThrow(words);
  });

  test("what is packed, and UTF-16", () => {
    expect(() => readFasta(Uint8Array.of(0x1f, 0x8b, 8), "a.fa.gz")).toThrow(/gzip.*gunzip/);
    expect(() => readFasta(Uint8Array.of(0xff, 0xfe, 62, 0), "a.fa")).toThrow(/UTF-16/);
  });

  test("labels that are asked for and are nowhere", () => {
    expect(() => read(">a\nAC", { labels: true })).toThrow(/line 1: got "a header/);
  });

  test.each(["A", "AA", "AC>", 4, "A C"])("the alphabet %j", (alphabet) => {
    expect(() => read(">a\nAC", { alphabet: alphabet as string })).toThrow(ConfigError);
  });
  test("unknown options", () => {
    expect(() => read(">a\nAC", { labels: "yes" as "auto" })).toThrow(ConfigError);
    expect(() => read(">a\nAC", { lables: true } as FastaOptions)).toThrow(/labels/);
  });
});
