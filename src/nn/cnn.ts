/** A dilated convolutional network over sequences of letters, as Dirichlet flow matching has it (Stark et al., 2024). */
import { ConfigError } from "../errors.ts";
import type { Node } from "../graph/node.ts";
import { f32Option, integerOption, numberOption } from "../graph/options.ts";
import { add, divide, multiply, subtract } from "../ops/arithmetic.ts";
import { fixedTimeEmbedding } from "../ops/embed.ts";
import { normalFromBits } from "../ops/normal.ts";
import { concat, reshape } from "../ops/shape.ts";
import { activated, conv1dLayer, layerNormLayer, linearLayer, parametersOf } from "./layers.ts";
import type { ConditionDeclarations, Network } from "./network.ts";
import { checked, expectDivides, integersOption, LARGEST_WIDTH, MOST_BLOCKS, madeNetwork } from "./network-options.ts";
import { besideChannels, labelLayers, numberLayers } from "./told-layers.ts";

export interface CNNConfig {
  /** [L, K]: places and letters. */
  readonly sample: readonly [number, number];
  /** Even; default 128. */
  readonly channels?: number;
  /** Of the blocks of a stack; default [1, 1, 4, 16, 64]. */
  readonly dilations?: readonly number[];
  /** How many times the dilations follow each other; default 1. */
  readonly stacks?: number;
  /** a = timeOffset + timeFactor t is how concentrated a point is: it weighs x against itself by pseudocount. Default 1. */
  readonly timeOffset?: number;
  /** Default 7: a goes from 1 to 8. */
  readonly timeFactor?: number;
  /** Default 2. */
  readonly pseudocount?: number;
  /** Turns per unit of a [channels / 2], fixed. Drawn from N(0, 1) in the original; default: the quantiles of its size. */
  readonly frequencies?: readonly number[];
  /** Of layer norm; default 1e-5. */
  readonly epsilon?: number;
  readonly conditions?: ConditionDeclarations;
}

/**
 * v [B, L K] of points [B, L K]: logits or velocities, as the loss takes them. Labels and numbers are vectors that a layer
 * of each block adds to all places; numbers of shape [L, ...] are beside the letters.
 *
 * @throws {@link ConfigError} when an option is unknown or outside its range.
 * @example
 * cnn({ sample: [256, 4], conditions: { label: classes(3) } })
 */
export function cnn(config: CNNConfig): Network {
  const { conditions, ...options } = completed(config);
  const { sample, channels, pseudocount, epsilon } = options;
  const K = sample[1];
  const beside = besideChannels(conditions, sample);
  const wide = { taps: 9, inputs: channels, outputs: channels };
  const time = linearLayer("time.linear", channels, channels);
  const told = [
    ...labelLayers(beside.others, { table: "class", width: channels }),
    ...numberLayers(beside.others, { hidden: channels, width: channels, activation: "relu" }),
  ];
  const input = conv1dLayer("input", { ...wide, inputs: 2 * K + beside.channels });
  const dilations = Array.from({ length: options.stacks }, () => options.dilations).flat();
  const blocks = dilations.map((dilation, i) => ({
    time: linearLayer(`blocks.${i}.time`, channels, channels),
    norm: layerNormLayer(`blocks.${i}.norm`, channels, epsilon),
    conv: conv1dLayer(`blocks.${i}.conv`, { ...wide, dilation }),
    told: told.length > 0 ? linearLayer(`blocks.${i}.class`, channels, channels) : undefined,
  }));
  const output1 = conv1dLayer("output1", { ...wide, taps: 1 });
  const output2 = conv1dLayer("output2", { ...wide, taps: 1, outputs: K });
  const halfTurns = options.frequencies.map((frequency) => 2 * frequency);

  const apply: Network["apply"] = (values, x, t, conditions) => {
    const batch = x.shape[0];
    const concentration = add(multiply(reshape(t, [batch, 1]), options.timeFactor), options.timeOffset);
    const share = reshape(divide(pseudocount, add(concentration, pseudocount - 1)), [batch, 1, 1]);
    const points = reshape(x, [batch, ...sample]);
    const e = activated(time.apply(values, fixedTimeEmbedding(concentration, halfTurns)), "relu");
    const [first, ...others] = told.map((each) => each.apply(values, conditions));
    const all = others.reduce(add, first);
    const everywhere = (row: Node) => reshape(row, [batch, 1, channels]);
    const both = concat([multiply(points, subtract(1, share)), multiply(points, share)], 2);
    let h = activated(input.apply(values, beside.apply(both, conditions)), "relu");
    for (const block of blocks) {
      let r = add(h, everywhere(block.time.apply(values, e)));
      if (block.told) r = add(r, everywhere(block.told.apply(values, all)));
      h = add(h, activated(block.conv.apply(values, block.norm.apply(values, r)), "relu"));
    }
    return reshape(output2.apply(values, activated(output1.apply(values, h), "relu")), x.shape);
  };
  const parameters = parametersOf(
    ...[time, ...told, input],
    ...blocks.flatMap(({ time, norm, conv, told }) => [time, norm, conv, told]),
    ...[output1, output2],
  );
  const constants = [{ name: "time.frequencies", values: options.frequencies, option: "frequencies" }];
  return madeNetwork({ kind: "cnn", config: options, sample, conditions, parameters, constants, apply });
}

