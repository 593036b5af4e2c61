/** Cases of flow maps: `flow-map`, a small MLP with every quantity of its losses, and `flow-map-gaussian`, in closed form. */
import { gradient } from "../../autodiff/vjp.ts";
import { hutchinsonEstimate, jacobianProducts, traceOf, unitVectors } from "../../flow/divergence.ts";
import {
  adaptiveWeights,
  averageTarget,
  derivativesAlong,
  mapLogDeterminant,
  mapped,
  weightedMeanSquare,
} from "../../flow/flow-map.ts";
import { gaussianAverages, gaussianDeviation } from "../../flow/gaussian-flow-map.ts";
import { priorLogDensity } from "../../flow/likelihood.ts";
import { condOT } from "../../flow/paths/cond-ot.ts";
import { pointOnPath, targetVelocity } from "../../flow/paths/path.ts";
import type { Node } from "../../graph/node.ts";
import { flowMapAverages } from "../../nn/flow-map.ts";
import { mlp } from "../../nn/mlp.ts";
import { activationKinds } from "../../ops/activation.ts";
import { divide, log, multiply, subtract } from "../../ops/arithmetic.ts";
import { concat, slice } from "../../ops/shape.ts";
import { perRow, pointsOf } from "./mixture-case.ts";
import { type CaseReader, quantitiesCase } from "./quantities.ts";

/** More than any case has. */
const MOST_LAYERS = 16;
const GREATEST_WIDTH = 8192;
const MOST_DIMENSIONS = 64;

const layerInputs = Array.from({ length: MOST_LAYERS + 1 }, (_, layer) => [`${layer}.weight`, `${layer}.bias`]).flat();

export const flowMapCase = quantitiesCase({
  attributes: ["dimension", "batch", "width", "hiddenLayers", "activation", "adaptiveOffset", "adaptivePower"],
  inputs: [...layerInputs, "x1", "x0", "s", "e", "probe"],
  make(reader) {
    const { attributes } = reader;
    const dimension = attributes.integer("dimension", MOST_DIMENSIONS);
    const batch = attributes.integer("batch");
    const weights = {
      power: attributes.number("adaptivePower", 0),
      offset: attributes.positive("adaptiveOffset"),
    };
    const { averages, variables } = networkOf(reader, dimension);
    const points = (name: string) => reader.node(name, reader.tensor(name, [batch, dimension]));
    const [x0, x1, probe] = [points("x0"), points("x1"), points("probe")];
    const [s, e] = [timesOf(reader, "s", batch), timesOf(reader, "e", batch)];

    const values = condOT().at(s);
    const x = pointOnPath(values, x0, x1);
    const w = targetVelocity(values, x0, x1);
    const between = averages(x, s, e);
    const [velocity, divergence] = [between.velocity, between.divergence as Node];
    const conditional = derivativesAlong(between, x, s, w);
    const target = averageTarget(w, s, e, conditional.velocity);
    const miss = subtract(velocity, target);

    const now = averages(x, s, s).velocity;
    const along = derivativesAlong(between, x, s, now);
    const [product, ...columns] = jacobianProducts(now, x, [probe, ...unitVectors(x.shape)]) as [Node, ...Node[]];
    const hutchinson = hutchinsonEstimate(probe, product);
    const ofDivergence = along.divergence as Node;
    const divergenceTarget = averageTarget(hutchinson, s, e, ofDivergence);

    const losses = {
      meanFlow: weightedMeanSquare(miss, undefined),
      meanFlowAdaptive: weightedMeanSquare(miss, weights),
      improvedMeanFlow: weightedMeanSquare(subtract(velocity, averageTarget(w, s, e, along.velocity)), undefined),
      divergenceLoss: weightedMeanSquare(subtract(divergence, divergenceTarget), undefined),
    };
    const names = [...variables.keys()];
    const gradients = Object.entries(losses).flatMap(([loss, node]) =>
      gradient(node, [...variables.values()]).map((value, i) => [`${loss}Grad_${names[i]}`, value] as const),
    );
    return {
      nodes: {
        x,
        targetVelocity: w,
        averageVelocity: velocity,
        averageDivergence: perRow(divergence),
        totalDerivative: conditional.velocity,
        target,
        instantVelocity: now,
        instantHutchinson: perRow(hutchinson),
        instantDivergence: perRow(traceOf(columns)),
        totalDerivativeAlongModel: along.velocity,
        divergenceDerivativeAlongModel: perRow(ofDivergence),
        divergenceTarget: perRow(divergenceTarget),
        adaptiveWeight: perRow(adaptiveWeights(miss, weights)),
        ...losses,
        mapped: mapped(x, s, e, velocity),
        logDeterminant: perRow(mapLogDeterminant(velocity, x, s, e).logarithm),
        ...Object.fromEntries(gradients),
      },
    };
  },
});

