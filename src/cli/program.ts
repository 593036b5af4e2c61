/** The commands by name, and the running of one: picks it, checks its arguments, runs it. */
import { type CommandDef, runCommand } from "citty";
import { ConfigError, VERSION } from "../index.ts";
import { type ArgumentDeclarations, checkRawArguments, closest } from "./arguments.ts";
import { bench } from "./bench.ts";
import { compare } from "./compare.ts";
import { evaluate } from "./evaluate.ts";
import { experiment } from "./experiment.ts";
import { exportModel } from "./export.ts";
import { usage } from "./help.ts";
import { info } from "./info.ts";
import { merge } from "./merge.ts";
import { beQuiet, exitCodes, quietArgument } from "./output.ts";
import { sample } from "./sample.ts";
import { train } from "./train.ts";
import { verify } from "./verify.ts";
import { refuseVoid } from "./void-options.ts";

/** Options that every command has. */
const common = { quiet: quietArgument } as const;

export const commands: Readonly<Record<string, CommandDef>> = Object.fromEntries(
  Object.entries({ compare, experiment, train, sample, evaluate, merge, export: exportModel, verify, bench, info }).map(
    ([name, command]) => [name, { ...(command as CommandDef), args: { ...(command as CommandDef).args, ...common } }],
  ),
);

const main: CommandDef = {
  meta: {
    name: "divflow",
    version: VERSION,
    description: "Train, sample and judge flow-matching models with flow and divergence matching",
  },
  subCommands: commands,
};

const helpNames = ["help", "--help", "-h"];

/** Runs a command line and gives its exit code; what goes wrong is thrown. */
export async function run(rawArguments: readonly string[]): Promise<number> {
  const [name, ...rest] = rawArguments;
  if (name === "--version" || name === "-v") {
    process.stdout.write(`${VERSION}\n`);
    return exitCodes.success;
  }
  if (name === undefined || helpNames.includes(name)) {
    const [about] = rest.filter((argument) => !helpNames.includes(argument));
    process.stdout.write(await usage(main, about === undefined ? undefined : commandNamed(about)));
    return name === undefined ? exitCodes.badInput : exitCodes.success;
  }
  const command = commandNamed(name);
  if (rest.includes("--help") || rest.includes("-h")) {
    process.stdout.write(await usage(main, command));
    return exitCodes.success;
  }
  const declarations = (command.args ?? {}) as ArgumentDeclarations;
  checkRawArguments(rest, declarations);
  refuseVoid(rest, declarations);
  if (rest.includes("--quiet")) beQuiet();
  const { result } = await runCommand(command, { rawArgs: rest });
  return typeof result === "number" ? result : exitCodes.success;
}

function commandNamed(name: string): CommandDef {
  const found = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (found !== undefined) return found;
  const names = Object.keys(commands);
  throw new ConfigError({
    subject: "command",
    given: name,
    expected: `one of ${names.join(", ")}`,
    remedy: name.startsWith("-") ? "Options stand behind the command." : closest(name, [...names, "help"]),
  });
}
