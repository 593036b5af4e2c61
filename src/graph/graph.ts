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
  const state = new Map<Node, "open" | "done">();
  const stack: Node[] = [...outputs].reverse();
  while (stack.length > 0) {
    const node = stack[stack.length - 1] as Node;
    if (state.get(node) === "done") {
      stack.pop();
    } else if (state.get(node) === "open") {
      state.set(node, "done");
      order.push(node);
      stack.pop();
    } else {
      state.set(node, "open");
      for (let i = node.inputs.length - 1; i >= 0; i--) {
        const input = node.inputs[i] as Node;
        if (!state.has(input)) stack.push(input);
      }
    }
  }
  return order;
}
