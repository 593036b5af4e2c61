/** A dilated convolutional network over sequences of letters, as Dirichlet flow matching has it (Stark et al., 2024). */
import type { Node } from "../graph/node.ts";
import { add, divide, multiply, subtract } from "../ops/arithmetic.ts";
import { fixedTimeEmbedding } from "../ops/embed.ts";
import { concat, reshape } from "../ops/shape.ts";
import {
  activated,
  conditionOf,
  conv1dLayer,
  embeddingLayer,
  layerNormLayer,
  linearLayer,
  parametersOf,
} from "./layers.ts";
import type { Network } from "./network.ts";

export interface CNNConfig {
  /** L. */
  readonly length: number;
  /** K, letters. */
  readonly K: number;
  readonly channels: number;
  /** Of the blocks of a stack. */
  readonly dilations: readonly number[];
  readonly stacks: number;
  /** Labels that the network is told as "label"; 0: none. */
  readonly classes: number;
  /** a = timeOffset + timeFactor t is how concentrated a point is: it weighs x against itself by pseudocount. */
  readonly timeOffset: number;
  readonly timeFactor: number;
  readonly pseudocount: number;
  readonly layerNormEpsilon: number;
  /** Turns per unit of a [channels / 2]: N(0, 1) in the original, fixed. */
  readonly frequencies: readonly number[];
}

/** v [B, L K] of points [B, L K]: logits or velocities, as the loss takes them. */
export function cnn(config: CNNConfig): Network {
  const { length, K, channels, classes, pseudocount } = config;
  const wide = { taps: 9, inputs: channels, outputs: channels };
  const time = linearLayer("time.linear", channels, channels);
  const labels = classes ? embeddingLayer("class", classes, channels) : undefined;
  const input = conv1dLayer("input", { ...wide, inputs: 2 * K });
  const dilations = Array.from({ length: config.stacks }, () => config.dilations).flat();
  const blocks = dilations.map((dilation, i) => ({
    time: linearLayer(`blocks.${i}.time`, channels, channels),
    norm: layerNormLayer(`blocks.${i}.norm`, channels, config.layerNormEpsilon),
    conv: conv1dLayer(`blocks.${i}.conv`, { ...wide, dilation }),
    label: classes ? linearLayer(`blocks.${i}.class`, channels, channels) : undefined,
  }));
  const output1 = conv1dLayer("output1", { ...wide, taps: 1 });
  const output2 = conv1dLayer("output2", { ...wide, taps: 1, outputs: K });
  const halfTurns = config.frequencies.map((frequency) => 2 * frequency);

  const apply: Network["apply"] = (values, x, t, conditions) => {
    const batch = x.shape[0] as number;
    const concentration = add(multiply(reshape(t, [batch, 1]), config.timeFactor), config.timeOffset);
    const share = reshape(divide(pseudocount, add(concentration, pseudocount - 1)), [batch, 1, 1]);
    const points = reshape(x, [batch, length, K]);
    const e = activated(time.apply(values, fixedTimeEmbedding(concentration, halfTurns)), "relu");
    const told = labels?.apply(values, conditionOf(conditions, "label"));
    const everywhere = (row: Node) => reshape(row, [batch, 1, channels]);
    const both = concat([multiply(points, subtract(1, share)), multiply(points, share)], 2);
    let h = activated(input.apply(values, both), "relu");
    for (const block of blocks) {
      let r = add(h, everywhere(block.time.apply(values, e)));
      if (block.label && told) r = add(r, everywhere(block.label.apply(values, told)));
      h = add(h, activated(block.conv.apply(values, block.norm.apply(values, r)), "relu"));
    }
    return reshape(output2.apply(values, activated(output1.apply(values, h), "relu")), x.shape);
  };
  const parameters = parametersOf(
    ...[time, labels, input],
    ...blocks.flatMap(({ time, norm, conv, label }) => [time, norm, conv, label]),
    ...[output1, output2],
  );
  return { kind: "cnn", config: { ...config }, dimension: length * K, sample: [length, K], parameters, apply };
}
