/** Rebuilds a graph in which some groups of nodes become one node each, whose parts take their places. */
import type { Graph } from "../graph/graph.ts";
import type { Node } from "../graph/node.ts";
import { withInputs } from "../graph/rewrite.ts";

/**
 * The graph with each group computed at once. `build` gets a group's members with their inputs already rebuilt and
 * returns what takes the place of each. Taken as one, the groups must not make a cycle.
 */
export function mergeGroups(
  graph: Graph,
  groups: readonly (readonly Node[])[],
  build: (members: readonly Node[]) => readonly Node[],
): Graph {
  if (groups.length === 0) return graph;
  const groupOf = new Map<Node, readonly Node[]>();
  for (const group of groups) for (const member of group) groupOf.set(member, group);
  const rebuilt = new Map<Node, Node>();
  const opened = new Set<Node>();
  const stack = graph.updates.map((update) => update.value).reverse();
  const openInputs = ({ inputs }: Node) => {
    for (let i = inputs.length - 1; i >= 0; i--) {
      const input = inputs[i] as Node;
      if (!rebuilt.has(input)) stack.push(input);
    }
  };
  while (stack.length > 0) {
    const node = stack[stack.length - 1] as Node;
    if (rebuilt.has(node)) {
      stack.pop();
      continue;
    }
    const members = groupOf.get(node);
    if (!opened.has(node)) {
      opened.add(node);
      if (!members) openInputs(node);
      else for (let i = members.length - 1; i >= 0; i--) openInputs(members[i] as Node);
      continue;
    }
    stack.pop();
    if (!members) {
      rebuilt.set(node, withInputs(node, rebuilt));
      continue;
    }
    const parts = build(members.map((member) => withInputs(member, rebuilt)));
    members.forEach((member, i) => {
      rebuilt.set(member, parts[i] as Node);
    });
  }
  return {
    ...graph,
    updates: graph.updates.map(({ state, value }) => ({ state, value: rebuilt.get(value) as Node })),
  };
}
