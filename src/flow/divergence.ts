/** Divergences of a field v(x) by Jacobian-vector products J z, J = dv/dx: exact traces and Hutchinson's estimates. */
import { jvpProbes } from "../autodiff/jvp.ts";
import type { Node, Shape } from "../graph/node.ts";
import { add, multiply } from "../ops/arithmetic.ts";
import { sum } from "../ops/reduce.ts";
import { broadcast, slice } from "../ops/shape.ts";
import { table } from "../ops/sources.ts";

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

/** Hutchinson's estimate z.(J z) [B, 1] of div v. */
export function hutchinsonEstimate(z: Node, product: Node): Node {
  return sum(multiply(z, product), [1]);
}
