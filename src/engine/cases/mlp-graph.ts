/** A case of the loss as a graph: what it reads, what it writes, and how far what it wrote is from what the file expects. */
import { gradient, vjp } from "../../autodiff/vjp.ts";
import { hutchinsonEstimate, jacobianProducts, traceOf, unitVectors } from "../../flow/divergence.ts";
import { fdm, scaledResidual } from "../../flow/losses/fdm.ts";
import { pathScore, pointOnPath, targetVelocity } from "../../flow/paths/path.ts";
import type { Graph, StateDeclaration, Update } from "../../graph/graph.ts";
import { type Node, sizeOf } from "../../graph/node.ts";
import { mlp } from "../../nn/mlp.ts";
import { flattenParameters, type Network, parameterLayout, parameterViews } from "../../nn/network.ts";
import { divide, subtract } from "../../ops/arithmetic.ts";
import { reshape } from "../../ops/shape.ts";
import { state } from "../../ops/sources.ts";
import type { CaseErrors } from "../api.ts";
import { type CaseValues, type GoldenCase, relativeError } from "./case.ts";
import { isOfWeights, layerQuantities, type MLPCase, type VectorQuantity, vectorSizes } from "./mlp-case.ts";

/** The case, ready to be run. */
export function mlpCase(golden: MLPCase): GoldenCase {
  return {
    programs: [{ graph: caseGraph(golden) }],
    inputs: caseInputs(golden),
    errors: (values) => caseErrors(golden, values),
  };
}

/** States "case.<field>" that the graph reads. */
export function caseInputs(golden: MLPCase): Map<string, Float64Array> {
  const { weights, biases } = golden;
  const { total, entries } = parameterLayout(networkOf(golden));
  const flat = new Float64Array(total);
  for (const { declaration, offset } of entries) {
    const { layer, kind } = placeOf(declaration.name);
    flat.set((kind === "weight" ? weights : biases)[layer] as readonly number[], offset);
  }
  const fields = (["x0", "x1", "t", "probe"] as const).map((name) => [name, Float64Array.from(golden[name])] as const);
  return new Map([["case.parameters", flat], ...fields.map(([name, data]) => [`case.${name}`, data] as const)]);
}

/** The graph that writes each quantity to the state of its name; gradients to "gradient" and "sliceGradient", flat. */
export function caseGraph(golden: MLPCase): Graph {
  const { batch, dimension, path, divergenceWeight: divergence, power, detachVelocity } = golden;
  const input = (name: string, shape: readonly number[]) => state({ name: `case.${name}`, shape, dtype: "f32" });
  const [x0, x1, probe] = ["x0", "x1", "probe"].map((name) => input(name, [batch, dimension])) as [Node, Node, Node];
  const t = input("t", [batch, 1]);

  const network = networkOf(golden);
  const layout = parameterLayout(network);
  const views = parameterViews(input("parameters", [layout.total]), layout);
  const field = (x: Node, times: Node) => network.apply(views, x, times);

  const values = path.at(t);
  const x = pointOnPath(values, x0, x1);
  const u = targetVelocity(values, x0, x1);
  const v = field(x, t);
  const [product, ...columns] = jacobianProducts(v, x, [probe, ...unitVectors(x.shape)]) as [Node, ...Node[]];
  const [transposedProduct] = vjp([v], [probe], [x]) as [Node];
  const estimate = hutchinsonEstimate(probe, product);

  // The losses as training has them, the file's probe in place of a drawn one.
  const context = { network: field, path, x0, x1, t, random: () => probe };
  const residualLoss = fdm({ divergence, power, detachVelocity, form: "residual" }).build(context);
  const sliceLoss = fdm({ divergence, power: 2, detachVelocity, form: "slice" }).build(context);

  const outputs: Record<VectorQuantity, Node> = {
    alpha: values.alpha,
    sigma: values.sigma,
    dAlpha: values.alphaRate,
    dSigma: values.sigmaRate,
    xt: x,
    targetVelocity: u,
    score: pathScore(values, x0),
    velocity: v,
    jvp: product,
    vjp: transposedProduct,
    hutchinson: estimate,
    divergence: traceOf(columns),
    residual: divide(scaledResidual(values, estimate, subtract(v, u), x0), values.sigma),
    cfm: residualLoss.velocityLoss,
    cdm: residualLoss.divergenceLoss as Node,
    slice: sliceLoss.divergenceLoss as Node,
    fdm: residualLoss.loss,
    fdmSlice: sliceLoss.loss,
  };
  const updates = Object.entries(outputs).map(([name, node]) => output(name, node));

  const names = layout.entries.map(({ declaration }) => declaration.name);
  const variables = names.map((name) => views.get(name) as Node);
  for (const [name, { loss }] of [
    ["gradient", residualLoss],
    ["sliceGradient", sliceLoss],
  ] as const) {
    const gradients = gradient(loss, variables);
    const flat = flattenParameters(new Map(names.map((parameter, i) => [parameter, gradients[i] as Node])), layout);
    updates.push(output(name, flat));
  }
  return { name: "verify-case", updates };
}

function output(name: string, node: Node): Update {
  const declaration: StateDeclaration = { name, shape: [sizeOf(node.shape)], dtype: "f32" };
  return { state: declaration, value: reshape(node, declaration.shape) };
}

/** Compares the values of the graph's states after a run, by name, with what the file expects. */
export function caseErrors(golden: MLPCase, values: CaseValues): CaseErrors {
  const found = (name: string) => values.get(name)?.[0] ?? new Float64Array();
  const { expected } = golden;
  const errors: Record<string, number> = {};
  for (const name of Object.keys(vectorSizes) as VectorQuantity[]) {
    errors[name] = relativeError(found(name), expected[name]);
  }
  const { entries } = parameterLayout(networkOf(golden));
  for (const name of layerQuantities) {
    const flat = found(name.startsWith("slice") ? "sliceGradient" : "gradient");
    const wanted = isOfWeights(name) ? "weight" : "bias";
    const byLayer = entries.flatMap(({ declaration, offset }) => {
      const { layer, kind } = placeOf(declaration.name);
      const part = flat.subarray(offset, offset + sizeOf(declaration.shape));
      return kind === wanted ? [relativeError(part, expected[name][layer] as readonly number[])] : [];
    });
    errors[name] = Math.max(...byLayer); // NaN if any is
  }
  return errors;
}

function networkOf({ dimension, hidden, activation }: MLPCase): Network {
  return mlp({ dimension, hidden, activation });
}

/** Layer and kind of the parameter of this name: "4.weight" is the weight of layer 2, activations counting too. */
function placeOf(name: string): { layer: number; kind: string } {
  const [number, kind] = name.split(".") as [string, string];
  return { layer: Number(number) / 2, kind };
}
