// What reverse mode makes again: the same values, in less memory, at a bounded price; and MLPs' plans stay as they are.
import { describe, expect, test } from "vitest";
import { limitsOf, stepOf } from "../../bench/planning-cases.ts";
import { cfm } from "../../src/flow/losses/cfm.ts";
import { type FDMOptions, fdm } from "../../src/flow/losses/fdm.ts";
import { condOT } from "../../src/flow/paths/cond-ot.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { sizeOf } from "../../src/graph/node.ts";
import type { HostTensor } from "../../src/graph/op.ts";
import { networkOfCase } from "../../src/nn/case-networks.ts";
import { mlp } from "../../src/nn/mlp.ts";
import type { Network } from "../../src/nn/network.ts";
import { residualMlp } from "../../src/nn/residual-mlp.ts";
import { state } from "../../src/ops/sources.ts";
import { compile } from "../../src/schedule/compile.ts";
import { describeProgram } from "../../src/schedule/describe.ts";
import { morePasses } from "../../src/schedule/more-passes.ts";
import { lowest } from "../../src/schedule/order.ts";
import { planning } from "../../src/schedule/planning.ts";
import type { PlanLimits, Program } from "../../src/schedule/program.ts";
import { recompute } from "../../src/schedule/recompute.ts";
import { adam } from "../../src/train/adam.ts";
import { buildTrainStep } from "../../src/train/step.ts";
import { atOnce } from "../../src/turns.ts";
import { drawState } from "./graphs.ts";
import { limitsByName } from "./limits.ts";
import { programError } from "./program-error.ts";

/** The plan in which cells of any size are given up, and the one in which none is. */
const plans = (graph: Graph, limits: PlanLimits) => {
  const of = (choose: typeof recompute) =>
    atOnce(planning(graph, limits, undefined, { ...morePasses, recompute: choose })) as Program;
  return {
    less: of((orders, ...others) => recompute(orders, others[0], others[1], 1, 1)),
    all: of((orders) => lowest(orders as never)),
  };
};

const bytesOf = ({ peakBytes, state: states }: Program) =>
  peakBytes + 4 * states.reduce((total, { shape }) => total + sizeOf(shape), 0);
const movedBy = ({ calls }: Program) => calls.reduce((total, { bytes }) => total + bytes, 0);

const fixed = (count: number) => () => Array.from({ length: count }, (_, i) => Math.sin(i));
/** Of few parameters, so that rows take the memory. */
const small: Readonly<Record<string, () => Network>> = {
  unet1d: () =>
    networkOfCase(
      "unet1d",
      {
        ...{ dimension: 2, length: 16, frequencyRange: [1, 20], conditionSteps: 0, conditionDivisor: 4 },
        ...{ channels: [4], subBlocks: [2], edgeChannels: 4, frequencies: 2, embeddingHidden: 2 },
        groupNormEpsilon: 1e-5,
      },
      fixed(0),
    ),
  cnn: () =>
    networkOfCase(
      "cnn",
      {
        ...{ dilations: [1, 2, 1], stacks: 1, pseudocount: 2, timeOffset: 1, timeFactor: 7, fourierScale: 1 },
        ...{ channels: 4, K: 2, length: 16, classes: 0, layerNormEpsilon: 1e-5 },
      },
      fixed(2),
    ),
  unet2d: () =>
    networkOfCase(
      "unet2d",
      {
        ...{ channels: 4, multipliers: [1], residualBlocks: 1, attentionAt: [], heads: 1, groups: 2, classes: 0 },
        ...{ scaleShift: true, inputChannels: 1, height: 4, width: 4, normEpsilon: 1e-5 },
      },
      fixed(0),
    ),
  sit: () =>
    networkOfCase(
      "sit",
      {
        ...{ dimension: 8, heads: 2, mlpRatio: 2, patch: 2, channels: 1, height: 8, width: 8, classes: 3, depth: 2 },
        ...{ frequencies: 2, normEpsilon: 1e-6 },
      },
      fixed(128),
    ),
};
const BATCH = 12;

function smallStep(name: string, loss: FDMOptions | "cfm" = {}): Graph {
  const { conditions: _drawn, ...network } = (small[name] as () => Network)();
  const told = new Map([["label", state({ name: "label", shape: [BATCH], dtype: "u32" })]]);
  const apply: Network["apply"] = (values, x, t) => network.apply(values, x, t, name === "sit" ? told : undefined);
  return stepOn({ ...network, apply }, loss, BATCH);
}

