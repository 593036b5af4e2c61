/**
 * The f64 value of any node, by the `reference` rule of each op: the oracle's inner loop, and how the host draws from
 * data sources. Slow and exact on purpose; programs run on backends.
 */
import { ConfigError } from "../errors.ts";
import { type StateDeclaration, topologicalOrder } from "./graph.ts";
import { type Node, sameShape, sizeOf } from "./node.ts";
import type { HostTensor } from "./op.ts";

/**
 * Values of `outputs`, in their order, when each state has the value in `state` (by name).
 *
 * @throws {@link ConfigError} when a state that the outputs need has no value there, or one of another shape.
 */
export function evaluate(outputs: readonly Node[], state: ReadonlyMap<string, HostTensor> = new Map()): HostTensor[] {
  const order = topologicalOrder(outputs);
  const uses = new Map<Node, number>();
  for (const node of [...order.flatMap(({ inputs }) => inputs), ...outputs]) uses.set(node, (uses.get(node) ?? 0) + 1);

  const values = new Map<Node, HostTensor>();
  for (const node of order) {
    if (node.op.name === "state") {
      values.set(node, stateValue(node.attributes as StateDeclaration, state));
      continue;
    }
    const inputs = node.inputs.map((input) => values.get(input) as HostTensor);
    values.set(node, node.op.reference(inputs, node.attributes, node.shape));
    for (const input of node.inputs) {
      const left = (uses.get(input) as number) - 1;
      uses.set(input, left);
      if (left === 0) values.delete(input); // a training step's temporaries would otherwise all live at once
    }
  }
  return outputs.map((output) => values.get(output) as HostTensor);
}

function stateValue({ name, shape }: StateDeclaration, state: ReadonlyMap<string, HostTensor>): HostTensor {
  const value = state.get(name);
  if (value && sameShape(value.shape, shape) && value.data.length === sizeOf(shape)) return value;
  throw new ConfigError({
    subject: `state "${name}"`,
    given: value ? `shape [${value.shape.join(", ")}] and ${value.data.length} numbers` : "no value",
    expected: `shape [${shape.join(", ")}]`,
    remedy: "Evaluate the graph with a value for every state it reads.",
  });
}
