/**
 * Sequences of L letters out of K on the Dirichlet path, as nodes. Points x are [B, L, K], a position's K numbers a point of
 * the simplex; its time is a [B, 1] >= 1. Of a position whose letter is e, x ~ Dirichlet(1, ..., a at e, ..., 1), which moves by
 * u = C(x_e, a) (e - x); of probabilities p of letters, v = sum_j p_j C(x_j, a) (e_j - x). Divergences are along the simplex,
 * whose tangents w have sum 0: score . w = (a - 1) w_e / x_e.
 *
 * With psi = digamma the definition of C gives div u = psi(a) - psi(a+K-1) - ln x_e - (a-1) (1 - x_e) C / x_e without dC/dx, and
 * d/da log p(x | e) = psi(a+K-1) - psi(a) + ln x_e, so that div u + score . u + d/da log p = 0.
 */
import type { Node } from "../../graph/node.ts";
import { add, log, maximum, multiply, negate, square, subtract } from "../../ops/arithmetic.ts";
import { meanAll, sum } from "../../ops/reduce.ts";
import { reshape } from "../../ops/shape.ts";
import { logSoftmax } from "../../ops/softmax.ts";
import { digammaNodes, factorNodes, LEAST, logGammaNodes, perRow } from "./factor-nodes.ts";
import type { FactorTable } from "./factor-table.ts";

/** Of each coordinate, as if its letter were the position's: shape of x. */
export interface LetterTerms {
  /** C(x, a). */
  readonly factor: Node;
  /** C / x. */
  readonly ratio: Node;
  /** Divergence of u. */
  readonly divergence: Node;
  /** d/da log p(x | e). */
  readonly densityRate: Node;
}

/** @param x - [B, ...]. */
export function letterTerms(tables: FactorTable, x: Node, a: Node): LetterTerms {
  const { factor, ratio } = factorNodes(tables, x, a);
  const densityRate = add(perRow(digammaNodes(tables.letters, a), x.shape), log(maximum(x, LEAST)));
  const own = multiply(multiply(perRow(subtract(a, 1), x.shape), subtract(1, x)), ratio);
  return { factor, ratio, densityRate, divergence: multiply(add(densityRate, own), -1) };
}

/** log p(x | e) of the letter's own coordinate, of the shape of x. */
export function letterLogDensity({ letters }: FactorTable, x: Node, a: Node): Node {
  const own = multiply(perRow(subtract(a, 1), x.shape), log(maximum(x, LEAST)));
  return add(own, perRow(logGammaNodes(letters, a), x.shape));
}

/** sum_j p_j C_j (e_j - x), [B, L, K]; p may be one letter's 1 and 0 elsewhere. */
export function lettersVelocity(probabilities: Node, factor: Node, x: Node): Node {
  const moved = multiply(probabilities, factor);
  return subtract(moved, multiply(x, total(moved)));
}

/** sum_j p_j div u_j, [B, L]: what the divergence of v is where p does not depend on x. */
export function lettersDivergence(probabilities: Node, { divergence }: LetterTerms): Node {
  return sumOfLetters(multiply(probabilities, divergence));
}

/** (a - 1) v_e / x_e, [B, L], of the letters e, 1 and 0 [B, L, K]: the score's part of the residual. */
export function scoreDotVelocity(letters: Node, probabilities: Node, { factor, ratio }: LetterTerms, a: Node): Node {
  const own = sumOfLetters(multiply(letters, multiply(probabilities, ratio)));
  const apart = subtract(own, sumOfLetters(multiply(probabilities, factor))); // v_e / x_e without a division
  return multiply(perRow(subtract(a, 1), apart.shape), apart);
}

/**
 * sum over positions and letters of (grad p_j . w)(u_j . w), [B, 1], for a tangent w of all positions: its mean over w = P z,
 * z of independent numbers of mean 0 and variance 1, is the sum of grad p_j . u_j.
 *
 * @param product - the derivative of the probabilities along w, [B, L, K].
 */
export function transportEstimate(product: Node, factor: Node, x: Node, tangent: Node): Node {
  const along = multiply(factor, subtract(tangent, total(multiply(x, tangent))));
  const [rows] = x.shape as readonly [number];
  return reshape(sum(multiply(product, along), [1, 2]), [rows, 1]);
}

/** z without its mean over the letters: P z, P = I - 11^T / K. */
export function tangentOf(z: Node): Node {
  return subtract(z, multiply(total(z), 1 / (z.shape[2] as number)));
}

/** Sum over letters, [B, L, 1]. */
function total(values: Node): Node {
  return sum(values, [2]);
}

/** Sum over letters, [B, L]. */
export function sumOfLetters(values: Node): Node {
  return reshape(total(values), values.shape.slice(0, 2));
}

/** What the residual of the continuity equation is made of, [B, L], and their sum. */
export interface ResidualParts {
  readonly divergence: Node;
  readonly scoreDotVelocity: Node;
  readonly densityRate: Node;
  readonly sum: Node;
}

/**
 * r = div v + score . v + d/da log p(x | e) of each position, but for what div v has from p's dependence on x.
 *
 * @param letters - 1 at each position's letter e, 0 elsewhere, [B, L, K].
 * @param scored - the probabilities in score . v: `probabilities`, or these held constant.
 */
export function residualParts(
  letters: Node,
  probabilities: Node,
  terms: LetterTerms,
  a: Node,
  scored: Node = probabilities,
): ResidualParts {
  const divergence = lettersDivergence(probabilities, terms);
  const score = scoreDotVelocity(letters, scored, terms, a);
  const densityRate = sumOfLetters(multiply(letters, terms.densityRate));
  return { divergence, scoreDotVelocity: score, densityRate, sum: add(add(divergence, score), densityRate) };
}

/** mean over rows of (r / (L K))^2 of r [B, 1], the sum over positions. */
export function residualLoss(residual: Node, { shape: [, places, letters] }: Node): Node {
  return meanAll(square(multiply(residual, 1 / ((places as number) * (letters as number)))));
}

/** -mean over rows and positions of log softmax(logits) at the letters, of [B, L, K] both. */
export function lettersCrossEntropy(logits: Node, letters: Node): Node {
  return negate(meanAll(sumOfLetters(multiply(logSoftmax(logits), letters))));
}