function stepOn(network: Network, loss: FDMOptions | "cfm", batchSize: number): Graph {
  return buildTrainStep({
    network,
    path: condOT(),
    loss: loss === "cfm" ? cfm() : fdm(loss),
    optimizer: adam({ learningRate: 1e-3 }),
    data: {
      ...{ name: "normals", options: {}, dimension: network.dimension },
      draw: ({ rows, random }) => random("normal", [rows, network.dimension]),
    },
    batchSize,
  });
}

/** What the states are before a step. */
function drawn(graph: Graph): Map<string, HostTensor> {
  const states = drawState(graph);
  states.get("label")?.data.fill(2);
  return states;
}

test.each([
  ["unet1d", "webgpu"],
  ["unet2d", "webgpu"],
  ["cnn", "webgpu"],
  ["sit", "webgpu"],
  ["sit", "five bindings"],
  ["cnn", "no epilogues"],
])("a step of a small %s computes the same in less memory, by limits of %s", (network, name) => {
  const limits = limitsByName[name] as PlanLimits;
  const graph = smallStep(network);
  const { less, all } = plans(graph, limits);
  expect(programError(graph, drawn(graph), limits, 1e-6, less)).toBeLessThan(2e-5);
  expect(less.lowerBoundBytes).toBeLessThan(0.85 * all.lowerBoundBytes);
  expect(movedBy(less)).toBeLessThan(1.15 * movedBy(all));
});

test.each<FDMOptions>([{ probes: 3 }, { fraction: 0.5 }])("so does one on %j", (loss) => {
  const limits = limitsByName["webgpu"] as PlanLimits;
  const graph = smallStep("cnn", loss);
  const { less, all } = plans(graph, limits);
  expect(programError(graph, drawn(graph), limits, 1e-6, less)).toBeLessThan(2e-5);
  expect(less.lowerBoundBytes).toBeLessThan(0.7 * all.lowerBoundBytes);
});

test("what is f16 in memory is so when it is made again", () => {
  const limits = { ...(limitsByName["webgpu"] as PlanLimits), halvesFrom: 64 };
  const graph = smallStep("cnn");
  const { less, all } = plans(graph, limits);
  expect(less.lowerBoundBytes).toBeLessThan(0.9 * all.lowerBoundBytes);
  const [before, after] = [all, less].map((program) => programError(graph, drawn(graph), limits, 1e-6, program));
  expect(after).toBeLessThan(2 * (before as number));
});

describe("plans that stay as they are:", () => {
  const limits = limitsByName["wasm"] as PlanLimits;

  test("without tangents", () => {
    const { less, all } = plans(smallStep("unet1d", "cfm"), limits);
    expect(describeProgram(less)).toBe(describeProgram(all));
  });

  test("with nothing of a size that is worth a call", () => {
    const graph = smallStep("unet1d");
    expect(describeProgram(compile(graph, limits))).toBe(describeProgram(plans(graph, limits).all));
  });

  test.each([{}, { probes: 4 }, { fraction: 0.5 }])("of MLPs, which need none of this: on %j", (loss) => {
    for (const network of [mlp({ dimension: 784, hidden: [64, 64] }), residualMlp({ dimension: 2, width: 64 })]) {
      const graph = stepOn(network, loss, 128);
      const alone = atOnce(planning(graph, limits, undefined, { ...morePasses, recompute: () => [] })) as Program;
      expect(describeProgram(compile(graph, limits))).toBe(describeProgram(alone));
    }
  });
});

// FDM's memory beside CFM's, all that outlives a step included. Measured, and a little more; two is what tangents alone
// would make of it, and 1.5 is asked.
test.each(
  Object.entries({
    ...{ unet1d: 1, "unet1d-small": 1.2, unet2d: 0.9, cnn: 1.25, "cnn-toy": 1.35, sit: 1.25, transformer: 1.2 },
  }),
)("%s: FDM takes at most %d times CFM's memory", (name, most) => {
  const [fdm, cfm] = (["fdm", "cfm"] as const).map((loss) => compile(stepOf(name, loss), limitsOf("wasm")));
  expect(bytesOf(fdm as Program) / bytesOf(cfm as Program)).toBeLessThan(most);
});
