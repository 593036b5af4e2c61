/**
 * How networks take in what they are told: labels as vectors from a table, numbers through two linear layers, and numbers
 * that have the sample's own places beside its channels.
 */
import { type Node, type Shape, sameShape } from "../graph/node.ts";
import type { ActivationKind } from "../ops/activation.ts";
import { add } from "../ops/arithmetic.ts";
import { broadcast, concat, reshape } from "../ops/shape.ts";
import { conditionOf, flatNumbers, numbersOf, rowsOf } from "./conditions.ts";
import { activated, embeddingLayer, linearLayer, type Values } from "./layers.ts";
import {
  type ConditionDeclaration,
  type ConditionDeclarations,
  type Conditions,
  type Initial,
  type ParameterDeclaration,
  toldName,
} from "./network.ts";

/** What makes one vector for each row of what it is told. */
export interface ToldLayer {
  readonly name: string;
  readonly parameters: readonly ParameterDeclaration[];
  /** [B, width]. */
  apply(values: Values, conditions: Conditions | undefined): Node;
}

export interface LabelOptions {
  /** Of the vectors. */
  readonly width: number;
  /** What PyTorch's network calls its table; left out: as the condition is called. */
  readonly table?: string;
  /** Default: N(0, 1), as nn.Embedding starts. */
  readonly start?: Initial;
  /** Whether the table has a row for "not told" also where that is never so, as SiT's and DiT's has. */
  readonly spare?: boolean;
}

/**
 * A vector of its own for each label: `TABLE.weight` [classes, width], with one more row, the last, for labels that are
 * not told. Where there are more labels than one, "TABLE.NAME.weight" each, as in an nn.ModuleDict.
 */
export function labelLayers(conditions: ConditionDeclarations | undefined, options: LabelOptions): ToldLayer[] {
  const labels = entriesOf(conditions).filter(([, { classes }]) => classes !== undefined);
  const { table, width, start, spare = false } = options;
  return labels.map(([name, declaration]) => {
    const called = table === undefined ? name : labels.length === 1 ? table : `${table}.${name}`;
    const layer = embeddingLayer(
      called,
      spare ? (declaration.classes as number) + 1 : rowsOf(declaration),
      width,
      start,
    );
    return {
      name,
      parameters: layer.parameters,
      apply: (values, told) => layer.apply(values, conditionOf(told, name)),
    };
  });
}

export interface NumbersOptions {
  readonly width: number;
  /** Width between the two layers. */
  readonly hidden: number;
  /** Between the two layers; default silu. */
  readonly activation?: ActivationKind;
  /** What is done with the numbers [B, n] first. */
  readonly before?: (x: Node, name: string) => Node;
}

/** "NAME.linear2"(activation("NAME.linear1"(numbers))), for each of these conditions: the numbers flat, and last whether they are told. */
export function numberLayers(conditions: ConditionDeclarations | undefined, options: NumbersOptions): ToldLayer[] {
  const { width, hidden, activation = "silu", before = (x: Node) => x } = options;
  return entriesOf(conditions)
    .filter(([, { classes }]) => classes === undefined)
    .map(([name, declaration]) => {
      const first = linearLayer(`${name}.linear1`, numbersOf(declaration), hidden);
      const second = linearLayer(`${name}.linear2`, hidden, width);
      return {
        name,
        parameters: [...first.parameters, ...second.parameters],
        apply: (values, told) => {
          const numbers = flatNumbers(name, declaration, told, (x) => before(x, name));
          return second.apply(values, activated(first.apply(values, numbers), activation));
        },
      };
    });
}

/** The sum of a vector and what is told, [B, width]. */
export function withTold(
  e: Node,
  layers: readonly ToldLayer[],
  values: Values,
  conditions: Conditions | undefined,
): Node {
  return layers.reduce((sum, layer) => add(sum, layer.apply(values, conditions)), e);
}

/** Conditions that lie beside a sample's channels, and the others. */
export interface Beside {
  /** How many channels they add. */
  readonly channels: number;
  readonly others: ConditionDeclarations;
  /** [B, ...places, C] with theirs behind, in the order of declaration; those that may be dropped with a channel that says so. */
  apply(x: Node, conditions: Conditions | undefined): Node;
}

/** Numbers are beside the channels where all their axes but the last are the sample's. */
export function besideChannels(conditions: ConditionDeclarations | undefined, sample: Shape): Beside {
  const places = sample.slice(0, -1);
  const isBeside = ({ classes, shape }: ConditionDeclaration) =>
    classes === undefined && shape.length === sample.length && sameShape(shape.slice(0, -1), places);
  const all = entriesOf(conditions);
  const own = all.filter(([, each]) => isBeside(each));
  return {
    channels: own.reduce((sum, [, { shape, drop }]) => sum + (shape.at(-1) as number) + (drop ? 1 : 0), 0),
    others: Object.fromEntries(all.filter(([, each]) => !isBeside(each))),
    apply: (x, told) => {
      const rows = x.shape[0] as number;
      const fields = own.flatMap(([name, { shape, drop }]) => {
        const field = reshape(conditionOf(told, name), [rows, ...shape]);
        if (!drop) return [field];
        const flag = reshape(conditionOf(told, toldName(name)), [rows, ...shape.map(() => 1)]);
        return [field, broadcast(flag, [rows, ...places, 1])];
      });
      return fields.length > 0 ? concat([x, ...fields], sample.length) : x;
    },
  };
}

function entriesOf(conditions: ConditionDeclarations = {}): [string, ConditionDeclaration][] {
  return Object.entries(conditions);
}
