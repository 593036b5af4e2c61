/** What a user says of each row of their own points beside them: labels, and numbers of any shape. */
import { ConfigError, DataError } from "../errors.ts";
import { type Shape, sizeOf } from "../graph/node.ts";
import { integerOption, isRecord, optionsObject } from "../graph/options.ts";
import { fingerprint } from "./fingerprint.ts";
import { copiedNumbers, shapedNumbers } from "./numbers.ts";
import { expectFinite } from "./points.ts";
import type { DataCondition } from "./source.ts";
import { fitChannels, fitStandardization, type Standardization, type StandardizationMode } from "./standardize.ts";

/** A condition as plain data: labels u32 [count], or numbers [count, ...shape], row-major, in data units. */
export interface RowCondition extends Omit<DataCondition, "standardization"> {
  readonly values: Float32Array | Float64Array | Uint32Array;
}

/** By name. */
export type RowConditions = Readonly<Record<string, RowCondition>>;

/** How a condition of numbers, or the points, come from data units to model units, by name; undefined: they are the same. */
export type ConditionUnits = Readonly<Record<string, Standardization | undefined>>;

/**
 * The conditions of `count` points, checked and copied.
 *
 * @param of - what they are conditions of, for messages.
 * @throws {@link DataError} that names condition and row.
 */
export function rowConditions(given: unknown, count: number, of?: string): RowConditions {
  if (!isRecord(given) || ArrayBuffer.isView(given)) {
    throw new ConfigError({
      subject: "conditions of arrayData",
      given: given ?? String(given),
      expected: "values by name",
      remedy: "Give an object such as { label: labels, age: ages }, or leave it out.",
    });
  }
  return Object.fromEntries(
    Object.entries(given).map(([name, one]) => [
      name,
      rowCondition(`condition "${name}"${of ? ` of ${of}` : ""}`, one, count),
    ]),
  );
}

function rowCondition(subject: string, given: unknown, count: number): RowCondition {
  const options = isRecord(given) && !ArrayBuffer.isView(given) ? given : { values: given };
  const { values, shape, classes, names } = optionsObject(subject, options, ["values", "shape", "classes", "names"]);
  const isText = Array.isArray(values) && typeof values[0] === "string";
  const said = classes !== undefined || names !== undefined;
  const one = Array.isArray(shape) ? shape.slice(1) : [];
  if (isText || said || (isIntegers(values) && one.length === 0)) {
    if (one.length > 0) {
      const facts = { given: shape, expected: `[${count}]: a label is one number`, remedy: "Leave it out." };
      throw new DataError({ subject: `shape of ${subject}`, ...facts });
    }
    return labels(subject, values, count, classes, names);
  }
  return numbers(subject, values, shape, count);
}

/** Typed arrays of integers. */
function isIntegers(values: unknown): boolean {
  return ArrayBuffer.isView(values) && !(values instanceof Float32Array || values instanceof Float64Array);
}

function numbers(subject: string, given: unknown, shape: unknown, count: number): RowCondition {
  const isFlat = !Array.isArray(given) || !(Array.isArray(given[0]) || ArrayBuffer.isView(given[0]));
  const { values, shape: whole } =
    shape === undefined && isFlat
      ? { values: copiedNumbers(subject, given), shape: [count] }
      : shapedNumbers(subject, given, shape as Shape | undefined);
  const [rows, ...one] = whole;
  const size = sizeOf(one);
  if (rows !== count || size === 0 || values.length !== count * size) {
    throw new DataError({
      subject,
      given: rows === count ? `${values.length} numbers` : `shape [${whole.join(", ")}]`,
      expected: `a row for each of ${count} points`,
      remedy: "Give one number for each point, or the shape [count, ...shape of one] beside the values.",
    });
  }
  expectFinite(values, { dimension: size, shape: one }, subject);
  return { values, shape: one };
}

function labels(subject: string, given: unknown, count: number, classes: unknown, names: unknown): RowCondition {
  const isText = Array.isArray(given) && typeof given[0] === "string";
  const called = names === undefined ? undefined : namesOption(subject, names);
  const own = called ?? (isText ? [...new Set(given.filter((name) => typeof name === "string"))].sort() : undefined);
  const place = new Map(own?.map((name, label) => [name, label]));
  const numbers = isText ? Float64Array.from(given, (name) => place.get(name) ?? -1) : copiedNumbers(subject, given);
  const most = classes === undefined ? own?.length : integerOption(`classes of ${subject}`, classes);
  const wrong = numbers.findIndex((label) => !(Number.isInteger(label) && label >= 0 && label < (most ?? 2 ** 32)));
  if (numbers.length !== count || wrong >= 0) {
    throw new DataError({
      subject: wrong < 0 ? subject : `${subject}, row ${wrong} (from 0)`,
      given: wrong < 0 ? `${numbers.length} labels` : (given as ArrayLike<unknown>)[wrong],
      expected: wrong < 0 ? `${count}, one for each point` : expectedLabel(isText, most, own),
      remedy: "Give each point its label.",
    });
  }
  const all = most ?? [...new Set<number>(numbers)].reduce((largest, label) => Math.max(largest, label), 0) + 1;
  if (own && own.length !== all) {
    throw new ConfigError({
      subject: `names of ${subject}`,
      given: `${own.length} names`,
      expected: `${all}, one for each class`,
      remedy: "Name each class, in order, or leave the names out.",
    });
  }
  return { values: Uint32Array.from(numbers), shape: [], classes: all, ...(own ? { names: Object.freeze(own) } : {}) };
}

function expectedLabel(isText: boolean, most: number | undefined, names: readonly string[] | undefined): string {
  if (isText) return `one of ${(names ?? []).join(", ")}`;
  return `a label, an integer from 0${most === undefined ? "" : ` to ${most - 1}`}`;
}

function namesOption(subject: string, names: unknown): string[] {
  const isList = Array.isArray(names) && names.every((name) => typeof name === "string");
  if (isList && new Set(names).size === names.length) return [...names];
  throw new ConfigError({
    subject: `names of ${subject}`,
    given: names,
    expected: "different names, one for each class",
    remedy: 'Give an array of strings, such as ["cat", "dog"], or leave it out.',
  });
}

/** What sources say of them. */
export function declarations(
  conditions: RowConditions,
  units: ConditionUnits,
): Readonly<Record<string, DataCondition>> {
  return Object.fromEntries(
    Object.entries(conditions).map(([name, { values: _, ...one }]) => {
      const standardization = units[name];
      return [name, { ...one, ...(standardization ? { standardization } : {}) }];
    }),
  );
}

/** What checkpoints keep of them: their declaration and a fingerprint of the values in place of these. */
export function conditionOptions(conditions: RowConditions): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(conditions).map(([name, { values, ...one }]) => [
      name,
      { ...one, fingerprint: fingerprint(values instanceof Uint32Array ? Float64Array.from(values) : values) },
    ]),
  );
}

/** Mean and deviation of each condition of numbers. */
export function fittedUnits(conditions: RowConditions, mode: StandardizationMode, count: number): ConditionUnits {
  return Object.fromEntries(
    Object.entries(conditions).flatMap(([name, { values, shape }]) =>
      values instanceof Uint32Array ? [] : [[name, fitted({ values, count, dimension: sizeOf(shape) }, shape, mode)]],
    ),
  );
}

/** The standardisation of this mode. */
export function fitted(
  points: Parameters<typeof fitStandardization>[0],
  shape: Shape,
  mode: StandardizationMode,
): Standardization {
  return mode === "channel" ? fitChannels(points, shape) : fitStandardization(points);
}
