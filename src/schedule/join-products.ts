/**
 * A weight's gradient, a^T b + c^T d + ..., as one product of stacked operands: [a; c]^T [b; d]. Reverse mode makes
 * such sums where a weight serves a primal and its tangents. So does a bias's gradient where it serves several primals:
 * sums over the rows of b and d are one over those of [b; d].
 */
import { type Graph, topologicalOrder } from "../graph/graph.ts";
import { isNodeOf, type Node } from "../graph/node.ts";
import type { Product } from "../graph/op.ts";
import { add } from "../ops/arithmetic.ts";
import { sum, sumOp } from "../ops/reduce.ts";
import { reshapeOp } from "../ops/shape.ts";
import { constant } from "../ops/sources.ts";
import { stackRows } from "./joints.ts";
import { Kin } from "./kin.ts";
import { mergeGroups } from "./merge-groups.ts";
import { makeProduct, productOf } from "./products.ts";
import { reshaped } from "./reshaped.ts";
import { termsOf } from "./terms.ts";
import { readCounts } from "./users.ts";

/**
 * Contract: outputs agree up to the order of additions; of the products in a sum, left operand transposed and read
 * nowhere else, one is left, and of the sums over rows of those products' right operands too. Zeros take the place of the others: `simplify` strikes them out.
 */
export function joinProducts(graph: Graph, maxGroups: number): Graph {
  const nodes = topologicalOrder(graph.updates.map((update) => update.value));
  const reads = readCounts(graph);
  const isInner = (node: Node) => reads.get(node) === 1;
  const inner = new Set(nodes.filter((node) => isNodeOf(node, add.op)).flatMap((node) => node.inputs.filter(isInner)));
  const place = placesInStack(nodes, maxGroups);
  const rightPlace = new Map(nodes.filter(isGradientProduct).map((node) => [node.inputs[1], place(node)]));
  const groups: Node[][] = [];
  for (const node of nodes) {
    if (!isNodeOf(node, add.op) || inner.has(node)) continue;
    const terms = termsOf(node, isInner);
    for (const products of alike(terms.filter(isGradientProduct))) {
      if (products.length > 1) groups.push(products.sort((a, b) => place(a) - place(b)));
    }
    const places = new Map<Node, number>();
    for (const term of terms) {
      const summed = rowsSummed(term);
      const found = summed && isInner(term.inputs[0] as Node) ? rightPlace.get(summed) : undefined;
      if (found !== undefined) places.set(term, found);
    }
    if (places.size > 1) {
      groups.push([...places.keys()].sort((a, b) => (places.get(a) as number) - (places.get(b) as number)));
    }
  }
  return mergeGroups(graph, groups, (members) =>
    isGradientProduct(members[0] as Node) ? buildProduct(members) : buildSum(members),
  );
}

/**
 * The order in which `stackMatmuls` will stack the left operands when they go through their layer, so that both passes
 * make the same joints: those that get a bias first, then as the graph has them. Where it will make several stacks,
 * those that have no tangents come before those that do, which so lie beside their tangents.
 */
function placesInStack(nodes: readonly Node[], maxGroups: number): (product: Node) => number {
  const kin = new Kin(nodes);
  const forward = nodes.filter((node) => {
    const product = productOf(node);
    return product && !product.transposeLeft && !product.transposeRight;
  });
  const layers = forward.filter(({ inputs }) => inputs.length > 2);
  const tangents = forward.filter(({ inputs }) => inputs.length === 2);
  const withTangents = new Set(tangents.map((node) => kin.rootOf(node)));
  const stacks = new Map<Node, Node[]>(); // by weight
  for (const node of [...layers, ...tangents]) {
    const weight = node.inputs[1] as Node;
    stacks.set(weight, [...(stacks.get(weight) ?? []), node]);
  }
  const isOne = ([first, ...others]: readonly Node[]) =>
    maxGroups === 0 || (others.length < maxGroups && others.every(({ shape }) => shape[0] === first?.shape[0]));
  const rankOf = (layer: Node) =>
    isOne(stacks.get(layer.inputs[1] as Node) as Node[]) || !withTangents.has(kin.rootOf(layer)) ? 0 : 1;
  const rank = new Map(layers.map((layer) => [layer.inputs[0], rankOf(layer)]));
  const numbers = new Map(nodes.map((node, number) => [node, number]));
  return ({ inputs: [left] }) => (numbers.get(left as Node) as number) + nodes.length * (rank.get(left as Node) ?? 2);
}

function isGradientProduct(node: Node): boolean {
  const product = productOf(node);
  return product?.transposeLeft === true && !product.transposeRight;
}

/** The products by their windows, in order. */
function alike(products: readonly Node[]): Node[][] {
  const byWindow = new Map<string | undefined, Node[]>();
  for (const product of products) {
    const key = productOf(product)?.seen?.key;
    byWindow.set(key, [...(byWindow.get(key) ?? []), product]);
  }
  return [...byWindow.values()];
}

/** The matrix over whose rows a bias's gradient adds up; undefined for other terms. */
function rowsSummed(term: Node): Node | undefined {
  const total = isNodeOf(term, reshapeOp.op) ? (term.inputs[0] as Node) : undefined;
  const [rows] = total?.inputs ?? [];
  const isSum = total !== undefined && isNodeOf(total, sumOp.op) && total.attributes.axes.join() === "0";
  return isSum && rows?.shape.length === 2 ? rows : undefined;
}

function buildSum(terms: readonly Node[]): Node[] {
  const rows = stackRows(terms.map((term) => rowsSummed(term) as Node));
  return terms.map((term, i) => (i === 0 ? reshaped(sum(rows, [0]), term.shape) : constant(0, term.shape)));
}

function buildProduct(products: readonly Node[]): Node[] {
  const left = stackRows(products.map((product) => product.inputs[0] as Node));
  const right = stackRows(products.map((product) => product.inputs[1] as Node));
  return products.map((product, i) =>
    i === 0 ? makeProduct([left, right], productOf(product) as Product) : constant(0, product.shape),
  );
}
