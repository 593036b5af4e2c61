/** A transformer over fields on a grid, told two earlier ones, with long skips from its first blocks to its last. */
import type { Node } from "../graph/node.ts";
import { add, log } from "../ops/arithmetic.ts";
import { fixedTimeEmbedding } from "../ops/embed.ts";
import { concat, reshape, slice } from "../ops/shape.ts";
import {
  activated,
  attentionOf,
  conditionOf,
  conv2dLayer,
  layerNormLayer,
  linearLayer,
  parameterOf,
  parametersOf,
  type Values,
} from "./layers.ts";
import type { Network, ParameterDeclaration } from "./network.ts";

export interface TransformerConfig {
  readonly height: number;
  readonly width: number;
  /** C. */
  readonly channels: number;
  /** D, width of the tokens. */
  readonly dimension: number;
  readonly heads: number;
  /** Width of a block's hidden layer in units of D. */
  readonly mlpRatio: number;
  /** Blocks before, at and after the middle; as many after as before. */
  readonly depth: { readonly in: number; readonly mid: number; readonly out: number };
  readonly distanceHidden: number;
  readonly layerNormEpsilon: number;
  /** Frequencies of time are timeScale timeBase^(-j / (D / 2)), in radians. */
  readonly timeScale: number;
  readonly timeBase: number;
}

/**
 * v [B, H W C] of points [B, H W C] and conditions "previous", "earlier" [B, H, W, C] and "distance" [B], above 0. A token
 * for each place and one for the time.
 */
export function transformer(config: TransformerConfig): Network {
  const { height, width, channels, dimension, heads, depth, layerNormEpsilon: epsilon } = config;
  const places = height * width;
  const hidden = config.mlpRatio * dimension;
  const positions: ParameterDeclaration = {
    ...{ name: "positions", shape: [places, dimension], torchLayout: "as-is" },
    initial: { kind: "normal", deviation: 0.02 },
  };
  const input = linearLayer("project_in", 3 * channels, dimension);
  const distance1 = linearLayer("distance.linear1", 1, config.distanceHidden);
  const distance2 = linearLayer("distance.linear2", config.distanceHidden, dimension);
  const block = (name: string) => encoderBlock(name, dimension, heads, hidden, epsilon);
  const before = Array.from({ length: depth.in }, (_, i) => block(`in_blocks.${i}`));
  const middle = Array.from({ length: depth.mid }, (_, i) => block(`mid_blocks.${i}`));
  const after = Array.from({ length: depth.out }, (_, i) => ({
    skip: linearLayer(`out_blocks.${i}.skip`, 2 * dimension, dimension),
    block: block(`out_blocks.${i}.block`),
  }));
  const last = linearLayer("project_out.linear", dimension, dimension);
  const norm = layerNormLayer("project_out.norm", dimension, epsilon);
  const output = conv2dLayer("output", { taps: 3, inputs: dimension, outputs: channels });
  const half = dimension / 2;
  const frequencies = Array.from({ length: half }, (_, j) =>
    Math.fround(config.timeScale * config.timeBase ** (-j / half)),
  ).map((radians) => radians / Math.PI);

  const apply: Network["apply"] = (values, x, t, conditions) => {
    const batch = x.shape[0] as number;
    const grid = (name: string) => reshape(conditionOf(conditions, name), [batch, places, channels]);
    const fields = concat([reshape(x, [batch, places, channels]), grid("previous"), grid("earlier")], 2);
    const distance = reshape(log(conditionOf(conditions, "distance")), [batch, 1]);
    const told = distance2.apply(values, activated(distance1.apply(values, distance), "relu"));
    const located = add(input.apply(values, fields), parameterOf(values, "positions"));
    const tokens = add(located, reshape(told, [batch, 1, dimension]));
    const time = reshape(fixedTimeEmbedding(t, frequencies), [batch, 1, dimension]);
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
    return reshape(output.apply(values, reshape(y, [batch, height, width, dimension])), x.shape);
  };
  const parameters = [
    positions,
    ...parametersOf(input, distance1, distance2, ...before, ...middle),
    ...parametersOf(...after.flatMap(({ skip, block }) => [skip, block]), last, norm, output),
  ];
  const sample = [height, width, channels];
  return { kind: "transformer", config: { ...config }, dimension: places * channels, sample, parameters, apply };
}

/** torch.nn.TransformerEncoderLayer(norm_first, batch_first, gelu), without dropout: its names and its order. */
function encoderBlock(name: string, dimension: number, heads: number, hidden: number, epsilon: number) {
  const norm1 = layerNormLayer(`${name}.norm1`, dimension, epsilon);
  const joined = linearLayer(`${name}.self_attn.in_proj`, dimension, 3 * dimension);
  const projected = linearLayer(`${name}.self_attn.out_proj`, dimension, dimension);
  const norm2 = layerNormLayer(`${name}.norm2`, dimension, epsilon);
  const linear1 = linearLayer(`${name}.linear1`, dimension, hidden);
  const linear2 = linearLayer(`${name}.linear2`, hidden, dimension);
  // PyTorch joins this one with an underscore, draws its weight by Glorot and starts both attention biases at 0.
  const glorot = { kind: "uniform", bound: Math.sqrt(6 / (4 * dimension)) } as const;
  const renamed = joined.parameters.map((each): ParameterDeclaration => {
    const isBias = each.name.endsWith(".bias");
    return {
      ...each,
      name: each.name.replace(/\.(weight|bias)$/, "_$1"),
      initial: isBias ? { kind: "constant", value: 0 } : glorot,
    };
  });
  const [weight, bias] = projected.parameters as [ParameterDeclaration, ParameterDeclaration];
  const outward = [weight, { ...bias, initial: { kind: "constant", value: 0 } } as const];
  return {
    parameters: [...parametersOf(norm1), ...renamed, ...outward, ...parametersOf(norm2, linear1, linear2)],
    apply: (values: Values, h: Node): Node => {
      const named = new Map(
        joined.parameters.map((each, i) => [each.name, parameterOf(values, (renamed[i] as ParameterDeclaration).name)]),
      );
      const attended = attentionOf(joined.apply(named, norm1.apply(values, h)), heads);
      const seen = add(h, projected.apply(values, attended));
      return add(seen, linear2.apply(values, activated(linear1.apply(values, norm2.apply(values, seen)), "gelu")));
    },
  };
}
