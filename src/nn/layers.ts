/**
 * Layers that networks are made of: each declares its parameters under a name, with PyTorch's initial values and layouts,
 * and applies them. What they compute is in src/ops/. Samples are rows, channels last: [B, C], [B, L, C], [B, H, W, C].
 */
import { ConfigError } from "../errors.ts";
import { type Node, type Shape, sizeOf } from "../graph/node.ts";
import { type ActivationKind, activation } from "../ops/activation.ts";
import { type ConvolutionOptions, conv1d, conv2d } from "../ops/convolve.ts";
import { embedding } from "../ops/embed.ts";
import { linear } from "../ops/linear.ts";
import { groupNorm, layerNorm, rmsNorm } from "../ops/normalize.ts";
import { reshape, slice } from "../ops/shape.ts";
import { normal, ones, torchLinear, zeros } from "./initial.ts";
import type { Initial, ParameterDeclaration } from "./network.ts";

export { conditionOf } from "./conditions.ts";

/** The network's parameters by name, as `apply` is given them. */
export type Values = ReadonlyMap<string, Node>;

export interface Layer {
  /** In PyTorch's order. */
  readonly parameters: readonly ParameterDeclaration[];
  apply(values: Values, x: Node): Node;
}

/** How a layer's parameters start, where not as PyTorch's layer does. */
export interface Start {
  readonly weight?: Initial;
  readonly bias?: Initial;
}

/** A layer that is no part of its network until it is trained. */
export const startingAtZero: Start = { weight: zeros, bias: zeros };

/** All parameters of these layers, in their order. */
export function parametersOf(...layers: readonly (Pick<Layer, "parameters"> | undefined)[]): ParameterDeclaration[] {
  return layers.flatMap((layer) => layer?.parameters ?? []);
}

/**
 * y = x W + b along the last axis: [..., inputs] becomes [..., outputs]. Starts as nn.Linear does.
 *
 * @throws {@link ConfigError} that names the layer when the shape of `x` does not fit; so do all layers.
 */
export function linearLayer(name: string, inputs: number, outputs: number, start?: Start): Layer {
  const parameters = weightAndBias(name, [inputs, outputs], start);
  return {
    parameters,
    apply: within(name, (values, x) => {
      const rows = sizeOf(x.shape) / (x.shape.at(-1) as number);
      const flat = reshape(x, [rows, x.shape.at(-1) as number]);
      const y = linear(flat, parameterOf(values, `${name}.weight`), parameterOf(values, `${name}.bias`));
      return reshape(y, [...x.shape.slice(0, -1), outputs]);
    }),
  };
}

export interface ConvolutionLayerOptions extends ConvolutionOptions {
  readonly taps: number;
  readonly inputs: number;
  readonly outputs: number;
  /** Default: as nn.Conv1d and nn.Conv2d start. */
  readonly start?: Start;
}

/** A convolution of [B, L, inputs]; its padding keeps the length unless it is given. Starts as nn.Conv1d does. */
export function conv1dLayer(name: string, options: ConvolutionLayerOptions): Layer {
  const { taps, inputs, outputs } = options;
  return {
    parameters: weightAndBias(name, [taps, inputs, outputs], options.start),
    apply: within(name, (values, x) =>
      conv1d(x, parameterOf(values, `${name}.weight`), parameterOf(values, `${name}.bias`), padded(options)),
    ),
  };
}

/** A convolution of [B, H, W, inputs] with as many taps across as down; else as {@link conv1dLayer}. */
export function conv2dLayer(name: string, options: ConvolutionLayerOptions): Layer {
  const { taps, inputs, outputs } = options;
  return {
    parameters: weightAndBias(name, [taps, taps, inputs, outputs], options.start),
    apply: within(name, (values, x) =>
      conv2d(x, parameterOf(values, `${name}.weight`), parameterOf(values, `${name}.bias`), padded(options)),
    ),
  };
}

