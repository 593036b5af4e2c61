/**
 * What is carried along a flow beside its points, as fields of more numbers per point that any solver takes.
 *
 * The score of the model's own density, s = grad log p_t(x(t)), obeys along a solution of dx/dt = v
 *   ds/dt = -J^T s - grad div v,   J = dv/dx,
 * since d/dt log p_t(x(t)) = -div v: exact where the divergence is, and with fixed probes z the gradient of the estimate that
 * has z.(J z) for div v. It starts at t = 0 from the prior's, -x / deviation^2.
 */
import { vjp } from "../autodiff/vjp.ts";
import type { Node } from "../graph/node.ts";
import { add, multiply, negate } from "../ops/arithmetic.ts";
import { concat, slice } from "../ops/shape.ts";
import { constant } from "../ops/sources.ts";
import { hutchinsonEstimate, jacobianProducts, unitVectors, withExactDivergence } from "./divergence.ts";
import { type DivergenceOptions, drawProbes } from "./likelihood.ts";
import type { VelocityField } from "./losses/loss.ts";

/** v at x and its divergence, or the mean of its estimates over the probes [S, 1]. */
export function withMeanDivergence(field: VelocityField, x: Node, t: Node, options: Required<DivergenceOptions>) {
  if (options.estimator === "exact") return withExactDivergence(field, x, t);
  const velocity = field(x, t);
  const directions = drawProbes(options, x.shape);
  const products = jacobianProducts(velocity, x, directions);
  const estimates = directions.map((z, i) => hutchinsonEstimate(z, products[i] as Node));
  return { velocity, divergence: multiply(estimates.reduce(add), 1 / estimates.length) };
}

/** Of points and scores [S, 2 D]. */
export function scoreField(own: VelocityField, options: Required<DivergenceOptions>): VelocityField {
  return (both, t) => {
    const dimension = (both.shape[1] as number) / 2;
    const x = slice(both, 1, 0, dimension);
    const score = slice(both, 1, dimension, 2 * dimension);
    const { velocity, divergence } = withMeanDivergence(own, x, t, options);
    const [change] = vjp([velocity, divergence], [score, constant(1, divergence.shape)], [x]);
    return concat([velocity, negate(change as Node)], 1);
  };
}

/** Of points and the integrals of their Jacobian's diagonal [S, 2 D]. */
export function diagonalField(own: VelocityField): VelocityField {
  return (both, t) => {
    const dimension = (both.shape[1] as number) / 2;
    const x = slice(both, 1, 0, dimension);
    const velocity = own(x, t);
    const products = jacobianProducts(velocity, x, unitVectors(x.shape));
    const diagonal = products.map((product, i) => slice(product, 1, i, i + 1));
    return concat([velocity, ...diagonal], 1);
  };
}
