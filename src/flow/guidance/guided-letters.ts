/**
 * Fields of letters that are guided by a weight of the finished sequence. Given its letter e a position of the Dirichlet path
 * has density proportional to x_e^(a-1), so that the score of a density along the simplex is (a - 1) p_j / x_j, p the
 * probabilities of letters given x. The density times a weight w has the gradient g of log w_a(x) = log E[w | x] more, and so the
 * probabilities
 *   p'_j = p_j + x_j (g_j - sum_k x_k g_k) / (a - 1),
 * whose sum is 1. w(p), the weight at the probabilities in the place of letters, stands for E[w | x]: exact where w is linear in
 * the letters of each position, and no two positions depend on each other.
 *
 * @see Stark et al., Dirichlet Flow Matching with Applications to DNA Sequence Design (ICML 2024), section 3.4: scores, mapped back
 * to probabilities.
 */
import type { Node } from "../../graph/node.ts";
import { add, divide, less, maximum, multiply, select, subtract } from "../../ops/arithmetic.ts";
import { sum } from "../../ops/reduce.ts";
import { reshape } from "../../ops/shape.ts";
import { openTrace } from "../../trace/open.ts";
import type { Trace } from "../../trace/trace.ts";
import type { VelocityField } from "../losses/loss.ts";
import { factorInputs, factorOutputs, type LettersConfig } from "../paths/graph-letters.ts";

/** Gradient by x [B, L K] of the log-weight of sequences whose letters have these probabilities [B, L K], made of x. */
export type LettersGradient = (probabilities: Node, x: Node) => Node;

/**
 * The gradient is 0 at a = 1, and divided by a - 1: before this a - 1 probabilities are those there, for a learned field's gradient
 * is not quite 0. The first of 100 steps to a = 8 ends at 0.07.
 */
const LEAST_ABOVE = 0.05;

/** Smaller factors divide nothing. */
const LEAST = 1e-37;

/**
 * The field of the density times a weight. What the gradient would make less than 0 is 0, and the others' sum is drawn back to
 * 1, so that Euler steps stay on the simplex.
 *
 * @param field - velocities by t, t = 0 to 1 for a = 1 to `largest`.
 * @param factors - the path's factor C as a graph, with its tables: see factorGraph.
 * @throws {@link CheckpointError} when that is damaged.
 */
export function guidedLetters(
  field: VelocityField,
  { sample, largest }: Pick<LettersConfig, "sample"> & { readonly largest: number },
  factors: Trace,
  gradient: LettersGradient,
): VelocityField {
  const range = largest - 1;
  const trace = openTrace(factors, "factors of letters", {
    inputs: factorInputs(sample),
    outputs: factorOutputs(sample),
    without: ["state", "random", "replaceRow"],
  });
  return (x, t) => {
    const rows = x.shape[0] as number;
    const shape = [rows, ...sample];
    const factorsAt = (a: Node) => {
      const found = trace.instantiate(rows, new Map([["x", x] as const, ["a", a] as const]));
      return { factor: reshape(found.get("factor") as Node, shape), ratio: reshape(found.get("ratio") as Node, shape) };
    };
    const points = reshape(x, shape);
    const seen = maximum(t, LEAST_ABOVE / range);
    const above = multiply(seen, range);
    const velocity = multiply(reshape(field(x, seen), shape), 1 / range);
    const p = probabilitiesOf(velocity, factorsAt(add(above, 1)));
    const pulled = multiply(points, reshape(gradient(reshape(maximum(p, 0), x.shape), x), shape));
    const change = divide(subtract(pulled, multiply(points, total(pulled))), reshape(above, [rows, 1, 1]));
    const moved = maximum(add(p, change), 0);
    const { factor } = factorsAt(add(multiply(t, range), 1));
    const drift = multiply(divide(moved, total(moved)), factor);
    return reshape(multiply(subtract(drift, multiply(points, total(drift))), range), x.shape);
  };
}

/**
 * The probabilities that make a velocity by a, v_j = p_j C_j - x_j S with S = sum_k p_k C_k: p_j = v_j / C_j + S x_j / C_j, and S
 * such that their sum is 1. All [B, L, K].
 */
function probabilitiesOf(velocity: Node, { factor, ratio }: { readonly factor: Node; readonly ratio: Node }): Node {
  const own = select(less(0, factor), divide(velocity, maximum(factor, LEAST)), 0);
  const perFactor = divide(1, ratio);
  return add(own, multiply(perFactor, divide(subtract(1, total(own)), total(perFactor))));
}

/** Sum over letters, [B, L, 1]. */
function total(values: Node): Node {
  return sum(values, [2]);
}
