/** A U-Net over sequences: residual blocks steered by time, halved and doubled in length. */
import { ConfigError } from "../errors.ts";
import type { Node } from "../graph/node.ts";
import { f32Option, integerOption, numberOption } from "../graph/options.ts";
import { add, divide, multiply } from "../ops/arithmetic.ts";
import { fixedTimeEmbedding } from "../ops/embed.ts";
import { concat, reshape } from "../ops/shape.ts";
import { conv1dLayer, groupNormLayer, linearLayer, parametersOf, swish } from "./layers.ts";
import type { ConditionDeclarations, Network } from "./network.ts";
import { checked, expectDivides, integersOption, LARGEST_WIDTH, MOST_BLOCKS, madeNetwork } from "./network-options.ts";
import { downsample1dLayer, upsample1dLayer } from "./resample-layers.ts";
import { filmLayer, type SteeredLayer } from "./time-layers.ts";
import { besideChannels, labelLayers, numberLayers, withTold } from "./told-layers.ts";

export interface UNet1dConfig {
  /** [L, C]: places, a multiple of 2 for each level but the first, and numbers at each. */
  readonly sample: readonly [number, number];
  /** Width of each level, from the full length down; default [64, 128, 256]. */
  readonly channels?: readonly number[];
  /** Blocks of each level, down and up; default 2 each. */
  readonly blocks?: readonly number[];
  /** Width at both ends; default that of the first level. */
  readonly edgeChannels?: number;
  /** How many frequencies of time; default 64. */
  readonly frequencies?: number;
  /** From where to where, geometric, in half turns; default [1, 20,000]. */
  readonly frequencyRange?: readonly [number, number];
  /** Between the layers that embed time and numbers; default 4 times the first level's width. */
  readonly embeddingHidden?: number;
  /** What numbers that are embedded are divided by first; default 1. */
  readonly conditionDivisor?: number;
  /** Of group norm; default 1e-5. */
  readonly epsilon?: number;
  readonly conditions?: ConditionDeclarations;
}

/**
 * v [B, L C] of points [B, L C]. Blocks down: the level's width; up: what came down is added, (a + b) / sqrt 2; time, and
 * what else the network is told, by FiLM in each block. Numbers of shape [L, ...] are beside the sample's channels, others
 * embedded beside the time, labels added to it.
 *
 * @throws {@link ConfigError} when an option is unknown or outside its range, or the length cannot be halved so often.
 * @example
 * unet1d({ sample: [60, 3], channels: [32, 64, 128], conditions: { earlier: numbers([3, 3]) } })
 */
export function unet1d(config: UNet1dConfig): Network {
  const { conditions, ...options } = completed(config);
  const { sample, channels, blocks, edgeChannels, embeddingHidden: hidden, epsilon } = options;
  const width = 4 * channels[0];
  const beside = besideChannels(conditions, sample);
  const time1 = linearLayer("time.linear1", 2 * options.frequencies, hidden);
  const time2 = linearLayer("time.linear2", hidden, width);
  const told = numberLayers(beside.others, { width, hidden, before: (x) => divide(x, options.conditionDivisor) });
  const labels = labelLayers(beside.others, { width });
  const embedded = (1 + told.length) * width;
  const input = conv1dLayer("input", { taps: 3, inputs: sample[1] + beside.channels, outputs: edgeChannels });
  const levels = channels.map((outputs, level) => {
    const before = level === 0 ? edgeChannels : channels[level - 1];
    const block = (side: string, j: number, inputs: number) =>
      filmBlock(`${side}.${level}.${j}`, { inputs, outputs, embedded, epsilon });
    const numbers = Array.from({ length: blocks[level] }, (_, j) => j);
    return {
      shorter: level > 0 ? downsample1dLayer(`downsample.${level}`, before, outputs) : undefined,
      down: numbers.map((j) => block("down", j, level === 0 && j === 0 ? before : outputs)),
      up: numbers.map((j) => block("up", j, outputs)),
      longer: level > 0 ? upsample1dLayer(`upsample.${level}`, outputs, before) : undefined,
    };
  });
  const final = conv1dLayer("final", { taps: 3, inputs: channels[0], outputs: edgeChannels });
  const output = conv1dLayer("output", { taps: 3, inputs: edgeChannels, outputs: sample[1] });
  const frequencies = geometric(options.frequencies, options.frequencyRange);

  const apply: Network["apply"] = (values, x, t, conditions) => {
    const time = time2.apply(values, swish(time1.apply(values, fixedTimeEmbedding(t, frequencies))));
    const all = [withTold(time, labels, values, conditions), ...told.map((each) => each.apply(values, conditions))];
    const steering = swish(all.length > 1 ? concat(all, 1) : all[0]);
    let h = input.apply(values, beside.apply(reshape(x, [x.shape[0], ...sample]), conditions));
    const kept: Node[] = [];
    for (const { shorter, down } of levels) {
      if (shorter) h = shorter.apply(values, h);
      for (const block of down) {
        h = block.apply(values, h, steering);
        kept.push(h);
      }
    }
    for (const { up, longer } of [...levels].reverse()) {
      for (const block of up) h = block.apply(values, halfPower(kept.pop() as Node, h), steering);
      if (longer) h = longer.apply(values, h);
    }
    return reshape(output.apply(values, swish(final.apply(values, h))), x.shape);
  };
  const parameters = parametersOf(
    ...[time1, time2, ...labels, ...told, input],
    ...levels.flatMap(({ shorter, down }) => [shorter, ...down]),
    ...[...levels].reverse().flatMap(({ up, longer }) => [...up, longer]),
    ...[final, output],
  );
  const constants = [{ name: "time.frequencies", values: frequencies }];
  return madeNetwork({ kind: "unet1d", config: options, sample, conditions, parameters, constants, apply });
}

