/** Products become calls of their kernel, with their bias. */
import type { Graph } from "../graph/graph.ts";
import { isNodeOf, type Node, sizeOf } from "../graph/node.ts";
import type { Product } from "../graph/op.ts";
import { rewrite } from "../graph/rewrite.ts";
import { add } from "../ops/arithmetic.ts";
import { broadcastOp } from "../ops/shape.ts";
import { linearCall } from "./calls.ts";
import { productOf } from "./products.ts";
import { reshaped } from "./reshaped.ts";
import { readCounts } from "./users.ts";

/**
 * Contract: outputs keep their bits up to the rounding of a fused multiply-add; no matmul or linear node is left. A row
 * added to all rows of a product becomes its bias, when it has none yet and nothing else reads the product.
 */
export function lowerProducts(graph: Graph): Graph {
  const reads = readCounts(graph);
  return rewrite(graph, (node, original) => {
    const product = productOf(node);
    if (product) return callOf(node.inputs, product);
    if (!isNodeOf(node, add.op)) return node;
    for (const side of [0, 1]) {
      if (reads.get(original.inputs[side] as Node) !== 1) continue;
      const biased = withBias(node.inputs[side] as Node, node.inputs[1 - side] as Node);
      if (biased) return biased;
    }
    return node;
  });
}

/** Products of what is no matrix are calls of their own. */
function callOf(inputs: readonly Node[], { seen, ...product }: Product): Node {
  const operands = product.biasRows > 0 ? inputs : inputs.slice(0, 2);
  return seen ? seen.make(operands, product) : linearCall(operands, product);
}

/** The call with this term as its bias; undefined where it has one already, or the term is not the same for each row. */
function withBias(call: Node, term: Node): Node | undefined {
  const product = isNodeOf(call, linearCall.op) ? call.attributes : call.op.product?.(call);
  const [rows, columns] = call.shape as [number, number];
  const [row] = term.inputs;
  if (product?.biasRows !== 0 || !isNodeOf(term, broadcastOp.op)) return undefined;
  if (row?.shape.at(-1) !== columns || sizeOf(row.shape) !== columns) return undefined;
  return callOf([...call.inputs, reshaped(row, [columns])], { ...product, biasRows: rows });
}
