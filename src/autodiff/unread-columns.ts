/** Derivatives by some of a layer's inputs: without those by the others. */
import { isNodeOf, type Node } from "../graph/node.ts";
import { rewrite } from "../graph/rewrite.ts";
import { matmul, matmulOp } from "../ops/matmul.ts";
import { slice, sliceOp } from "../ops/shape.ts";

/**
 * The same with products whose columns are sliced made of these columns alone: of the gradient by points, which are some of the
 * columns that a first layer reads, beside times and what the network is told. Only where the right operand is transposed, as reverse
 * mode has it: there a slice of its rows is where it lies.
 */
export function withoutUnreadColumns(value: Node): Node {
  const graph = { name: "gradient", updates: [{ state: { name: "", shape: value.shape, dtype: value.dtype }, value }] };
  return rewrite(graph, narrowed).updates[0]?.value as Node;
}

function narrowed(node: Node): Node {
  const [product] = node.inputs;
  if (!isNodeOf(node, sliceOp.op) || node.attributes.axis !== 1 || !product || !isNodeOf(product, matmulOp.op)) {
    return node;
  }
  const [left, right] = product.inputs as [Node, Node];
  if (!product.attributes.transposeRight) return node;
  return matmul(left, slice(right, 0, node.attributes.start, node.attributes.end), product.attributes);
}
