/** A U-Net over sequences: residual blocks steered by time, halved and doubled in length. */
import { type Node, sizeOf } from "../graph/node.ts";
import { add, divide, multiply } from "../ops/arithmetic.ts";
import { film, fixedTimeEmbedding } from "../ops/embed.ts";
import { spaceFromChannels } from "../ops/resample.ts";
import { concat, reshape } from "../ops/shape.ts";
import {
  conditionOf,
  conv1dLayer,
  groupNormLayer,
  linearLayer,
  parametersOf,
  parts,
  swish,
  type Values,
} from "./layers.ts";
import type { Network, ParameterDeclaration } from "./network.ts";

export interface UNet1dConfig {
  /** L, a multiple of 2 for each level but the first. */
  readonly length: number;
  /** C, numbers at each place. */
  readonly dimension: number;
  /** Width of each level, from the full length down. */
  readonly channels: readonly number[];
  /** Blocks of each level, down and up. */
  readonly subBlocks: readonly number[];
  /** Width at both ends. */
  readonly edgeChannels: number;
  /** How many frequencies, and from where to where, geometric, in half turns. */
  readonly frequencies: number;
  readonly frequencyRange: readonly [number, number];
  readonly embeddingHidden: number;
  /** Earlier states [B, conditionSteps, C] that the network is told as "condition"; 0: none. */
  readonly conditionSteps: number;
  readonly conditionDivisor: number;
  readonly groupNormEpsilon: number;
}

/**
 * v [B, L C] of points [B, L C]. Blocks down: the level's width; up: what came down is added, (a + b) / sqrt 2; time, and
 * earlier states where there are any, by FiLM in each block.
 */
export function unet1d(config: UNet1dConfig): Network {
  const { length, dimension, channels, subBlocks, edgeChannels, conditionSteps, embeddingHidden } = config;
  const width = 4 * (channels[0] as number);
  const time1 = linearLayer("time.linear1", 2 * config.frequencies, embeddingHidden);
  const time2 = linearLayer("time.linear2", embeddingHidden, width);
  const condition1 = conditionSteps
    ? linearLayer("condition.linear1", conditionSteps * dimension, embeddingHidden)
    : undefined;
  const condition2 = conditionSteps ? linearLayer("condition.linear2", embeddingHidden, width) : undefined;
  const embedded = conditionSteps ? 2 * width : width;
  const input = conv1dLayer("input", { taps: 3, inputs: dimension, outputs: edgeChannels });
  const levels = channels.map((outputs, level) => {
    const before = level === 0 ? edgeChannels : (channels[level - 1] as number);
    const count = subBlocks[level] as number;
    const block = (side: string, j: number, inputs: number) =>
      filmBlock(`${side}.${level}.${j}`, inputs, outputs, embedded, config.groupNormEpsilon);
    return {
      shorter:
        level > 0
          ? conv1dLayer(`downsample.${level}`, { taps: 2, stride: 2, padding: 0, inputs: before, outputs })
          : undefined,
      down: Array.from({ length: count }, (_, j) => block("down", j, level === 0 && j === 0 ? before : outputs)),
      up: Array.from({ length: count }, (_, j) => block("up", j, outputs)),
      longer:
        level > 0 ? conv1dLayer(`upsample.${level}`, { taps: 3, inputs: outputs, outputs: 2 * before }) : undefined,
    };
  });
  const final = conv1dLayer("final", { taps: 3, inputs: channels[0] as number, outputs: edgeChannels });
  const output = conv1dLayer("output", { taps: 3, inputs: edgeChannels, outputs: dimension });
  const frequencies = geometric(config.frequencies, config.frequencyRange);

  const apply: Network["apply"] = (values, x, t, conditions) => {
    const batch = x.shape[0] as number;
    let e = time2.apply(values, swish(time1.apply(values, fixedTimeEmbedding(t, frequencies))));
    if (condition1 && condition2) {
      const condition = conditionOf(conditions, "condition");
      const flat = reshape(condition, [batch, sizeOf(condition.shape) / batch]);
      const told = condition1.apply(values, divide(flat, config.conditionDivisor));
      e = concat([e, condition2.apply(values, swish(told))], 1);
    }
    const steering = swish(e);
    let h = input.apply(values, reshape(x, [batch, length, dimension]));
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
      if (longer) h = spaceFromChannels(longer.apply(values, h), 2, "factor-major");
    }
    return reshape(output.apply(values, swish(final.apply(values, h))), x.shape);
  };
  const parameters = parametersOf(
    ...[time1, time2, condition1, condition2, input],
    ...levels.flatMap(({ shorter, down }) => [shorter, ...down]),
    ...[...levels].reverse().flatMap(({ up, longer }) => [...up, longer]),
    ...[final, output],
  );
  const sample = [length, dimension];
  return { kind: "unet1d", config: { ...config }, dimension: length * dimension, sample, parameters, apply };
}

interface FilmBlock {
  readonly parameters: readonly ParameterDeclaration[];
  apply(values: Values, h: Node, steering: Node): Node;
}

/** (skip(h) + two normalised convolutions of FiLM(h)) / sqrt 2. */
function filmBlock(name: string, inputs: number, outputs: number, embedded: number, epsilon: number): FilmBlock {
  const steer = linearLayer(`${name}.film`, embedded, 2 * inputs);
  const norm1 = groupNormLayer(`${name}.norm1`, inputs, groupsOf(inputs), epsilon);
  const conv1 = conv1dLayer(`${name}.conv1`, { taps: 3, inputs, outputs });
  const norm2 = groupNormLayer(`${name}.norm2`, outputs, groupsOf(outputs), epsilon);
  const conv2 = conv1dLayer(`${name}.conv2`, { taps: 3, inputs: outputs, outputs });
  const skip = linearLayer(`${name}.skip`, inputs, outputs);
  return {
    parameters: parametersOf(steer, norm1, conv1, norm2, conv2, skip),
    apply: (values, h, steering) => {
      const [scale, bias] = parts(steer.apply(values, steering), 2) as [Node, Node];
      let r = film(h, scale, bias);
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
