/** Rebuilds a graph in which some groups of nodes become one node each, whose parts take their places. */
import type { Graph } from "../graph/graph.ts";
import type { Node } from "../graph/node.ts";

/**
 * The graph with each group computed at once. `build` gets a group's members with their inputs already rebuilt and
 * returns what takes the place of each. Taken as one, the groups must not make a cycle.
 */
export function mergeGroups(
  graph: Graph,
  groups: readonly (readonly Node[])[],
  build: (members: readonly Node[]) => readonly Node[],
): Graph {
  const groupOf = new Map<Node, readonly Node[]>();
  for (const group of groups) for (const member of group) groupOf.set(member, group);
  const rebuilt = new Map<Node, Node>();
  const withInputs = (node: Node): Node => {
    const inputs = node.inputs.map((input) => rebuilt.get(input) as Node);
    return inputs.every((input, i) => input === node.inputs[i]) ? node : { ...node, inputs };
  };

  const opened = new Set<Node>();
  const stack = graph.updates.map((update) => update.value).reverse();
  while (stack.length > 0) {
    const node = stack[stack.length - 1] as Node;
    const members = groupOf.get(node) ?? [node];
    if (rebuilt.has(node)) {
      stack.pop();
    } else if (opened.has(node)) {
      stack.pop();
      const parts = groupOf.has(node) ? build(members.map(withInputs)) : [withInputs(node)];
      members.forEach((member, i) => {
        rebuilt.set(member, parts[i] as Node);
      });
    } else {
      opened.add(node);
      for (const input of members.flatMap((member) => member.inputs).reverse()) {
        if (!rebuilt.has(input)) stack.push(input);
      }
    }
  }
  return {
    ...graph,
    updates: graph.updates.map(({ state, value }) => ({ state, value: rebuilt.get(value) as Node })),
  };
}
