/** Composites as what they are in other ops. */
import { type Graph, topologicalOrder } from "./graph.ts";
import type { Node } from "./node.ts";
import { rewrite } from "./rewrite.ts";

/** The graph with each composite, but for those that are kept, in other ops; composites within these too. */
export function expandComposites(graph: Graph, isKept: (node: Node) => boolean = () => false): Graph {
  const isExpanded = (node: Node) => node.op.expand !== undefined && !isKept(node);
  for (let current = graph; ; ) {
    const nodes = topologicalOrder(current.updates.map((update) => update.value));
    if (!nodes.some(isExpanded)) return current;
    current = rewrite(current, (node) => (isExpanded(node) ? (node.op.expand?.(node) as Node) : node));
  }
}

/** The node with all composites that it needs in other ops. */
export function expanded(node: Node): Node {
  const update = { state: { name: "", shape: node.shape, dtype: node.dtype }, value: node };
  return (expandComposites({ name: "", updates: [update] }).updates[0] as typeof update).value;
}
