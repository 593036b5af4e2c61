/**
 * A weight's gradient, a^T b + c^T d + ..., as one product of stacked operands: [a; c]^T [b; d]. Reverse mode makes
 * such sums where a weight serves a primal and its tangents.
 */
import { type Graph, topologicalOrder } from "../graph/graph.ts";
import { isNodeOf, type Node } from "../graph/node.ts";
import { add } from "../ops/arithmetic.ts";
import { linearOp } from "../ops/linear.ts";
import { matmul, matmulOp } from "../ops/matmul.ts";
import { constant } from "../ops/sources.ts";
import { stackRows } from "./joints.ts";
import { mergeGroups } from "./merge-groups.ts";
import { readCounts } from "./users.ts";

/**
 * Contract: outputs agree up to the order of additions; of the products in a sum, left operand transposed and read
 * nowhere else, one is left. Zeros take the place of the others: `simplify` strikes them out.
 */
export function joinProducts(graph: Graph): Graph {
  const nodes = topologicalOrder(graph.updates.map((update) => update.value));
  const reads = readCounts(graph);
  const isInner = (node: Node) => reads.get(node) === 1;
  const inner = new Set(nodes.filter((node) => isNodeOf(node, add.op)).flatMap((node) => node.inputs.filter(isInner)));
  const place = placesInStack(nodes);
  const groups: Node[][] = [];
  for (const node of nodes) {
    if (!isNodeOf(node, add.op) || inner.has(node)) continue;
    const products = termsOf(node, isInner).filter(isGradientProduct);
    if (products.length > 1) groups.push(products.sort((a, b) => place(a) - place(b)));
  }
  return mergeGroups(graph, groups, buildProduct);
}

/**
 * The order in which `stackMatmuls` will stack the left operands when they go through their layer: those that get a
 * bias first, then as the graph has them. So both passes make the same joints.
 */
function placesInStack(nodes: readonly Node[]): (product: Node) => number {
  const biased = new Set(nodes.filter((node) => isNodeOf(node, linearOp.op)).map((node) => node.inputs[0]));
  const numbers = new Map(nodes.map((node, number) => [node, number]));
  return ({ inputs: [left] }) => (numbers.get(left as Node) as number) + (biased.has(left as Node) ? 0 : nodes.length);
}

/** What a sum adds up, looking into inner sums; only terms read nowhere else. */
function termsOf(sum: Node, isInner: (node: Node) => boolean): Node[] {
  return sum.inputs.flatMap((input) => {
    if (!isInner(input)) return [];
    return isNodeOf(input, add.op) ? termsOf(input, isInner) : [input];
  });
}

function isGradientProduct(node: Node): boolean {
  return isNodeOf(node, matmulOp.op) && node.attributes.transposeLeft && !node.attributes.transposeRight;
}

function buildProduct(products: readonly Node[]): Node[] {
  const left = stackRows(products.map((product) => product.inputs[0] as Node));
  const right = stackRows(products.map((product) => product.inputs[1] as Node));
  return products.map((product, i) =>
    i === 0 ? matmul(left, right, { transposeLeft: true }) : constant(0, product.shape),
  );
}
