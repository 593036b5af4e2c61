/** What models are told beside points, on the command line: columns of files, and values for samples. */
import { type ConditionDeclarations, ConfigError, type DataCondition, type Points } from "../index.ts";
import { number } from "./arguments.ts";

/** Options of files: which columns are told of the points. */
export const toldArguments = {
  label: { type: "string", description: "columns of labels that models are told, not points: a,b (arrays of a .npz)" },
  condition: { type: "string", description: "columns of numbers that models are told, not points: a,b (likewise)" },
} as const;

export interface ToldArguments {
  readonly label?: string | undefined;
  readonly condition?: string | undefined;
}

/** What is known already of a condition, of a model or of the data trained on. */
export type KnownCondition = Partial<Pick<DataCondition, "classes" | "names">>;
export type KnownConditions = Readonly<Record<string, KnownCondition>>;

/** Names of columns or arrays, as readers take them. */
export interface ToldNames {
  readonly labels?: readonly string[];
  readonly conditions?: readonly string[];
}

/** The columns that the options name; where they name none, those that a model is told. */
export function toldNames(args: ToldArguments, known: KnownConditions = {}): ToldNames {
  const asked = args.label !== undefined || args.condition !== undefined;
  const of = (isLabel: boolean) =>
    Object.entries(known).flatMap(([name, { classes }]) => ((classes !== undefined) === isLabel ? [name] : []));
  const listed = (text: string | undefined) => text?.split(",").map((name) => name.trim()) ?? [];
  const labels = asked ? listed(args.label) : of(true);
  const conditions = asked ? listed(args.condition) : of(false);
  return {
    ...(labels.length > 0 ? { labels } : {}),
    ...(conditions.length > 0 ? { conditions } : {}),
  };
}

/**
 * Points whose labels have names for all rows that there are: the model's where it has some, so that they mean the same;
 * else those that occur, numbers by size. Labels of a model without names are its numbers.
 */
export function withNames(points: Points, labels: readonly string[] = [], known: KnownConditions = {}): Points {
  const { conditions } = points;
  if (!conditions) return points;
  const named = Object.entries(conditions).map(([name, given]) => {
    if (!labels.includes(name)) return [name, given];
    const of = known[name];
    const values = given as readonly string[] | { readonly values: Float64Array };
    if (!Array.isArray(values)) return [name, { ...(given as object), ...classesOf(name, given, of) }];
    if (of?.classes !== undefined && !of.names && values.every((text) => /^\d+$/.test(text))) {
      return [name, { values: values.map(Number), classes: of.classes }];
    }
    return [name, { values, names: of?.names ?? inOrder([...new Set(values as string[])]) }];
  });
  return { ...points, conditions: Object.fromEntries(named) };
}

/** Numbers by size, words by their letters. */
function inOrder(names: readonly string[]): readonly string[] {
  const numeric = names.every((name) => Number.isFinite(Number(name)));
  return numeric ? [...names].sort((a, b) => Number(a) - Number(b)) : [...names].sort();
}

/** Of labels that an array holds as numbers. */
function classesOf(name: string, given: unknown, known: KnownCondition | undefined): KnownCondition {
  if (known?.classes !== undefined) return known.names ? { names: known.names } : { classes: known.classes };
  const { values } = given as { readonly values: ArrayLike<number> };
  let most = 0;
  for (let i = 0; i < values.length; i++) most = Math.max(most, values[i] as number);
  if (Number.isInteger(most)) return { classes: most + 1 };
  const facts = { given: most, expected: "integers from 0", remedy: "Tell it as numbers: --condition." };
  throw new ConfigError({ subject: `label "${name}"`, ...facts });
}

/** The probability of --drop, where one is given. */
export function readDrop(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  return number("--drop", text, "a number from 0 to below 1", (value) => value >= 0 && value < 1);
}

/** What a network is to be told of data: all that they say, each left out with this probability. */
export function declarationsOf(
  conditions: Readonly<Record<string, DataCondition>> | undefined,
  drop: number,
): ConditionDeclarations | undefined {
  if (!conditions) return undefined;
  return Object.fromEntries(
    Object.entries(conditions).map(([name, { shape, classes }]) => [
      name,
      { shape, ...(classes === undefined ? {} : { classes }), ...(drop > 0 ? { drop } : {}) },
    ]),
  );
}
