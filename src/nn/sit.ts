/** The transformer of DiT (Peebles and Xie, 2023) and SiT (Ma et al., 2024), over patches of pictures: its names and layouts. */
import { type Node, sizeOf } from "../graph/node.ts";
import { add, multiply } from "../ops/arithmetic.ts";
import { fixedTimeEmbedding } from "../ops/embed.ts";
import { layerNorm } from "../ops/normalize.ts";
import { concat, reshape, transpose } from "../ops/shape.ts";
import { table } from "../ops/sources.ts";
import {
  activated,
  attentionOf,
  conv2dLayer,
  embeddingLayer,
  linearLayer,
  parametersOf,
  parts,
  swish,
  type Values,
} from "./layers.ts";
import type { Initial, Network, ParameterDeclaration } from "./network.ts";

export interface SiTConfig {
  readonly height: number;
  readonly width: number;
  /** C. */
  readonly channels: number;
  /** Side of a patch, which divides height and width. */
  readonly patch: number;
  /** D, width of the tokens. */
  readonly dimension: number;
  readonly heads: number;
  readonly depth: number;
  readonly mlpRatio: number;
  /** Labels; one more, `classes`, stands for none. */
  readonly classes: number;
  /** How many frequencies of time; 128 in the original. */
  readonly frequencies: number;
  readonly normEpsilon: number;
  /** Where each patch is, [patches D], row-major; fixed. */
  readonly positions: readonly number[];
}

const zero: Initial = { kind: "constant", value: 0 };

/** v [B, H W C] of points [B, H W C] and "label" [B]. */
export function sit(config: SiTConfig): Network {
  const { height, width, channels, patch, dimension, heads, classes, normEpsilon } = config;
  const [down, across] = [height / patch, width / patch];
  const input = conv2dLayer("x_embedder.proj", {
    ...{ taps: patch, stride: patch, padding: 0, inputs: channels, outputs: dimension },
  });
  const time0 = linearLayer("t_embedder.mlp.0", 2 * config.frequencies, dimension, normal(0.02));
  const time2 = linearLayer("t_embedder.mlp.2", dimension, dimension, normal(0.02));
  const labels = embeddingLayer("y_embedder.embedding_table", classes + 1, dimension, 0.02);
  const blocks = Array.from({ length: config.depth }, (_, i) => block(`blocks.${i}`));
  const steer = linearLayer("final_layer.adaLN_modulation.1", dimension, 2 * dimension, zero);
  const output = linearLayer("final_layer.linear", dimension, patch * patch * channels, zero);
  const frequencies = Array.from(
    { length: config.frequencies },
    (_, j) => Math.fround(10_000 ** (-j / config.frequencies)) / Math.PI,
  );

  /** n(h) (1 + scale) + shift, n a layer norm without weights. */
  function modulated(h: Node, shift: Node, scale: Node): Node {
    const row = (x: Node) => reshape(x, [x.shape[0] as number, 1, dimension]);
    return add(multiply(layerNorm(h, undefined, undefined, { epsilon: normEpsilon }), add(row(scale), 1)), row(shift));
  }

  function block(name: string): {
    parameters: readonly ParameterDeclaration[];
    apply(values: Values, h: Node, e: Node): Node;
  } {
    const hidden = config.mlpRatio * dimension;
    const joined = linearLayer(`${name}.attn.qkv`, dimension, 3 * dimension);
    const projected = linearLayer(`${name}.attn.proj`, dimension, dimension);
    const fc1 = linearLayer(`${name}.mlp.fc1`, dimension, hidden);
    const fc2 = linearLayer(`${name}.mlp.fc2`, hidden, dimension);
    const steer = linearLayer(`${name}.adaLN_modulation.1`, dimension, 6 * dimension, zero);
    return {
      parameters: parametersOf(joined, projected, fc1, fc2, steer),
      apply: (values, h, e) => {
        const [shift1, scale1, gate1, shift2, scale2, gate2] = parts(steer.apply(values, swish(e)), 6) as Six;
        const gated = (gate: Node, x: Node) => multiply(reshape(gate, [gate.shape[0] as number, 1, dimension]), x);
        const attended = attentionOf(joined.apply(values, modulated(h, shift1, scale1)), heads);
        const seen = add(h, gated(gate1, projected.apply(values, attended)));
        const within = fc1.apply(values, modulated(seen, shift2, scale2));
        return add(seen, gated(gate2, fc2.apply(values, activated(within, "geluTanh"))));
      },
    };
  }

  const apply: Network["apply"] = (values, x, t, conditions) => {
    const batch = x.shape[0] as number;
    const tokens = reshape(input.apply(values, reshape(x, [batch, height, width, channels])), [
      ...[batch, down * across, dimension],
    ]);
    let h = add(tokens, table(config.positions, [down * across, dimension]));
    const [sines, cosines] = parts(fixedTimeEmbedding(t, frequencies), 2) as [Node, Node];
    const none = table(new Array<number>(batch).fill(classes), [batch], "u32");
    const label = conditions?.get("label") ?? none;
    const time = time2.apply(values, swish(time0.apply(values, concat([cosines, sines], 1))));
    const e = add(time, labels.apply(values, label));
    for (const each of blocks) h = each.apply(values, h, e);
    const [shift, scale] = parts(steer.apply(values, swish(e)), 2) as [Node, Node];
    const y = output.apply(values, modulated(h, shift, scale));
    const patches = reshape(y, [batch, down, across, patch, patch, channels]);
    return reshape(transpose(patches, [0, 1, 3, 2, 4, 5]), [batch, sizeOf(x.shape) / batch]);
  };
  const parameters = parametersOf(input, time0, time2, labels, ...blocks, steer, output);
  const sample = [height, width, channels];
  const size = height * width * channels;
  return { kind: "sit", config: { ...config }, dimension: size, sample, parameters, apply };
}

type Six = [Node, Node, Node, Node, Node, Node];

function normal(deviation: number): Initial {
  return { kind: "normal", deviation };
}
