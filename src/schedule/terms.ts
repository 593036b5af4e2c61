/** What sums add up. */
import { isNodeOf, type Node } from "../graph/node.ts";
import { add } from "../ops/arithmetic.ts";

/** The terms of a sum, looking into inner sums; only those for which `isInner`: read nowhere else. */
export function termsOf(sum: Node, isInner: (node: Node) => boolean): Node[] {
  return sum.inputs.flatMap((input) => {
    if (!isInner(input)) return [];
    return isNodeOf(input, add.op) ? termsOf(input, isInner) : [input];
  });
}
