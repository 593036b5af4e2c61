/** Composites that may share a call of their kernel do. */
import type { Graph } from "../graph/graph.ts";
import type { Node } from "../graph/node.ts";
import type { CompositeKernel } from "../graph/op.ts";
import { add } from "../ops/arithmetic.ts";
import { mergeGroups } from "./merge-groups.ts";
import { Reachability } from "./reachability.ts";
import { termsOf } from "./terms.ts";
import { readCounts } from "./users.ts";

/**
 * The graph with calls of kernels in place of its composites.
 *
 * @param nodes - of the graph, inputs first.
 * @param isKept - whether a node is such a composite.
 */
export function shareCalls(expanded: Graph, nodes: readonly Node[], isKept: (node: Node) => boolean): Graph {
  const composites = nodes.filter(isKept);
  const numbers = new Map(nodes.map((node, number) => [node, number]));
  const reachability = new Reachability(nodes.map(({ inputs }) => inputs.map((node) => numbers.get(node) as number)));
  const sumOf = sumsOfAddends(expanded, nodes);
  const groups: Node[][] = [];
  for (const node of composites) {
    const number = numbers.get(node) as number;
    const group = groups.find(
      (others) =>
        canShare(others, node, sumOf) &&
        others.every((other) => !reachability.connects(numbers.get(other) as number, number)),
    );
    if (!group) {
      groups.push([node]);
      continue;
    }
    reachability.merge(numbers.get(group[0] as Node) as number, number);
    group.push(node);
  }
  return mergeGroups(expanded, groups, (members) => {
    const [first] = members as readonly [Node];
    return (first.op.kernel as CompositeKernel).build(members);
  });
}

function canShare(group: readonly Node[], node: Node, sumOf: ReadonlyMap<Node, Node>): boolean {
  const [first] = group as [Node];
  const kernel = node.op.kernel as CompositeKernel;
  if (first.op.kernel !== kernel || group.length >= kernel.most) return false;
  const [a, b] = [kernel.key(first), kernel.key(node)];
  if (!a?.every((part, i) => part === b?.[i])) return false;
  return !kernel.sums || (sumOf.has(node) && sumOf.get(first) === sumOf.get(node));
}

/** For composites whose results are added up and read nowhere else: the sum. */
function sumsOfAddends(graph: Graph, nodes: readonly Node[]): Map<Node, Node> {
  const reads = readCounts(graph);
  const isInner = (node: Node) => reads.get(node) === 1;
  const sums = new Map<Node, Node>();
  const known = new Set(nodes.flatMap(({ op: { kernel } }) => kernel?.sums ?? []));
  const inner = new Set(nodes.filter(({ op }) => op === add.op).flatMap((node) => node.inputs.filter(isInner)));
  for (const node of nodes) {
    if (node.op !== add.op || inner.has(node)) continue;
    for (const term of termsOf(node, isInner)) {
      for (const { addendOf } of known) {
        const composite = addendOf(term);
        if (composite) sums.set(composite, node);
      }
    }
  }
  return sums;
}
