/** Whether data say what a network is to be told. */
import { withLabels } from "../data/labels.ts";
import type { DataCondition, DataSource } from "../data/source.ts";
import { ConfigError, DataError } from "../errors.ts";
import { sameShape } from "../graph/node.ts";
import type { Network } from "../nn/network.ts";

/**
 * The data as the network is told of them: plain numbers are labels where it takes them for labels.
 *
 * @param subject - what the data are called in messages.
 * @throws {@link ConfigError} when the network is to be told what the data do not say, or the other way round.
 * @throws {@link DataError} when what they say is of another shape, or a number is no label.
 */
export function toldData(subject: string, network: Network, given: DataSource): DataSource {
  const data = withLabels(subject, given, network.conditions ?? {});
  expectConditionsFit(subject, network, data);
  return data;
}

/**
 * @param known - names of labels by condition, as a model or other data have them.
 * @param whose - who has them, for messages.
 * @throws {@link DataError} when a label of the data stands for something else there: a model would be told another.
 */
export function expectSameNames(
  subject: string,
  { conditions = {} }: Pick<DataSource, "conditions">,
  known: Readonly<Record<string, Pick<DataCondition, "names">>> | undefined,
  whose: string,
): void {
  for (const [name, { names: given }] of Object.entries(conditions)) {
    const expected = known?.[name]?.names;
    const other = given?.findIndex((called, label) => called !== (expected?.[label] ?? called)) ?? -1;
    if (!given || !expected || other < 0) continue;
    throw new DataError({
      subject: `names of condition "${name}" of ${subject}`,
      given: `${given.join(", ")}: label ${other} is ${given[other]}`,
      expected: `${expected.join(", ")}, as ${whose} has them`,
      remedy: `Give them beside the labels, in this order: { values, names: ${JSON.stringify(expected)} }.`,
    });
  }
}

/**
 * @param subject - what the data are called in messages.
 * @throws {@link ConfigError} when the network is to be told what the data do not say, or the other way round.
 */
function expectConditionsFit(subject: string, network: Network, data: DataSource): void {
  const wanted = network.conditions ?? {};
  const known = data.conditions ?? {};
  const list = (names: readonly string[]) => (names.length > 0 ? names.join(", ") : "no conditions");
  const [theirs, ours] = [Object.keys(wanted), Object.keys(known)];
  if (theirs.some((name) => !known[name]) || ours.some((name) => !wanted[name])) {
    throw new ConfigError({
      subject: `conditions of ${subject}`,
      given: list(ours),
      expected: `${list(theirs)}, as the network is told`,
      remedy: "Give network and data the same conditions: the network's option conditions, and arrayData's.",
    });
  }
  for (const [name, { shape, classes }] of Object.entries(wanted)) {
    const own = known[name] as DataCondition;
    const fits =
      classes === undefined
        ? own.classes === undefined && sameShape(own.shape, shape)
        : own.classes !== undefined && own.classes <= classes;
    if (fits) continue;
    throw new DataError({
      subject: `condition "${name}" of ${subject}`,
      given: inWords(own),
      expected: `${inWords({ shape, ...(classes === undefined ? {} : { classes }) })}, as the network is told`,
      remedy:
        classes !== undefined && own.classes === undefined
          ? `Say that they are labels: a Uint32Array, or { values, classes: ${classes} }.`
          : "Declare it in the network as the data have it.",
    });
  }
}

function inWords({ shape, classes }: Pick<DataCondition, "shape" | "classes">): string {
  return classes === undefined ? `numbers of shape [${shape.join(", ")}]` : `labels of ${classes} classes`;
}
