/** The transformer of DiT (Peebles and Xie, 2023) and SiT (Ma et al., 2024), over patches of pictures: its names and layouts. */

import { type Node, sizeOf } from "../graph/node.ts";
import { add, multiply } from "../ops/arithmetic.ts";
import { selfAttention } from "../ops/attention.ts";
import { layerNorm } from "../ops/normalize.ts";
import { reshape, slice, transpose } from "../ops/shape.ts";
import { table } from "../ops/sources.ts";
import { normal, xavierUniform, zeros } from "./initial.ts";
import {
  activated,
  conv2dLayer,
  linearLayer,
  parametersOf,
  parts,
  startingAtZero,
  swish,
  type Values,
} from "./layers.ts";
import type { Network, ParameterDeclaration } from "./network.ts";
import { madeNetwork } from "./network-options.ts";
import { completed, type SiTConfig } from "./sit-config.ts";
import { timeEmbeddingLayer, timeFrequencies } from "./time-layers.ts";
import { besideChannels, labelLayers, numberLayers, withTold } from "./told-layers.ts";

/**
 * v [B, H W C] of points [B, H W C]. Labels and numbers are embedded and added to the time; a table of labels always has
 * one more row, for "not told". Numbers of shape [H, W, ...] are beside the sample's channels.
 *
 * @throws {@link ConfigError} when an option is unknown or outside its range, or sizes do not divide.
 * @example
 * sit({ sample: [32, 32, 3], patch: 2, width: 384, depth: 12, heads: 6, conditions: { label: classes(10, { drop: 0.1 }) } })
 */
export function sit(config: SiTConfig): Network {
  const { conditions, ...options } = completed(config);
  const { sample, patch, width, heads, frequencies: count } = options;
  const [height, across, channels] = sample;
  const places = [height / patch, across / patch] as const;
  const count2d = places[0] * places[1];
  const beside = besideChannels(conditions, sample);
  const inputs = channels + beside.channels;
  const outputs = options.learnSigma ? 2 * channels : channels;
  const glorot = (from: number, to: number) => ({ weight: xavierUniform(from, to), bias: zeros });
  const linear = (name: string, from: number, to: number) => linearLayer(name, from, to, glorot(from, to));

  const input = conv2dLayer("x_embedder.proj", {
    ...{ taps: patch, stride: patch, padding: 0, inputs, outputs: width },
    start: glorot(patch * patch * inputs, width),
  });
  const time = timeEmbeddingLayer("t_embedder.mlp", {
    ...{ count, hidden: width, width, start: { weight: normal(0.02), bias: zeros } },
  });
  const told = [
    ...labelLayers(beside.others, { table: "y_embedder.embedding_table", width, start: normal(0.02), spare: true }),
    ...numberLayers(beside.others, { hidden: width, width }),
  ];
  const blocks = Array.from({ length: options.depth }, (_, i) => block(`blocks.${i}`));
  const steer = linearLayer("final_layer.adaLN_modulation.1", width, 2 * width, startingAtZero);
  const output = linearLayer("final_layer.linear", width, patch * patch * outputs, startingAtZero);
  const positions = options.positions === "sine-cosine" ? sineCosine(places, width) : options.positions;

  /** n(h) (1 + scale) + shift, n a layer norm without weights. */
  function modulated(h: Node, shift: Node, scale: Node): Node {
    const row = (x: Node) => reshape(x, [x.shape[0], 1, width]);
    return add(multiply(layerNorm(h, undefined, undefined, options), add(row(scale), 1)), row(shift));
  }

  function block(name: string): {
    parameters: readonly ParameterDeclaration[];
    apply(values: Values, h: Node, e: Node): Node;
  } {
    const hidden = Math.floor(options.mlpRatio * width);
    const joined = linear(`${name}.attn.qkv`, width, 3 * width);
    const projected = linear(`${name}.attn.proj`, width, width);
    const fc1 = linear(`${name}.mlp.fc1`, width, hidden);
    const fc2 = linear(`${name}.mlp.fc2`, hidden, width);
    const steer = linearLayer(`${name}.adaLN_modulation.1`, width, 6 * width, startingAtZero);
    return {
      parameters: parametersOf(joined, projected, fc1, fc2, steer),
      apply: (values, h, e) => {
        const [shift1, scale1, gate1, shift2, scale2, gate2] = parts(steer.apply(values, swish(e)), 6);
        const gated = (gate: Node, x: Node) => multiply(reshape(gate, [gate.shape[0], 1, width]), x);
        const attended = selfAttention(joined.apply(values, modulated(h, shift1, scale1)), heads);
        const seen = add(h, gated(gate1, projected.apply(values, attended)));
        const within = fc1.apply(values, modulated(seen, shift2, scale2));
        return add(seen, gated(gate2, fc2.apply(values, activated(within, "geluTanh"))));
      },
    };
  }

  const apply: Network["apply"] = (values, x, t, conditions) => {
    const batch = x.shape[0];
    const patches = input.apply(values, beside.apply(reshape(x, [batch, ...sample]), conditions));
    let h = add(reshape(patches, [batch, count2d, width]), table(positions, [count2d, width]));
    const e = withTold(time.apply(values, t), told, values, conditions);
    for (const each of blocks) h = each.apply(values, h, e);
    const [shift, scale] = parts(steer.apply(values, swish(e)), 2);
    const y = output.apply(values, modulated(h, shift, scale));
    const apart = reshape(y, [batch, ...places, patch, patch, outputs]);
    const seen = outputs === channels ? apart : slice(apart, 5, 0, channels);
    return reshape(transpose(seen, [0, 1, 3, 2, 4, 5]), [batch, sizeOf(sample)]);
  };
  const parameters = parametersOf(input, time, ...told, ...blocks, steer, output);
  const constants = [
    { name: "pos_embed", values: positions, option: "positions" },
    { name: "time.frequencies", values: timeFrequencies({ count }) },
  ];
  return madeNetwork({ kind: "sit", config: options, sample, conditions, parameters, constants, apply });
}

/**
 * Where each patch is, [places, width], row-major: the first half of the numbers says the column, the second the row, each
 * by sines, then cosines of 10,000^(-j / (width / 4)) times it (get_2d_sincos_pos_embed of MAE, DiT and SiT).
 */
export function sineCosine([rows, columns]: readonly [number, number], width: number): number[] {
  const count = width / 4;
  const frequencies = Array.from({ length: count }, (_, j) => 10_000 ** (-j / count));
  const waves = (at: number) => [
    ...frequencies.map((frequency) => Math.fround(Math.sin(at * frequency))),
    ...frequencies.map((frequency) => Math.fround(Math.cos(at * frequency))),
  ];
  return Array.from({ length: rows * columns }, (_, place) => [
    ...waves(place % columns),
    ...waves(Math.floor(place / columns)),
  ]).flat();
}
