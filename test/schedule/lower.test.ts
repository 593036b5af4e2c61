/** The passes together, on whole training and solver steps: same values, and the kernel calls that the design promises. */
import { describe, expect, test } from "vitest";
import { estimateCount, withDivergence } from "../../src/flow/likelihood.ts";
import type { FDMOptions } from "../../src/flow/losses/fdm.ts";
import { dopri5 } from "../../src/flow/solvers/dopri5.ts";
import { rk4 } from "../../src/flow/solvers/rk4.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { isNodeOf, type Node } from "../../src/graph/node.ts";
import { mlp } from "../../src/nn/mlp.ts";
import { parameterLayout, parameterViews } from "../../src/nn/network.ts";
import { concatOp, reshapeOp, sliceOp } from "../../src/ops/shape.ts";
import { state, stateOp } from "../../src/ops/sources.ts";
import { linearCall } from "../../src/schedule/calls.ts";
import { lowering } from "../../src/schedule/lower.ts";
import { morePasses } from "../../src/schedule/more-passes.ts";
import { atOnce } from "../../src/turns.ts";
import { countOps, largestDifference, nodesOf, trainStep } from "./graphs.ts";

// Sums are added up in another order: some roundings of f64, 1e-16 each, between numbers of one size.
const rounding = 1e-12;

const limits = { maxEpilogueGroups: 64 };

const LAYERS = 3; // of the network of trainStep
const ROWS = 6; // of its batch

const variants: Record<string, FDMOptions | "cfm"> = {
  cfm: "cfm",
  "one probe": {},
  "three probes": { probes: 3 },
  "exact trace": { estimator: "exact" },
  "slice form": { form: "slice" },
  "slice form, power 1, two probes": { form: "slice", power: 1, probes: 2 },
  "detached velocity": { detachVelocity: true, power: 1 },
  "weighed by dilation": { weight: "dilation" },
  "half of the batch": { fraction: 0.5 },
};

describe.each(Object.entries(variants))("training step, %s", (_name, loss) => {
  const graph = trainStep(loss);
  const lowered = atOnce(lowering(graph, limits, morePasses)) as Graph;
  const calls = nodesOf(lowered).filter((node) => isNodeOf(node, linearCall.op));

  test.each([0, 2, 64])("keeps its values, and stacks for epilogues of %i groups", (maxEpilogueGroups) => {
    const result = atOnce(lowering(graph, { maxEpilogueGroups }, morePasses)) as Graph;
    expect(largestDifference(graph, result, 1)).toBeLessThan(rounding);
    expect(largestDifference(graph, result, 2)).toBeLessThan(rounding);
    expect(countOps(result)["random"]).toBeUndefined();
  });

  test("leaves only what kernels compute", () => {
    const left = Object.keys(countOps(lowered));
    expect(left).not.toEqual(expect.arrayContaining([expect.stringMatching(/^(matmul|linear|sum|max|stopGradient)$/)]));
  });

  test("takes a linear call a layer forward, one for its data gradient, one for its weight gradient", () => {
    const forward = calls.filter(({ attributes }) => attributes.biasRows > 0);
    const weights = calls.filter(({ attributes }) => attributes.transposeLeft);
    const data = calls.filter(({ attributes }) => attributes.transposeRight);
    // The points themselves are no parameters: the first layer has no data gradient.
    expect([forward.length, weights.length, data.length, calls.length]).toEqual([LAYERS, LAYERS, LAYERS - 1, 8]);
    for (const { attributes } of forward) expect(attributes.biasRows).toBe(ROWS);
  });

  test("reads parameters as views of the flat vector", () => {
    for (const { inputs, attributes } of calls) {
      const parameters =
        attributes.biasRows > 0 ? [inputs[1], inputs[2]] : attributes.transposeRight ? [inputs[1]] : [];
      for (const parameter of parameters) expect(sourceOfView(parameter as Node).op).toBe(stateOp.op);
    }
  });

  test("stacks rows once: forward and reverse read the same joints", () => {
    const joints = nodesOf(lowered).filter((node) => isNodeOf(node, concatOp.op) && node.attributes.axis === 0);
    const stacked = joints.filter(({ shape }) => shape.length === 2);
    // Inputs of the layers, and cotangents of their outputs. CFM has one matrix to each and stacks nothing.
    expect(stacked.length).toBe(loss === "cfm" ? 0 : 2 * LAYERS);
  });
});

test.each([
  ["an FDM step", {}],
  ["three probes", { probes: 3 }],
])("%s computes each activation's derivatives once", (_name, loss) => {
  const lowered = atOnce(lowering(trainStep(loss), limits, morePasses)) as Graph;
  expect(countOps(lowered)["activation"]).toBe(2 * 3); // two hidden layers; f, f' and f'' of each
});

test.each([{ estimator: "exact" }, { estimator: "hutchinson", probes: 3 }] as const)(
  "solver steps with log-densities keep their values and stack each stage, %j",
  (options) => {
    for (const [solver, stages] of [
      [rk4({ steps: 4 }), 4],
      [dopri5(), 6],
    ] as const) {
      const network = mlp({ dimension: 2, hidden: [5] });
      const layout = parameterLayout(network);
      const views = parameterViews(state({ name: "parameters", shape: [layout.total], dtype: "f32" }), layout);
      const field = withDivergence((x, t) => network.apply(views, x, t), options);
      const problem = { rows: 3, dimension: 2, stops: [1, 0], field, estimates: estimateCount(options) };
      const { step } = solver.plan(problem);
      const lowered = atOnce(lowering(step, limits, morePasses)) as Graph;
      expect(largestDifference(step, lowered)).toBeLessThan(rounding);
      expect(countOps(lowered)["linearCall"]).toBe(2 * stages);
    }
  },
);

/** What slices and reshapes view. */
function sourceOfView(node: Node): Node {
  return isNodeOf(node, sliceOp.op) || isNodeOf(node, reshapeOp.op) ? sourceOfView(node.inputs[0] as Node) : node;
}
