/** The divflow command: picks the sub-command, checks its arguments, runs it, and turns errors into exit codes. */
import { stripVTControlCharacters } from "node:util";
import { type CommandDef, renderUsage, runCommand } from "citty";
import { DivflowError, VERSION } from "../index.ts";
import { type ArgumentDeclarations, checkRawArguments } from "./arguments.ts";
import { bench } from "./bench.ts";
import { compare } from "./compare.ts";
import { evaluate } from "./evaluate.ts";
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

/** citty's own errors (a missing or unknown argument); it does not export their class. */
function isUsageError(error: unknown): error is Error {
  return error instanceof Error && error.name === "CLIError";
}

// A reader that closes the pipe (`divflow info | head -1`) has what it wanted.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? exitCodes.success : exitCodes.failure);
});

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  if (isUsageError(error)) {
    remark(`divflow: ${stripVTControlCharacters(error.message)}. See --help.`);
    process.exitCode = exitCodes.badInput;
  } else {
    const code = (error as NodeJS.ErrnoException).code;
    if (error instanceof DivflowError) remark(`divflow: ${error.message}`);
    else if (code === "ENOSPC") remark("divflow: the disk is full; nothing was left half written. Free some space.");
    else remark(`divflow: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    process.exitCode = exitCodeOf(error);
  }
}
