/** What bench/planning.mjs plans: training steps of each network, of the sizes that the networks are compared at. */
import { leastLimits, planLimitsOf as webgpuLimits } from "../src/backends/webgpu/plan-limits.ts";
import { cfm } from "../src/flow/losses/cfm.ts";
import { fdm } from "../src/flow/losses/fdm.ts";
import { condOT } from "../src/flow/paths/cond-ot.ts";
import type { Graph } from "../src/graph/graph.ts";
import type { DType, Node, Shape } from "../src/graph/node.ts";
import { networkOfCase } from "../src/nn/case-networks.ts";
import { conv1dLayer, groupNormLayer, linearLayer, parametersOf, parts, swish } from "../src/nn/layers.ts";
import { mlp } from "../src/nn/mlp.ts";
import type { Network } from "../src/nn/network.ts";
import { add } from "../src/ops/arithmetic.ts";
import { film } from "../src/ops/embed.ts";
import { reshape } from "../src/ops/shape.ts";
import { state } from "../src/ops/sources.ts";
import type { PlanLimits } from "../src/schedule/program.ts";
import { adam } from "../src/train/adam.ts";
import { buildTrainStep } from "../src/train/step.ts";

interface Case {
  readonly batch: number;
  network(): Network;
  /** Shapes of what the network is told, beside the batch. */
  readonly conditions?: Readonly<Record<string, { readonly shape: Shape; readonly dtype?: DType }>>;
}

const labels = { label: { shape: [], dtype: "u32" } } as const;
const curves = {
  ...{ dimension: 3, length: 60, frequencyRange: [1, 20_000], conditionSteps: 0, conditionDivisor: 4 },
  groupNormEpsilon: 1e-5,
};
const letters = {
  ...{ dilations: [1, 1, 4, 16, 64], stacks: 1, pseudocount: 2, timeOffset: 1, timeFactor: 7, fourierScale: 1 },
  layerNormEpsilon: 1e-5,
};
const patches = {
  ...{ dimension: 128, heads: 4, mlpRatio: 4, patch: 4, channels: 1, height: 28, width: 28, classes: 10 },
  ...{ frequencies: 128, normEpsilon: 1e-6 },
};
/** Fixed tensors; their values make no difference to a plan. */
const fixed = (count: number) => () => Array.from({ length: count }, (_, i) => Math.sin(i));

export const cases: Readonly<Record<string, Case>> = {
  mlp: { batch: 512, network: () => mlp({ dimension: 2, hidden: [512, 512, 512, 512] }) },
  unet1d: {
    batch: 64,
    network: () =>
      networkOfCase(
        "unet1d",
        {
          ...{ channels: [24, 48, 96], subBlocks: [4, 8, 8], edgeChannels: 128, frequencies: 128 },
          ...{ embeddingHidden: 256, ...curves },
        },
        fixed(0),
      ),
  },
  "unet1d-small": {
    batch: 128,
    network: () =>
      networkOfCase(
        "unet1d",
        {
          ...{ channels: [16, 32, 64], subBlocks: [2, 2, 2], edgeChannels: 64, frequencies: 64 },
          ...{ embeddingHidden: 128, ...curves },
        },
        fixed(0),
      ),
  },
  unet2d: {
    batch: 64,
    network: () =>
      networkOfCase(
        "unet2d",
        {
          ...{ channels: 32, multipliers: [1, 2, 2], residualBlocks: 1, attentionAt: [4], heads: 4, groups: 32 },
          ...{ classes: 10, scaleShift: false, inputChannels: 1, height: 28, width: 28, normEpsilon: 1e-5 },
        },
        fixed(0),
      ),
    conditions: labels,
  },
  sit: {
    batch: 64,
    network: () => networkOfCase("sit", { ...patches, depth: 4 }, fixed(49 * 128)),
    conditions: labels,
  },
  "sit-12": {
    batch: 64,
    network: () => networkOfCase("sit", { ...patches, depth: 12 }, fixed(49 * 128)),
    conditions: labels,
  },
  cnn: {
    batch: 16,
    network: () => networkOfCase("cnn", { channels: 128, K: 4, length: 256, classes: 3, ...letters }, fixed(64)),
    conditions: labels,
  },
  "cnn-toy": {
    batch: 512,
    network: () => networkOfCase("cnn", { channels: 64, K: 40, length: 4, classes: 0, ...letters }, fixed(32)),
  },
  transformer: {
    batch: 32,
    network: () =>
      networkOfCase(
        "transformer",
        {
          ...{ dimension: 128, heads: 4, mlpRatio: 4, depth: { in: 2, mid: 1, out: 2 }, channels: 4, height: 8 },
          ...{ width: 8, distanceHidden: 64, layerNormEpsilon: 1e-5, timeScale: 200, timeBase: 10_000 },
        },
        fixed(0),
      ),
    conditions: { previous: { shape: [8, 8, 4] }, earlier: { shape: [8, 8, 4] }, distance: { shape: [] } },
  },
  "blocks-6": { batch: 64, network: () => blocks(6) },
  "blocks-12": { batch: 64, network: () => blocks(12) },
  "blocks-24": { batch: 64, network: () => blocks(24) },
};

