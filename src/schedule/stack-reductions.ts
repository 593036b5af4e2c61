/** Reductions of rows of one length become one call over all their rows: the means that a loss adds up. */
import { type Graph, topologicalOrder } from "../graph/graph.ts";
import { isNodeOf, type Node, sizeOf } from "../graph/node.ts";
import { multiply } from "../ops/arithmetic.ts";
import { concat, reshapeOp, slice } from "../ops/shape.ts";
import { isStep, type ReduceCallAttributes, reduceCall } from "./calls.ts";
import { mergeGroups } from "./merge-groups.ts";
import { Reachability } from "./reachability.ts";

/** Of more elements than this, a reduction is worth a call of its own. */
const SMALL = 65536;

/**
 * Contract: outputs agree up to rounding; of two reductions of one kind over rows of one length, of few elements that chains
 * compute, neither needing the other, one is left.
 */
export function stackReductions(graph: Graph): Graph {
  const nodes = topologicalOrder(graph.updates.map((update) => update.value));
  const numbers = new Map(nodes.map((node, number) => [node, number]));
  const numberOf = (node: Node) => numbers.get(node) as number;
  const reachability = new Reachability(nodes.map((node) => node.inputs.map(numberOf)));
  const groups: Node<ReduceCallAttributes>[][] = [];
  for (const node of nodes) {
    if (!isNodeOf(node, reduceCall.op) || !canStack(node)) continue;
    const group = groups.find(
      ([first, ...others]) =>
        isAlike(first as Node<ReduceCallAttributes>, node) &&
        [first as Node, ...others].every((member) => !reachability.connects(numberOf(member), numberOf(node))),
    );
    if (!group) {
      groups.push([node]);
      continue;
    }
    reachability.merge(numberOf(group[0] as Node), numberOf(node));
    group.push(node);
  }
  return mergeGroups(
    graph,
    groups.filter(({ length }) => length > 1),
    (members) => buildStack(members as Node<ReduceCallAttributes>[]),
  );
}

/** Whether a chain can store what is reduced wherever the stack is to lie, and whether it is small. */
function canStack({ inputs }: Node): boolean {
  const [x] = inputs as [Node];
  const [, , inner] = x.shape;
  return inner === 1 && sizeOf(x.shape) <= SMALL && isStep(isNodeOf(x, reshapeOp.op) ? (x.inputs[0] as Node) : x);
}

function isAlike(a: Node<ReduceCallAttributes>, b: Node<ReduceCallAttributes>): boolean {
  return a.attributes.kind === b.attributes.kind && a.inputs[0]?.shape[1] === b.inputs[0]?.shape[1];
}

function buildStack(members: readonly Node<ReduceCallAttributes>[]): Node[] {
  const [{ attributes }] = members as [Node<ReduceCallAttributes>];
  const { kind } = attributes;
  const isEqual = members.every((member) => member.attributes.scale === attributes.scale);
  const rows = concat(
    members.flatMap(({ inputs }) => inputs),
    0,
  );
  const stack = reduceCall([rows], { kind, scale: isEqual ? attributes.scale : 1 });
  let end = 0;
  return members.map(({ shape, attributes: { scale } }) => {
    const start = end;
    end += shape[0] as number;
    const part = slice(stack, 0, start, end);
    return isEqual ? part : multiply(part, scale);
  });
}
