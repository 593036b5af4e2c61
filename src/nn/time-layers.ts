/** Time as a vector that networks can read, and what it steers. */
import type { Node } from "../graph/node.ts";
import { film, fixedTimeEmbedding } from "../ops/embed.ts";
import { concat } from "../ops/shape.ts";
import { linearLayer, parametersOf, parts, type Start, swish, type Values, within } from "./layers.ts";
import type { ParameterDeclaration } from "./network.ts";

export interface TimeFrequencies {
  /** How many. */
  readonly count: number;
  /** The first is `scale`, the last nearly scale / base, in radians per unit of t. Default 10,000. */
  readonly base?: number;
  /** Default 1. */
  readonly scale?: number;
}

/** scale base^(-j / count), as the f32 numbers that PyTorch has, in radians per unit of t. */
export function timeFrequencies({ count, base = 10_000, scale = 1 }: TimeFrequencies): number[] {
  return Array.from({ length: count }, (_, j) => Math.fround(scale * base ** (-j / count)));
}

/** (cos(f t), sin(f t)) for each frequency f: t [B, 1] becomes [B, 2 count], all cosines first, as DiT has it. */
export function cosinesAndSines(t: Node, frequencies: readonly number[]): Node {
  const [sines, cosines] = parts(fixedTimeEmbedding(t, inHalfTurns(frequencies)), 2) as [Node, Node];
  return concat([cosines, sines], 1);
}

/** (sin(f t), cos(f t)): all sines first. */
export function sinesAndCosines(t: Node, frequencies: readonly number[]): Node {
  return fixedTimeEmbedding(t, inHalfTurns(frequencies));
}

function inHalfTurns(radians: readonly number[]): number[] {
  return radians.map((frequency) => frequency / Math.PI);
}

export interface TimeLayerOptions extends TimeFrequencies {
  readonly hidden: number;
  readonly width: number;
  readonly start?: Start;
}

/** "NAME.2"(silu("NAME.0"(cosines and sines of t))): t [B, 1] becomes [B, width]. */
export function timeEmbeddingLayer(name: string, options: TimeLayerOptions) {
  const { count, hidden, width, start } = options;
  const first = linearLayer(`${name}.0`, 2 * count, hidden, start);
  const second = linearLayer(`${name}.2`, hidden, width, start);
  const frequencies = timeFrequencies(options);
  return {
    parameters: parametersOf(first, second),
    apply: (values: Values, t: Node): Node =>
      second.apply(values, swish(first.apply(values, cosinesAndSines(t, frequencies)))),
  };
}

/** A layer that another vector steers, the same at every place. */
export interface SteeredLayer {
  readonly parameters: readonly ParameterDeclaration[];
  /** h [B, ..., channels] by e [B, inputs]. */
  apply(values: Values, h: Node, e: Node): Node;
}

/** h (scale + 1) + bias, scale and bias the halves of a linear layer of e (Perez et al., FiLM, 2018). */
export function filmLayer(name: string, inputs: number, channels: number, start?: Start): SteeredLayer {
  const layer = linearLayer(name, inputs, 2 * channels, start);
  return {
    parameters: layer.parameters,
    apply: within(name, (values, h: Node, e: Node) => {
      const [scale, bias] = parts(layer.apply(values, e), 2) as [Node, Node];
      return film(h, scale, bias);
    }),
  };
}
