/** Ops that change what is differentiated and not what is computed. */
import type { Node, Shape } from "../graph/node.ts";
import { defineOp, type HostTensor, type OpCases } from "../graph/op.ts";

/** The identity, with derivative zero: it has no rules. A plan removes it. */
export const stopGradientOp = defineOp<null>({
  name: "stopGradient",
  shape: ([shape]) => shape as Shape,
  dtype: ([dtype]) => dtype ?? "f32",
  reference: ([x]) => x as HostTensor,
});

export const stopGradientCases: OpCases<null> = () => [{ shapes: [[2, 3]], attributes: null }];

/** `x`, as a constant to jvp, vjp and gradient. */
export function stopGradient(x: Node): Node {
  return stopGradientOp([x], null);
}
