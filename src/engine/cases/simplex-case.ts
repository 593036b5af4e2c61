/** Cases of letters on the simplex: `dirichlet-factor`, `dirichlet-path`, `dirichlet-classifier`, `linear-simplex`. */
import { gradient } from "../../autodiff/vjp.ts";
import { jacobianProducts } from "../../flow/divergence.ts";
import { LARGEST_CONCENTRATION } from "../../flow/simplex/concentrations.ts";
import {
  letterLogDensity,
  lettersCrossEntropy,
  lettersVelocity,
  letterTerms,
  residualLoss,
  residualParts,
  sumOfLetters,
  tangentOf,
  transportEstimate,
} from "../../flow/simplex/dirichlet-field.ts";
import { slopeNodes } from "../../flow/simplex/factor-nodes.ts";
import { factorTable, MOST_LETTERS } from "../../flow/simplex/factor-table.ts";
import { linearDensity, linearPoint, linearVelocity } from "../../flow/simplex/linear-field.ts";
import type { Node } from "../../graph/node.ts";
import { add, multiply, subtract } from "../../ops/arithmetic.ts";
import { matmul } from "../../ops/matmul.ts";
import { sum } from "../../ops/reduce.ts";
import { broadcast, reshape, transpose } from "../../ops/shape.ts";
import { softmax } from "../../ops/softmax.ts";
import { table } from "../../ops/sources.ts";
import type { CaseTensor } from "./case-fields.ts";
import { perRow } from "./mixture-case.ts";
import { type CaseReader, quantitiesCase } from "./quantities.ts";

/** Elements of what the exact divergence of a case is computed with. */
const MOST_ELEMENTS = 2 ** 24;

export const dirichletFactorCase = quantitiesCase({
  attributes: ["K", "elementwiseRelative"],
  inputs: ["x", "a"],
  make(reader) {
    const { attributes } = reader;
    if (attributes.has("elementwiseRelative")) attributes.choice("elementwiseRelative", [true, false]);
    const tables = factorTable(lettersOf(reader));
    const points = inSimplex(reader, "x", reader.tensor("x"));
    if (points.shape.length !== 1) reader.inputs.refuse("x.shape", points.shape, "[n]");
    const [count] = points.shape as [number];
    const x = reader.node("x", points, [count, 1]);
    const a = concentrations(reader, count);
    const terms = letterTerms(tables, x, a);
    const score = multiply(multiply(subtract(a, 1), subtract(1, x)), terms.ratio);
    return {
      nodes: {
        C: perRow(terms.factor),
        dCdx: perRow(slopeNodes(tables, x, a)),
        divergence: perRow(terms.divergence),
        scoreDotVelocity: perRow(score),
        dLogDensity: perRow(terms.densityRate),
      },
    };
  },
});

export const dirichletPathCase = quantitiesCase({
  attributes: ["K", "L", "B"],
  inputs: ["x", "a", "labels"],
  make(reader) {
    const { tables, x, a, letters } = dirichletPoints(reader);
    const terms = letterTerms(tables, x, a);
    const parts = residualParts(letters, letters, terms, a);
    return {
      nodes: {
        velocity: lettersVelocity(letters, terms.factor, x),
        divergence: parts.divergence,
        scoreDotVelocity: parts.scoreDotVelocity,
        dLogDensity: parts.densityRate,
        logDensity: sumOfLetters(multiply(letters, letterLogDensity(tables, x, a))),
        residual: parts.sum,
      },
    };
  },
});

