/** Rebuilds a graph node by node: how every pass of `schedule/` changes one. */
import { type Graph, topologicalOrder } from "./graph.ts";
import type { Node } from "./node.ts";

/**
 * The graph with each node replaced by what `replace` returns for it. Nodes come inputs first, and a node handed to
 * `replace` already has its inputs replaced; return it unchanged to keep it. `original` is the node as it was, for
 * passes that ask what else read it.
 */
export function rewrite(graph: Graph, replace: (node: Node, original: Node) => Node): Graph {
  const replaced = new Map<Node, Node>();
  for (const original of topologicalOrder(graph.updates.map((update) => update.value))) {
    const inputs = original.inputs.map((input) => replaced.get(input) as Node);
    const changed = inputs.some((input, i) => input !== original.inputs[i]);
    replaced.set(original, replace(changed ? { ...original, inputs } : original, original));
  }
  return {
    ...graph,
    updates: graph.updates.map(({ state, value }) => ({ state, value: replaced.get(value) as Node })),
  };
}
