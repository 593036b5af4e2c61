/**
 * Cases of Gaussian mixtures, whose fields are known: `gaussian-mixture`, `log-likelihood` and `total-variation-bound`. What
 * cases of guidance read of a mixture is here too.
 */
import type { NumericArray } from "../../backends/backend.ts";
import { convertField } from "../../flow/conversions.ts";
import { withExactDivergence } from "../../flow/divergence.ts";
import { priorLogDensity, withDivergence } from "../../flow/likelihood.ts";
import type { VelocityField } from "../../flow/losses/loss.ts";
import { type MixtureComponents, type MixtureMarginal, mixtureField, mixtureMarginal } from "../../flow/mixture.ts";
import type { PathScheduler, PathValues } from "../../flow/paths/path.ts";
import { ve } from "../../flow/paths/ve.ts";
import { dormandPrince } from "../../flow/solvers/dopri5.ts";
import { fixedStep } from "../../flow/solvers/fixed-step.ts";
import { boundDensity, relativeOutflow } from "../../flow/total-variation.ts";
import type { Node } from "../../graph/node.ts";
import { add, exp, multiply, negate, sin, subtract } from "../../ops/arithmetic.ts";
import { matmul } from "../../ops/matmul.ts";
import { sum, sumAll } from "../../ops/reduce.ts";
import { broadcast, reshape, transpose } from "../../ops/shape.ts";
import { casePaths } from "./mlp-case.ts";
import { type CaseKind, type CaseReader, quantitiesCase } from "./quantities.ts";

export const pathAttributes = ["path", "sigmaMinimum", "sigmaMaximum"];
export const mixtureInputs = ["weights", "means", "variances"];

/** The path that the attributes name; ve has its sigmas there. */
export function pathOf({ attributes }: CaseReader, names: readonly string[] = [...casePaths.keys()]): PathScheduler {
  const name = attributes.choice("path", names);
  if (name !== "ve") {
    for (const other of ["sigmaMinimum", "sigmaMaximum"]) {
      if (attributes.has(other))
        attributes.refuse(other, attributes.value(other), `nothing: it is no option of ${name}`);
    }
    return (casePaths.get(name) as () => PathScheduler)();
  }
  return ve({ sigmaMin: attributes.positive("sigmaMinimum"), sigmaMax: attributes.positive("sigmaMaximum") });
}

/** Data of K components in D dimensions. */
export function componentsOf(reader: CaseReader): MixtureComponents & { count: number; dimension: number } {
  const weights = reader.positive("weights");
  const [count, ...more] = weights.shape;
  if (count === undefined || more.length > 0) reader.inputs.refuse("weights.shape", weights.shape, "[K]");
  const means = reader.tensor("means");
  const [, dimension] = means.shape;
  if (means.shape.length !== 2 || means.shape[0] !== count || dimension === undefined) {
    return reader.inputs.refuse("means.shape", means.shape, `[${count}, D]`);
  }
  const variances = reader.positive("variances", means.shape);
  return {
    weights: reader.node("weights", weights),
    means: reader.node("means", means),
    variances: reader.node("variances", variances),
    ...{ count: count as number, dimension },
  };
}

/** Points x [B, D]. */
export function pointsOf(reader: CaseReader, dimension: number): Node {
  const x = reader.tensor("x");
  const isRight = x.shape.length === 2 && x.shape[1] === dimension;
  return isRight ? reader.node("x", x) : reader.inputs.refuse("x.shape", x.shape, `[B, ${dimension}]`);
}

/** A number of each row, [B, 1], as files have it: [B]. */
export function perRow(node: Node): Node {
  return reshape(node, [node.shape[0] as number]);
}

/** A mixture at points and times of its path. */
export function mixtureAt(reader: CaseReader): {
  readonly count: number;
  readonly path: PathScheduler;
  readonly components: MixtureComponents;
  readonly x: Node;
  readonly t: Node;
  readonly at: PathValues;
  readonly marginal: MixtureMarginal;
} {
  const path = pathOf(reader);
  const components = componentsOf(reader);
  const x = pointsOf(reader, components.dimension);
  const [rows] = x.shape as readonly [number];
  const times = reader.tensor("t", [rows]);
  const wrong = times.data.findIndex((time) => !(time >= 0 && time <= 1));
  if (wrong >= 0) reader.inputs.refuse(`t.data[${wrong}]`, times.data[wrong], "a number from 0 to 1");
  const t = reader.node("t", times, [rows, 1]);
  const at = path.at(t);
  return { count: components.count, path, components, x, t, at, marginal: mixtureMarginal(components, at, x) };
}

export const mixtureCase = quantitiesCase({
  attributes: pathAttributes,
  inputs: [...mixtureInputs, "x", "t"],
  make(reader) {
    const { path, components, x, t, at, marginal } = mixtureAt(reader);
    const { velocity, score, denoised, noise, logDensity, logResponsibilities } = marginal;
    const { divergence } = withExactDivergence(mixtureField(components, path), x, t);
    return {
      nodes: {
        alpha: perRow(at.alpha),
        sigma: perRow(at.sigma),
        dAlpha: perRow(at.alphaRate),
        dSigma: perRow(at.sigmaRate),
        ...{ velocity, score, denoised, noise },
        divergence: perRow(divergence),
        logDensity: perRow(logDensity),
        responsibilities: exp(logResponsibilities),
        velocityFromScore: convertField("score", "velocity", score, x, at),
        dLogDensity: perRow(negate(relativeOutflow(velocity, divergence, score))),
      },
    };
  },
});

