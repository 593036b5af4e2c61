/** What samples are told, from a command's options, and how it stands beside them in files of results. */
import { readFile } from "node:fs/promises";
import {
  type ConditionsGiven,
  ConfigError,
  type DataCondition,
  type Model,
  type ModelCondition,
  type Points,
} from "../index.ts";
import { isF32, number } from "./arguments.ts";
import { isPointsFile, readPointsFile } from "./data.ts";
import { remark } from "./output.ts";
import type { ResultArray } from "./results.ts";
import type { ToldArguments } from "./told.ts";

export const toldSampleArguments = {
  label: {
    type: "string",
    description: "labels that samples are told: species=setosa; or a file with one per line for each sample",
  },
  condition: {
    type: "string",
    description: "numbers that samples are told: age=40,sex=1; or a file (.csv, .npy) with a row for each sample",
  },
  guidance: {
    type: "string",
    description: "how much what samples are told guides them: 1 as the data are (default), 3 more so and less alike",
  },
} as const;

/** The strength of guidance, where it is given. */
export function readGuidance(text: string | undefined): number | undefined {
  return text === undefined ? undefined : number("--guidance", text, "a number that f32 holds", isF32);
}

/** A condition's value as given: text of one, or a file's name. */
interface Given {
  readonly option: string;
  readonly text: string;
}

/** What the options say, by name. */
export function readToldSamples(args: ToldArguments): ReadonlyMap<string, Given> {
  const given = new Map<string, Given>();
  for (const option of ["label", "condition"] as const) {
    // What has no = belongs to the value before it: labels may hold commas.
    for (const one of args[option]?.split(/,(?=[^,]*=)/) ?? []) {
      const at = one.indexOf("=");
      const [name, text] = [one.slice(0, at).trim(), one.slice(at + 1).trim()];
      if (at > 0 && name !== "" && text !== "" && !given.has(name)) {
        given.set(name, { option: `--${option} ${name}`, text });
        continue;
      }
      throw new ConfigError({
        subject: `--${option}`,
        given: given.has(name) && at > 0 ? `${name} twice` : one,
        expected: "name=value, several apart by commas, each name once",
        remedy: option === "label" ? "Write such as --label species=setosa." : "Write such as --condition age=40.",
      });
    }
  }
  return given;
}

/**
 * As the model takes it. What the options leave out it does without, where it can; that is said.
 *
 * @throws {@link ConfigError} when the model is told no such condition.
 */
export async function toldSamples(
  given: ReadonlyMap<string, Given>,
  model: Model,
): Promise<ConditionsGiven | undefined> {
  const known = model.conditions;
  const names = Object.keys(known);
  for (const [name, { option }] of given) {
    if (known[name]) continue;
    throw new ConfigError({
      subject: option,
      given: name,
      expected: names.length > 0 ? `one of ${names.join(", ")}` : "none: the model is told nothing",
      remedy: names.length > 0 ? "Name what the model was trained with." : "Leave it out.",
    });
  }
  if (names.length === 0) return undefined;
  const left = names.filter((name) => !given.has(name) && known[name]?.optional);
  if (left.length > 0) remark(`Not told: ${left.join(", ")}.`);
  const told = await Promise.all(
    [...given].map(async ([name, one]) => [name, await readValue(one, known[name] as ModelCondition)] as const),
  );
  return Object.fromEntries([...left.map((name) => [name, null] as const), ...told]);
}

async function readValue(
  { option, text }: Given,
  { classes, names }: ModelCondition,
): Promise<ConditionsGiven[string]> {
  const isFile = isPointsFile(text);
  if (classes === undefined) {
    return isFile ? (await readPointsFile(text)).values : number(option, text, "a number, or a file", Number.isFinite);
  }
  const labelOf = (label: string) => (names?.includes(label) || !/^\d+$/.test(label) ? label : Number(label));
  if (!isFile || names?.includes(text)) return labelOf(text);
  if (/\.np[yz]$/i.test(text)) return (await readPointsFile(text)).values;
  const lines = (await readFile(text, "utf8")).split(/\r?\n/).map((line) => line.trim().replace(/^"(.*)"$/, "$1"));
  return lines.filter((line) => line !== "").map(labelOf);
}

/** What a file's points are told, as models take it. */
export function toldOf({ conditions }: Pick<Points, "conditions">): ConditionsGiven | undefined {
  if (!conditions) return undefined;
  return Object.fromEntries(
    Object.entries(conditions).map(([name, given]) => {
      const isList = Array.isArray(given) || ArrayBuffer.isView(given);
      return [name, isList ? given : (given as { readonly values: readonly unknown[] }).values] as const;
    }),
  ) as ConditionsGiven;
}

/** Gives what rows `from` to `to` of `count` samples were told, as columns beside them: labels by name where they have some. */
export function toldColumns(
  told: ConditionsGiven | undefined,
  known: Readonly<Record<string, DataCondition>>,
  count: number,
): (from: number, to: number) => ResultArray[] {
  const columnsOf = Object.entries(told ?? {}).flatMap(([name, given]) => {
    const { classes, names, shape: one } = known[name] as DataCondition;
    if (given === null) return [];
    const all: readonly (string | number)[] =
      typeof given === "object" ? (Array.from(given as ArrayLike<number>).flat() as number[]) : [given];
    const width = one.reduce((product, size) => product * size, 1);
    const isEach = all.length === count * width;
    const numberOf = (one: string | number) => (typeof one === "string" ? (names?.indexOf(one) ?? -1) : one);
    const columns = width === 1 ? [name] : Array.from({ length: width }, (_, i) => `${name}${i}`);
    return (from: number, to: number): ResultArray => {
      const each = isEach
        ? all.slice(from * width, to * width)
        : Array.from({ length: (to - from) * width }, (_, i) => all[i % width] as string | number);
      const texts = classes !== undefined && names ? { texts: each.map((one) => names[numberOf(one)] ?? "") } : {};
      const shape = [to - from, ...one];
      return { name, values: Float64Array.from(each, numberOf), shape, columns, ...texts, isTold: true };
    };
  });
  return (from, to) => columnsOf.map((columns) => columns(from, to));
}

/** For a document: what is told of all, or how many values there are. */
export function inDocument(told: ConditionsGiven): object {
  return Object.fromEntries(
    Object.entries(told).map(([name, given]) => [
      name,
      typeof given === "object" && given !== null ? { values: (given as ArrayLike<unknown>).length } : given,
    ]),
  );
}
