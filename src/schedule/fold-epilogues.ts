/** Products become calls of the `linear` kernel, with what follows them folded in: bias, addend, activation. */
import type { Graph } from "../graph/graph.ts";
import { isNodeOf, type Node, sizeOf } from "../graph/node.ts";
import { rewrite } from "../graph/rewrite.ts";
import { activation } from "../ops/activation.ts";
import { add } from "../ops/arithmetic.ts";
import { linearOp } from "../ops/linear.ts";
import { matmulOp } from "../ops/matmul.ts";
import { broadcastOp, reshape, reshapeOp } from "../ops/shape.ts";
import { constantValue } from "../ops/sources.ts";
import { type LinearCallAttributes, linearCall } from "./calls.ts";
import { readCounts } from "./users.ts";

const plain = { transposeLeft: false, transposeRight: false, biasRows: 0, hasAddend: false, activation: undefined };

/**
 * Products become calls of the `linear` kernel with their bias; with `biasOnly`, nothing else is folded in.
 *
 * Contract: outputs keep their bits up to the rounding of a fused multiply-add; no matmul or linear node is left. What
 * reads a product is folded into it only when nothing else reads the product.
 */
export function foldEpilogues(graph: Graph, biasOnly = false): Graph {
  const reads = readCounts(graph);
  return rewrite(graph, (node, original) => {
    if (isNodeOf(node, matmulOp.op)) return linearCall(node.inputs, { ...plain, ...node.attributes });
    if (isNodeOf(node, linearOp.op)) {
      const { biasRows } = node.attributes;
      return linearCall(biasRows > 0 ? node.inputs : node.inputs.slice(0, 2), { ...plain, biasRows });
    }
    const calls = node.inputs.map((input, i) => {
      const open = isNodeOf(input, linearCall.op) && input.attributes.activation === undefined;
      return open && reads.get(original.inputs[i] as Node) === 1 ? input : undefined;
    });
    if (isNodeOf(node, add.op)) {
      const [left, right] = node.inputs as [Node, Node];
      const [intoLeft, intoRight] = calls;
      return (
        (intoLeft && withTerm(intoLeft, right, biasOnly)) ?? (intoRight && withTerm(intoRight, left, biasOnly)) ?? node
      );
    }
    if (!biasOnly && isNodeOf(node, activation.op) && node.attributes.order === 0 && calls[0]) {
      return linearCall(calls[0].inputs, { ...calls[0].attributes, activation: node.attributes.kind });
    }
    return node;
  });
}

/** The call with this term added: as its bias where every row takes the same, else as its addend; undefined: neither. */
function withTerm(call: Node<LinearCallAttributes>, term: Node, biasOnly: boolean): Node | undefined {
  const { attributes, inputs } = call;
  const [rows, columns] = call.shape as [number, number];
  const [left, right, ...terms] = inputs as [Node, Node, ...Node[]];
  const [repeated] = term.inputs;
  if (isNodeOf(term, broadcastOp.op) && repeated?.shape.at(-1) === columns && sizeOf(repeated.shape) === columns) {
    if (attributes.biasRows > 0) return undefined;
    return linearCall([left, right, reshape(repeated, [columns]), ...terms], { ...attributes, biasRows: rows });
  }
  if (biasOnly || attributes.hasAddend || !isStored(term)) return undefined;
  return linearCall([...inputs, term], { ...attributes, hasAddend: true });
}

/** Whether the term lies in memory anyway. What a chain computes does not: there the addition is free, in the chain. */
function isStored(term: Node): boolean {
  if (isNodeOf(term, reshapeOp.op)) return isStored(term.inputs[0] as Node);
  return !term.op.elementwise && !isNodeOf(term, broadcastOp.op) && constantValue(term) === undefined;
}
