/** A transformer over fields on a grid, with long skips from its first blocks to its last. */

import { ConfigError } from "../errors.ts";
import type { Node } from "../graph/node.ts";
import { f32Option, integerOption, numberOption } from "../graph/options.ts";
import { add, log } from "../ops/arithmetic.ts";
import { selfAttention } from "../ops/attention.ts";
import { concat, reshape, slice } from "../ops/shape.ts";
import { normal, xavierUniform, zeros } from "./initial.ts";
import {
  activated,
  conv2dLayer,
  layerNormLayer,
  linearLayer,
  parameterOf,
  parametersOf,
  type Values,
} from "./layers.ts";
import type { ConditionDeclarations, Network, ParameterDeclaration } from "./network.ts";
import { checked, expectDivides, LARGEST_WIDTH, MOST_BLOCKS, madeNetwork } from "./network-options.ts";
import { sinesAndCosines, timeFrequencies } from "./time-layers.ts";
import { besideChannels, labelLayers, numberLayers } from "./told-layers.ts";

export interface TransformerConfig {
  /** [H, W, C]: a token for each place. */
  readonly sample: readonly [number, number, number];
  /** Of the tokens, even and a multiple of `heads`; default 256. */
  readonly width?: number;
  /** Of attention; default 4. */
  readonly heads?: number;
  /** Width of a block's hidden layer in widths; default 4. */
  readonly mlpRatio?: number;
  /** Blocks before the middle, each with a skip to one after it; default 2. */
  readonly outerBlocks?: number;
  /** Blocks of the middle; default 1. */
  readonly middleBlocks?: number;
  /** Between the layers that embed numbers; default the width. */
  readonly conditionHidden?: number;
  /** Numbers that enter by their logarithm, by name: distances and other sizes above 0. */
  readonly logarithms?: readonly string[];
  /** Frequencies of time are timeScale timeBase^(-j / (width / 2)), in radians; default 200. */
  readonly timeScale?: number;
  /** Default 10,000. */
  readonly timeBase?: number;
  /** Of layer norm; default 1e-5. */
  readonly epsilon?: number;
  readonly conditions?: ConditionDeclarations;
}

/**
 * v [B, H W C] of points [B, H W C]: a token for each place and one for the time. Numbers of shape [H, W, ...], such as
 * earlier fields, are beside the sample's channels; labels and other numbers are embedded and added to every token.
 *
 * @throws {@link ConfigError} when an option is unknown or outside its range, or sizes do not divide.
 * @example
 * transformer({ sample: [8, 8, 4], conditions: { previous: numbers([8, 8, 4]), distance: numbers() }, logarithms: ["distance"] })
 */
export function transformer(config: TransformerConfig): Network {
  const { conditions, ...options } = completed(config);
  const { sample, width, heads, epsilon, outerBlocks } = options;
  const [height, across, channels] = sample;
  const places = height * across;
  const beside = besideChannels(conditions, sample);
  const positions: ParameterDeclaration = {
    ...{ name: "positions", shape: [places, width], torchLayout: "as-is", initial: normal(0.02) },
  };
  const input = linearLayer("project_in", channels + beside.channels, width);
  const told = [
    ...labelLayers(beside.others, { width }),
    ...numberLayers(beside.others, {
      ...{ width, hidden: options.conditionHidden, activation: "relu" },
      before: (x, name) => (options.logarithms.includes(name) ? log(x) : x),
    }),
  ];
  const block = (name: string) => encoderBlock(name, width, heads, Math.floor(options.mlpRatio * width), epsilon);
  const outer = Array.from({ length: outerBlocks }, (_, i) => i);
  const before = outer.map((i) => block(`in_blocks.${i}`));
  const middle = Array.from({ length: options.middleBlocks }, (_, i) => block(`mid_blocks.${i}`));
  const after = outer.map((i) => ({
    skip: linearLayer(`out_blocks.${i}.skip`, 2 * width, width),
    block: block(`out_blocks.${i}.block`),
  }));
  const last = linearLayer("project_out.linear", width, width);
  const norm = layerNormLayer("project_out.norm", width, epsilon);
  const output = conv2dLayer("output", { taps: 3, inputs: width, outputs: channels });
  const frequencies = timeFrequencies({ count: width / 2, scale: options.timeScale, base: options.timeBase });

  const apply: Network["apply"] = (values, x, t, conditions) => {
    const batch = x.shape[0];
    const fields = beside.apply(reshape(x, [batch, ...sample]), conditions);
    const flat = reshape(fields, [batch, places, channels + beside.channels]);
    let tokens = add(input.apply(values, flat), parameterOf(values, "positions"));
    for (const each of told) tokens = add(tokens, reshape(each.apply(values, conditions), [batch, 1, width]));
    const time = reshape(sinesAndCosines(t, frequencies), [batch, 1, width]);
    let h = concat([time, tokens], 1);
    const kept: Node[] = [];
    for (const each of before) {
      h = each.apply(values, h);
      kept.push(h);
    }
    for (const each of middle) h = each.apply(values, h);
    for (const { skip, block } of after) {
      h = block.apply(values, skip.apply(values, concat([h, kept.pop() as Node], 2)));
    }
    const y = norm.apply(values, activated(last.apply(values, slice(h, 1, 1, places + 1)), "gelu"));
    return reshape(output.apply(values, reshape(y, [batch, height, across, width])), x.shape);
  };
  const parameters = [
    positions,
    ...parametersOf(input, ...told, ...before, ...middle),
    ...parametersOf(...after.flatMap(({ skip, block }) => [skip, block]), last, norm, output),
  ];
  const constants = [{ name: "time.frequencies", values: frequencies }];
  return madeNetwork({ kind: "transformer", config: options, sample, conditions, parameters, constants, apply });
}

