/**
 * Reads command-line values. All arguments of a command are checked before any work; whatever does not fit is a
 * ConfigError, exit code 2, and nothing has been written.
 */
import { closest as nearest } from "../closest.ts";
import { ConfigError } from "../index.ts";

/** Declarations of a command's arguments, as far as checking needs them. */
export interface ArgumentDeclarations {
  readonly [name: string]: {
    readonly type?: string;
    readonly required?: boolean;
    readonly default?: unknown;
    /** What it is without being given, where that is no constant. */
    readonly valueHint?: string;
  };
}

/** The nearest of `names` as a question; a pointer to the list where none is near. */
export function closest(name: string, names: readonly string[]): string {
  return nearest(name, names, "See --help for the list.");
}

/** What a command line gives of options, by name without dashes, as text; `undefined` for those without a value. */
export function givenOptions(rawArguments: readonly string[]): Map<string, string | undefined> {
  const given = new Map<string, string | undefined>();
  for (const [i, argument] of rawArguments.entries()) {
    if (!argument.startsWith("--")) continue;
    const at = argument.indexOf("=");
    given.set(argument.slice(2, at < 0 ? undefined : at), at < 0 ? rawArguments[i + 1] : argument.slice(at + 1));
  }
  return given;
}

/**
 * Refuses options that the command does not have, options without their value or with two, switches with one, and too
 * many positionals: the parser below it lets them through.
 */
export function checkRawArguments(rawArguments: readonly string[], declarations: ArgumentDeclarations): void {
  const options = Object.entries(declarations).filter(([, { type }]) => type !== "positional");
  const names = options.map(([name]) => `--${name}`);
  const positionals = Object.values(declarations).filter(({ type }) => type === "positional").length;
  const variadic = "files" in declarations;
  const valued = new Set<string>();
  let seen = 0;
  for (let i = 0; i < rawArguments.length; i++) {
    const argument = rawArguments[i] as string;
    if (!argument.startsWith("-") || argument === "-" || /^-\.?\d/.test(argument)) {
      seen++;
      continue;
    }
    const [name = "", inline] = argument.split(/=(.*)/s, 2);
    const declared = options.find(([option]) => `--${option}` === name);
    if (declared === undefined) {
      throw unknownOption(name, names);
    }
    if (declared[1].type === "boolean") {
      if (inline === undefined) continue;
      throw new ConfigError({
        subject: name,
        given: inline,
        expected: "no value",
        remedy: `Write ${name} alone, or leave it out.`,
      });
    } else {
      const value = inline ?? rawArguments[++i];
      if (value === undefined || value === "" || (inline === undefined && value.startsWith("--"))) {
        throw new ConfigError({
          subject: name,
          given: "nothing",
          expected: "a value",
          remedy: `Write ${name} VALUE or ${name}=VALUE.`,
        });
      }
      if (valued.has(name)) {
        throw new ConfigError({
          subject: name,
          given: "two values",
          expected: "one",
          remedy: "Leave one of them out.",
        });
      }
      valued.add(name);
    }
  }
  if (!variadic && seen > positionals) {
    throw new ConfigError({
      subject: "command line",
      given: `${seen} plain argument${seen === 1 ? "" : "s"}`,
      expected: `at most ${positionals}`,
      remedy: "See --help; put options as --name VALUE.",
    });
  }
}

/** Names that a line still shows whole. */
const MOST_LISTED = 12;

/** Where a name is near, that alone is said; else the names, if they are few. */
function unknownOption(given: string, names: readonly string[]): ConfigError {
  const meant = nearest(given, [...names, "--help"], "");
  const listed = meant === "" && names.length <= MOST_LISTED;
  return new ConfigError({
    subject: "command line",
    given,
    expected: listed ? `one of ${names.join(", ")}` : "an option of this command",
    remedy: meant === "" ? "See --help for what they mean." : `${meant} All are in --help.`,
  });
}

/** Refuses those of `options` that a command line gives: without effect beside another, they would be passed over. */
export function refuseBeside(rawArguments: readonly string[], beside: string, options: readonly string[]): void {
  const all = givenOptions(rawArguments);
  const given = options.find((name) => all.has(name));
  if (given === undefined) return;
  throw new ConfigError({
    subject: `--${given}`,
    given: `beside ${beside}`,
    expected: "no such option there",
    remedy: `Leave it out: with ${beside} the file's own settings are kept.`,
  });
}

/** Not all that JavaScript reads as a number: "", "0x10" and "1_000" are more likely mistakes. */
const decimal = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;

/** A number that fits; `expected` says in words what does. */
export function number(option: string, text: string, expected: string, fits: (value: number) => boolean): number {
  const value = decimal.test(text) ? Number(text) : Number.NaN;
  if (!fits(value)) {
    throw new ConfigError({ subject: option, given: text, expected, remedy: "See --help for the options' meaning." });
  }
  return value;
}

/** @param most - the largest that makes sense. */
export function positiveInteger(option: string, text: string, most = Number.MAX_SAFE_INTEGER): number {
  const expected = `a positive integer${most < Number.MAX_SAFE_INTEGER ? `, at most ${most}` : ""}`;
  return number(option, text, expected, (value) => Number.isSafeInteger(value) && value > 0 && value <= most);
}

/** A seed: an integer from 0 to 2^53 - 1. */
export function seed(option: string, text: string): number {
  return number(option, text, "an integer from 0 to 2^53 - 1", (value) => Number.isSafeInteger(value) && value >= 0);
}

/** Devices compute in it. */
export const isF32 = (value: number) => Number.isFinite(Math.fround(value));

export function positiveNumber(option: string, text: string): number {
  return number(option, text, "a positive number that f32 holds", (value) => isF32(value) && value > 0);
}

export function nonNegativeNumber(option: string, text: string): number {
  return number(option, text, "a number of at least 0 that f32 holds", (value) => isF32(value) && value >= 0);
}

/** One of `choices`, which come from a registry. */
export function oneOf<Choice extends string>(option: string, text: string, choices: readonly Choice[]): Choice {
  const choice = choices.find((candidate) => candidate === text);
  if (choice === undefined) {
    throw new ConfigError({
      subject: option,
      given: text,
      expected: `one of ${choices.join(", ")}`,
      remedy: closest(text, choices),
    });
  }
  return choice;
}
