/**
 * Flow maps: where points come in one step. U(x, s, e) is the average velocity from time s to time e along the flow and
 * A(x, s, e) the average divergence, so that
 *
 *   X(e) = x + (e - s) U,    log p_e(X(e)) = log p_s(x) - (e - s) A.
 *
 * Along the flow, with e held, U = v + (e - s) dU/ds and A = div v + (e - s) dA/ds, where d/ds = v.grad_x + d/ds: a network is
 * trained to keep these. At e = s they are the velocity and its divergence.
 *
 * @see Geng et al., Mean Flows for One-step Generative Modeling (2025), arXiv 2505.13447, whose time runs the other way;
 * improved: arXiv 2512.02012; with the divergence: F2D2, arXiv 2512.02636.
 */
import { jvp } from "../autodiff/jvp.ts";
import type { Node } from "../graph/node.ts";
import type { Averages } from "../nn/network.ts";
import { add, divide, exp, log, multiply, square, subtract } from "../ops/arithmetic.ts";
import { stopGradient } from "../ops/control.ts";
import { meanAll, sum } from "../ops/reduce.ts";
import { concat, reshape } from "../ops/shape.ts";
import { constant } from "../ops/sources.ts";
import { jacobianProducts, unitVectors } from "./divergence.ts";
import { type LogDeterminant, logDeterminant } from "./log-determinant.ts";
import type { MadeOf } from "./losses/loss.ts";

/** U and A at points [B, D], from times s to e, each [B, 1]. */
export type AverageField = (x: Node, s: Node, e: Node) => Averages;

/** The averages of a flow map's network; undefined for what is none. */
export function averagesOf(made: MadeOf | undefined): AverageField | undefined {
  const { average, own } = made?.network ?? {};
  if (own) return undefined; // on this path its output is no velocity, so its averages are none
  return average && made && ((x, s, e) => average.at(made.parameters, x, s, e, made.conditions));
}

/** X(e) = x + (e - s) U [B, D]. */
export function mapped(x: Node, s: Node, e: Node, velocity: Node): Node {
  return add(x, multiply(subtract(e, s), velocity));
}

/**
 * Of averages from (x, s) to e, their derivatives as x moves along `tangent` [B, D] and s with time, e held. Neither s nor x
 * may have gone into e.
 */
export function derivativesAlong(
  { velocity, divergence }: Averages,
  x: Node,
  s: Node,
  tangent: Node,
): { readonly velocity: Node; readonly divergence: Node | undefined } {
  const outputs = divergence ? [velocity, divergence] : [velocity];
  const [ofVelocity, ofDivergence] = jvp(outputs, [x, s], [tangent, constant(1, s.shape)]);
  return { velocity: ofVelocity ?? multiply(velocity, 0), divergence: ofDivergence };
}

/** at + (e - s) derivative, held constant: what an average is trained to be. */
export function averageTarget(at: Node, s: Node, e: Node, derivative: Node): Node {
  return stopGradient(add(at, multiply(subtract(e, s), derivative)));
}

export interface AdaptiveWeights {
  /** 0: all rows alike, the mean square. 1: about the mean of norms, large misses count less. In between: between. */
  readonly power: number;
  /** Added to the square before the power is taken: below it all rows count alike. */
  readonly offset: number;
}

/** (|miss|^2 + offset)^-power of each row, [B, 1], held constant. */
export function adaptiveWeights(miss: Node, { power, offset }: AdaptiveWeights): Node {
  const size = add(sum(square(miss), [1]), offset);
  return stopGradient(power === 1 ? divide(1, size) : exp(multiply(log(size), -power)));
}

/** Mean over rows of weight |miss|^2, divided by D; without weights the mean square. */
export function weightedMeanSquare(miss: Node, weights: AdaptiveWeights | undefined): Node {
  const squares = square(miss);
  return meanAll(weights ? multiply(squares, adaptiveWeights(miss, weights)) : squares);
}

/**
 * ln |det(I + (e - s) dU/dx)| and its sign, [B, 1] each, of averages from (x, s) to e: by D tangents, exact. So
 * log p_e(X(e)) = log p_s(x) - ln |det|, where the map is invertible.
 */
export function mapLogDeterminant(velocity: Node, x: Node, s: Node, e: Node): LogDeterminant {
  const [rows = 1, dimension = 1] = x.shape;
  const span = subtract(e, s);
  const units = unitVectors(x.shape);
  const products = jacobianProducts(velocity, x, units);
  // Rows of the transposed matrix, whose determinant is the same.
  const moved = units.map((unit, i) => add(unit, multiply(span, products[i] as Node)));
  return logDeterminant(
    concat(
      moved.map((row) => reshape(row, [rows, 1, dimension])),
      1,
    ),
  );
}
