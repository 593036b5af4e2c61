/**
 * Cases of couplings: `assignment` and `sinkhorn`, which are computed on the host whatever the backend, and `brownian-bridge`.
 * What the host computes is f64: it agrees with the file to its digits, within the tolerance of any backend.
 */
import { brownianBridge } from "../../flow/brownian-bridge.ts";
import { assignmentOf } from "../../transport/assignment.ts";
import { type Cost, distancesOf, type SamplePoints } from "../../transport/cost.ts";
import { sinkhorn } from "../../transport/sinkhorn.ts";
import type { Fields } from "./case-fields.ts";
import { hostCase, once } from "./host-quantities.ts";
import { perRow } from "./mixture-case.ts";
import { type CaseReader, quantitiesCase } from "./quantities.ts";

/** Passes over the matrix that the file's plan may take: plans that take more are not within its digits either. */
const MOST_PASSES = 100_000;

/** Of rows' sums: files are made to 1e-14, with 12 digits. */
const TOLERANCE = 1e-14;

export const assignmentCase = hostCase({
  attributes: ["n", "D", "cost"],
  inputs: ["x0", "x1"],
  make(reader) {
    const cost = costOf(reader);
    const n = cost.rows;
    const solved = once(() => assignmentOf(cost));
    return {
      permutation: { shape: [n], dtype: "u32", value: () => solved().permutation },
      totalCost: { shape: [], value: () => [solved().cost] },
      meanCost: { shape: [], value: () => [solved().cost / n] },
      cost: { shape: [n, n], value: () => cost.values },
    };
  },
});

export const sinkhornCase = hostCase({
  attributes: ["n", "D", "regularisation", "cost", "costNormalisation", "marginals"],
  inputs: ["x0", "x1"],
  make(reader) {
    const { attributes } = reader;
    if (attributes.has("costNormalisation")) attributes.choice("costNormalisation", ["none"]);
    if (attributes.has("marginals")) attributes.choice("marginals", ["uniform"]);
    const regularisation = attributes.positive("regularisation");
    const cost = costOf(reader);
    const { rows: n, values } = cost;
    const solved = once(() =>
      sinkhorn(
        { values, shape: [n, n] },
        { regularisation, tolerance: TOLERANCE, iterations: MOST_PASSES, unconverged: "return" },
      ),
    );
    return {
      plan: { shape: [n, n], value: () => solved().plan },
      transportCost: { shape: [], value: () => [solved().cost] },
      rowMarginal: { shape: [n], value: () => sumsOf(solved().plan, n, (at) => Math.floor(at / n)) },
      columnMarginal: { shape: [n], value: () => sumsOf(solved().plan, n, (at) => at % n) },
      cost: { shape: [n, n], value: () => values },
    };
  },
});

export const bridgeCase = quantitiesCase({
  attributes: ["sigma", "D", "B"],
  inputs: ["x0", "x1", "t", "epsilon"],
  make(reader) {
    const { attributes, inputs } = reader;
    const { shape, data } = reader.tensor("x0");
    if (shape.length !== 2) inputs.refuse("x0.shape", shape, "[B, D]");
    const [rows, dimension] = shape as [number, number];
    expectSize(attributes, "B", rows);
    expectSize(attributes, "D", dimension);
    const times = reader.tensor("t", [rows]);
    const wrong = times.data.findIndex((time) => !(time > 0 && time < 1));
    if (wrong >= 0) inputs.refuse(`t.data[${wrong}]`, times.data[wrong], "a number between 0 and 1: ends are singular");
    const { drift, std, dilation, logDensity, dLogDensity, ...points } = brownianBridge({
      x0: reader.node("x0", { shape, data }),
      x1: reader.node("x1", reader.tensor("x1", shape)),
      noise: reader.node("epsilon", reader.tensor("epsilon", shape)),
      t: reader.node("t", times, [rows, 1]),
      sigma: attributes.positive("sigma"),
    });
    return {
      nodes: {
        ...points,
        driftOfDiffusion: drift,
        ...{ std: perRow(std), dilation: perRow(dilation) },
        ...{ logDensity: perRow(logDensity), dLogDensity: perRow(dLogDensity) },
      },
    };
  },
});

/** Squared distances of as many x0 as x1. */
function costOf(reader: CaseReader): Cost {
  const { attributes, inputs } = reader;
  if (attributes.has("cost")) attributes.choice("cost", ["squared distance"]);
  const first = reader.tensor("x0");
  if (first.shape.length !== 2) inputs.refuse("x0.shape", first.shape, "[n, D]");
  const [count, dimension] = first.shape as [number, number];
  expectSize(attributes, "n", count);
  expectSize(attributes, "D", dimension);
  const points = (data: readonly number[]): SamplePoints => ({ values: Float64Array.from(data), count, dimension });
  return distancesOf(points(first.data), points(reader.tensor("x1", first.shape).data));
}

/** A size that the file tells beside the shapes is to be what they say. */
function expectSize(attributes: Fields, name: string, size: number): void {
  if (attributes.has(name)) attributes.choice(name, [size]);
}

function sumsOf(plan: Float64Array, n: number, lineOf: (at: number) => number): Float64Array {
  const sums = new Float64Array(n);
  for (let at = 0; at < plan.length; at++) sums[lineOf(at)] += plan[at];
  return sums;
}
