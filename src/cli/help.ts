/** What --help prints: citty's usage, in colours on a terminal that wants them, with what it cannot know added. */
import { stripVTControlCharacters } from "node:util";
import { type CommandDef, renderUsage } from "citty";

/** Added below the list of commands. */
const more = `EXAMPLES

  divflow compare                                                  CFM against FDM, with a report to look at
  divflow train points.csv --out runs/mine                         a model of your own points
  divflow train after.csv --start before.csv --loss cfm --out run  one sample carried into another
  divflow sample runs/mine/model.safetensors --out samples.csv     new points like them
  divflow evaluate runs/mine/model.safetensors --data other.csv    how likely other points are

Results go to standard output (--json: as one JSON document), progress and remarks to standard error (--quiet: none).
Exit codes: 0 success; 1 failure on the way, also of verify; 2 bad input, nothing written; 130 Ctrl-C, after saving.`;

/** The usage of the command, or of the whole program where there is none. */
export async function usage(main: CommandDef, command?: CommandDef): Promise<string> {
  const text = command ? await renderUsage(command, main) : `${await renderUsage(main)}\n\n${more}`;
  const shown = wantsColours() ? text : stripVTControlCharacters(text);
  return `${shown.replace(/ +$/gm, "")}\n`;
}

/** @see https://no-color.org */
function wantsColours(): boolean {
  const { NO_COLOR, TERM } = process.env;
  return process.stdout.isTTY === true && !NO_COLOR && TERM !== "dumb";
}
