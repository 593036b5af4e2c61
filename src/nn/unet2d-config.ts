/** The options of the U-Net in unet2d.ts: what they are, and how they are completed and checked. */
import { ConfigError } from "../errors.ts";
import { booleanOption, choiceOption, f32Option, integerOption } from "../graph/options.ts";
import type { ConditionDeclarations } from "./network.ts";
import { checked, expectDivides, integersOption, LARGEST_WIDTH, MOST_BLOCKS } from "./network-options.ts";

export interface UNet2dConfig {
  /** [H, W, C]: height and width are multiples of 2 for each level but the first. */
  readonly sample: readonly [number, number, number];
  /** Width of a level is this times its multiplier, a multiple of `groups`; default 128. */
  readonly channels?: number;
  /** Of each level, from the full size down; default [1, 2, 2, 2]. */
  readonly multipliers?: readonly number[];
  /** Of each level, down; one more up; default 2. */
  readonly residualBlocks?: number;
  /** Attention where the picture is so many times smaller than at the start: 1, 2, 4, ...; always in the middle. Default []. */
  readonly attentionAt?: readonly number[];
  /** Of attention; default 1. */
  readonly heads?: number;
  /** Width of a head, in place of `heads`: a wider level then has more of them. */
  readonly headChannels?: number;
  /**
   * How the outputs of a "qkv" follow each other: "heads", each head's queries, keys and values (the default), or "kinds",
   * all queries, keys, values, which guided-diffusion calls use_new_attention_order.
   */
  readonly attentionOrder?: (typeof attentionOrders)[number];
  /**
   * How levels are halved and doubled: by a "convolution" (the default), a "residual" block (resblock_updown), or "plain",
   * by means and repetition (conv_resample False).
   */
  readonly resampling?: (typeof resamplings)[number];
  /** Whether time scales what is normalised, beside shifting it (use_scale_shift_norm); default false. */
  readonly scaleShift?: boolean;
  /** Of group norm; default 32. */
  readonly groups?: number;
  /** Of group norm; default 1e-5. */
  readonly epsilon?: number;
  readonly conditions?: ConditionDeclarations;
}

const attentionOrders = ["heads", "kinds"] as const;
const resamplings = ["convolution", "residual", "plain"] as const;

/** The options with every choice made, checked. */
export function completed(given: UNet2dConfig) {
  const { sample, conditions } = checked("unet2d", "pictures", given, [
    ...(["sample", "channels", "multipliers", "residualBlocks", "attentionAt", "heads", "headChannels"] as const),
    ...(["attentionOrder", "resampling", "scaleShift", "groups", "epsilon", "conditions"] as const),
  ]);
  const { channels = 128, residualBlocks = 2, groups = 32, epsilon = 1e-5, scaleShift = false } = given;
  const { headChannels, attentionOrder = "heads", resampling = "convolution" } = given;
  integerOption("channels of unet2d", channels, 2, LARGEST_WIDTH / 4);
  expectDivides("channels of unet2d", channels, 2, "half of the time's numbers are cosines, half sines");
  const multipliers = integersOption("multipliers of unet2d", given.multipliers ?? [1, 2, 2, 2], { most: 1024 });
  const attentionAt = integersOption("attentionAt of unet2d", given.attentionAt ?? [], {
    count: [0, 20],
    most: 2 ** 20,
  });
  const factors = multipliers.map((_, level) => 2 ** level);
  for (const factor of attentionAt) choiceOption("attentionAt of unet2d", factor, factors);
  integerOption("residualBlocks of unet2d", residualBlocks, 1, MOST_BLOCKS);
  integerOption("groups of unet2d", groups, 1, LARGEST_WIDTH);
  f32Option("epsilon of unet2d", epsilon, { minimum: 0, open: "minimum" });
  booleanOption("scaleShift of unet2d", scaleShift);
  choiceOption("attentionOrder of unet2d", attentionOrder, attentionOrders);
  choiceOption("resampling of unet2d", resampling, resamplings);
  if (headChannels !== undefined && given.heads !== undefined) {
    throw new ConfigError({
      subject: "headChannels of unet2d",
      given: "beside heads",
      expected: "one of the two",
      remedy: "Leave one of them out.",
    });
  }
  const split = headChannels === undefined ? { heads: given.heads ?? 1 } : { headChannels };
  for (const [name, value] of Object.entries(split)) integerOption(`${name} of unet2d`, value, 1, LARGEST_WIDTH);
  multipliers.forEach((multiplier, level) => {
    const width = multiplier * channels;
    const subject = `width ${multiplier} x ${channels} of level ${level} of unet2d`;
    integerOption(subject, width, 1, LARGEST_WIDTH);
    expectDivides(subject, width, groups, "the groups of group norm (option groups)");
    if (!attentionAt.includes(2 ** level) && level < multipliers.length - 1) return;
    const [option, by] = Object.entries(split)[0];
    expectDivides(subject, width, by, `option ${option}`);
  });
  const halvings = multipliers.length - 1;
  for (const [i, side] of (["height", "width"] as const).entries()) {
    expectDivides(`${side} in sample of unet2d`, sample[i], 2 ** halvings, `it is halved ${halvings} times`);
  }
  return {
    ...{ sample, channels, multipliers, residualBlocks, attentionAt, ...split },
    ...{ attentionOrder, resampling, scaleShift, groups, epsilon },
    conditions,
  };
}

/** Of attention in a level of this width. */
export function headsOf(
  { heads = 1, headChannels }: Pick<UNet2dConfig, "heads" | "headChannels">,
  width: number,
): number {
  return headChannels === undefined ? heads : width / headChannels;
}
