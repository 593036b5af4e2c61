/**
 * Sequences of letters on the linear path of the simplex, as nodes: x = t e + (1 - t) x0, x0 uniform on the simplex, t in [0, 1).
 * Each position moves by u = e - x0 = (e - x)/(1 - t); of probabilities p, v = (p - x)/(1 - t). Given e, x is uniform on a simplex
 * that shrinks: its score is 0, log p = ln Gamma(K) - (K-1) ln(1 - t), and div u = -(K-1)/(1 - t) = -d/dt log p.
 */
import type { Node } from "../../graph/node.ts";
import { add, divide, log, maximum, multiply, negate, subtract } from "../../ops/arithmetic.ts";
import { perRow } from "./factor-nodes.ts";

/** x_t [B, L, K] from x0 and letters [B, L, K] and t [B, 1]. */
export function linearPoint(letters: Node, x0: Node, t: Node): Node {
  const time = perRow(t, x0.shape);
  return add(multiply(time, letters), multiply(subtract(1, time), x0));
}

/** (p - x)/(1 - t): towards the letters that p weighs. At t = 1, where it is singular, as if t were {@link LAST}. */
export function linearVelocity(probabilities: Node, x: Node, t: Node): Node {
  return divide(subtract(probabilities, x), maximum(subtract(1, perRow(t, x.shape)), 1 - LAST));
}

/** The last time before 1 that f32 tells from it, but for a few bits: beyond, Euler steps would leave the simplex. */
const LAST = 1 - 2 ** -20;

/** div u, d/dt log p and log p of one position given its letter, [B, 1] each. */
export function linearDensity(letters: number, t: Node): { divergence: Node; densityRate: Node; logDensity: Node } {
  const rest = subtract(1, t);
  const densityRate = divide(letters - 1, rest);
  let logFactorial = 0;
  for (let i = 2; i < letters; i++) logFactorial += Math.log(i);
  return {
    densityRate,
    divergence: negate(densityRate),
    logDensity: subtract(logFactorial, multiply(letters - 1, log(rest))),
  };
}
