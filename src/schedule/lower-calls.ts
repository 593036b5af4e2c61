/** Ops that say themselves which node of plans they are, with what alone reads it. */
import type { Graph } from "../graph/graph.ts";
import type { Node } from "../graph/node.ts";
import { rewrite } from "../graph/rewrite.ts";
import { readCounts } from "./users.ts";

/** Contract: outputs agree up to rounding; no node is left whose op is `planned` as another. */
export function lowerCalls(graph: Graph): Graph {
  const reads = readCounts(graph);
  return rewrite(graph, (node, original) => {
    if (node.op.planned) return node.op.planned(node);
    for (const [i, input] of node.inputs.entries()) {
      const taken = input.op.taking && reads.get(original.inputs[i] as Node) === 1 && input.op.taking(input, node);
      if (taken) return taken;
    }
    return node;
  });
}
