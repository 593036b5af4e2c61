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
    replaced.set(original, replace(withInputs(original, replaced), original));
  }
  return {
    ...graph,
    updates: graph.updates.map(({ state, value }) => ({ state, value: replaced.get(value) as Node })),
  };
}

/** The node with its inputs as the map has them: itself where they are the same. */
export function withInputs(node: Node, replaced: ReadonlyMap<Node, Node>): Node {
  if (node.inputs.every((input) => replaced.get(input) === input)) return node;
  return { ...node, inputs: node.inputs.map((input) => replaced.get(input) as Node) };
}