/** The options with every choice made, checked. */
function completed(given: CNNConfig) {
  const { sample, conditions } = checked("cnn", "sequences", given, [
    ...(["sample", "channels", "dilations", "stacks", "timeOffset", "timeFactor", "pseudocount"] as const),
    ...(["frequencies", "epsilon", "conditions"] as const),
  ]);
  const { channels = 128, stacks = 1, timeOffset = 1, timeFactor = 7, pseudocount = 2, epsilon = 1e-5 } = given;
  integerOption("channels of cnn", channels, 2, LARGEST_WIDTH);
  expectDivides("channels of cnn", channels, 2, "half of the time's numbers are sines, half cosines");
  const count = [1, MOST_BLOCKS] as const;
  const dilations = integersOption("dilations of cnn", given.dilations ?? [1, 1, 4, 16, 64], { count, most: 4096 });
  integerOption("stacks of cnn", stacks, 1, MOST_BLOCKS);
  f32Option("timeOffset of cnn", timeOffset, { minimum: 0, open: "minimum" }); // a is where Dirichlet densities begin
  f32Option("timeFactor of cnn", timeFactor, { minimum: 0 });
  f32Option("pseudocount of cnn", pseudocount, { minimum: 1 }); // so what the share is divided by is above 0
  f32Option("epsilon of cnn", epsilon, { minimum: 0, open: "minimum" });
  const { frequencies = normalQuantiles(channels / 2) } = given;
  if (!Array.isArray(frequencies) || frequencies.length !== channels / 2) {
    throw new ConfigError({
      subject: "frequencies of cnn",
      given: Array.isArray(frequencies) ? `a list of ${frequencies.length}` : frequencies,
      expected: `a list of ${channels / 2} numbers, half of the channels`,
      remedy: "Give a number for each, or leave it out.",
    });
  }
  for (const frequency of frequencies) numberOption("frequencies of cnn", frequency, { minimum: -2048, maximum: 2048 });
  return {
    ...{ sample, channels, dilations, stacks, timeOffset, timeFactor, pseudocount, epsilon },
    frequencies: Object.freeze([...frequencies]) as readonly number[],
    conditions,
  };
}

/** |N(0, 1)| at the middles of as many equal shares: sizes as drawn ones have, for a sign says nothing more. */
function normalQuantiles(count: number): number[] {
  const shares = Array.from({ length: count }, (_, i) => 0.5 + (i + 0.5) / (2 * count));
  return shares.map((share) => normalFromBits(Math.floor(share * 2 ** 23) * 2 ** 9)); // its upper 23 bits are the share
}
