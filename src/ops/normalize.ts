/** Normalisation: values of a group brought to mean 0 and mean square 1, then scaled and shifted by learned numbers. */
import { ConfigError } from "../errors.ts";
import { type Node, type Shape, sizeOf } from "../graph/node.ts";
import { add, divide, multiply, sqrt, square, subtract } from "./arithmetic.ts";
import { mean } from "./reduce.ts";
import { reshape } from "./shape.ts";

export interface GroupNormOptions {
  /** Groups of C / groups neighbouring channels. */
  readonly groups: number;
  /** Added to the variance; default 1e-5. */
  readonly epsilon?: number;
}

const EPSILON = 1e-5;

/**
 * (x - mean) / sqrt(variance + epsilon) weight + bias, mean and (biased) variance of each row of the batch over all
 * places and the channels of a group (Wu and He, Group Normalization, 2018).
 *
 * @param x - [B, ..., C], channels last.
 * @param weight - [C]; bias likewise.
 * @returns of the shape of `x`.
 * @throws {@link ConfigError} when the groups do not divide the channels, or a weight is not [C].
 */
export function groupNorm(x: Node, weight: Node, bias: Node, { groups, epsilon = EPSILON }: GroupNormOptions): Node {
  const [batch, channels] = [x.shape[0] as number, x.shape.at(-1) as number];
  if (x.shape.length < 2 || channels % groups !== 0) {
    throw new ConfigError({
      subject: "groups of groupNorm",
      given: groups,
      expected: `a divisor of the ${channels} channels of [${x.shape.join(", ")}]`,
      remedy: "Choose channels that are a multiple of the groups.",
    });
  }
  const places = sizeOf(x.shape) / batch / channels;
  const grouped = reshape(x, [batch, places, groups, channels / groups]);
  const normal = reshape(standardized(grouped, [1, 3], epsilon), x.shape);
  return add(
    multiply(normal, channelwise("weight of groupNorm", weight, x)),
    channelwise("bias of groupNorm", bias, x),
  );
}

/**
 * (x - mean) / sqrt(variance + epsilon) weight + bias over the last axis (Ba et al., Layer Normalization, 2016).
 *
 * @param x - [..., C].
 * @param weight - [C]; bias likewise. Left out: 1 and 0.
 */
export function layerNorm(x: Node, weight?: Node, bias?: Node, { epsilon = EPSILON }: { epsilon?: number } = {}): Node {
  const normal = standardized(x, [x.shape.length - 1], epsilon);
  const scaled = weight ? multiply(normal, channelwise("weight of layerNorm", weight, x)) : normal;
  return bias ? add(scaled, channelwise("bias of layerNorm", bias, x)) : scaled;
}

/**
 * x / sqrt(mean(x^2) + epsilon) weight over the last axis (Zhang and Sennrich, Root Mean Square Layer Normalization, 2019).
 *
 * @param x - [..., C].
 * @param weight - [C].
 */
export function rmsNorm(x: Node, weight: Node, { epsilon = EPSILON }: { epsilon?: number } = {}): Node {
  const size = sqrt(add(mean(square(x), [x.shape.length - 1]), epsilon));
  return multiply(divide(x, size), channelwise("weight of rmsNorm", weight, x));
}

function standardized(x: Node, axes: readonly number[], epsilon: number): Node {
  const centred = subtract(x, mean(x, axes));
  return divide(centred, sqrt(add(mean(square(centred), axes), epsilon)));
}

/** A number for each channel, once checked. */
function channelwise(subject: string, values: Node, x: Node): Node {
  const expected: Shape = x.shape.slice(-1);
  if (values.shape.length === 1 && values.shape[0] === expected[0]) return values;
  throw new ConfigError({
    subject,
    given: values.shape,
    expected: `[${expected.join(", ")}], a number for each channel`,
    remedy: "Channels are the last axis.",
  });
}
