/** More places: out of channels, or by repeating what is there. */
import { ConfigError } from "../errors.ts";
import type { Node, Shape } from "../graph/node.ts";
import { mean } from "./reduce.ts";
import { broadcast, reshape, transpose } from "./shape.ts";

/**
 * Twice (or `factor` times) as many places of fewer channels: [B, L, factor C] becomes [B, factor L, C].
 *
 * @param order - "factor-major": channel i C + c of place l is channel c of place factor l + i, a plain reshape;
 * "channel-major": channel c factor + i is (PyTorch's pixel shuffle).
 * @throws {@link ConfigError} when the factor does not divide the channels.
 */
export function spaceFromChannels(x: Node, factor: number, order: "factor-major" | "channel-major"): Node {
  const [batch, length, channels] = x.shape as readonly [number, number, number];
  if (x.shape.length !== 3 || channels % factor !== 0) {
    throw new ConfigError({
      subject: "factor of spaceFromChannels",
      given: factor,
      expected: `a divisor of the last axis of [B, L, channels], which is [${x.shape.join(", ")}]`,
      remedy: "Make the channels a multiple of it.",
    });
  }
  const shape: Shape = [batch, factor * length, channels / factor];
  if (order === "factor-major") return reshape(x, shape);
  return reshape(transpose(reshape(x, [batch, length, channels / factor, factor]), [0, 1, 3, 2]), shape);
}

/** Each pixel twice along both axes: [B, H, W, C] becomes [B, 2 H, 2 W, C]. */
export function enlargeTwice(x: Node): Node {
  const [batch, height, width, channels] = x.shape as readonly [number, number, number, number];
  const wide = broadcast(reshape(x, [batch, height, 1, width, 1, channels]), [batch, height, 2, width, 2, channels]);
  return reshape(wide, [batch, 2 * height, 2 * width, channels]);
}

/** The mean of each square of four pixels: [B, 2 H, 2 W, C] becomes [B, H, W, C]. */
export function shrinkTwice(x: Node): Node {
  const [batch, height, width, channels] = x.shape as readonly [number, number, number, number];
  if (x.shape.length !== 4 || height % 2 !== 0 || width % 2 !== 0) {
    throw new ConfigError({
      subject: "pixels of shrinkTwice",
      given: x.shape,
      expected: "[B, H, W, C], H and W even",
      remedy: "Choose a size that can be halved.",
    });
  }
  const squares = reshape(x, [batch, height / 2, 2, width / 2, 2, channels]);
  return reshape(mean(squares, [2, 4]), [batch, height / 2, width / 2, channels]);
}
