/** What each row of a batch is told: its conditions, dropped at random where the network is to learn to do without. */
import { withLabels } from "../data/labels.ts";
import type { DataCondition, DataSource } from "../data/source.ts";
import { ConfigError, DataError } from "../errors.ts";
import { type Node, type Shape, sameShape } from "../graph/node.ts";
import { type Conditions, type Network, toldName } from "../nn/network.ts";
import { less, multiply, select } from "../ops/arithmetic.ts";
import { broadcast, reshape } from "../ops/shape.ts";
import { table } from "../ops/sources.ts";
import type { ConditionFacts } from "./checkpoint.ts";

/**
 * The conditions of a network from those drawn with a batch [B, ...].
 *
 * @param uniform - B uniform numbers [B, 1], others at each call; left out: nothing is dropped, as where a model is judged.
 */
export function toldConditions(
  { conditions }: Pick<Network, "conditions">,
  drawn: ReadonlyMap<string, Node>,
  rows: number,
  uniform?: () => Node,
): Conditions | undefined {
  if (!conditions) return undefined;
  const told = new Map<string, Node>();
  for (const [name, { shape, classes, drop }] of Object.entries(conditions)) {
    const value = drawn.get(name) as Node; // expectConditionsFit
    const kept = drop === undefined ? undefined : uniform ? less(drop, uniform()) : ones(rows);
    if (classes !== undefined) {
      told.set(name, kept ? select(reshape(kept, [rows]), value, all(classes, [rows], "u32")) : value);
      continue;
    }
    told.set(name, kept ? multiply(value, everywhere(kept, shape)) : value);
    if (kept) told.set(toldName(name), kept);
  }
  return told;
}

function ones(rows: number): Node {
  return all(1, [rows, 1], "f32");
}

function all(value: number, shape: Shape, dtype: "f32" | "u32"): Node {
  return broadcast(table([value], [1], dtype), shape);
}

/** [B, 1] beside values [B, ...shape]. */
function everywhere(perRow: Node, shape: Shape): Node {
  const rows = perRow.shape[0] as number;
  return broadcast(reshape(perRow, [rows, ...shape.map(() => 1)]), [rows, ...shape]);
}

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

/** What a sample of a model is that is trained on these data. */
export function sampleShape(network: Pick<Network, "sample" | "dimension">, data: Pick<DataSource, "shape">): Shape {
  return data.shape ?? network.sample ?? [network.dimension];
}

/** Names and units of what the data say of each point, as models keep them; undefined where they say nothing. */
export function conditionFacts({ conditions }: Pick<DataSource, "conditions">): ConditionFacts | undefined {
  if (!conditions) return undefined;
  return Object.fromEntries(
    Object.entries(conditions).map(([name, { names, standardization }]) => [
      name,
      { ...(names ? { names } : {}), ...(standardization ? { standardization } : {}) },
    ]),
  );
}
