/**
 * A graph: the new values of some state, computed from state. State is all that outlives a run (parameters,
 * optimizer moments, counters, data sets, what the host writes in and what it reads out); every other value is a
 * temporary. All reads of a state see its value before the run; all updates take effect together, after it.
 */
import type { DType, Node, Shape } from "./node.ts";

/** A named value kept between runs. Two declarations of one name in a program must agree. */
export interface StateDeclaration {
  readonly name: string;
  readonly shape: Shape;
  readonly dtype: DType;
}

/** `state` takes `value` when the run ends; shapes and dtypes agree. */
export interface Update {
  readonly state: StateDeclaration;
  readonly value: Node;
}

export interface Graph {
  /** For `describe()` and labels, such as "fdm-step". */
  readonly name: string;
  readonly updates: readonly Update[];
}

/** Every node that the outputs need, inputs before users, each once. */
export function topologicalOrder(outputs: readonly Node[]): Node[] {
  const order: Node[] = [];
  const seen = new Set<Node>();
  const open: Node[] = []; // a path from an output
  const next: number[] = []; // of each of its nodes, the input that is to come
  for (const output of outputs) {
    if (seen.has(output)) continue;
    seen.add(output);
    open.push(output);
    next.push(0);
    while (open.length > 0) {
      const node = open[open.length - 1] as Node;
      const input = node.inputs[next[next.length - 1] as number];
      if (input === undefined) {
        order.push(node);
        open.pop();
        next.pop();
        continue;
      }
      (next[next.length - 1] as number)++;
      if (seen.has(input)) continue;
      seen.add(input);
      open.push(input);
      next.push(0);
    }
  }
  return order;
}
