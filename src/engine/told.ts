/** What callers tell a model beside its points: checked, in model units, and given to the device a chunk of rows at a time. */
import type { NumericArray } from "../backends/backend.ts";
import { copiedNumbers } from "../data/numbers.ts";
import { standardize } from "../data/standardize.ts";
import { ConfigError, DataError } from "../errors.ts";
import type { StateDeclaration } from "../graph/graph.ts";
import { type DType, sizeOf } from "../graph/node.ts";
import { choiceOption, f32Option, optionsObject } from "../graph/options.ts";
import { type ConditionValue, conditionValues } from "../nn/conditions.ts";
import { type ConditionDeclaration, type Conditions, type Network, toldName } from "../nn/network.ts";
import { state } from "../ops/sources.ts";
import type { ConditionFacts } from "../train/checkpoint.ts";
import type { ConditionsGiven, ModelCondition } from "./api.ts";
import { paddedRows } from "./points.ts";

/** What is known of a model's conditions. */
export function conditionsOf(
  { conditions = {} }: Pick<Network, "conditions">,
  facts: ConditionFacts,
): Readonly<Record<string, ModelCondition>> {
  return Object.freeze(
    Object.fromEntries(
      Object.entries(conditions).map(([name, { shape, classes, drop }]) => [
        name,
        { shape, ...(classes === undefined ? {} : { classes }), ...facts[name], optional: drop !== undefined },
      ]),
    ),
  );
}

/** The states that hold what each of `rows` points is told. */
export function toldStates(
  { conditions }: Pick<Network, "conditions">,
  rows: number,
  guided = false,
): StateDeclaration[] {
  return [
    ...conditionValues(conditions).map((value) => stateOf(value, rows)),
    ...(guided ? [guidanceState(rows)] : []),
  ];
}

/** The strength of guidance for each of `rows` points. */
export function guidanceState(rows: number): StateDeclaration {
  return { name: "guidance", shape: [rows, 1], dtype: "f32" };
}

function stateOf({ name, shape, dtype }: ConditionValue, rows: number): StateDeclaration {
  return { name: `told.${name}`, shape: [rows, ...shape], dtype };
}

/** The same as what the network is told; undefined where it is told nothing. */
export function toldNodes({ conditions }: Pick<Network, "conditions">, rows: number): Conditions | undefined {
  if (!conditions) return undefined;
  return new Map(conditionValues(conditions).map((value) => [value.name, state(stateOf(value, rows))]));
}

/** One value of a condition, for all points or for each of them. */
interface ToldValue {
  readonly state: string;
  readonly dtype: DType;
  readonly width: number;
  /** [width] or [count, width]. */
  readonly values: NumericArray;
}

/** What a number of points are told. */
export class Told {
  /** Whether what they are told is to guide them. */
  readonly guided: boolean;
  readonly #values: readonly ToldValue[];

  constructor(values: readonly ToldValue[], guidance?: number) {
    this.guided = guidance !== undefined;
    this.#values =
      guidance === undefined
        ? values
        : [...values, { state: guidanceState(1).name, dtype: "f32", width: 1, values: Float32Array.of(guidance) }];
  }

  /** Contents of the states for rows `from` to `from` + `rows`; past the end the last one's again. */
  at(from: number, rows: number): ReadonlyMap<string, NumericArray> {
    return new Map(
      this.#values.map(({ state, dtype, width, values }) => {
        const isOne = values.length === width;
        const padded = paddedRows(values, isOne ? 0 : from, rows, width);
        return [state, dtype === "u32" ? Uint32Array.from(padded) : padded];
      }),
    );
  }
}

/** What rows are told whose conditions are known, in model units, by name. */
export function toldRows(
  { conditions }: Pick<Network, "conditions">,
  rows: Readonly<Record<string, NumericArray>>,
): Told {
  return new Told(
    conditionValues(conditions).map(({ name, shape, dtype }): ToldValue => {
      const values = rows[name] ?? Float32Array.of(1); // all are told
      return { state: `told.${name}`, dtype, width: sizeOf(shape), values };
    }),
  );
}

/**
 * What a caller tells of `count` points.
 *
 * @param of - the call, for messages.
 * @param guidance - the strength by which it guides; 1 or left out: not at all.
 * @throws {@link ConfigError} when a condition is missing or unknown, or a label is none.
 * @throws {@link DataError} when there are more or fewer values than points.
 */
export function toldBy(
  of: string,
  given: ConditionsGiven | undefined,
  { network, facts, count }: { readonly network: Network; readonly facts: ConditionFacts; readonly count: number },
  guidance?: number,
): Told {
  const declared = Object.entries(network.conditions ?? {});
  const subject = `conditions of ${of}`;
  const known = optionsObject(
    subject,
    given ?? {},
    declared.map(([name]) => name),
  );
  const strength = strengthOf(of, guidance, declared, known);
  return new Told(
    declared.flatMap(([name, declaration]): ToldValue[] => {
      const value = known[name];
      const where = { subject: `condition "${name}" of ${of}`, count };
      if (value === undefined) throw untold(where.subject, declaration);
      return declaration.classes === undefined
        ? numbersTold(name, value, declaration, facts[name] ?? {}, where)
        : [labelsTold(name, value, declaration, facts[name] ?? {}, where)];
    }),
    strength,
  );
}

