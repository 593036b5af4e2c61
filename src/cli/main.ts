/** The divflow command: runs its command line, and turns errors into a sentence and an exit code. */
import { stripVTControlCharacters } from "node:util";
import { printable } from "../errors.ts";
import { DivflowError } from "../index.ts";
import { isFull, reasonOf } from "./files.ts";
import { inOptions } from "./in-options.ts";
import { complain, exitCodeOf, exitCodes } from "./output.ts";
import { run } from "./program.ts";
import { UnsavedError } from "./run-folder.ts";
import { listenToSignals, wasInterrupted } from "./signals.ts";

/** An aborted call rejects with its signal's reason. */
function isInterruption(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}

/** citty's own errors (a missing or unknown argument); it does not export their class. */
function isUsageError(error: unknown): error is Error {
  return error instanceof Error && error.name === "CLIError";
}

/** What went wrong, in a line, or with the stack where it is a fault of ours. */
function describeError(error: unknown): string {
  if (isUsageError(error)) return `${stripVTControlCharacters(error.message)}. See --help.`;
  if (error instanceof DivflowError) return inOptions(error.message, process.argv[2] ?? "");
  if (!(error instanceof Error)) return String(error);
  if (error instanceof UnsavedError) return error.message;
  if (isInterruption(error)) return "stopped before the end.";
  const { code, path } = error as NodeJS.ErrnoException;
  const fromSystem = code !== undefined && /^E[A-Z0-9]+$/.test(code); // ENOSPC and its like, not ERR_INVALID_STATE
  if (!fromSystem) return error.stack ?? error.message;
  return `${path === undefined ? "" : `${printable(path)}: `}${reasonOf(error)}. Nothing was left half written${isFull(error) ? "; free some room and try again" : ""}.`;
}

// A reader that closes the pipe (`divflow info | head -1`) has what it wanted.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(exitCodes.success);
  complain(`divflow: standard output: ${reasonOf(error)}.`);
  process.exit(exitCodes.failure);
});
process.stderr.on("error", () => {}); // remarks that nobody reads are no reason to stop

listenToSignals();
try {
  const code = await run(process.argv.slice(2));
  process.exitCode = code === exitCodes.success && wasInterrupted() ? exitCodes.interrupted : code;
} catch (error) {
  complain(`divflow: ${describeError(error)}`);
  if (isUsageError(error)) process.exitCode = exitCodes.badInput;
  else process.exitCode = isInterruption(error) ? exitCodes.interrupted : exitCodeOf(error);
}
