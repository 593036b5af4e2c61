/** Products become calls of the `linear` kernel, with what follows them folded in: bias, addend, activation. */
import type { Graph } from "../graph/graph.ts";
import { isNodeOf, type Node } from "../graph/node.ts";
import { rewrite } from "../graph/rewrite.ts";
import { linearOp } from "../ops/linear.ts";
import { matmulOp } from "../ops/matmul.ts";
import { linearCall } from "./calls.ts";

const plain = { transposeLeft: false, transposeRight: false, biasRows: 0, hasAddend: false, activation: undefined };

/** Contract: outputs keep their bits up to the rounding of a fused multiply-add; no matmul or linear node is left. */
export function foldEpilogues(graph: Graph): Graph {
  return rewrite(graph, (node) => {
    if (isNodeOf(node, matmulOp.op)) return linearCall(node.inputs, { ...plain, ...node.attributes });
    if (!isNodeOf(node, linearOp.op)) return node;
    const { biasRows } = node.attributes;
    const [x, w, b] = node.inputs as [Node, Node, Node];
    return linearCall(biasRows > 0 ? [x, w, b] : [x, w], { ...plain, biasRows });
  });
}
