/** One node for what is computed alike: jvp and vjp build the same derivative more than once. */
import type { Graph } from "../graph/graph.ts";
import type { Node } from "../graph/node.ts";
import { rewrite } from "../graph/rewrite.ts";

/** Contract: outputs keep their bits; no two nodes of the result have equal op, attributes, shape and inputs. */
export function mergeEqualNodes(graph: Graph): Graph {
  const numbers = new Map<Node, number>();
  const first = new Map<string, Node>();
  return rewrite(graph, (node) => {
    // Nodes come inputs first, so a node's inputs are merged already.
    const inputs = node.inputs.map((input) => numbers.get(input));
    const key = JSON.stringify([node.op.name, node.attributes, node.shape, node.dtype, inputs], exactNumbers);
    const known = first.get(key);
    if (known) return known;
    numbers.set(node, numbers.size);
    first.set(key, node);
    return node;
  });
}

/** JSON writes -0 as 0 and NaN and the infinities as null: constants that must stay apart. */
const exactNumbers = (_name: string, value: unknown) =>
  typeof value === "number" && (value === 0 || !Number.isFinite(value))
    ? `number ${Object.is(value, -0) ? "-0" : value}`
    : value;