/** The strength of guidance, checked; undefined where the field is the one that is told. */
function strengthOf(
  of: string,
  guidance: number | undefined,
  declared: readonly (readonly [string, ConditionDeclaration])[],
  known: ConditionsGiven,
): number | undefined {
  if (guidance === undefined) return undefined;
  const subject = `guidance of ${of}`;
  f32Option(subject, guidance);
  if (guidance === 1) return undefined;
  const optional = declared.filter(([, { drop }]) => drop);
  if (optional.some(([name]) => known[name] !== null)) return guidance;
  const names = optional.map(([name]) => name).join(", ");
  throw new ConfigError({
    subject,
    given: `${guidance}, ${names ? `and ${names} not told` : "for a model that learned no field without conditions"}`,
    expected: "conditions that the model can do without, and is told",
    remedy: names
      ? `Tell ${names}, or leave guidance out.`
      : "Train with the condition dropped now and then, as in classes(10, { drop: 0.1 }), or leave guidance out.",
  });
}

interface Where {
  readonly subject: string;
  readonly count: number;
}

function untold(subject: string, { shape, classes, drop }: ConditionDeclaration): ConfigError {
  const kind = classes === undefined ? `numbers of shape [${shape.join(", ")}]` : `a label from 0 to ${classes - 1}`;
  return new ConfigError({
    subject,
    given: "nothing",
    expected: `${kind}${drop ? ", or null: not told" : ""}`,
    remedy: "The model was trained to be told it: give one for all points, or one for each.",
  });
}

function labelsTold(
  name: string,
  given: unknown,
  { classes = 0, drop }: ConditionDeclaration,
  { names }: ConditionFacts[string],
  { subject, count }: Where,
): ToldValue {
  const isList = Array.isArray(given) || ArrayBuffer.isView(given);
  const list: readonly unknown[] = isList ? Array.from(given as ArrayLike<unknown>) : [given];
  if (isList && list.length !== count) throw wrongCount(subject, list.length, count, "labels");
  const numberOf = (label: unknown, row: number): number => {
    if (label === null && drop) return classes;
    if (typeof label === "string" && names) return names.indexOf(choiceOption(subject, label, names));
    if (Number.isInteger(label) && (label as number) >= 0 && (label as number) < classes) return label as number;
    throw new ConfigError({
      subject: isList ? `${subject}, row ${row} (from 0)` : subject,
      given: label ?? String(label),
      expected: `an integer from 0 to ${classes - 1}${names ? `, or one of ${names.join(", ")}` : ""}${drop ? ", or null: not told" : ""}`,
      remedy: "Give a label that the model was trained with.",
    });
  };
  return { state: `told.${name}`, dtype: "u32", width: 1, values: Uint32Array.from(list, numberOf) };
}

function numbersTold(
  name: string,
  given: unknown,
  { shape, drop }: ConditionDeclaration,
  { standardization }: ConditionFacts[string],
  where: Where,
): ToldValue[] {
  const { subject, count } = where;
  const width = sizeOf(shape);
  const told = (value: number): ToldValue[] =>
    drop ? [{ state: `told.${toldName(name)}`, dtype: "f32", width: 1, values: Float32Array.of(value) }] : [];
  if (given === null && drop) {
    return [{ state: `told.${name}`, dtype: "f32", width, values: new Float32Array(width) }, ...told(0)];
  }
  const flat = Array.isArray(given) ? given.flat(Number.POSITIVE_INFINITY) : given;
  const values = copiedNumbers(subject, typeof flat === "number" ? [flat] : flat, width);
  if (values.length !== width && values.length !== count * width) {
    throw wrongCount(subject, values.length, count, `numbers, ${width} of each`, width);
  }
  const wrong = values.findIndex((value) => !Number.isFinite(Math.fround(value)));
  if (wrong >= 0) {
    throw new DataError({
      subject: `${subject}, number ${wrong} (from 0)`,
      given: String(values[wrong]),
      expected: "a finite number in the range of f32",
      remedy: "Correct the value.",
    });
  }
  const own = standardization ? standardize(values, standardization) : values;
  return [{ state: `told.${name}`, dtype: "f32", width, values: own }, ...told(1)];
}

function wrongCount(subject: string, given: number, count: number, what: string, width = 1): DataError {
  return new DataError({
    subject,
    given: `${given} ${what}`,
    expected: `${width} for all points, or ${count * width} for ${count}`,
    remedy: "Give one for all points, or one for each.",
  });
}
