/** Reshapes in plans: one where several follow each other, as no element moves in any. */
import { isNodeOf, type Node, type Shape } from "../graph/node.ts";
import { reshape, reshapeOp } from "../ops/shape.ts";

/** What the node is under any reshapes. */
export const unshaped = (x: Node): Node => (isNodeOf(x, reshapeOp.op) ? unshaped(x.inputs[0] as Node) : x);

/** `x` under this shape, past any reshapes that it is: `x` itself, or what it reshapes, where that has the shape. */
export function reshaped(x: Node, shape: Shape): Node {
  const [inner] = x.inputs;
  return isNodeOf(x, reshapeOp.op) ? reshaped(inner as Node, shape) : reshape(x, shape);
}