/** Blocks h + conv(silu(film(norm(h)))) over [60, 48], steered by the time. */
function blocks(count: number): Network {
  const [length, dimension, width] = [60, 3, 48];
  const time = linearLayer("time", 1, width);
  const input = conv1dLayer("input", { taps: 3, inputs: dimension, outputs: width });
  const inner = Array.from({ length: count }, (_, i) => ({
    film: linearLayer(`blocks.${i}.film`, width, 2 * width),
    norm: groupNormLayer(`blocks.${i}.norm`, width, 8),
    conv: conv1dLayer(`blocks.${i}.conv`, { taps: 3, inputs: width, outputs: width }),
  }));
  const output = conv1dLayer("output", { taps: 3, inputs: width, outputs: dimension });
  return {
    kind: "blocks",
    config: {},
    dimension: length * dimension,
    parameters: parametersOf(time, input, ...inner.flatMap(({ film, norm, conv }) => [film, norm, conv]), output),
    apply: (values, x, t) => {
      const batch = x.shape[0] as number;
      const e = swish(time.apply(values, t));
      let h = input.apply(values, reshape(x, [batch, length, dimension]));
      for (const each of inner) {
        const [scale, shift] = parts(each.film.apply(values, e), 2) as [Node, Node];
        const steered = film(each.norm.apply(values, h), scale, shift);
        h = add(h, each.conv.apply(values, swish(steered)));
      }
      return reshape(output.apply(values, h), [batch, length * dimension]);
    },
  };
}

/** The training step of this case, with Adam; what the network is told is state. */
export function stepOf(name: string, loss: "cfm" | "fdm"): Graph {
  const { batch, network: make, conditions = {} } = cases[name] as Case;
  const { conditions: _drawn, ...network } = make();
  const told = new Map(
    Object.entries(conditions).map(([condition, { shape, dtype = "f32" }]) => [
      condition,
      state({ name: `condition.${condition}`, shape: [batch, ...shape], dtype }),
    ]),
  );
  return buildTrainStep({
    network: { ...network, apply: (values, x, t) => network.apply(values, x, t, told) },
    path: condOT(),
    loss: loss === "cfm" ? cfm() : fdm(),
    optimizer: adam({ learningRate: 1e-3 }),
    data: {
      ...{ name: "normals", options: {}, dimension: network.dimension },
      draw: ({ rows, random }) => random("normal", [rows, network.dimension]),
    },
    batchSize: batch,
  });
}

/** What the backend plans by; of WebGPU the least that every device has. */
export function limitsOf(backend: string): PlanLimits {
  if (backend === "webgpu") return webgpuLimits(leastLimits, { wholeNetworks: true });
  return {
    ...{ maxBufferBytes: 2 ** 31, maxBindingBytes: 2 ** 31, maxStorageBindings: 1000, maxEpilogueGroups: 64 },
    ...{ separateReadAndWrite: false, optionalKernels: ["attention", "attentionReverse"] },
  };
}
