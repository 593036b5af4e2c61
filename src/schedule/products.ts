/** Products as passes see them, whatever the left operand is: a matrix, or images that a window makes one of. */
import { isNodeOf, type Node, sizeOf } from "../graph/node.ts";
import type { Product } from "../graph/op.ts";
import { kernels } from "../kernels/registry.ts";
import { linearOp } from "../ops/linear.ts";
import { matmul, matmulOp } from "../ops/matmul.ts";
import { reshaped } from "./reshaped.ts";
import type { CallUnit, Unit } from "./units.ts";

const plain = { transposeLeft: false, transposeRight: false, biasRows: 0 };

/** What product the node is, of its inputs left, right and perhaps bias; undefined for other nodes. */
export function productOf(node: Node): Product | undefined {
  if (isNodeOf(node, matmulOp.op)) return { ...plain, ...node.attributes };
  if (isNodeOf(node, linearOp.op)) return { ...plain, ...node.attributes };
  return node.op.product?.(node);
}

/** The node of such a product; without a bias when `biasRows` is 0. */
export function makeProduct([left, right, bias]: readonly Node[], { seen, ...product }: Product): Node {
  const inputs = [left, right, ...(bias && product.biasRows > 0 ? [bias] : [])] as Node[];
  if (seen) return seen.make(inputs, product);
  return inputs.length > 2 ? linearOp(inputs, { biasRows: product.biasRows }) : matmul(inputs[0]!, inputs[1]!, product);
}

/** A left operand as a matrix: of images [B, places, channels] a row for each place. */
export function asRows(left: Node): Node {
  const channels = left.shape.at(-1) as number;
  return reshaped(left, [sizeOf(left.shape) / channels, channels]);
}

/** Whether the unit is a call of a product's kernel. */
export function isProductCall(unit: Unit | undefined): unit is CallUnit {
  return unit?.kind === "call" && kernels[unit.kernel]?.isProduct === true;
}
