/** The U-Net of guided-diffusion (Dhariwal and Nichol, 2021), which torchcfm and flow_matching use: its names and layouts. */

import type { Node } from "../graph/node.ts";
import { add, multiply } from "../ops/arithmetic.ts";
import { selfAttention } from "../ops/attention.ts";
import { enlargeTwice, shrinkTwice } from "../ops/resample.ts";
import { concat, reshape } from "../ops/shape.ts";
import {
  conv1dLayer,
  conv2dLayer,
  groupNormLayer,
  type Layer,
  linearLayer,
  parametersOf,
  parts,
  startingAtZero,
  swish,
  type Values,
} from "./layers.ts";
import type { Network, ParameterDeclaration } from "./network.ts";
import { madeNetwork } from "./network-options.ts";
import { downsample2dLayer, upsample2dLayer } from "./resample-layers.ts";
import { timeEmbeddingLayer, timeFrequencies } from "./time-layers.ts";
import { besideChannels, labelLayers, numberLayers, withTold } from "./told-layers.ts";
import { completed, headsOf, type UNet2dConfig } from "./unet2d-config.ts";

/** What a place of the U-Net does with h, e being the time and the label. */
interface Step {
  readonly parameters: readonly ParameterDeclaration[];
  apply(values: Values, h: Node, e: Node): Node;
}

/**
 * v [B, H W C] of points [B, H W C]. What it is told is embedded as time is, and added to it: a label by the table
 * "label_emb.weight"; numbers of shape [H, W, ...] are beside the sample's channels.
 *
 * @throws {@link ConfigError} when an option is unknown or outside its range, or sizes do not divide.
 * @example
 * unet2d({ sample: [28, 28, 1], channels: 32, multipliers: [1, 2, 2], conditions: { label: classes(10, { drop: 0.1 }) } })
 */