export const dirichletClassifierCase = quantitiesCase({
  attributes: ["K", "L", "B"],
  inputs: ["x", "a", "labels", "W", "b0", "b1", "z"],
  make(reader) {
    const { tables, x, a, letters } = dirichletPoints(reader);
    const [rows, places, count] = x.shape as [number, number, number];
    const size = places * count;
    if (rows * size * size > MOST_ELEMENTS) {
      reader.inputs.refuse("x.shape", x.shape, `B (L K)^2 of at most ${MOST_ELEMENTS}`);
    }
    const weights = {
      W: reader.node("W", reader.tensor("W", [size, size])),
      b0: reader.node("b0", reader.tensor("b0", [size])),
      b1: reader.node("b1", reader.tensor("b1", [size])),
    };
    const logitsAt = (points: Node, times: Node) => {
      const n = points.shape[0] as number;
      const weighed = matmul(reshape(points, [n, size]), transpose(weights.W, [1, 0]));
      const shift = add(reshape(weights.b0, [1, size]), multiply(times, reshape(weights.b1, [1, size])));
      return reshape(add(weighed, shift), [n, places, count]);
    };
    const logits = logitsAt(x, a);
    const p = softmax(logits);
    const terms = letterTerms(tables, x, a);
    const parts = residualParts(letters, p, terms, a);

    const tangent = tangentOf(reader.node("z", reader.tensor("z", [rows, places, count])));
    const [product] = jacobianProducts(p, x, [tangent]) as [Node];
    const estimate = transportEstimate(product, terms.factor, x, tangent);
    const rest = sum(parts.sum, [1]);
    const own = exactTransport((points, times) => softmax(logitsAt(points, times)), x, a, terms.factor);
    const perPosition = add(own, parts.sum);
    const residual = sum(perPosition, [1]);

    const exactLoss = residualLoss(residual, x);
    const estimateLoss = residualLoss(add(estimate, rest), x);
    const crossEntropy = lettersCrossEntropy(logits, letters);
    const gradients = (name: string, loss: Node) => {
      const each = gradient(loss, Object.values(weights));
      return Object.fromEntries(Object.keys(weights).map((weight, i) => [`${name}_${weight}`, each[i] as Node]));
    };
    return {
      nodes: {
        probabilities: p,
        velocity: lettersVelocity(p, terms.factor, x),
        divergence: add(own, parts.divergence),
        scoreDotVelocity: parts.scoreDotVelocity,
        dLogDensity: parts.densityRate,
        residualPerPosition: perPosition,
        residual: perRow(residual),
        transportEstimate: perRow(estimate),
        residualEstimate: perRow(add(estimate, rest)),
        ...{ exactLoss, estimateLoss, crossEntropy },
        ...gradients("exactLossGrads", exactLoss),
        ...gradients("trainingGrads", add(estimateLoss, crossEntropy)),
      },
    };
  },
});

export const linearSimplexCase = quantitiesCase({
  attributes: ["K", "L", "B"],
  inputs: ["x0", "t", "labels", "logits"],
  make(reader) {
    const letters = lettersOf(reader);
    const noise = shaped(reader, "x0", letters);
    const [rows] = noise.shape as [number];
    const times = reader.tensor("t", [rows]);
    const wrong = times.data.findIndex((time) => !(time >= 0 && time < 1));
    if (wrong >= 0) reader.inputs.refuse(`t.data[${wrong}]`, times.data[wrong], "a number from 0 to below 1");
    const [x0, t] = [reader.node("x0", noise), reader.node("t", times, [rows, 1])];
    const labels = oneHot(reader, noise.shape);
    const x = linearPoint(labels, x0, t);
    const probabilities = softmax(reader.node("logits", reader.tensor("logits", noise.shape)));
    const { divergence, densityRate, logDensity } = linearDensity(letters, t);
    return {
      nodes: {
        x,
        conditionalVelocity: subtract(labels, x0),
        probabilities,
        velocity: linearVelocity(probabilities, x, t),
        conditionalDivergence: perRow(divergence),
        dLogDensity: perRow(densityRate),
        logDensity: perRow(logDensity),
      },
    };
  },
});

/**
 * sum_j grad p_j . u_j of each position, [B, L], the gradient by that position's own x: copies of each row, one for each
 * position and letter j, carry u_j there alone as their tangent.
 */
