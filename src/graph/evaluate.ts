/**
 * The f64 value of any node, by the `reference` rule of each op: the oracle that kernels are held against, and how the
 * host draws from data sources. Slow and exact on purpose; programs run on backends.
 */
import { ConfigError } from "../errors.ts";
import { type StateDeclaration, topologicalOrder } from "./graph.ts";
import { type Node, sizeOf } from "./node.ts";
import type { HostTensor } from "./op.ts";

/**
 * Values of `outputs`, in f64.
 *
 * @param state - by name, a value for every state that the outputs read; the declaration has its shape.
 * @returns one for each output. Do not write into them: they may share memory with each other and with `state`.
 * @throws {@link ConfigError} when a state has no value, or one of another size.
 */
export function evaluate(outputs: readonly Node[], state: ReadonlyMap<string, HostTensor> = new Map()): HostTensor[] {
  const order = topologicalOrder(outputs);
  const readers = new Map<Node, number>(); // left to come, so that values go as soon as nothing needs them
  for (const node of [...order.flatMap((user) => user.inputs), ...outputs]) {
    readers.set(node, (readers.get(node) ?? 0) + 1);
  }
  const values = new Map<Node, HostTensor>();
  for (const node of order) {
    values.set(node, node.op.name === "state" ? stateValue(node, state) : run(node, values));
    for (const input of node.inputs) {
      const left = (readers.get(input) as number) - 1;
      readers.set(input, left);
      if (left === 0) values.delete(input);
    }
  }
  return outputs.map((output) => values.get(output) as HostTensor);
}

function run(node: Node, values: ReadonlyMap<Node, HostTensor>): HostTensor {
  const inputs = node.inputs.map((input) => values.get(input) as HostTensor);
  return node.op.reference(inputs, node.attributes, node.shape);
}

function stateValue(node: Node, state: ReadonlyMap<string, HostTensor>): HostTensor {
  const { name, shape } = node.attributes as StateDeclaration;
  const value = state.get(name);
  if (value?.data.length === sizeOf(shape)) return { shape, data: value.data };
  throw new ConfigError({
    subject: `state "${name}"`,
    given: value ? `${value.data.length} elements` : "no value",
    expected: `${sizeOf(shape)} elements`,
    remedy: "Evaluate with a value for every state that the graph reads.",
  });
}