export function unet2d(config: UNet2dConfig): Network {
  const { conditions, ...options } = completed(config);
  const { sample, channels, multipliers, residualBlocks, groups, epsilon, scaleShift, resampling } = options;
  const embedded = 4 * channels;
  const beside = besideChannels(conditions, sample);
  const frequencies = { count: channels / 2 };
  const time = timeEmbeddingLayer("time_embed", { ...frequencies, hidden: embedded, width: embedded });
  const told = [
    ...labelLayers(beside.others, { table: "label_emb", width: embedded }),
    ...numberLayers(beside.others, { hidden: embedded, width: embedded }),
  ];
  const widthOf = (level: number) => multipliers[level] * channels;

  // Down: each entry's result is kept for the way up.
  const widths = [widthOf(0)];
  const input = conv2dLayer("input_blocks.0.0", { taps: 3, inputs: sample[2] + beside.channels, outputs: widthOf(0) });
  const down: Step[][] = [];
  const last = multipliers.length - 1;
  multipliers.forEach((_, level) => {
    for (let j = 0; j < residualBlocks; j++) {
      down.push(stage(`input_blocks.${down.length + 1}`, widths.at(-1) as number, widthOf(level), level));
      widths.push(widthOf(level));
    }
    if (level === last) return;
    down.push([smaller(`input_blocks.${down.length + 1}.0`, widthOf(level))]);
    widths.push(widthOf(level));
  });
  const inmost = widthOf(last);
  const middle = [
    residual("middle_block.0", inmost, inmost),
    attending("middle_block.1", inmost),
    residual("middle_block.2", inmost, inmost),
  ];
  const up: Step[][] = [];
  let current = inmost;
  for (let level = last; level >= 0; level--) {
    for (let j = 0; j <= residualBlocks; j++) {
      const name = `output_blocks.${up.length}`;
      const steps = stage(name, current + (widths.pop() as number), widthOf(level), level);
      current = widthOf(level);
      if (level > 0 && j === residualBlocks) steps.push(larger(`${name}.${steps.length}`, current));
      up.push(steps);
    }
  }
  const norm = groupNormLayer("out.0", current, groups, epsilon);
  const output = conv2dLayer("out.2", { taps: 3, inputs: current, outputs: sample[2], start: startingAtZero });

  /** A residual block, and attention where the level has it. */
  function stage(name: string, inputs: number, outputs: number, level: number): Step[] {
    const block = residual(`${name}.0`, inputs, outputs);
    return options.attentionAt.includes(2 ** level) ? [block, attending(`${name}.1`, outputs)] : [block];
  }

  function smaller(name: string, width: number): Step {
    if (resampling === "residual") return residual(name, width, width, shrinkTwice);
    return plain(resampling === "plain" ? without(shrinkTwice) : downsample2dLayer(`${name}.op`, width));
  }

  function larger(name: string, width: number): Step {
    if (resampling === "residual") return residual(name, width, width, enlargeTwice);
    return plain(resampling === "plain" ? without(enlargeTwice) : upsample2dLayer(`${name}.conv`, width));
  }

  /** @param resized - of what both branches begin with. */
  function residual(name: string, inputs: number, outputs: number, resized = (x: Node) => x): Step {
    const norm1 = groupNormLayer(`${name}.in_layers.0`, inputs, groups, epsilon);
    const conv1 = conv2dLayer(`${name}.in_layers.2`, { taps: 3, inputs, outputs });
    const steer = linearLayer(`${name}.emb_layers.1`, embedded, scaleShift ? 2 * outputs : outputs);
    const norm2 = groupNormLayer(`${name}.out_layers.0`, outputs, groups, epsilon);
    const conv2 = conv2dLayer(`${name}.out_layers.3`, { taps: 3, inputs: outputs, outputs, start: startingAtZero });
    const skip = inputs === outputs ? undefined : conv2dLayer(`${name}.skip_connection`, { taps: 1, inputs, outputs });
    return {
      parameters: parametersOf(norm1, conv1, steer, norm2, conv2, skip),
      apply: (values, h, e) => {
        const r = conv1.apply(values, resized(swish(norm1.apply(values, h))));
        const told = steer.apply(values, swish(e));
        const everywhere = (x: Node) => reshape(x, [x.shape[0] as number, 1, 1, outputs]);
        const [scale, shift] = scaleShift ? (parts(told, 2) as [Node, Node]) : [undefined, told];
        const normal = scale
          ? add(multiply(norm2.apply(values, r), add(everywhere(scale), 1)), everywhere(shift))
          : norm2.apply(values, add(r, everywhere(shift)));
        const before = resized(h);
        return add(skip?.apply(values, before) ?? before, conv2.apply(values, swish(normal)));
      },
    };
  }

  function attending(name: string, width: number): Step {
    const norm = groupNormLayer(`${name}.norm`, width, groups, epsilon);
    const joined = conv1dLayer(`${name}.qkv`, { taps: 1, inputs: width, outputs: 3 * width });
    const projected = conv1dLayer(`${name}.proj_out`, {
      taps: 1,
      inputs: width,
      outputs: width,
      start: startingAtZero,
    });
    const heads = headsOf(options, width);
    return {
      parameters: parametersOf(norm, joined, projected),
      apply: (values, h) => {
        const batch = h.shape[0] as number;
        const places = (h.shape[1] as number) * (h.shape[2] as number);
        const tokens = joined.apply(values, reshape(norm.apply(values, h), [batch, places, width]));
        const attended = selfAttention(tokens, heads, options.attentionOrder);
        return add(h, reshape(projected.apply(values, attended), h.shape));
      },
    };
  }

  const apply: Network["apply"] = (values, x, t, conditions) => {
    const e = withTold(time.apply(values, t), told, values, conditions);
    const run = (steps: readonly Step[], from: Node) => steps.reduce((h, step) => step.apply(values, h, e), from);
    let h = input.apply(values, beside.apply(reshape(x, [x.shape[0], ...sample]), conditions));
    const kept = [h];
    for (const steps of down) {
      h = run(steps, h);
      kept.push(h);
    }
    h = run(middle, h);
    for (const steps of up) h = run(steps, concat([h, kept.pop() as Node], 3));
    return reshape(output.apply(values, swish(norm.apply(values, h))), x.shape);
  };
  const parameters = parametersOf(
    ...[time, ...told, input],
    ...[...down.flat(), ...middle, ...up.flat()],
    ...[norm, output],
  );
  const constants = [{ name: "time.frequencies", values: timeFrequencies(frequencies) }];
  return madeNetwork({ kind: "unet2d", config: options, sample, conditions, parameters, constants, apply });
}

function plain(layer: Layer): Step {
  return { parameters: layer.parameters, apply: (values, h) => layer.apply(values, h) };
}

function without(change: (x: Node) => Node): Layer {
  return { parameters: [], apply: (_, x) => change(x) };
}
