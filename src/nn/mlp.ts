/** Multi-layer perceptron on (x, t). */

import { ConfigError, LimitError } from "../errors.ts";
import { isSizes, type Node, type Shape, sizeOf } from "../graph/node.ts";
import { choiceOption, integerOption, optionsObject } from "../graph/options.ts";
import { type ActivationKind, activationKinds, activation as activationOp } from "../ops/activation.ts";
import { linear } from "../ops/linear.ts";
import type { FlowLayer } from "../ops/mlp-flow.ts";
import { gather } from "../ops/rows.ts";
import { concat } from "../ops/shape.ts";
import { conditionOf, conditionsOption, flatNumbers, numbersOf, rowsOf } from "./conditions.ts";
import {
  type ConditionDeclarations,
  type Conditions,
  type Network,
  type ParameterDeclaration,
  parameterLayout,
} from "./network.ts";

/** D numbers, or of this shape. */
export type PointsShape =
  | { readonly dimension: number; readonly sample?: Shape }
  | { readonly dimension?: number; readonly sample: Shape };

export type MLPConfig = PointsShape & {
  /** Widths of the hidden layers, at least one; default four of 512. */
  readonly hidden?: readonly number[];
  /** Default "silu". */
  readonly activation?: ActivationKind;
  /** What it is told beside points and times: {@link classes}, {@link numbers}. */
  readonly conditions?: ConditionDeclarations;
  /** Numbers of the vector that stands for a label; default 16. */
  readonly embedding?: number;
};

/** A matrix of more elements than this is a misprint: 4 GiB of weights. */
const LARGEST_WIDTH = 32768;

/** Hidden layers of an MLP at most. */
export const MOST_LAYERS = 1024;

/**
 * h = concat(x, t, what it is told); for each hidden width h = activation(h W + b); v = h W + b. Parameters carry the names
 * of nn.Sequential(nn.Linear, activation, nn.Linear, ...): "0.weight", "0.bias", "2.weight", ... What it is told comes in
 * the order of declaration: of a label its row of "NAME.weight" [classes, embedding], an nn.Embedding, with one more row
 * where it may be dropped; numbers flat, and behind those that may be dropped a 1 where they are told, else 0.
 *
 * @throws {@link LimitError} when there are more than 1024 hidden layers.
 * @throws {@link ConfigError} when a width is no integer from 1 to 32768, or the activation is unknown.
 * @example
 * mlp({ dimension: 2, hidden: [128, 128, 128], conditions: { species: classes(3, { drop: 0.1 }), age: numbers() } })
 */
export function mlp(config: MLPConfig): Network {
  const names = ["dimension", "sample", "hidden", "activation", "conditions", "embedding"] as const;
  optionsObject("options of mlp", config, names);
  const { hidden: given = [512, 512, 512, 512], activation = "silu" } = config;
  const points = pointsOption("mlp", config);
  const { dimension } = points;
  if (!Array.isArray(given) || given.length === 0) {
    throw new ConfigError({
      subject: "hidden of mlp",
      given,
      expected: "an array of at least one width",
      remedy: "Give the widths of the hidden layers, such as [64, 64].",
    });
  }
  if (given.length > MOST_LAYERS) {
    throw new LimitError({
      subject: "layers in hidden of mlp",
      given: given.length,
      expected: `at most ${MOST_LAYERS}`,
      remedy: "Give fewer layers: so many neither train nor can be planned in a reasonable time.",
    });
  }
  const hidden: readonly number[] = Object.freeze([...given]); // the caller may change theirs
  hidden.forEach((width, layer) => {
    integerOption(`hidden[${layer}] of mlp`, width, 1, LARGEST_WIDTH);
  });
  choiceOption("activation of mlp", activation, activationKinds);
  const told = toldInputs(config);
  const inputs = told.layers.reduce((sum, { width }) => sum + width, dimension + 1);
  integerOption("dimension of mlp, with what it is told", inputs, 1, LARGEST_WIDTH + 1);

  const widths = [inputs, ...hidden, dimension];
  const parameters = widths.slice(1).flatMap((outputs, layer): ParameterDeclaration[] => {
    const inputs = widths[layer] as number;
    const initial = { kind: "uniform", bound: 1 / Math.sqrt(inputs) } as const;
    return [
      { name: `${2 * layer}.weight`, shape: [inputs, outputs], initial, torchLayout: "outputs-first" },
      { name: `${2 * layer}.bias`, shape: [outputs], initial, torchLayout: "as-is" },
    ];
  });
  parameters.push(...told.layers.flatMap(({ parameter }) => parameter ?? []));

  const complete = { ...points, hidden, activation, ...told.options };
  const apply: Network["apply"] = (values, x, t, conditions) => {
    let h = concat([x, t, ...told.layers.map(({ input }) => input(values, conditions))], 1);
    for (let layer = 0; layer <= hidden.length; layer++) {
      h = linear(h, values.get(`${2 * layer}.weight`) as Node, values.get(`${2 * layer}.bias`) as Node);
      if (layer < hidden.length) h = activationOp([h], { kind: activation, order: 0 });
    }
    return h;
  };
  const { conditions } = told.options;
  return {
    ...{ kind: "mlp", config: complete, dimension, parameters },
    ...(points.sample ? { sample: points.sample } : {}),
    ...(conditions
      ? { conditions, apply }
      : { apply: Object.assign(apply, { mlp: { dimension, hidden, activation } }) }),
  };
}

