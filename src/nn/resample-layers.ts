/** Layers that halve and double the places of a sample, and attention between them. */

import { ConfigError } from "../errors.ts";
import type { Node } from "../graph/node.ts";
import { selfAttention } from "../ops/attention.ts";
import { enlargeTwice, spaceFromChannels } from "../ops/resample.ts";
import { conv1dLayer, conv2dLayer, type Layer, linearLayer, parametersOf, type Start, within } from "./layers.ts";

/** Half as many places, by a convolution of width 2: [B, L, inputs], L even, becomes [B, L / 2, outputs]. */
export function downsample1dLayer(name: string, inputs: number, outputs: number): Layer {
  return conv1dLayer(name, { taps: 2, stride: 2, padding: 0, inputs, outputs });
}

/** Twice as many places: a convolution to 2 outputs, and each place's two halves are two places. [B, 2 L, outputs]. */
export function upsample1dLayer(name: string, inputs: number, outputs: number): Layer {
  const wide = conv1dLayer(name, { taps: 3, inputs, outputs: 2 * outputs });
  return {
    parameters: wide.parameters,
    apply: (values, x) => spaceFromChannels(wide.apply(values, x), 2, "factor-major"),
  };
}

/** Half as many places along both axes, by a convolution: [B, H, W, channels] becomes [B, H / 2, W / 2, channels]. */
export function downsample2dLayer(name: string, channels: number): Layer {
  return conv2dLayer(name, { taps: 3, stride: 2, padding: 1, inputs: channels, outputs: channels });
}

/** Each place twice along both axes, then a convolution: [B, 2 H, 2 W, channels]. */
export function upsample2dLayer(name: string, channels: number): Layer {
  const conv = conv2dLayer(name, { taps: 3, inputs: channels, outputs: channels });
  return { parameters: conv.parameters, apply: (values, x) => conv.apply(values, enlargeTwice(x)) };
}

/**
 * Attention of every place to every place, by `heads`: [B, L, width] stays so. "NAME.qkv", whose outputs are queries, keys
 * and values, each head by head; "NAME.proj".
 */
export function attentionLayer(name: string, width: number, heads: number, start?: Start): Layer {
  if (width % heads !== 0) {
    throw new ConfigError({
      subject: `layer "${name}": width of attention`,
      given: width,
      expected: `a multiple of its ${heads} heads`,
      remedy: "Choose sizes that divide.",
    });
  }
  const joined = linearLayer(`${name}.qkv`, width, 3 * width, start);
  const projected = linearLayer(`${name}.proj`, width, width, start);
  return {
    parameters: parametersOf(joined, projected),
    apply: within(name, (values, x: Node) => projected.apply(values, selfAttention(joined.apply(values, x), heads))),
  };
}
