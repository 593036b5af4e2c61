/** Who reads what in a graph. */
import { type Graph, topologicalOrder } from "../graph/graph.ts";
import type { Node } from "../graph/node.ts";

/** How often each node is read: as an input of reachable nodes and as the value of an update. */
export function readCounts(graph: Graph): Map<Node, number> {
  const counts = new Map<Node, number>();
  const read = (node: Node) => counts.set(node, (counts.get(node) ?? 0) + 1);
  const outputs = graph.updates.map((update) => update.value);
  for (const output of outputs) read(output);
  for (const node of topologicalOrder(outputs)) for (const input of node.inputs) read(input);
  return counts;
}
