/** Rows of what a chain computes that are read apart. */
import { type Graph, topologicalOrder } from "../graph/graph.ts";
import { isNodeOf, type Node } from "../graph/node.ts";
import { type SliceAttributes, sliceOp } from "../ops/shape.ts";
import { isStep } from "./calls.ts";

export function isRowsOfStep(node: Node): node is Node<SliceAttributes> {
  return isNodeOf(node, sliceOp.op) && node.attributes.axis === 0 && isStep(node.inputs[0] as Node);
}

/** Whether a graph has such nodes. */
export const readsRowsApart = ({ updates }: Graph): boolean =>
  topologicalOrder(updates.map((update) => update.value)).some(isRowsOfStep);