/** Times [B, 1], which files have as [B]. */
function timesOf(reader: CaseReader, name: string, rows: number): Node {
  return reader.node(name, reader.tensor(name, [rows]), [rows, 1]);
}

/** The file's MLP as the library has it, and its tensors. */
function networkOf(reader: CaseReader, dimension: number) {
  const { attributes } = reader;
  const width = attributes.integer("width", GREATEST_WIDTH);
  const hiddenLayers = attributes.integer("hiddenLayers", MOST_LAYERS);
  const activation = attributes.choice("activation", activationKinds);
  const hidden = Array<number>(hiddenLayers).fill(width);
  const widths = [dimension + 2, ...hidden, dimension + 1];
  const variables = new Map<string, Node>();
  const parameters = new Map<string, Node>();
  widths.slice(1).forEach((outputs, layer) => {
    const read = (kind: string, shape: readonly number[]) => {
      const name = `${layer}.${kind}`;
      const node = reader.node(name, reader.tensor(name, shape));
      variables.set(name, node);
      return node;
    };
    const weight = read("weight", [widths[layer] as number, outputs]);
    // Of the first layer the file has rows for x, s, e; ours, where e is a coordinate of the points, for x, e, s.
    const rows = (from: number, to: number) => slice(weight, 0, from, to);
    const [ofX, ofS, ofE] = [
      [0, dimension],
      [dimension, dimension + 1],
      [dimension + 1, dimension + 2],
    ] as const;
    const own = layer === 0 ? concat([rows(...ofX), rows(...ofE), rows(...ofS)], 0) : weight;
    parameters.set(`${2 * layer}.weight`, own);
    parameters.set(`${2 * layer}.bias`, read("bias", [outputs]));
  });
  const inner = mlp({ dimension: dimension + 1, hidden, activation });
  return { variables, averages: (x: Node, s: Node, e: Node) => flowMapAverages(inner, true, parameters, x, s, e) };
}

export const flowMapGaussianCase = quantitiesCase({
  attributes: ["path", "dimension", "mean", "scale"],
  inputs: ["x", "s", "e"],
  make(reader) {
    const { attributes } = reader;
    attributes.choice("path", ["cond-ot"]);
    const dimension = attributes.integer("dimension", MOST_DIMENSIONS);
    const numbers = attributes.numbers("mean", dimension);
    const mean = reader.node("mean", { data: numbers, shape: [1, dimension] });
    const data = { mean, scale: attributes.positive("scale") };
    const x = pointsOf(reader, dimension);
    const rows = x.shape[0] as number;
    const [s, e] = [timesOf(reader, "s", rows), timesOf(reader, "e", rows)];
    const { velocity, divergence } = gaussianAverages(data, x, s, e);
    const now = gaussianAverages(data, x, s, s);
    const end = mapped(x, s, e, velocity);
    /** ln of N(t mean, deviation^2 I). */
    const logDensity = (points: Node, t: Node) => {
      const deviation = gaussianDeviation(data, t);
      const standard = divide(subtract(points, multiply(t, mean)), deviation);
      return subtract(priorLogDensity(standard, 1), multiply(log(deviation), dimension));
    };
    return {
      nodes: {
        mapped: end,
        averageVelocity: velocity,
        averageDivergence: perRow(divergence),
        velocity: now.velocity,
        divergence: perRow(now.divergence),
        logDensityAtStart: perRow(logDensity(x, s)),
        logDensityAtEnd: perRow(logDensity(end, e)),
      },
    };
  },
});
