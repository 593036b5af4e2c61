/**
 * Products with one right operand become one product of the stacked left operands: a jvp's tangents run under their
 * primal, through weights that are read once, and so do the cotangents of both. Rows are summed as before: same bits.
 */
import { type Graph, topologicalOrder } from "../graph/graph.ts";
import type { Node } from "../graph/node.ts";
import type { Product } from "../graph/op.ts";
import { slice } from "../ops/shape.ts";
import { type KnownJoint, knownJoints, stackRows } from "./joints.ts";
import { Kin } from "./kin.ts";
import { mergeGroups } from "./merge-groups.ts";
import { makeProduct, productOf } from "./products.ts";
import { Reachability } from "./reachability.ts";
import { unshaped } from "./reshaped.ts";

/**
 * Contract: outputs keep their bits; of two products x w (+ b) with equal w and b, through equal windows if any, left
 * operand not transposed, none of which needs the other, one is left.
 *
 * @param maxGroups - how many parts of a stack elementwise work can follow at once; a larger stack becomes several,
 * each of products of equal rows whose results meet, if they are not too many. 0: they all stay together.
 */
export function stackMatmuls(graph: Graph, maxGroups: number): Graph {
  const nodes = topologicalOrder(graph.updates.map((update) => update.value));
  const numbers = new Map(nodes.map((node, number) => [node, number]));
  const numberOf = (node: Node) => numbers.get(node) as number;
  const reachability = new Reachability(nodes.map((node) => node.inputs.map(numberOf)));

  const kin = new Kin(nodes);
  const candidates = new Map<string, Node[]>(); // by right operand, its transposition and the window
  for (const node of nodes) {
    const product = stackable(node);
    if (!product) continue;
    const key = `${numberOf(node.inputs[1] as Node)} ${product.transposeRight} ${product.seen?.key}`;
    candidates.set(key, [...(candidates.get(key) ?? []), node]);
  }

  const groups: Node[][] = [];
  for (const alike of candidates.values()) {
    for (let left = alike; left.length > 0; ) {
      const members: Node[] = [];
      for (const node of left) {
        const independent = members.every((member) => !reachability.connects(numberOf(member), numberOf(node)));
        if (independent && oneBias(members, node)) members.push(node);
      }
      for (const stack of maxGroups > 0 ? packs(members, kin, maxGroups) : [members]) {
        reachability.merge(...stack.map(numberOf));
        if (stack.length > 1) groups.push(stack);
      }
      left = left.filter((node) => !members.includes(node));
    }
  }
  const joints = knownJoints(nodes);
  return mergeGroups(
    graph,
    groups.map((members) => arrange(members, joints)),
    buildStack,
  );
}

/** The products in stacks that elementwise work can follow, where any does. */
function packs(members: readonly Node[], kin: Kin, maxGroups: number): Node[][] {
  if (!members.some((member) => kin.isFollowed(member))) return [[...members]];
  const families = new Map<Node, Node[]>();
  for (const member of members) {
    const root = kin.rootOf(member);
    families.set(root, [...(families.get(root) ?? []), member]);
  }
  const stacks: Node[][] = [];
  for (const family of [...families.values()].flatMap((all) => chunksOf(all, maxGroups))) {
    const rows = family[0]?.shape[0];
    const stack = stacks.find((other) => other[0]?.shape[0] === rows && other.length + family.length <= maxGroups);
    if (stack) stack.push(...family);
    else stacks.push(family);
  }
  return stacks;
}

/** The list in pieces of this length, in order; what is left over is the last. */
function chunksOf<T>(list: readonly T[], length: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / length) }, (_, i) => list.slice(i * length, (i + 1) * length));
}

/** A product that can be stacked: a bias is on all of its rows; undefined for other nodes. */
function stackable(node: Node): Product | undefined {
  const product = productOf(node);
  const isWhole = !biasOf(node) || product?.biasRows === node.shape[0];
  return product && !product.transposeLeft && isWhole ? product : undefined;
}

const biasOf = (node: Node): Node | undefined => node.inputs[2];

function oneBias(members: readonly Node[], node: Node): boolean {
  return biasOf(node) === undefined || members.every((member) => [undefined, biasOf(node)].includes(biasOf(member)));
}

/** Rows with a bias first, else the order in which a joint already holds the left operands, else the graph's. */
function arrange(members: readonly Node[], joints: ReadonlyMap<Node, KnownJoint>): Node[] {
  const place = (member: Node) => joints.get(unshaped(member.inputs[0] as Node));
  const first = place(members[0] as Node)?.joint;
  const together = first !== undefined && members.every((member) => place(member)?.joint === first);
  const position = (member: Node) => (together ? (place(member) as KnownJoint).position : 0);
  const hasNoBias = (member: Node) => (biasOf(member) ? 0 : 1);
  return [...members].sort((a, b) => hasNoBias(a) - hasNoBias(b) || position(a) - position(b));
}

function buildStack(members: readonly Node[]): Node[] {
  const [first] = members as [Node];
  const right = first.inputs[1] as Node;
  const left = stackRows(members.map((member) => member.inputs[0] as Node));
  const rows = members.map((member) => member.shape[0] as number);
  const bias = biasOf(first);
  const biasRows = members.reduce((total, member, i) => (biasOf(member) ? total + (rows[i] as number) : total), 0);
  const product = makeProduct(bias ? [left, right, bias] : [left, right], {
    ...(stackable(first) as Product),
    biasRows,
  });
  let end = 0;
  return rows.map((count) => {
    const start = end;
    end += count;
    return slice(product, 0, start, end);
  });
}
