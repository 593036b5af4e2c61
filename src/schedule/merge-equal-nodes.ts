/** One node for what is computed alike: jvp and vjp build the same derivative more than once. */
import type { Graph } from "../graph/graph.ts";
import type { Node } from "../graph/node.ts";
import { rewrite } from "../graph/rewrite.ts";

/** Contract: outputs keep their bits; no two nodes of the result have equal op, attributes, shape and inputs. */
export function mergeEqualNodes(graph: Graph): Graph {
  const known = new KnownNodes();
  return rewrite(graph, (node) => known.merge(node));
}

/** Nodes met so far, no two of which are equal. */
export class KnownNodes {
  private readonly numbers = new Map<Node, number>();
  private readonly first = new Map<string, Node>();
  private readonly attributes = new Map<unknown, string>();

  /** The first node equal to this one, whose inputs have been merged already. */
  merge(node: Node): Node {
    const key = this.keyOf(node);
    const known = this.first.get(key);
    if (known) return known;
    this.numbers.set(node, this.numbers.size);
    this.first.set(key, node);
    return node;
  }

  private keyOf({ op, attributes, shape, dtype, inputs }: Node): string {
    const parts: (string | number | undefined)[] = [op.name, this.attributesKey(attributes), shape.join(), dtype];
    for (const input of inputs) parts.push(this.numbers.get(input));
    return parts.join(" ");
  }

  private attributesKey(attributes: unknown): string {
    const known = this.attributes.get(attributes);
    if (known !== undefined) return known;
    const key = JSON.stringify(attributes, exactNumbers);
    this.attributes.set(attributes, key);
    return key;
  }
}

/** JSON writes -0 as 0 and NaN and the infinities as null: constants that must stay apart. */
const exactNumbers = (_name: string, value: unknown) =>
  typeof value === "number" && (value === 0 || !Number.isFinite(value))
    ? `number ${Object.is(value, -0) ? "-0" : value}`
    : value;
