/** Composites become calls of their kernels, or the ops that they are put together from. */
import { expandComposites } from "../graph/expand.ts";
import { type Graph, topologicalOrder } from "../graph/graph.ts";
import type { Node } from "../graph/node.ts";
import type { shareCalls } from "./share-calls.ts";

/**
 * Contract: outputs agree up to rounding; no composite is left. Where the backend has its kernel, nodes that may share a
 * call and do not need each other do.
 *
 * @param kernels - those of the backend that not every one has.
 * @param share - makes such calls; undefined is what comes of it where it is wanted and not there.
 */
export function lowerComposites(
  graph: Graph,
  kernels: readonly string[] = [],
  share?: typeof shareCalls,
): Graph | undefined {
  const has = ({ op: { kernel } }: Node) => kernel !== undefined && kernels.includes(kernel.name);
  const isKept = (node: Node) => has(node) && node.op.kernel?.key(node) !== undefined;
  const expanded = expandComposites(graph, isKept);
  const nodes = topologicalOrder(expanded.updates.map((update) => update.value));
  return nodes.some(isKept) ? share?.(expanded, nodes, isKept) : expanded;
}