function exactTransport(field: (x: Node, a: Node) => Node, x: Node, a: Node, factor: Node): Node {
  const [rows, places, letters] = x.shape as [number, number, number];
  const copies = places * letters;
  const repeat = (node: Node, each: readonly number[]) =>
    reshape(broadcast(reshape(node, [rows, 1, ...each]), [rows, copies, ...each]), [rows * copies, ...each]);
  const all = repeat(x, [places, letters]);
  // [B, copy, L, K]: whether a copy's position is this one; whether its letter is this one too.
  const entries = (is: (copy: number, at: number) => boolean) =>
    table(
      Array.from({ length: copies * copies }, (_, i) => (is(Math.floor(i / copies), i % copies) ? 1 : 0)),
      [1, copies, places, letters],
    );
  const here = entries((copy, at) => Math.floor(copy / letters) === Math.floor(at / letters));
  const itself = entries((copy, at) => copy === at);
  const own = reshape(factor, [rows, copies, 1, 1]);
  const tangents = multiply(own, subtract(itself, multiply(here, reshape(x, [rows, 1, places, letters]))));
  const [products] = jacobianProducts(field(all, repeat(a, [1])), all, [reshape(tangents, all.shape)]) as [Node];
  const each = sum(multiply(reshape(products, [rows, copies, places, letters]), itself), [2, 3]);
  return reshape(sum(reshape(each, [rows, places, letters]), [2]), [rows, places]);
}

/** Points, times and letters of rows on the Dirichlet path. */
function dirichletPoints(reader: CaseReader) {
  const tables = factorTable(lettersOf(reader));
  const points = inSimplex(reader, "x", shaped(reader, "x", tables.letters));
  const [rows] = points.shape as [number];
  return {
    tables,
    x: reader.node("x", points),
    a: concentrations(reader, rows),
    letters: oneHot(reader, points.shape),
  };
}

function lettersOf({ attributes }: CaseReader): number {
  return attributes.integer("K", MOST_LETTERS, 2);
}

/** [B, L, K], as the attributes say. */
function shaped(reader: CaseReader, name: string, letters: number): CaseTensor {
  const { attributes, inputs } = reader;
  const tensor = reader.tensor(name);
  const [rows = 0, places = 0] = tensor.shape;
  const isRight = tensor.shape.length === 3 && tensor.shape[2] === letters;
  if (!isRight) return inputs.refuse(`${name}.shape`, tensor.shape, `[B, L, ${letters}]`);
  for (const [attribute, size] of [["B", rows] as const, ["L", places] as const]) {
    if (attributes.has(attribute)) attributes.choice(attribute, [size]);
  }
  return tensor;
}

/** Coordinates of points of the simplex. */
function inSimplex(reader: CaseReader, name: string, tensor: CaseTensor): CaseTensor {
  const wrong = tensor.data.findIndex((value) => !(value >= 0 && value <= 1));
  return wrong < 0
    ? tensor
    : reader.inputs.refuse(`${name}.data[${wrong}]`, tensor.data[wrong], "a number from 0 to 1");
}

/** a [B, 1]. */
function concentrations(reader: CaseReader, rows: number): Node {
  const tensor = reader.tensor("a", [rows]);
  const wrong = tensor.data.findIndex((a) => !(a >= 1 && a <= LARGEST_CONCENTRATION));
  if (wrong >= 0) {
    reader.inputs.refuse(`a.data[${wrong}]`, tensor.data[wrong], `a number from 1 to ${LARGEST_CONCENTRATION}`);
  }
  return reader.node("a", tensor, [rows, 1]);
}

/** 1 at each position's label, 0 elsewhere, [B, L, K]. */
function oneHot(reader: CaseReader, shape: readonly number[]): Node {
  const letters = shape[2] as number;
  const { data, dtype } = reader.inputs.tensor("labels", shape.slice(0, 2));
  if (dtype !== "u32") reader.inputs.refuse("labels.dtype", dtype, '"u32"');
  const wrong = data.findIndex((label) => label >= letters);
  if (wrong >= 0) reader.inputs.refuse(`labels.data[${wrong}]`, data[wrong], `an integer below ${letters}`);
  const all = data.flatMap((label) => Array.from({ length: letters }, (_, k) => (k === label ? 1 : 0)));
  return reader.node("labels", { data: all, shape });
}
