/** The U-Net of guided-diffusion (Dhariwal and Nichol, 2021), which torchcfm and flow_matching use: its names and layouts. */
import type { Node } from "../graph/node.ts";
import { add, multiply } from "../ops/arithmetic.ts";
import { fixedTimeEmbedding } from "../ops/embed.ts";
import { enlargeTwice } from "../ops/resample.ts";
import { concat, reshape } from "../ops/shape.ts";
import {
  attentionOf,
  conditionOf,
  conv1dLayer,
  conv2dLayer,
  embeddingLayer,
  groupNormLayer,
  type Layer,
  linearLayer,
  parametersOf,
  parts,
  swish,
  type Values,
} from "./layers.ts";
import type { Initial, Network, ParameterDeclaration } from "./network.ts";

export interface UNet2dConfig {
  readonly height: number;
  readonly width: number;
  /** C. */
  readonly inputChannels: number;
  /** Width of the first level is this times its multiplier. */
  readonly channels: number;
  readonly multipliers: readonly number[];
  readonly residualBlocks: number;
  /** Attention where the picture is so many times smaller than at the start: 1, 2, 4, ... */
  readonly attentionAt: readonly number[];
  readonly heads: number;
  /** Of group norm; 32 in the original. */
  readonly groups: number;
  /** Labels that the network is told as "label"; 0: none. */
  readonly classes: number;
  /** Whether time scales what is normalised, beside shifting it. */
  readonly scaleShift: boolean;
  readonly normEpsilon: number;
}

/** What a place of the U-Net does with h, e being the time and the label. */
interface Step {
  readonly parameters: readonly ParameterDeclaration[];
  apply(values: Values, h: Node, e: Node): Node;
}

const zero: Initial = { kind: "constant", value: 0 };