/** Group norm over [B, ..., channels]; starts as 1 and 0. */
export function groupNormLayer(name: string, channels: number, groups: number, epsilon = 1e-5): Layer {
  return {
    parameters: scaleAndShift(name, channels),
    apply: within(name, (values, x) =>
      groupNorm(x, parameterOf(values, `${name}.weight`), parameterOf(values, `${name}.bias`), { groups, epsilon }),
    ),
  };
}

/** Layer norm over the last axis; starts as 1 and 0. */
export function layerNormLayer(name: string, channels: number, epsilon = 1e-5): Layer {
  return {
    parameters: scaleAndShift(name, channels),
    apply: within(name, (values, x) =>
      layerNorm(x, parameterOf(values, `${name}.weight`), parameterOf(values, `${name}.bias`), { epsilon }),
    ),
  };
}

/** RMS norm over the last axis; starts as 1. */
export function rmsNormLayer(name: string, channels: number, epsilon = 1e-5): Layer {
  return {
    parameters: scaleAndShift(name, channels).slice(0, 1),
    apply: within(name, (values, x) => rmsNorm(x, parameterOf(values, `${name}.weight`), { epsilon })),
  };
}

/** A vector of its own for each of `count` labels: u32 [B] becomes [B, width]. Starts as nn.Embedding does, N(0, 1). */
export function embeddingLayer(name: string, count: number, width: number, initial: Initial = normal(1)): Layer {
  return {
    parameters: [{ name: `${name}.weight`, shape: [count, width], initial, torchLayout: "as-is" }],
    apply: within(name, (values, labels) => embedding(parameterOf(values, `${name}.weight`), labels)),
  };
}

/** The value of a parameter. */
export function parameterOf(values: Values, name: string): Node {
  const value = values.get(name);
  if (value) return value;
  throw new ConfigError({
    subject: `parameter "${name}"`,
    given: "no value",
    expected: "one for each parameter that the network declares",
    remedy: "List the layer among the network's parameters.",
  });
}

export function activated(x: Node, kind: ActivationKind): Node {
  return activation([x], { kind, order: 0 });
}

/** x sigmoid(x), which PyTorch calls silu. */
export function swish(x: Node): Node {
  return activated(x, "silu");
}

/** The last axis in so many equal parts. */
export function parts(x: Node, count: number): Node[] {
  const axis = x.shape.length - 1;
  const width = (x.shape[axis] as number) / count;
  return Array.from({ length: count }, (_, i) => slice(x, axis, i * width, (i + 1) * width));
}

function padded({ taps, stride = 1, padding, dilation = 1 }: ConvolutionLayerOptions): ConvolutionOptions {
  return { stride, dilation, padding: padding ?? (dilation * (taps - 1)) / 2 };
}

/** PyTorch's: both uniform within 1 / sqrt(numbers that one output reads). */
function weightAndBias(name: string, shape: Shape, start: Start = {}): ParameterDeclaration[] {
  const initial = torchLinear(sizeOf(shape.slice(0, -1)));
  const { weight = initial, bias = initial } = start;
  return [
    { name: `${name}.weight`, shape, initial: weight, torchLayout: "outputs-first" },
    { name: `${name}.bias`, shape: shape.slice(-1), initial: bias, torchLayout: "as-is" },
  ];
}

function scaleAndShift(name: string, channels: number): ParameterDeclaration[] {
  return [
    { name: `${name}.weight`, shape: [channels], initial: ones, torchLayout: "as-is" },
    { name: `${name}.bias`, shape: [channels], initial: zeros, torchLayout: "as-is" },
  ];
}

/** The layer's name in front of what is wrong in it: shapes alone do not say where a network goes wrong. */
export function within<Given extends readonly unknown[]>(
  name: string,
  apply: (values: Values, ...given: Given) => Node,
): (values: Values, ...given: Given) => Node {
  return (values, ...given) => {
    try {
      return apply(values, ...given);
    } catch (error) {
      if (!(error instanceof ConfigError) || error.facts.subject.startsWith("layer ")) throw error;
      throw new ConfigError({ ...error.facts, subject: `layer "${name}": ${error.facts.subject}` }, { cause: error });
    }
  };
}
