/** Simplification and merging of equal nodes together, as each makes work for the other. */
import { type Graph, topologicalOrder } from "../graph/graph.ts";
import type { Node } from "../graph/node.ts";
import { KnownNodes } from "./merge-equal-nodes.ts";
import { type InParts, PIECES } from "./parts.ts";
import { simplifyNode, withoutIdleUpdates } from "./simplify.ts";

/**
 * A function that tidies graphs, one after another: what `simplify` and `mergeEqualNodes` promise holds of each result.
 * It remembers nodes, so that what a pass leaves as it was costs nothing the next time.
 */
export function tidier(): (graph: Graph) => InParts<Graph> {
  const known = new KnownNodes();
  const tidied = new Map<Node, Node>();
  const tidy = (node: Node): Node => {
    const done = tidied.get(node);
    if (done) return done;
    const inputs = node.inputs.map(tidy);
    const current = inputs.some((input, i) => input !== node.inputs[i]) ? { ...node, inputs } : node;
    const simpler = simplifyNode(current);
    const result = simpler === current ? known.merge(current) : tidy(simpler);
    tidied.set(node, result);
    tidied.set(result, result);
    return result;
  };
  return function* (graph) {
    let pieces = 0;
    for (const node of topologicalOrder(graph.updates.map((update) => update.value))) {
      if (tidied.has(node)) continue;
      tidy(node);
      if (++pieces % PIECES === 0) yield;
    }
    return withoutIdleUpdates({
      ...graph,
      updates: graph.updates.map(({ state, value }) => ({ state, value: tidy(value) })),
    });
  };
}
