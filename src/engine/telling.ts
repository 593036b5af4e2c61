/** What callers tell a model beside its points, checked and in model units: for networks that are told something, on demand. */
import { withLabels } from "../data/labels.ts";
import { copiedNumbers } from "../data/numbers.ts";
import { standardize } from "../data/standardize.ts";
import { ConfigError, DataError } from "../errors.ts";
import { guidedField } from "../flow/guidance/classifier-free.ts";
import { sizeOf } from "../graph/node.ts";
import { choiceOption, optionsObject } from "../graph/options.ts";
import { type ConditionDeclaration, type Network, toldName } from "../nn/network.ts";
import type { ConditionFacts } from "../train/checkpoint.ts";
import { expectSameNames, toldData } from "../train/told-data.ts";
import type { ConditionsGiven } from "./api.ts";
import { isGuidance, noGuidance, Told, type ToldValue } from "./told.ts";

/**
 * What a caller tells of `count` points.
 *
 * @param of - the call, for messages.
 * @param guidance - the strength by which it guides; 1 or left out: not at all.
 * @throws {@link ConfigError} when a condition is missing or unknown, or a label is none.
 * @throws {@link DataError} when there are more or fewer values than points.
 */
function toldBy(
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
  if (!isGuidance(of, guidance)) return undefined;
  const optional = declared.filter(([, { drop }]) => drop);
  if (optional.some(([name]) => known[name] !== null)) return guidance;
  throw noGuidance(of, guidance, optional.map(([name]) => name).join(", "));
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

/** For who has it on demand: models, trainers and judgements of losses. */
export const telling = { toldBy, guidedField, toldData, withLabels, expectSameNames };