/** Dormand and Prince's method of order 5 as one of equal steps: its last stage serves step control alone. */
const tableau = {
  a: dormandPrince.a.slice(0, -1),
  b: dormandPrince.b.slice(0, -1),
  c: dormandPrince.c.slice(0, -1),
};
/** From t = 1 to 0. */
const STEPS = 300;

/** Paths whose velocity is finite at t = 1, where the solve begins. */
const pathsToTheEnd = ["cond-ot", "cosine", "poly3"];

export const likelihoodCase = quantitiesCase({
  attributes: [...pathAttributes, "prior"],
  inputs: [...mixtureInputs, "x"],
  make(reader) {
    const path = pathOf(reader, pathsToTheEnd);
    reader.attributes.choice("prior", ["standard normal"]);
    const components = componentsOf(reader);
    const { dimension } = components;
    const points = pointsOf(reader, dimension);
    const [rows] = points.shape as readonly [number];
    const start = reader.states.get("case.x") as NumericArray;
    reader.states.delete("case.x"); // the solver has them
    const plan = fixedStep("dopri5", tableau, { steps: STEPS }).plan({
      ...{ rows, dimension, estimates: 1, stops: [1, 0] },
      field: withDivergence(mixtureField(components, path)),
    });
    const after = (name: string) => plan.step.updates.find(({ state }) => state.name === name)?.value as Node;
    const noise = after("solve.x");
    const integral = after("solve.logDensity");
    const prior = priorLogDensity(noise, path.priorDeviation);
    const initial = [...plan.initial].map(
      ([name, values]) => [name, name === "solve.step" ? Uint32Array.from(values) : Float64Array.from(values)] as const,
    );
    return {
      nodes: {
        noise,
        divergenceIntegral: perRow(integral),
        priorLogDensity: perRow(prior),
        logDensity: perRow(subtract(prior, integral)),
      },
      repeated: {
        updates: plan.step.updates,
        initial: new Map<string, NumericArray>([
          ["solve.x", start],
          ["solve.logDensity", new Float64Array(rows)],
          ...initial,
        ]),
        times: STEPS,
      },
    };
  },
});

/** Points of all grids together: some hundred bytes each. */
const MOST_POINTS = 2 ** 20;

const perturbation = "epsilon sin(pi t) (A x + b)";

export const totalVariationCase = quantitiesCase({
  attributes: [...pathAttributes, "epsilon", "timeSteps", "gridPoints", "gridHalfWidth", "rule", "perturbation"],
  inputs: [...mixtureInputs, "A", "b"],
  make(reader) {
    const path = pathOf(reader);
    const { attributes } = reader;
    const epsilon = attributes.number("epsilon");
    attributes.choice("rule", ["midpoint"]);
    attributes.choice("perturbation", [perturbation]);
    const steps = attributes.integer("timeSteps", MOST_POINTS);
    const side = attributes.integer("gridPoints", Math.floor(Math.sqrt(MOST_POINTS / steps)));
    const half = attributes.positive("gridHalfWidth");
    const components = componentsOf(reader);
    if (components.dimension !== 2)
      reader.inputs.refuse("means.shape", [components.count, components.dimension], "[K, 2]");

    const cell = (2 * half) / side;
    const along = Array.from({ length: side }, (_, i) => -half + (i + 0.5) * cell);
    const grid = along.flatMap((first) => along.flatMap((second) => [first, second]));
    const times = Array.from({ length: steps }, (_, i) => (i + 0.5) / steps);
    const rows = steps * side * side;
    const each = (node: Node, before: readonly number[]) => {
      const width = node.shape[node.shape.length - 1] as number;
      return reshape(broadcast(reshape(node, [...before, width]), [steps, side * side, width]), [rows, width]);
    };
    const x = each(reader.node("grid", { data: grid, shape: [side * side, 2] }), [1, side * side]);
    const t = each(reader.node("times", { data: times, shape: [steps, 1] }), [steps, 1]);
    const matrix = transpose(reader.node("A", reader.tensor("A", [2, 2])), [1, 0]);
    const shift = reader.node("b", reader.tensor("b", [2]));

    const learned: VelocityField = (points, at) => {
      const change = multiply(sin(multiply(at, Math.PI)), epsilon);
      const own = add(matmul(points, matrix), shift);
      return add(mixtureField(components, path)(points, at), multiply(change, own));
    };
    const off: VelocityField = (points, at) =>
      subtract(learned(points, at), mixtureField(components, path)(points, at));
    const { velocity, divergence } = withExactDivergence(off, x, t);
    const { score, logDensity } = mixtureMarginal(components, path.at(t), x);
    const density = reshape(boundDensity(velocity, divergence, score, logDensity), [steps, side * side]);
    const means = reshape(multiply(sum(density, [1]), cell * cell), [steps]);
    return { nodes: { meanAbsoluteResidual: means, bound: multiply(sumAll(means), 0.5 / steps) } };
  },
} satisfies CaseKind);
