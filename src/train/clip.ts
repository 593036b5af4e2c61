/** Clipping of the gradient by its global norm. */
import type { Node } from "../graph/node.ts";
import { add, divide, minimum, multiply, sqrt } from "../ops/arithmetic.ts";
import { sumAll } from "../ops/reduce.ts";
import { reshape } from "../ops/shape.ts";

/** Euclidean norm of a flat vector [N], as [1]. */
export function globalNorm(gradient: Node): Node {
  return sqrt(reshape(sumAll(multiply(gradient, gradient)), [1]));
}

/**
 * gradient * min(1, maximumNorm / (norm + 1e-6)), as PyTorch's clip_grad_norm_ does.
 *
 * @param gradient - [N].
 * @param norm - its {@link globalNorm}, [1].
 */
export function clipByNorm(gradient: Node, norm: Node, maximumNorm: number): Node {
  return multiply(gradient, minimum(divide(maximumNorm, add(norm, 1e-6)), 1));
}
