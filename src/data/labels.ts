/** Labels of a user's own points that came as plain numbers: what a network says is a label makes them labels. */
import { DataError } from "../errors.ts";
import { arrayParts, isArrayData, madeArray, unitsOf } from "./array.ts";
import { conditionOptions, type RowCondition } from "./row-conditions.ts";
import type { DataSource } from "./source.ts";

/** Of each condition that a network is told: how many labels there are, where it is one. */
type Wanted = Readonly<Record<string, { readonly classes?: number }>>;

/**
 * The source as it would be had these conditions been given as a Uint32Array: where the network is told a label, plain
 * numbers are labels. What is no user's own, or says itself what it is, stays as it is.
 *
 * @param subject - what the data are called in messages.
 * @throws {@link DataError} that names condition and row, where a number is no label of the network.
 */
export function withLabels(subject: string, source: DataSource, wanted: Wanted): DataSource {
  if (!isArrayData(source)) return source;
  const { conditions: all, ...parts } = arrayParts(source);
  const labels = Object.entries(all ?? {}).flatMap(([name, one]) => {
    const classes = wanted[name]?.classes;
    if (classes === undefined || one.classes !== undefined || one.shape.length > 0) return [];
    return [[name, labelsOf(`condition "${name}" of ${subject}`, one, classes)] as const];
  });
  if (labels.length === 0) return source;
  const conditions = { ...all, ...Object.fromEntries(labels) };
  const units = { ...unitsOf(source), ...Object.fromEntries(labels.map(([name]) => [name, undefined])) };
  const options = { ...parts.options, conditions: conditionOptions(conditions) };
  return madeArray({ ...parts, options, conditions }, source.standardization, units);
}

function labelsOf(subject: string, { values }: RowCondition, classes: number): RowCondition {
  const wrong = values.findIndex((label) => !(Number.isInteger(label) && label >= 0 && label < classes));
  if (wrong < 0) {
    const labels = Uint32Array.from(values);
    return { values: labels, shape: [], classes: labels.reduce((most, label) => Math.max(most, label), 0) + 1 };
  }
  throw new DataError({
    subject: `${subject}, row ${wrong} (from 0)`,
    given: values[wrong],
    expected: `a label, an integer from 0 to ${classes - 1}: the network is told one of ${classes} classes`,
    remedy: "Correct the label; or declare numbers() in the network, if it is none.",
  });
}
