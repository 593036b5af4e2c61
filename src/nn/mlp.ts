/** Multi-layer perceptron on (x, t). */

import { ConfigError, LimitError } from "../errors.ts";
import type { Node } from "../graph/node.ts";
import { choiceOption, integerOption, optionsObject } from "../graph/options.ts";
import { type ActivationKind, activationKinds, activation as activationOp } from "../ops/activation.ts";
import { linear } from "../ops/linear.ts";
import type { FlowLayer } from "../ops/mlp-flow.ts";
import { concat } from "../ops/shape.ts";
import { type Network, type ParameterDeclaration, parameterLayout } from "./network.ts";

export interface MLPConfig {
  /** Numbers per sample, D. */
  readonly dimension: number;
  /** Widths of the hidden layers, at least one; default four of 512. */
  readonly hidden?: readonly number[];
  /** Default "silu". */
  readonly activation?: ActivationKind;
}

/** A matrix of more elements than this is a misprint: 4 GiB of weights. */
const LARGEST_WIDTH = 32768;

/** Hidden layers of an MLP at most. */
export const MOST_LAYERS = 1024;

/**
 * h = concat(x, t); for each hidden width h = activation(h W + b); v = h W + b. Parameters carry the names of
 * nn.Sequential(nn.Linear, activation, nn.Linear, ...): "0.weight", "0.bias", "2.weight", ...
 *
 * @throws {@link LimitError} when there are more than 1024 hidden layers.
 * @throws {@link ConfigError} when a width is no integer from 1 to 32768, or the activation is unknown.
 */
export function mlp(config: MLPConfig): Network {
  optionsObject("options of mlp", config, ["dimension", "hidden", "activation"]);
  const { dimension, hidden: given = [512, 512, 512, 512], activation = "silu" } = config;
  integerOption("dimension of mlp", dimension, 1, LARGEST_WIDTH);
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

  const widths = [dimension + 1, ...hidden, dimension];
  const parameters = widths.slice(1).flatMap((outputs, layer): ParameterDeclaration[] => {
    const inputs = widths[layer] as number;
    const initial = { kind: "uniform", bound: 1 / Math.sqrt(inputs) } as const;
    return [
      { name: `${2 * layer}.weight`, shape: [inputs, outputs], initial, torchLayout: "outputs-first" },
      { name: `${2 * layer}.bias`, shape: [outputs], initial, torchLayout: "as-is" },
    ];
  });

  const complete = { dimension, hidden, activation };
  const apply: Network["apply"] = (values, x, t) => {
    let h = concat([x, t], 1);
    for (let layer = 0; layer <= hidden.length; layer++) {
      h = linear(h, values.get(`${2 * layer}.weight`) as Node, values.get(`${2 * layer}.bias`) as Node);
      if (layer < hidden.length) h = activationOp([h], { kind: activation, order: 0 });
    }
    return h;
  };
  return { kind: "mlp", config: complete, dimension, parameters, apply: Object.assign(apply, { mlp: complete }) };
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
  const { mlp: made } = network.apply as Network["apply"] & { readonly mlp?: Required<MLPConfig> };
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