/** Where every condition enters. */
interface ToldInput {
  readonly width: number;
  /** Of a label: its table. */
  readonly parameter?: ParameterDeclaration;
  /** [B, width]. */
  input(values: ReadonlyMap<string, Node>, conditions: Conditions | undefined): Node;
}

function toldInputs({ conditions: given, embedding: width = 16 }: MLPConfig): {
  readonly options: Pick<MLPConfig, "conditions" | "embedding">;
  readonly layers: readonly ToldInput[];
} {
  const conditions = given === undefined ? {} : conditionsOption("conditions of mlp", given);
  integerOption("embedding of mlp", width, 1, LARGEST_WIDTH);
  const layers = Object.entries(conditions).map(([name, declaration]): ToldInput => {
    if (declaration.classes === undefined) {
      return { width: numbersOf(declaration), input: (_, told) => flatNumbers(name, declaration, told) };
    }
    const table = `${name}.weight`;
    const initial = { kind: "normal", deviation: 1 } as const; // as nn.Embedding starts
    return {
      width,
      parameter: { name: table, shape: [rowsOf(declaration), width], initial, torchLayout: "as-is" },
      input: (values, told) => gather(values.get(table) as Node, conditionOf(told, name)),
    };
  });
  if (layers.length === 0) return { options: {}, layers };
  const hasLabels = layers.some(({ parameter }) => parameter);
  return { options: { conditions, ...(hasLabels ? { embedding: width } : {}) }, layers };
}

/** Of how many numbers samples are, and of which shape where one is given. */
export function pointsOption(
  network: string,
  { dimension, sample }: PointsShape,
): { dimension: number; sample?: Shape } {
  if (sample === undefined) {
    return { dimension: integerOption(`dimension of ${network}`, dimension, 1, LARGEST_WIDTH) };
  }
  const isShape = isSizes(sample) && sample.length > 0 && sizeOf(sample) > 0;
  if (!isShape || (dimension !== undefined && dimension !== sizeOf(sample))) {
    throw new ConfigError({
      subject: `sample of ${network}`,
      given: sample,
      expected: dimension === undefined || !isShape ? "sizes of at least 1" : `the shape of ${dimension} numbers`,
      remedy: "Give the shape of a sample, such as [28, 28, 1], or dimension alone.",
    });
  }
  const size = integerOption(`numbers in sample of ${network}`, sizeOf(sample), 1, LARGEST_WIDTH);
  return { dimension: size, sample: Object.freeze([...sample]) };
}

/** What an MLP without conditions is made of. */
interface MLPShape {
  readonly dimension: number;
  readonly hidden: readonly number[];
  readonly activation: ActivationKind;
}

export interface MLPStructure {
  readonly hidden: readonly number[];
  readonly activation: ActivationKind;
  /** Where each layer lies in the flat vector. */
  readonly layers: readonly FlowLayer[];
}

/**
 * What an MLP is made of; undefined for other networks, also for one with an MLP's kind and parameters and an `apply` of
 * its own: what is computed is what `apply` says.
 */
export function mlpStructure(network: Network): MLPStructure | undefined {
  const { mlp: made } = network.apply as Network["apply"] & { readonly mlp?: MLPShape };
  if (network.kind !== "mlp" || !made) return undefined;
  const { dimension, hidden, activation } = made;
  const offsets = new Map(
    parameterLayout(network).entries.map(({ declaration, offset }) => [declaration.name, offset]),
  );
  const layers = [...hidden, dimension].map((outputs, layer) => ({
    outputs,
    weight: offsets.get(`${2 * layer}.weight`) as number,
    bias: offsets.get(`${2 * layer}.bias`) as number,
  }));
  return { hidden, activation, layers };
}

/** The MLP of a checkpoint's or command line's plain options. */
export function mlpFromConfig(config: unknown): Network {
  return mlp(config as MLPConfig);
}