/** The options with every choice made, checked. */
function completed(given: UNet1dConfig) {
  const { sample, conditions } = checked("unet1d", "sequences", given, [
    ...(["sample", "channels", "blocks", "edgeChannels", "frequencies", "frequencyRange", "embeddingHidden"] as const),
    ...(["conditionDivisor", "epsilon", "conditions"] as const),
  ]);
  const channels = integersOption("channels of unet1d", given.channels ?? [64, 128, 256]);
  const most = { most: MOST_BLOCKS, count: [channels.length, channels.length] } as const;
  const blocks = integersOption("blocks of unet1d", given.blocks ?? channels.map(() => 2), most);
  const { edgeChannels = channels[0], frequencies = 64, frequencyRange = [1, 20_000] } = given;
  const { embeddingHidden = 4 * channels[0], conditionDivisor = 1, epsilon = 1e-5 } = given;
  for (const [name, value] of Object.entries({ edgeChannels, frequencies, embeddingHidden })) {
    integerOption(`${name} of unet1d`, value, 1, LARGEST_WIDTH);
  }
  if (!Array.isArray(frequencyRange) || frequencyRange.length !== 2) {
    throw new ConfigError({
      subject: "frequencyRange of unet1d",
      given: frequencyRange,
      expected: "[lowest, highest], in half turns",
      remedy: "Give two numbers, such as [1, 20000].",
    });
  }
  for (const value of frequencyRange) {
    numberOption("frequencyRange of unet1d", value, { minimum: 0, maximum: 2 ** 15, open: "both" });
  }
  f32Option("conditionDivisor of unet1d", conditionDivisor, { minimum: 0, open: "minimum" });
  f32Option("epsilon of unet1d", epsilon, { minimum: 0, open: "minimum" });
  channels.forEach((width, level) => {
    const groups = groupsOf(width);
    expectDivides(`channels of unet1d, number ${level}`, width, groups, `group norm has ${groups} groups of them`);
  });
  const groups = groupsOf(edgeChannels);
  expectDivides("edgeChannels of unet1d", edgeChannels, groups, `group norm has ${groups} groups of them`);
  const halvings = channels.length - 1;
  expectDivides("length in sample of unet1d", sample[0], 2 ** halvings, `it is halved ${halvings} times`);
  return {
    ...{ sample, channels, blocks, edgeChannels, frequencies, embeddingHidden, conditionDivisor, epsilon },
    frequencyRange: Object.freeze([...frequencyRange]) as readonly [number, number],
    conditions,
  };
}

/** (skip(h) + two normalised convolutions of FiLM(h)) / sqrt 2. */
function filmBlock(
  name: string,
  { inputs, outputs, embedded, epsilon }: { inputs: number; outputs: number; embedded: number; epsilon: number },
): SteeredLayer {
  const steer = filmLayer(`${name}.film`, embedded, inputs);
  const norm1 = groupNormLayer(`${name}.norm1`, inputs, groupsOf(inputs), epsilon);
  const conv1 = conv1dLayer(`${name}.conv1`, { taps: 3, inputs, outputs });
  const norm2 = groupNormLayer(`${name}.norm2`, outputs, groupsOf(outputs), epsilon);
  const conv2 = conv1dLayer(`${name}.conv2`, { taps: 3, inputs: outputs, outputs });
  const skip = linearLayer(`${name}.skip`, inputs, outputs);
  return {
    parameters: parametersOf(steer, norm1, conv1, norm2, conv2, skip),
    apply: (values, h, steering) => {
      let r = steer.apply(values, h, steering);
      r = conv1.apply(values, swish(norm1.apply(values, r)));
      r = conv2.apply(values, swish(norm2.apply(values, r)));
      return halfPower(skip.apply(values, h), r);
    },
  };
}

function groupsOf(channels: number): number {
  return Math.max(1, Math.min(Math.floor(channels / 4), 32));
}

/** (a + b) / sqrt 2: of independent numbers of one size, a number of that size. */
function halfPower(a: Node, b: Node): Node {
  return multiply(add(a, b), Math.SQRT1_2);
}

/** As f32: the numbers that PyTorch's file has. */
function geometric(count: number, [low, high]: readonly [number, number]): number[] {
  return Array.from({ length: count }, (_, i) => Math.fround(low * (high / low) ** (i / Math.max(1, count - 1))));
}
