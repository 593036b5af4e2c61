/** Divergences of a field v(x) by Jacobian-vector products J z, J = dv/dx: exact traces and Hutchinson's estimates. */
import { jvpProbes } from "../autodiff/jvp.ts";
import type { Node, Shape } from "../graph/node.ts";
import { add, multiply } from "../ops/arithmetic.ts";
import { sum } from "../ops/reduce.ts";
import { broadcast, reshape, slice } from "../ops/shape.ts";
import { table } from "../ops/sources.ts";
import { onRows, type VelocityField } from "./losses/loss.ts";

/** The D unit vectors, each in every row of a value of this shape [B, D]. */
export function unitVectors([rows = 1, dimension = 1]: Shape): Node[] {
  return Array.from({ length: dimension }, (_, i) => {
    const components = Array.from({ length: dimension }, (_, j) => (i === j ? 1 : 0));
    return broadcast(table(components, [1, dimension]), [rows, dimension]);
  });
}

/** J z [B, D] for each direction z [B, D]; rows of v depend on the same row of x only. */
export function jacobianProducts(v: Node, x: Node, directions: readonly Node[]): Node[] {
  return jvpProbes(
    [v],
    [x],
    directions.map((z) => [z]),
  ).map(([product]) => product ?? multiply(x, 0));
}

/** div v [B, 1] from J's products with the unit vectors, in order. */
export function traceOf(products: readonly Node[]): Node {
  return products.map((product, i) => slice(product, 1, i, i + 1)).reduce((a, b) => add(a, b));
}

/** Dimensions up to which each unit vector has its own tangent in the graph: more make planning slow. */
export const MOST_APART = 64;

/**
 * v [B, D] at x and its exact divergence [B, 1]. Of many dimensions the unit vectors come in blocks: K copies of each row
 * carry one each, so that the graph has sqrt D tangents, and computes K rows in D too many.
 */
export function withExactDivergence(field: VelocityField, x: Node, t: Node) {
  const [rows = 1, dimension = 1] = x.shape;
  if (dimension <= MOST_APART) {
    const velocity = field(x, t);
    return { velocity, divergence: traceOf(jacobianProducts(velocity, x, unitVectors(x.shape))) };
  }
  const copies = Math.ceil(Math.sqrt(dimension));
  const blocks = Math.ceil(dimension / copies);
  const repeat = (node: Node) => {
    const each = node.shape.slice(1);
    return reshape(broadcast(reshape(node, [rows, 1, ...each]), [rows, copies, ...each]), [rows * copies, ...each]);
  };
  const [all, times] = [repeat(x), repeat(t)];
  const v = onRows(field, repeat)(all, times);
  // Row k of `ones` is 1 in column `last` + k alone: what begins `first` columns before that are unit vectors.
  const last = (blocks - 1) * copies;
  const ones = new Array<number>(copies * (last + dimension)).fill(0);
  for (let k = 0; k < copies && k < dimension; k++) ones[k * (last + dimension) + last + k] = 1;
  const units = table(ones, [copies, last + dimension]);
  const directions = Array.from({ length: blocks }, (_, block) => {
    const first = last - block * copies;
    const vectors = slice(units, 1, first, first + dimension);
    return reshape(broadcast(vectors, [rows, copies, dimension]), all.shape);
  });
  const products = jacobianProducts(v, all, directions);
  const parts = products.map((product, i) => hutchinsonEstimate(directions[i] as Node, product));
  return {
    velocity: reshape(slice(reshape(v, [rows, copies, dimension]), 1, 0, 1), x.shape),
    divergence: sum(reshape(parts.reduce(add), [rows, copies]), [1]),
  };
}

/** Hutchinson's estimate z.(J z) [B, 1] of div v. */
export function hutchinsonEstimate(z: Node, product: Node): Node {
  return sum(multiply(z, product), [1]);
}
