/** Points of the simplex at random, as nodes: of exponentials and gammas, each from a fixed number of uniforms and normals. */
import type { Node, Shape } from "../../graph/node.ts";
import {
  add,
  divide,
  less,
  log,
  maximum,
  multiply,
  negate,
  select,
  sqrt,
  square,
  subtract,
} from "../../ops/arithmetic.ts";
import { sum } from "../../ops/reduce.ts";
import { reshape, slice } from "../../ops/shape.ts";

/** Draws anew at each call. */
type Draw = (kind: "uniform" | "normal", shape: Shape) => Node;

/** Exp(1), from uniforms of 24 bits: none is 0, none above 17.4. */
export function exponentials(draw: Draw, shape: Shape): Node {
  return negate(log(maximum(draw("uniform", shape), 2 ** -25)));
}

/** Values over their sum along the last axis: of independent gammas, a Dirichlet. */
export function shares(values: Node): Node {
  return divide(values, sum(values, [values.shape.length - 1]));
}

/**
 * Proposals for each gamma. At a = 1, where most are refused, 4.84 % are: all of them are in 3e-11 of the draws, which then take
 * the mode's proposal.
 */
const PROPOSALS = 8;

/**
 * Gamma(a, 1) by Marsaglia and Tsang's method, "A simple method for generating gamma variables" (2000): d = a - 1/3,
 * v = (1 + z / sqrt(9 d))^3, taken where ln u < z^2/2 + d - d v + d ln v; then it is d v.
 *
 * @param a - [B, 1], at least 1.
 * @returns [B, L].
 */
export function gammas(draw: Draw, a: Node, places: number): Node {
  const [rows] = a.shape as readonly [number];
  const shape = [rows, places, PROPOSALS] as const;
  const d = reshape(subtract(a, 1 / 3), [rows, 1, 1]);
  const z = draw("normal", shape);
  const root = add(divide(multiply(z, 1 / 3), sqrt(d)), 1);
  const v = multiply(square(root), root);
  const positive = maximum(v, 1e-30);
  const bound = add(multiply(square(z), 0.5), multiply(d, add(subtract(1, v), log(positive))));
  const uniform = maximum(draw("uniform", shape), 2 ** -25);
  const taken = multiply(less(log(uniform), bound), less(0, root));
  const proposal = (node: Node, i: number) => slice(node, 2, i, i + 1);
  let chosen: Node = multiply(proposal(v, 0), 0);
  chosen = add(chosen, 1);
  for (let i = PROPOSALS - 1; i >= 0; i--) chosen = select(proposal(taken, i), proposal(positive, i), chosen);
  return reshape(multiply(chosen, d), [rows, places]);
}
