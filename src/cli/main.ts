/** The divflow command: picks the sub-command, checks its arguments, runs it, and turns errors into exit codes. */
import { stripVTControlCharacters } from "node:util";
import { type CommandDef, renderUsage, runCommand } from "citty";
import { DivflowError, VERSION } from "../index.ts";
import { type ArgumentDeclarations, checkRawArguments } from "./arguments.ts";
import { bench } from "./bench.ts";
import { compare } from "./compare.ts";
import { evaluate } from "./evaluate.ts";
import { reasonOf } from "./files.ts";
import { info } from "./info.ts";
import { exitCodeOf, exitCodes, remark } from "./output.ts";
import { sample } from "./sample.ts";
import { train } from "./train.ts";
import { verify } from "./verify.ts";

const commands: Readonly<Record<string, CommandDef>> = {
  compare: compare as CommandDef,
  train: train as CommandDef,
  sample: sample as CommandDef,
  evaluate: evaluate as CommandDef,
  verify: verify as CommandDef,
  bench: bench as CommandDef,
  info: info as CommandDef,
};

const main: CommandDef = {
  meta: {
    name: "divflow",
    version: VERSION,
    description: "Train and sample flow-matching models with flow and divergence matching",
  },
  subCommands: commands,
};

async function run(rawArguments: readonly string[]): Promise<number> {
  const [name, ...rest] = rawArguments;
  if (name === "--version" || name === "-v") {
    process.stdout.write(`${VERSION}\n`);
    return exitCodes.success;
  }
  if (name === undefined || name === "--help" || name === "-h") {
    process.stdout.write(`${await renderUsage(main)}\n`);
    return name === undefined ? exitCodes.badInput : exitCodes.success;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) {
    remark(`divflow: unknown command ${JSON.stringify(name)}; one of ${Object.keys(commands).join(", ")}.`);
    return exitCodes.badInput;
  }
  if (rest.includes("--help") || rest.includes("-h")) {
    process.stdout.write(`${await renderUsage(command, main)}\n`);
    return exitCodes.success;
  }
  checkRawArguments(rest, (command.args ?? {}) as ArgumentDeclarations);
  const { result } = await runCommand(command, { rawArgs: rest });
  return typeof result === "number" ? result : exitCodes.success;
}

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
  if (error instanceof DivflowError) return error.message;
  if (!(error instanceof Error)) return String(error);
  if (isInterruption(error)) return "stopped before the end.";
  const { code, path } = error as NodeJS.ErrnoException;
  const fromSystem = code !== undefined && /^E[A-Z0-9]+$/.test(code); // ENOSPC and its like, not ERR_INVALID_STATE
  if (!fromSystem) return error.stack ?? error.message;
  return `${path === undefined ? "" : `${path}: `}${reasonOf(error)}. Nothing was left half written.`;
}

// A reader that closes the pipe (`divflow info | head -1`) has what it wanted.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(exitCodes.success);
  remark(`divflow: standard output: ${reasonOf(error)}.`);
  process.exit(exitCodes.failure);
});
process.stderr.on("error", () => {}); // remarks that nobody reads are no reason to stop

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  remark(`divflow: ${describeError(error)}`);
  if (isUsageError(error)) process.exitCode = exitCodes.badInput;
  else process.exitCode = isInterruption(error) ? exitCodes.interrupted : exitCodeOf(error);
}