/** torch.nn.TransformerEncoderLayer(norm_first, batch_first, gelu), without dropout: its names and its order. */
function encoderBlock(name: string, width: number, heads: number, hidden: number, epsilon: number) {
  const norm1 = layerNormLayer(`${name}.norm1`, width, epsilon);
  const joined = linearLayer(`${name}.self_attn.in_proj`, width, 3 * width, {
    ...{ weight: xavierUniform(width, 3 * width), bias: zeros },
  });
  const projected = linearLayer(`${name}.self_attn.out_proj`, width, width, { bias: zeros });
  const norm2 = layerNormLayer(`${name}.norm2`, width, epsilon);
  const linear1 = linearLayer(`${name}.linear1`, width, hidden);
  const linear2 = linearLayer(`${name}.linear2`, hidden, width);
  // PyTorch joins this one with an underscore.
  const renamed = joined.parameters.map((each) => ({ ...each, name: each.name.replace(/\.(weight|bias)$/, "_$1") }));
  return {
    parameters: [...parametersOf(norm1), ...renamed, ...parametersOf(projected, norm2, linear1, linear2)],
    apply: (values: Values, h: Node): Node => {
      const named = new Map(joined.parameters.map((each, i) => [each.name, parameterOf(values, renamed[i].name)]));
      const attended = selfAttention(joined.apply(named, norm1.apply(values, h)), heads);
      const seen = add(h, projected.apply(values, attended));
      return add(seen, linear2.apply(values, activated(linear1.apply(values, norm2.apply(values, seen)), "gelu")));
    },
  };
}

/** The options with every choice made, checked. */
function completed(given: TransformerConfig) {
  const { sample, conditions } = checked("transformer", "pictures", given, [
    ...(["sample", "width", "heads", "mlpRatio", "outerBlocks", "middleBlocks", "conditionHidden"] as const),
    ...(["logarithms", "timeScale", "timeBase", "epsilon", "conditions"] as const),
  ]);
  const { width = 256, heads = 4, mlpRatio = 4, outerBlocks = 2, middleBlocks = 1 } = given;
  const { conditionHidden = width, logarithms = [], timeScale = 200, timeBase = 10_000, epsilon = 1e-5 } = given;
  for (const [name, value] of Object.entries({ width, heads, conditionHidden })) {
    integerOption(`${name} of transformer`, value, 1, LARGEST_WIDTH);
  }
  for (const [name, value] of Object.entries({ outerBlocks, middleBlocks })) {
    integerOption(`${name} of transformer`, value, 0, MOST_BLOCKS);
  }
  numberOption("mlpRatio of transformer", mlpRatio, { minimum: 1 / width, maximum: 64 });
  numberOption("timeScale of transformer", timeScale, { minimum: 0, maximum: 2 ** 15, open: "minimum" });
  numberOption("timeBase of transformer", timeBase, { minimum: 1, maximum: 1e9 });
  f32Option("epsilon of transformer", epsilon, { minimum: 0, open: "minimum" });
  expectDivides("width of transformer", width, heads, "its heads");
  expectDivides("width of transformer", width, 2, "half of the time's numbers are sines, half cosines");
  const numbers = Object.entries(conditions ?? {}).flatMap(([name, { classes }]) =>
    classes === undefined ? [name] : [],
  );
  const unknown = Array.isArray(logarithms) ? logarithms.find((name) => !numbers.includes(name)) : logarithms;
  if (unknown !== undefined) {
    throw new ConfigError({
      subject: "logarithms of transformer",
      given: unknown,
      expected: `a list of names of numbers among its conditions${numbers.length > 0 ? `: ${numbers.join(", ")}` : ""}`,
      remedy: "Name conditions that are declared as numbers.",
    });
  }
  return {
    ...{ sample, width, heads, mlpRatio, outerBlocks, middleBlocks, conditionHidden, timeScale, timeBase, epsilon },
    logarithms: Object.freeze([...logarithms]) as readonly string[],
    conditions,
  };
}
