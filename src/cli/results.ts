/** Arrays of results as a file of the format that its ending says, or on standard output. */
import { stat } from "node:fs/promises";
import { npyHeader, writeCsv, writeNpz } from "../data.ts";
import { ConfigError, LimitError } from "../index.ts";
import type { Content } from "../replace-file.ts";
import { oneOf } from "./arguments.ts";
import { checkTarget } from "./files.ts";
import { forceArgument, refuseInputs, refuseRunFile } from "./overwrite.ts";
import { removeLeftovers, replaceFile } from "./replace-file.ts";

export const formats = ["csv", "tsv", "txt", "npy", "npz"] as const;
type Format = (typeof formats)[number];

/** The options of a file of results beside --out, for `defineCommand`. */
export const resultArguments = {
  format: { type: "string", description: `${formats.join(", ")} (as --out ends; csv on standard output)` },
  force: forceArgument,
} as const;

/** Where a file goes; checked before any work. */
export interface FileTarget {
  readonly path: string;
  /** Then nothing else is said there. */
  readonly standardOutput: boolean;
}

/** Where results go. */
export interface Target extends FileTarget {
  readonly format: Format;
}

interface TargetArguments {
  readonly out: string;
  readonly format?: string | undefined;
  readonly force?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/**
 * Where --out says that results go. Without an ending that is known: on standard output CSV, into a pipe .npy.
 *
 * @param inputs - files that the command reads, which are not overwritten unless --force.
 * @throws {@link ConfigError} when the ending is unknown or contradicts --format, or nothing can be written there.
 */
export async function readTarget(args: TargetArguments, inputs: readonly string[]): Promise<Target> {
  const { out: path } = args;
  const asked = args.format === undefined ? undefined : oneOf("--format", args.format, formats);
  const standardOutput = isStandardOutput(args);
  if (standardOutput) {
    const format = asked ?? "csv";
    if (process.stdout.isTTY && format.startsWith("np")) throw bytesOnTerminal(path, { format });
    return { path, format, standardOutput };
  }
  if (!args.force) {
    await refuseInputs("--out", path, inputs);
    await refuseRunFile("--out", path);
  }
  const ending = /\.([^./\\]*)$/.exec(path)?.[1]?.toLowerCase();
  const named = formats.find((format) => format === ending);
  if (asked !== undefined && named !== undefined && asked !== named) throw contradiction(path, asked);
  const format = asked ?? named ?? (ending === undefined && (await isPipe(path)) ? "npy" : undefined);
  if (format === undefined) throw unknownEnding(path);
  await checkTarget("--out", path);
  await removeLeftovers(path);
  return { path, format, standardOutput };
}

/** The same for a file of bytes, whatever its ending. */
export async function readFileTarget(
  args: Omit<TargetArguments, "format">,
  inputs: readonly string[],
): Promise<FileTarget> {
  const { out: path } = args;
  const standardOutput = isStandardOutput(args);
  if (standardOutput) {
    if (process.stdout.isTTY) throw bytesOnTerminal(path, {});
    return { path, standardOutput };
  }
  if (!args.force) {
    await refuseInputs("--out", path, inputs);
    await refuseRunFile("--out", path);
  }
  await checkTarget("--out", path);
  await removeLeftovers(path);
  return { path, standardOutput };
}

/** Whether --out is standard output, which takes one thing. */
function isStandardOutput({ out, json }: Pick<TargetArguments, "out" | "json">): boolean {
  if (!["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"].includes(out)) return false;
  if (json) throw twoOnOneOutput(out);
  return true;
}

async function isPipe(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && !found.isFile() && !found.isDirectory();
}

function twoOnOneOutput(path: string): ConfigError {
  return new ConfigError({
    subject: `--out ${path}`,
    given: "beside --json, which writes there too",
    expected: "one of them on standard output",
    remedy: "Name a file, or leave out --json.",
  });
}

function bytesOnTerminal(path: string, { format }: { readonly format?: Format }): ConfigError {
  return new ConfigError({
    subject: `--out ${path}`,
    given: `a terminal${format ? `, beside --format ${format}` : ""}`,
    expected: "text there",
    remedy: `Send standard output into a file or a pipe${format ? ", or leave out --format" : ""}.`,
  });
}

function contradiction(path: string, format: Format): ConfigError {
  return new ConfigError({
    subject: `--out ${path}`,
    given: `beside --format ${format}`,
    expected: "an ending and a format that agree",
    remedy: `Leave out --format, or let the file end in .${format}.`,
  });
}

function unknownEnding(path: string): ConfigError {
  return new ConfigError({
    subject: `--out ${path}`,
    given: "an ending that is not known",
    expected: `${formats.map((format) => `.${format}`).join(", ")}, or - for standard output`,
    remedy: "Let the file end in one of them, or say which with --format.",
  });
}

/** Values of one kind, a name for each of their columns. */
export interface ResultArray {
  /** In a .npz file. */
  readonly name: string;
  /** Row-major [rows, columns]. */
  readonly values: Float32Array | Float64Array;
  /** [rows, ...shape of one]; [rows] of one column. */
  readonly shape: readonly number[];
  /** As many as a row has numbers. */
  readonly columns: readonly string[];
  /** What stands in text for each value of one column, such as names of labels. */
  readonly texts?: readonly string[];
  /** What samples were told stands beside them, but not in .npy, which has no names to tell it apart by. */
  readonly isTold?: boolean;
}

/** A zip file, and so .npz, has no room for more: sizes in it are 32 bits. */
const MOST_ZIP_BYTES = 2 ** 32 - 2 ** 16;

/** @throws {@link LimitError} when so many numbers do not fit into a file of this format: asked before any work. */
export function expectRoom({ path, format }: Target, numbers: number): void {
  if (format !== "npz" || 8 * numbers < MOST_ZIP_BYTES) return;
  throw new LimitError({
    subject: `--out ${path}`,
    given: `${numbers} numbers`,
    expected: "less than 4 GiB, the end of .npz",
    remedy: "Write a .npy file, or fewer rows at a time.",
  });
}

/** Writes arrays of equally many rows: .npz keeps them apart, other formats have their columns side by side. */
export async function writeResults(target: Target, arrays: readonly ResultArray[]): Promise<void> {
  if (target.format === "npz") {
    const named = arrays.map(({ name, values, shape }) => [name, { values, shape }]);
    return writeFileTo(target, writeNpz(Object.fromEntries(named)));
  }
  return writePieces(target as PiecesTarget, arrays[0]?.shape[0] ?? 0, [arrays]);
}

/** All but .npz, which says ahead of each array how long it is and what it sums up to. */
export type PiecesTarget = Target & { readonly format: Exclude<Format, "npz"> };

export const takesPieces = (target: Target): target is PiecesTarget => target.format !== "npz";

/** Arrays of some rows, the next ones of each after those of the piece before. */
type Pieces = Iterable<readonly ResultArray[]> | AsyncIterable<readonly ResultArray[]>;

/** Writes arrays of `rows` rows as their pieces come: of these, one at a time is in memory. */
export async function writePieces(target: PiecesTarget, rows: number, pieces: Pieces): Promise<void> {
  const { format } = target;
  await writeFileTo(target, format === "npy" ? npyOf(pieces, rows) : lines(pieces, format === "csv" ? "," : "\t"));
}

/** Writes a file's content to its place. */
export async function writeFileTo({ path, standardOutput }: FileTarget, content: Content): Promise<void> {
  if (standardOutput) await print(content);
  else await replaceFile(path, content);
}

async function* npyOf(pieces: Pieces, rows: number) {
  let begun = false;
  for await (const arrays of pieces) {
    const own = arrays.filter(({ isTold }) => !isTold);
    const [only] = own;
    const values = sideBySide(own, 0, only?.shape[0] ?? 0);
    if (!begun) {
      const width = own.reduce((sum, { columns }) => sum + columns.length, 0);
      const each = only && own.length === 1 && only.shape.length > 1 ? only.shape.slice(1) : [width];
      yield npyHeader([rows, ...each], values.BYTES_PER_ELEMENT as 4 | 8);
      begun = true;
    }
    yield new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  }
}

/** Numbers put into text at once. */
const NUMBERS_AT_ONCE = 1 << 18;

async function* lines(pieces: Pieces, delimiter: "," | "\t") {
  let begun = false;
  for await (const arrays of pieces) {
    yield* linesOf(arrays, delimiter, !begun);
    begun = true;
  }
}

function* linesOf(arrays: readonly ResultArray[], delimiter: "," | "\t", isFirst: boolean) {
  // Columns of text stand last: numbers are written side by side.
  const [numbers, texts] = [arrays.filter((array) => !array.texts), arrays.filter((array) => array.texts)];
  const rows = arrays[0]?.shape[0] ?? 0;
  const width = numbers.reduce((sum, { columns }) => sum + columns.length, 0);
  const names = [...numbers, ...texts].flatMap((array) => array.columns);
  if (isFirst) yield writeCsv(new Float32Array(0), [0, names.length], names, { delimiter });
  const atOnce = Math.max(1, Math.floor(NUMBERS_AT_ONCE / names.length));
  for (let from = 0; from < rows; from += atOnce) {
    const to = Math.min(from + atOnce, rows);
    const written = writeCsv(sideBySide(numbers, from, to), [to - from, width], undefined, { delimiter });
    if (texts.length === 0) {
      yield written;
      continue;
    }
    const whole = new TextDecoder()
      .decode(written)
      .split("\n")
      .slice(0, -1)
      .map((line, i) => {
        const told = texts.map((array) => inQuotes(array.texts?.[from + i] ?? "", delimiter));
        return `${[line, ...told].join(delimiter)}\n`;
      });
    yield whole.join("");
  }
}

/** A field of text, in quotes where it would not be read as it stands. */
function inQuotes(text: string, delimiter: string): string {
  return text.includes(delimiter) || /^\s|\s$|["\n\r]|^#/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Rows `from` to `to` of all arrays as one, in f64 if one of them is. */
function sideBySide(arrays: readonly ResultArray[], from: number, to: number): Float32Array | Float64Array {
  const [first] = arrays;
  if (first && arrays.length === 1) {
    const width = first.columns.length;
    return first.values.subarray(from * width, to * width);
  }
  const width = arrays.reduce((sum, { columns }) => sum + columns.length, 0);
  const length = (to - from) * width;
  const exact = arrays.some(({ values }) => values instanceof Float64Array);
  const all = exact ? new Float64Array(length) : new Float32Array(length);
  let at = 0;
  for (const { values, columns } of arrays) {
    const own = columns.length;
    for (let row = from; row < to; row++) {
      for (let i = 0; i < own; i++) all[(row - from) * width + at + i] = values[row * own + i] as number;
    }
    at += own;
  }
  return all;
}

/** Writes to standard output, each piece when the one before is taken. */
async function print(content: Content): Promise<void> {
  const pieces = typeof content === "string" || content instanceof Uint8Array ? [content] : content;
  for await (const piece of pieces) {
    await new Promise<void>((resolve, reject) => {
      process.stdout.write(piece, (error) => (error ? reject(error) : resolve()));
    });
  }
}

/** Names of a model's coordinates: those of its data, else x0, x1 and so on. */
export function coordinateNames(dimension: number, columns: readonly string[] | undefined): readonly string[] {
  return columns ?? Array.from({ length: dimension }, (_, i) => `x${i}`);
}

/** The name, with an underscore behind it where one of the others is the same. */
export function freeName(name: string, taken: readonly string[]): string {
  return taken.includes(name) ? freeName(`${name}_`, taken) : name;
}
