/** Joints within joints: rows that lie one after another in a longer joint are read there. */
import { type Graph, topologicalOrder } from "../graph/graph.ts";
import { isNodeOf, type Node } from "../graph/node.ts";
import { type ConcatAttributes, concatOp, slice } from "../ops/shape.ts";
import { mergeGroups } from "./merge-groups.ts";
import { Reachability } from "./reachability.ts";

/**
 * Contract: outputs keep their bits; of two concatenations along axis 0, the parts of one of which follow each other in
 * the other, and which do not need each other, one is left.
 */
export function nestJoints(graph: Graph): Graph {
  const nodes = topologicalOrder(graph.updates.map((update) => update.value));
  const joints = nodes.filter(isJoint);
  if (joints.length < 2) return graph;
  const numbers = new Map(nodes.map((node, number) => [node, number]));
  const numberOf = (node: Node) => numbers.get(node) as number;
  const reachability = new Reachability(nodes.map((node) => node.inputs.map(numberOf)));
  const shortestFirst = [...joints].sort((a, b) => a.inputs.length - b.inputs.length);
  const nested = new Map<Node, Node[]>(); // by the longer joint
  const isNested = new Set<Node>();
  for (const inner of shortestFirst) {
    const outer = joints.find(
      (other) =>
        !isNested.has(other) &&
        positionIn(other, inner) !== undefined &&
        !reachability.connects(numberOf(inner), numberOf(other)),
    );
    if (!outer || nested.has(inner)) continue;
    reachability.merge(numberOf(outer), numberOf(inner));
    nested.set(outer, [...(nested.get(outer) ?? [outer]), inner]);
    isNested.add(inner);
  }
  return mergeGroups(graph, [...nested.values()], ([outer, ...inner]) => [
    outer as Node,
    ...inner.map((joint) => rowsOf(outer as Node, joint)),
  ]);
}

const isJoint = (node: Node): node is Node<ConcatAttributes> =>
  isNodeOf(node, concatOp.op) && node.attributes.axis === 0;

/** Where the parts of `inner` begin among those of a longer joint; undefined where they are not in it. */
function positionIn(outer: Node, inner: Node): number | undefined {
  if (outer.inputs.length <= inner.inputs.length) return undefined;
  const position = outer.inputs.indexOf(inner.inputs[0] as Node);
  const follow = position >= 0 && inner.inputs.every((part, i) => outer.inputs[position + i] === part);
  return follow ? position : undefined;
}

function rowsOf(outer: Node, inner: Node): Node {
  const before = outer.inputs.slice(0, positionIn(outer, inner));
  const start = before.reduce((rows, part) => rows + (part.shape[0] as number), 0);
  return slice(outer, 0, start, start + (inner.shape[0] as number));
}
