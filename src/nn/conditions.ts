/** What networks are told beside points and times: how it is declared, and which values enter a graph. */
import { ConfigError } from "../errors.ts";
import { type DType, isSizes, type Node, type Shape, sizeOf } from "../graph/node.ts";
import { integerOption, isRecord, numberOption, optionsObject } from "../graph/options.ts";
import { concat, reshape } from "../ops/shape.ts";
import { type ConditionDeclaration, type ConditionDeclarations, type Conditions, toldName } from "./network.ts";

/** Labels at most. */
const MOST_CLASSES = 1 << 20;

export interface ConditionOptions {
  /** See {@link ConditionDeclaration.drop}. */
  readonly drop?: number;
}

/**
 * A label: an integer from 0 to `count` - 1.
 *
 * @throws {@link ConfigError} when the count is no integer from 1 to 2^20, or `drop` no number in [0, 1).
 * @example
 * mlp({ dimension: 2, conditions: { label: classes(3, { drop: 0.1 }) } })
 */
export function classes(count: number, options: ConditionOptions = {}): ConditionDeclaration {
  optionsObject("options of classes", options, ["drop"]);
  return declared("classes", { shape: [], classes: count, ...options });
}

/**
 * Numbers of this shape: `numbers(4)` is four, `numbers([3, 2])` three rows of two.
 *
 * @throws {@link ConfigError} when a size is no positive integer, or `drop` no number in [0, 1).
 */
export function numbers(shape: number | readonly number[] = [], options: ConditionOptions = {}): ConditionDeclaration {
  optionsObject("options of numbers", options, ["drop"]);
  return declared("numbers", { shape: typeof shape === "number" ? [shape] : shape, ...options });
}

/**
 * Declarations of a network's options or file, checked and copied.
 *
 * @throws {@link ConfigError} that names the condition.
 */
export function conditionsOption(subject: string, given: unknown): ConditionDeclarations {
  if (!isRecord(given)) {
    throw new ConfigError({
      subject,
      given: given ?? String(given),
      expected: "conditions by name",
      remedy: "Give an object such as { label: classes(10), age: numbers() }, or leave it out.",
    });
  }
  return Object.freeze(
    Object.fromEntries(
      Object.entries(given).map(([name, one]) => {
        // Columns of files are called so; what begins with a digit is a layer's name.
        if (!/^[\p{L}_][^\p{C}]*$/u.test(name) || /^[xt]$|\.told$/.test(name)) {
          throw new ConfigError({
            subject: `name of a condition in ${subject}`,
            given: name,
            expected: "a letter first, and neither x nor t, nor .told at the end",
            remedy: "Give it another name.",
          });
        }
        return [name, declared(`${name} in ${subject}`, one)];
      }),
    ),
  );
}

function declared(subject: string, given: unknown): ConditionDeclaration {
  const {
    shape = [],
    classes,
    drop = 0,
  } = optionsObject(subject, given as ConditionDeclaration, ["shape", "classes", "drop"]);
  if (!isSizes(shape) || shape.some((size) => size === 0) || (classes !== undefined && shape.length > 0)) {
    throw new ConfigError({
      subject: `shape of ${subject}`,
      given: shape,
      expected: classes === undefined ? "positive integers" : "[]: a label is one number",
      remedy: classes === undefined ? "Give the sizes of one sample's values." : "Leave it out.",
    });
  }
  if (classes !== undefined) integerOption(`classes of ${subject}`, classes, 1, MOST_CLASSES);
  numberOption(`drop of ${subject}`, drop, { minimum: 0, maximum: 1, open: "maximum" });
  return Object.freeze({
    shape: Object.freeze([...shape]),
    ...(classes === undefined ? {} : { classes }),
    ...(drop > 0 ? { drop } : {}),
  });
}

/** A value that a graph is given for its conditions: one row of it, and whether it is a label. */
export interface ConditionValue {
  readonly name: string;
  /** Of one row. */
  readonly shape: Shape;
  readonly dtype: DType;
}

/** All values that `apply` is given: of numbers that may be dropped also whether they are told. */
export function conditionValues(declarations: ConditionDeclarations = {}): ConditionValue[] {
  return Object.entries(declarations).flatMap(([name, { shape, classes, drop }]): ConditionValue[] => {
    if (classes !== undefined) return [{ name, shape, dtype: "u32" }];
    const told: ConditionValue = { name: toldName(name), shape: [1], dtype: "f32" };
    return [{ name, shape, dtype: "f32" }, ...(drop ? [told] : [])];
  });
}

/**
 * What the network is told under this name.
 *
 * @throws {@link ConfigError} when it is not told: without it the network would be another one.
 */
export function conditionOf(conditions: Conditions | undefined, name: string): Node {
  const value = conditions?.get(name);
  if (value) return value;
  throw new ConfigError({
    subject: `condition "${name}"`,
    given: conditions && conditions.size > 0 ? `only ${[...conditions.keys()].join(", ")}` : "none",
    expected: "what the network was made to be told",
    remedy: `Give ${name}, a row for each point.`,
  });
}

/** How many numbers a row is told by a condition of numbers. */
export function numbersOf({ shape, drop }: ConditionDeclaration): number {
  return sizeOf(shape) + (drop ? 1 : 0);
}

/** [B, numbersOf]: the numbers in their order, and last whether they are told, where that may not be. */
export function flatNumbers(
  name: string,
  { shape, drop }: ConditionDeclaration,
  told: Conditions | undefined,
  before = (x: Node) => x,
): Node {
  const value = conditionOf(told, name);
  const flat = before(reshape(value, [value.shape[0], sizeOf(shape)]));
  return drop ? concat([flat, conditionOf(told, toldName(name))], 1) : flat;
}

/** Rows of a label's table: one for each class, and the last for "not told" where that may be. */
export function rowsOf({ classes = 0, drop }: ConditionDeclaration): number {
  return classes + (drop ? 1 : 0);
}