/** v [B, H W C] of points [B, H W C], and of labels [B] under "label" where there are classes. */
export function unet2d(config: UNet2dConfig): Network {
  const { height, width, inputChannels, channels, multipliers, classes } = config;
  const embedded = 4 * channels;
  const time0 = linearLayer("time_embed.0", channels, embedded);
  const time2 = linearLayer("time_embed.2", embedded, embedded);
  const labels = classes ? embeddingLayer("label_emb", classes, embedded) : undefined;
  const widthOf = (level: number) => (multipliers[level] as number) * channels;

  // Down: each entry's result is kept for the way up.
  const widths = [widthOf(0)];
  const input = conv2dLayer("input_blocks.0.0", { taps: 3, inputs: inputChannels, outputs: widthOf(0) });
  const down: Step[][] = [];
  const last = multipliers.length - 1;
  multipliers.forEach((_, level) => {
    for (let j = 0; j < config.residualBlocks; j++) {
      down.push(stage(`input_blocks.${down.length + 1}`, widths.at(-1) as number, widthOf(level), level));
      widths.push(widthOf(level));
    }
    if (level === last) return;
    const outputs = widthOf(level);
    const name = `input_blocks.${down.length + 1}.0.op`;
    down.push([plain(conv2dLayer(name, { taps: 3, stride: 2, padding: 1, inputs: outputs, outputs }))]);
    widths.push(outputs);
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
    for (let j = 0; j <= config.residualBlocks; j++) {
      const name = `output_blocks.${up.length}`;
      const steps = stage(name, current + (widths.pop() as number), widthOf(level), level);
      current = widthOf(level);
      if (level > 0 && j === config.residualBlocks) {
        const conv = conv2dLayer(`${name}.${steps.length}.conv`, { taps: 3, inputs: current, outputs: current });
        steps.push({ parameters: conv.parameters, apply: (values, h) => conv.apply(values, enlargeTwice(h)) });
      }
      up.push(steps);
    }
  }
  const norm = groupNormLayer("out.0", current, config.groups, config.normEpsilon);
  const output = conv2dLayer("out.2", { taps: 3, inputs: current, outputs: inputChannels, start: zero });
  const half = Math.floor(channels / 2);
  const frequencies = Array.from({ length: half }, (_, j) => Math.fround(10_000 ** (-j / half)) / Math.PI);

  /** A residual block, and attention where the level has it. */
  function stage(name: string, inputs: number, outputs: number, level: number): Step[] {
    const block = residual(`${name}.0`, inputs, outputs);
    return config.attentionAt.includes(2 ** level) ? [block, attending(`${name}.1`, outputs)] : [block];
  }

  function residual(name: string, inputs: number, outputs: number): Step {
    const { groups, normEpsilon, scaleShift } = config;
    const norm1 = groupNormLayer(`${name}.in_layers.0`, inputs, groups, normEpsilon);
    const conv1 = conv2dLayer(`${name}.in_layers.2`, { taps: 3, inputs, outputs });
    const steer = linearLayer(`${name}.emb_layers.1`, embedded, scaleShift ? 2 * outputs : outputs);
    const norm2 = groupNormLayer(`${name}.out_layers.0`, outputs, groups, normEpsilon);
    const conv2 = conv2dLayer(`${name}.out_layers.3`, { taps: 3, inputs: outputs, outputs, start: zero });
    const skip = inputs === outputs ? undefined : conv2dLayer(`${name}.skip_connection`, { taps: 1, inputs, outputs });
    return {
      parameters: parametersOf(norm1, conv1, steer, norm2, conv2, skip),
      apply: (values, h, e) => {
        const r = conv1.apply(values, swish(norm1.apply(values, h)));
        const told = steer.apply(values, swish(e));
        const everywhere = (x: Node) => reshape(x, [x.shape[0] as number, 1, 1, outputs]);
        const [scale, shift] = scaleShift ? (parts(told, 2) as [Node, Node]) : [undefined, told];
        const normal = scale
          ? add(multiply(norm2.apply(values, r), add(everywhere(scale), 1)), everywhere(shift))
          : norm2.apply(values, add(r, everywhere(shift)));
        return add(skip?.apply(values, h) ?? h, conv2.apply(values, swish(normal)));
      },
    };
  }

  function attending(name: string, width: number): Step {
    const norm = groupNormLayer(`${name}.norm`, width, config.groups, config.normEpsilon);
    const joined = conv1dLayer(`${name}.qkv`, { taps: 1, inputs: width, outputs: 3 * width });
    const projected = conv1dLayer(`${name}.proj_out`, { taps: 1, inputs: width, outputs: width, start: zero });
    const { heads } = config;
    return {
      parameters: parametersOf(norm, joined, projected),
      apply: (values, h) => {
        const batch = h.shape[0] as number;
        const places = (h.shape[1] as number) * (h.shape[2] as number);
        const tokens = joined.apply(values, reshape(norm.apply(values, h), [batch, places, width]));
        // Head by head, each with its q, k and v: ours are all q, then all k, then all v.
        const byHead = parts(tokens, heads).map((one) => parts(one, 3));
        const byKind = [0, 1, 2].flatMap((kind) => byHead.map((head) => head[kind] as Node));
        const attended = attentionOf(concat(byKind, 2), heads);
        return add(h, reshape(projected.apply(values, attended), h.shape));
      },
    };
  }

  const apply: Network["apply"] = (values, x, t, conditions) => {
    const batch = x.shape[0] as number;
    const [sines, cosines] = parts(fixedTimeEmbedding(t, frequencies), 2) as [Node, Node];
    let e = time2.apply(values, swish(time0.apply(values, concat([cosines, sines], 1))));
    if (labels) e = add(e, labels.apply(values, conditionOf(conditions, "label")));
    const run = (steps: readonly Step[], from: Node) => steps.reduce((h, step) => step.apply(values, h, e), from);
    let h = input.apply(values, reshape(x, [batch, height, width, inputChannels]));
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
    ...[time0, time2, labels, input],
    ...[...down.flat(), ...middle, ...up.flat()],
    ...[norm, output],
  );
  const sample = [height, width, inputChannels];
  const dimension = height * width * inputChannels;
  return { kind: "unet2d", config: { ...config }, dimension, sample, parameters, apply };
}

function plain(layer: Layer): Step {
  return { parameters: layer.parameters, apply: (values, h) => layer.apply(values, h) };
}
