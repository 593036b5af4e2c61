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

  /** Shape and dtype follow from these. */
  private keyOf({ op, attributes, inputs }: Node): string {
    let key = `${op.name} ${this.attributesKey(attributes)}`;
    for (const input of inputs) key += ` ${this.numbers.get(input)}`;
    return key;
  }

  private attributesKey(attributes: unknown): string {
    const known = this.attributes.get(attributes);
    if (known !== undefined) return known;
    const key = textOf(attributes);
    this.attributes.set(attributes, key);
    return key;
  }
}

/** Attributes as text, which differs where they do: JSON would write -0 as 0, and NaN and the infinities as null. */
function textOf(value: unknown): string {
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : String(value);
  if (Array.isArray(value)) return `[${value.map(textOf).join()}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "";
  let text = "{";
  for (const [name, each] of Object.entries(value)) text += `${name}:${textOf(each)},`;
  return `${text}}`;
}
