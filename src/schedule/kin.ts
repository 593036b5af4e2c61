/**
 * Products that belong together, because their results meet in elementwise work of their own size, or those of others do
 * that they are multiplied from: a primal, its tangents, their cotangents, layer by layer.
 */
import { isNodeOf, type Node, sizeOf } from "../graph/node.ts";
import { reshapeOp } from "../ops/shape.ts";
import { productOf } from "./products.ts";
import { isNarrow } from "./split-columns.ts";

export class Kin {
  private readonly parent = new Map<Node, Node>();
  private readonly followed = new Set<Node>();

  /** @param nodes - inputs before users. */
  constructor(nodes: readonly Node[]) {
    const sources = new Map<Node, Node>(); // of a node that elementwise work made from products: one of these
    for (const node of nodes) {
      if (isProduct(node)) {
        const before = sources.get(node.inputs[0] as Node);
        if (before) this.parent.set(node, this.rootOf(before));
        sources.set(node, node);
      }
      if (!node.op.elementwise && !isNodeOf(node, reshapeOp.op)) continue;
      const found = node.inputs.flatMap((input) => sources.get(input) ?? []);
      const [first] = found;
      if (!first || sizeOf(node.shape) !== sizeOf(first.shape)) continue;
      for (const source of found) this.parent.set(this.rootOf(source), this.rootOf(first));
      sources.set(node, first);
      if (node.op.elementwise && !isNarrow(node.shape)) for (const source of found) this.followed.add(source);
    }
  }

  /** One product for all that are akin. */
  rootOf(product: Node): Node {
    const parent = this.parent.get(product) ?? product;
    return parent === product ? product : this.rootOf(parent);
  }

  /** Whether elementwise work follows the product, which could be its epilogue. */
  isFollowed(product: Node): boolean {
    return this.followed.has(product);
  }
}

const isProduct = (node: Node) => productOf(node)?.transposeLeft === false;
