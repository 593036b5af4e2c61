/** Products of many pairs of matrices become calls of the `matmulEach` kernel, with a scale and an order of axes. */
import type { Graph } from "../graph/graph.ts";
import { isNodeOf, type Node } from "../graph/node.ts";
import { rewrite } from "../graph/rewrite.ts";
import { multiply } from "../ops/arithmetic.ts";
import { matmulEachOp, turned } from "../ops/matmul-each.ts";
import { transposeOp } from "../ops/shape.ts";
import { constantValue } from "../ops/sources.ts";
import { type MatmulEachCallAttributes, matmulEachCall } from "./calls.ts";
import { readCounts } from "./users.ts";

/**
 * Contract: outputs agree up to rounding; no matmulEach node is left. What alone reads a product, and multiplies it by a
 * constant or changes axes so that rows or columns still come last, is part of its call.
 */
export function lowerMatmulEach(graph: Graph): Graph {
  const reads = readCounts(graph);
  return rewrite(graph, (node, original) => {
    if (isNodeOf(node, matmulEachOp.op)) {
      return matmulEachCall(node.inputs, { scale: 1, permutation: [...node.shape.keys()] });
    }
    const soleCall = (input: number): Node<MatmulEachCallAttributes> | undefined => {
      const call = node.inputs[input] as Node;
      return isNodeOf(call, matmulEachCall.op) && reads.get(original.inputs[input] as Node) === 1 ? call : undefined;
    };
    if (isNodeOf(node, multiply.op)) {
      for (const side of [0, 1]) {
        const [call, factor] = [soleCall(side), constantValue(node.inputs[1 - side] as Node)];
        if (!call || factor === undefined) continue;
        return matmulEachCall(call.inputs, { ...call.attributes, scale: call.attributes.scale * factor });
      }
    }
    const call = isNodeOf(node, transposeOp.op) ? soleCall(0) : undefined;
    if (!call || !isNodeOf(node, transposeOp.op)) return node;
    const permutation = node.attributes.permutation.map((axis) => call.attributes.permutation[axis] as number);
    return withAxes(call, permutation) ?? node;
  });
}

/** The call with its product's axes in this order; undefined where neither rows nor columns come last. */
function withAxes(
  { inputs, attributes: { scale } }: Node<MatmulEachCallAttributes>,
  permutation: readonly number[],
): Node | undefined {
  const [rows, columns] = [permutation.length - 2, permutation.length - 1];
  if (permutation.at(-1) === columns) return matmulEachCall(inputs, { scale, permutation });
  if (permutation.at(-1) !== rows) return undefined;
  const swapped = permutation.map((axis) => (axis === rows ? columns : axis === columns ? rows : axis));
  const [left, right] = inputs as [Node, Node]; // (left right)^T = right^T left^T
  return matmulEachCall([turned(right), turned(left)], { scale, permutation: swapped });
}
