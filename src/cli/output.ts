/**
 * What a command says. Standard output is for results alone: with `--json` one JSON document and nothing else.
 * Progress and remarks go to standard error.
 */
import { printable } from "../errors.ts";
import { DivflowError } from "../index.ts";
import { jsonPieces } from "./json.ts";

/** Exit codes, as the README documents them. */
export const exitCodes = {
  success: 0,
  /** `verify` above the tolerance, or a run that failed (numeric, stiffness, device, full disk). */
  failure: 1,
  /** Bad input: options, data, checkpoints. Nothing was written. */
  badInput: 2,
  /** Ctrl-C, SIGTERM or SIGHUP, after saving what there is. */
  interrupted: 130,
} as const;

export function exitCodeOf(error: unknown): number {
  if (!(error instanceof DivflowError)) return exitCodes.failure;
  return ["config", "data", "checkpoint", "unsupported", "limit"].includes(error.code)
    ? exitCodes.badInput
    : exitCodes.failure;
}

/** Prints a result: the document with --json, else the lines. */
export function report(json: boolean, document: unknown, lines: readonly string[]): void {
  // Names of files and columns may hold anything: escaped, as JSON has it too, they move no cursor.
  if (!json) process.stdout.write(`${lines.map(escaped).join("\n")}\n`);
  else for (const piece of jsonPieces(document)) process.stdout.write(piece === "\n" ? piece : escaped(piece));
}

const escaped = (line: string): string => printable(line, Number.POSITIVE_INFINITY);

let quiet = false;

export const quietArgument = { type: "boolean", description: "no progress and no remarks, errors alone" } as const;

/** Leaves standard error to errors. Like that stream it is the process's, not a runtime's. */
export function beQuiet(): void {
  quiet = true;
}

export function isQuiet(): boolean {
  return quiet;
}

/** A remark for people, on standard error. */
export function remark(line: string): void {
  if (!quiet) complain(escaped(line));
}

/** What went wrong, in one line or more, on standard error: said with --quiet too. */
export function complain(lines: string): void {
  process.stderr.write(`${lines.split("\n").map(escaped).join("\n")}\n`);
}

/** Words as a shell takes them. */
export function shellCommand(words: readonly string[]): string {
  return words.map((one) => (/^[\w@%+=:,./-]+$/.test(one) ? one : `'${one.replaceAll("'", "'\\''")}'`)).join(" ");
}

/** Columns padded to their widest cell; the first is left-aligned, the others right-aligned. */
export function textTable(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] as number) : cell.padStart(widths[column] as number),
      )
      .join("   ")
      .trimEnd(),
  );
}
