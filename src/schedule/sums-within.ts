/** Sums within images or sequences, as norms take them. */
import { type Graph, topologicalOrder } from "../graph/graph.ts";
import { isNodeOf } from "../graph/node.ts";
import { sumOp } from "../ops/reduce.ts";

/** Whether a graph has such: then `recompute` may find what need not be kept. */
export const sumsWithin = ({ updates }: Graph): boolean =>
  topologicalOrder(updates.map((update) => update.value)).some(
    (node) => isNodeOf(node, sumOp.op) && node.attributes.axes[0] && node.inputs[0]?.shape[2],
  );
