/** Rebuilds a graph node by node: how every pass of `schedule/` changes one. */
import { type Graph, topologicalOrder } from "./graph.ts";
import type { Node } from "./node.ts";

/**
 * The graph with each node replaced by what `replace` returns for it. Nodes come inputs first, and a node handed to
 * `replace` already has its inputs replaced; return it unchanged to keep it.
 */
export function rewrite(graph: Graph, replace: (node: Node) => Node): Graph {
  const replaced = new Map<Node, Node>();
  for (const node of topologicalOrder(graph.updates.map((update) => update.value))) {
    const inputs = node.inputs.map((input) => replaced.get(input) as Node);
    const changed = inputs.some((input, i) => input !== node.inputs[i]);
    replaced.set(node, replace(changed ? { ...node, inputs } : node));
  }
  return {
    ...graph,
    updates: graph.updates.map(({ state, value }) => ({ state, value: replaced.get(value) as Node })),
  };
}
