/** Residual blocks on points, which time steers: the network of MAR's diffusion loss (Li et al., 2024), its names and layouts. */
import type { Node } from "../graph/node.ts";
import { f32Option, integerOption, numberOption, optionsObject } from "../graph/options.ts";
import { add, multiply } from "../ops/arithmetic.ts";
import { layerNorm } from "../ops/normalize.ts";
import { normal, xavierUniform, zeros } from "./initial.ts";
import { layerNormLayer, linearLayer, parametersOf, parts, startingAtZero, swish, type Values } from "./layers.ts";
import { type PointsShape, pointsOption } from "./mlp.ts";
import type { ConditionDeclarations, Network } from "./network.ts";
import { LARGEST_WIDTH, MOST_BLOCKS, madeNetwork, toldOption } from "./network-options.ts";
import { timeEmbeddingLayer, timeFrequencies } from "./time-layers.ts";
import { labelLayers, numberLayers, withTold } from "./told-layers.ts";

export type ResidualMLPConfig = PointsShape & {
  /** Of every hidden layer; default 256. */
  readonly width?: number;
  /** Residual blocks; default 3. */
  readonly depth?: number;
  /** How many frequencies of time; default 128. */
  readonly frequencies?: number;
  /** The highest, in radians: steps of a whole, of which the original has 1000. Default 1000. */
  readonly timeScale?: number;
  /** Of layer norm; default 1e-6. */
  readonly epsilon?: number;
  readonly conditions?: ConditionDeclarations;
};

/**
 * h = input_proj(x); each block, with (shift, scale, gate) from a linear layer of silu(e), adds
 * gate mlp(norm(h) (1 + scale) + shift) to h, where mlp is linear, silu, linear; last a linear layer of the same, without
 * gate. e is the time, embedded, and what else the network is told. Blocks start as nothing, and so does the velocity.
 *
 * @throws {@link ConfigError} when an option is unknown or outside its range.
 * @example
 * residualMlp({ dimension: 16, width: 512, depth: 6, conditions: { label: classes(3, { drop: 0.1 }) } })
 */
export function residualMlp(config: ResidualMLPConfig): Network {
  const { conditions, ...options } = completed(config);
  const { dimension, sample = [dimension], width, epsilon } = options;
  const times = { count: options.frequencies, scale: options.timeScale };
  const linear = (name: string, inputs: number, outputs: number) =>
    linearLayer(name, inputs, outputs, { weight: xavierUniform(inputs, outputs), bias: zeros });
  const time = timeEmbeddingLayer("time_embed.mlp", {
    ...{ ...times, hidden: width, width, start: { weight: normal(0.02), bias: zeros } },
  });
  const told = [
    ...labelLayers(conditions, { table: "cond_embed", width }),
    ...numberLayers(conditions, { hidden: width, width }),
  ];
  const input = linear("input_proj", dimension, width);
  const blocks = Array.from({ length: options.depth }, (_, i) => {
    const name = `res_blocks.${i}`;
    const norm = layerNormLayer(`${name}.in_ln`, width, epsilon);
    const first = linear(`${name}.mlp.0`, width, width);
    const second = linear(`${name}.mlp.2`, width, width);
    const steer = linearLayer(`${name}.adaLN_modulation.1`, width, 3 * width, startingAtZero);
    return {
      parameters: parametersOf(norm, first, second, steer),
      apply: (values: Values, h: Node, e: Node): Node => {
        const [shift, scale, gate] = parts(steer.apply(values, e), 3);
        const r = first.apply(values, modulated(norm.apply(values, h), shift, scale));
        return add(h, multiply(gate, second.apply(values, swish(r))));
      },
    };
  });
  const steer = linearLayer("final_layer.adaLN_modulation.1", width, 2 * width, startingAtZero);
  const output = linearLayer("final_layer.linear", width, dimension, startingAtZero);

  const apply: Network["apply"] = (values, x, t, conditions) => {
    const e = swish(withTold(time.apply(values, t), told, values, conditions));
    let h = input.apply(values, x);
    for (const block of blocks) h = block.apply(values, h, e);
    const [shift, scale] = parts(steer.apply(values, e), 2);
    return output.apply(values, modulated(layerNorm(h, undefined, undefined, { epsilon }), shift, scale));
  };
  const parameters = parametersOf(time, ...told, input, ...blocks, steer, output);
  const constants = [{ name: "time.frequencies", values: timeFrequencies(times) }];
  return madeNetwork({ kind: "residualMlp", config: options, sample, conditions, parameters, constants, apply });
}

/** h (1 + scale) + shift. */
function modulated(h: Node, shift: Node, scale: Node): Node {
  return add(multiply(h, add(scale, 1)), shift);
}

/** The options with every choice made, checked. */
function completed(given: ResidualMLPConfig) {
  optionsObject("options of residualMlp", given, [
    ...(["dimension", "sample", "width", "depth", "frequencies", "timeScale", "epsilon", "conditions"] as const),
  ]);
  const { width = 256, depth = 3, frequencies = 128, timeScale = 1000, epsilon = 1e-6 } = given;
  const points = pointsOption("residualMlp", given);
  integerOption("width of residualMlp", width, 1, LARGEST_WIDTH);
  integerOption("depth of residualMlp", depth, 1, MOST_BLOCKS);
  integerOption("frequencies of residualMlp", frequencies, 1, LARGEST_WIDTH);
  numberOption("timeScale of residualMlp", timeScale, { minimum: 0, maximum: 2 ** 15, open: "minimum" });
  f32Option("epsilon of residualMlp", epsilon, { minimum: 0, open: "minimum" });
  return {
    ...points,
    width,
    depth,
    frequencies,
    timeScale,
    epsilon,
    conditions: toldOption("residualMlp", given.conditions),
  };
}
