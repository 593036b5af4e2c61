/** Products become calls of their kernel, with their bias. */
import type { Graph } from "../graph/graph.ts";
import { isNodeOf, type Node, sizeOf } from "../graph/node.ts";
import { rewrite } from "../graph/rewrite.ts";
import { add } from "../ops/arithmetic.ts";
import { broadcastOp } from "../ops/shape.ts";
import { type LinearCallAttributes, linearCall } from "./calls.ts";
import { productOf } from "./products.ts";
import { reshaped } from "./reshaped.ts";
import { readCounts } from "./users.ts";

/**
 * Contract: outputs keep their bits up to the rounding of a fused multiply-add; no matmul, linear or convolve node is left. A row
 * added to all rows of a product becomes its bias, when it has none yet and nothing else reads the product.
 */
export function lowerProducts(graph: Graph): Graph {
  const reads = readCounts(graph);
  return rewrite(graph, (node, original) => {
    const product = productOf(node);
    if (product) return linearCall(product.biasRows > 0 ? node.inputs : node.inputs.slice(0, 2), product);
    if (!isNodeOf(node, add.op)) return node;
    for (const side of [0, 1]) {
      const call = node.inputs[side] as Node;
      if (!isNodeOf(call, linearCall.op) || reads.get(original.inputs[side] as Node) !== 1) continue;
      const biased = withBias(call, node.inputs[1 - side] as Node);
      if (biased) return biased;
    }
    return node;
  });
}

/** The call with this term as its bias; undefined where it has one already, or the term is not the same for each row. */
function withBias({ inputs, attributes, shape }: Node<LinearCallAttributes>, term: Node): Node | undefined {
  const [rows, columns] = shape as [number, number];
  const [row] = term.inputs;
  if (attributes.biasRows > 0 || !isNodeOf(term, broadcastOp.op)) return undefined;
  if (row?.shape.at(-1) !== columns || sizeOf(row.shape) !== columns) return undefined;
  return linearCall([...inputs, reshaped(row, [columns])], { ...attributes, biasRows: rows });
}
