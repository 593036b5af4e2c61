/** Sequences of letters in FASTA files. */
import { ConfigError, DataError } from "../errors.ts";
import { choiceOption, optionsObject } from "../graph/options.ts";
import { viewedBytes } from "./numbers.ts";

export interface FastaOptions {
  /** The letters there may be; default "ACGT". Small letters count as large ones, unless they are in it. */
  readonly alphabet?: string;
  /** Whether headers hold labels, as `label=NAME`. Default "auto": they do where one of them has it. */
  readonly labels?: "auto" | boolean;
}

/** What {@link readFasta} gives, a part for each sequence in all of its lists. */
export interface FastaSequences {
  /** Made of the alphabet's letters; of any lengths. */
  readonly sequences: readonly string[];
  /** First words of the headers. */
  readonly ids: readonly string[];
  /** Where headers hold labels. */
  readonly labels?: readonly string[];
  /** The lines of the headers, from 1. */
  readonly lines: readonly number[];
}

interface FastaRecord {
  readonly header: string;
  readonly line: number;
  readonly parts: string[];
}

/**
 * The sequences in a FASTA file: a line `>id ...` before each, which goes on over any number of lines. Blank lines, and those that
 * start with `;`, are passed over. A label is a part `label=NAME` of the header, apart from others by spaces, `|` or `;`: all records
 * have one, or none.
 *
 * @param given - the file's bytes.
 * @param source - its name, for messages, which name the line from 1.
 * @throws {@link DataError} when these are no bytes, the file is packed, is FASTQ or has no record, a record is empty or lacks the
 * label that others have, or a letter is not in the alphabet.
 * @throws {@link ConfigError} when an option is unknown or outside its range.
 * @example
 * const { sequences, labels } = readFasta(bytes, "promoters.fasta");
 * const data = lettersData(sequences, { alphabet: "ACGT", ...(labels && { conditions: { label: labels } }) });
 */
export function readFasta(
  given: Uint8Array | ArrayBuffer,
  source = "FASTA file",
  options: FastaOptions = {},
): FastaSequences {
  const bytes = viewedBytes(source, given);
  const { alphabet = "ACGT", labels = "auto" } = optionsObject("options of readFasta", options, ["alphabet", "labels"]);
  choiceOption("labels of readFasta", labels, ["auto", true, false]);
  const letterOf = lettersOf(alphabet);
  refuseOthers(bytes, source);
  const records: FastaRecord[] = [];
  let number = 0;
  for (const text of linesOf(bytes)) {
    number++;
    const line = text.trim();
    if (line === "" || line.startsWith(";")) continue;
    if (line.startsWith(">")) records.push({ header: line.slice(1).trim(), line: number, parts: [] });
    else records.at(-1)?.parts.push(known(line, letterOf, alphabet, `${source}, line ${number}`));
    if (records.length === 0) throw noHeader(`${source}, line ${number}`, line);
  }
  if (records.length === 0) throw noHeader(source, "no lines");
  const empty = records.find(({ parts }) => parts.length === 0);
  if (empty) {
    throw new DataError({
      subject: `${source}, line ${empty.line}`,
      given: `a header "${empty.header}" without a sequence`,
      expected: "letters on the lines that follow",
      remedy: "Remove the header, or complete the record: the file may be cut off.",
    });
  }
  const told = labelsIn(records, labels, source);
  return {
    sequences: records.map(({ parts }) => parts.join("")),
    ids: records.map(({ header }) => header.split(/\s+/)[0] as string),
    lines: records.map(({ line }) => line),
    ...(told && { labels: told }),
  };
}

/** Bytes decoded at once: a string may not hold a whole file. */
const PIECE = 1 << 20;

/** Lines end with LF, CRLF or a lone CR. */
function* linesOf(bytes: Uint8Array): Generator<string, void, undefined> {
  const decoder = new TextDecoder();
  let rest = "";
  for (let start = 0; start < bytes.length; start += PIECE) {
    const isLast = start + PIECE >= bytes.length;
    rest += decoder.decode(bytes.subarray(start, start + PIECE), { stream: !isLast });
    const lines = rest.split(/\r\n|\n|\r(?!$)/); // the LF that belongs to a CR at the end may come next
    rest = lines.pop() as string;
    yield* lines;
  }
  yield rest;
}

/** What each letter, as it may be written, stands for. */
function lettersOf(alphabet: unknown): ReadonlyMap<string, string> {
  const all = typeof alphabet === "string" ? [...alphabet] : [];
  const isRight = all.length >= 2 && all.length <= 256 && new Set(all).size === all.length;
  if (isRight && !all.some((letter) => /[\s>;]/.test(letter))) {
    return new Map([
      ...all.map((letter) => [letter.toLowerCase(), letter] as const),
      ...all.map((one) => [one, one] as const),
    ]);
  }
  throw new ConfigError({
    subject: "alphabet of readFasta",
    given: alphabet ?? String(alphabet),
    expected: "2 to 256 different letters, none of them a space, > or ;",
    remedy: 'Give text such as "ACGT".',
  });
}

function known(line: string, letterOf: ReadonlyMap<string, string>, alphabet: string, where: string): string {
  let text = "";
  let column = 0;
  for (const given of line) {
    column++;
    const letter = letterOf.get(given);
    if (letter === undefined && !/\s/.test(given)) throw unknownLetter(`${where}, column ${column}`, given, alphabet);
    text += letter ?? "";
  }
  return text;
}

function unknownLetter(subject: string, given: string, alphabet: string): DataError {
  const remedies: Readonly<Record<string, string>> = {
    N: "An unknown base: leave the record out, or cut the sequences to where all bases are known.",
    U: 'An RNA: give the alphabet "ACGU".',
    "-": "A gap of an alignment: remove it, or add it to the alphabet.",
    "*": "The end of a protein: remove it.",
  };
  const remedy = remedies[given.toUpperCase()] ?? "Correct the letter, leave the record out, or give another alphabet.";
  return new DataError({ subject, given, expected: `one of ${alphabet}`, remedy });
}

/** Files that are often given in its place. */
function refuseOthers(bytes: Uint8Array, source: string): void {
  const refuse = (given: string, remedy: string) => {
    throw new DataError({ subject: source, given, expected: "a FASTA file as text", remedy });
  };
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) refuse("a file packed by gzip", "Unpack it: gunzip FILE.");
  if (bytes[0] === 0x40)
    refuse("a line that starts with @, as FASTQ has", "Convert it: a line >id before each sequence, no qualities.");
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    refuse("UTF-16 text", "Save it as UTF-8.");
  }
}

function noHeader(subject: string, given: string): DataError {
  return new DataError({
    subject,
    given,
    expected: "a FASTA file: a line such as >name before each sequence",
    remedy: "Write that line, or name another file.",
  });
}

function labelsIn(
  records: readonly FastaRecord[],
  wanted: Required<FastaOptions>["labels"],
  source: string,
): readonly string[] | undefined {
  const found = records.map(({ header }) => /(?:^|[\s|;])label=([^\s|;]+)/.exec(header)?.[1]);
  if (wanted === false || (wanted === "auto" && found.every((label) => label === undefined))) return undefined;
  const missing = found.indexOf(undefined);
  if (missing < 0) return found as string[];
  const { line, header } = records[missing] as FastaRecord;
  throw new DataError({
    subject: `${source}, line ${line}`,
    given: `a header "${header}" without a label`,
    expected: "label=NAME in it, as other records have it",
    remedy: "Write the label, or leave out those of all records.",
  });
}
