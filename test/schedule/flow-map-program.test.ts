/** What training steps of flow maps are promised to take, counted in compiled programs beside flow matching's. */
import { describe, expect, test } from "vitest";
import { cfm } from "../../src/flow/losses/cfm.ts";
import { type MeanFlowOptions, meanFlow } from "../../src/flow/losses/mean-flow.ts";
import { condOT } from "../../src/flow/paths/cond-ot.ts";
import { flowMap } from "../../src/nn/flow-map.ts";
import { mlp } from "../../src/nn/mlp.ts";
import type { Network } from "../../src/nn/network.ts";
import { compile } from "../../src/schedule/compile.ts";
import type { PlanLimits, Program } from "../../src/schedule/program.ts";
import { adam } from "../../src/train/adam.ts";
import { buildTrainStep } from "../../src/train/step.ts";
import { trainStep } from "./graphs.ts";
import { limitsByName } from "./limits.ts";

const [dimension, batchSize, hidden] = [2, 512, [512, 512, 512, 512]];

function stepOf(network: Network, options: MeanFlowOptions) {
  const path = condOT();
  return buildTrainStep({
    ...{ network, path, batchSize, loss: meanFlow(options).forNetwork?.(network, path) ?? cfm() },
    optimizer: adam({ learningRate: 1e-3 }),
    data: { name: "normals", options: {}, dimension, draw: ({ rows, random }) => random("normal", [rows, dimension]) },
  });
}

const flopsOf = ({ calls }: Program) => calls.reduce((total, { flops }) => total + flops, 0);
const products = ({ calls }: Program) => calls.filter(({ kernel }) => kernel === "linear").length;

describe.each(["webgpu", "wasm"])("limits of %s, 4 x 512", (name) => {
  const limits = limitsByName[name] as PlanLimits;
  const flow = compile(trainStep("cfm", { dimension, batchSize, hidden, plain: true }), limits);

  test.each<[string, boolean, MeanFlowOptions, number]>([
    ["MeanFlow", false, { tangent: "conditional" }, 4 / 3],
    ["improved MeanFlow", false, { tangent: "model" }, 5 / 3],
    ["with a head", true, { tangent: "model" }, 2],
    ["with a head, along the path", true, { tangent: "conditional" }, 2],
  ])("%s: reverse mode goes through the averages alone, and what can be is stacked", (_, head, options, ratio) => {
    const network = flowMap({ network: mlp({ dimension: dimension + 1, hidden }), divergence: head });
    const program = compile(stepOf(network, options), limits);
    expect(flopsOf(program) / flopsOf(flow)).toBeCloseTo(ratio, 1);
    // As many products as flow matching, one for each layer forwards; but along the model its velocity comes first. Where an
    // epilogue takes two groups, evaluations that reverse mode does not go through run by themselves.
    const layers = hidden.length + 1;
    const first = options.tangent === "model" ? layers : 0;
    const apart = head && limits.maxEpilogueGroups <= 2 ? layers - 1 : 0;
    expect(products(program)).toBe(products(flow) + first + apart);
  });
});
