/**
 * Reverse mode: from a graph, the graph that takes cotangents of its outputs back to its inputs. Each op gives its own
 * rule, written in ops, so what comes out of a {@link jvp} is differentiated like anything else.
 */
import { ConfigError } from "../errors.ts";
import { topologicalOrder } from "../graph/graph.ts";
import { type Node, sizeOf } from "../graph/node.ts";
import { add, zerosLike } from "../ops/arithmetic.ts";
import { constant } from "../ops/sources.ts";
import { expectMatching } from "./jvp.ts";

/**
 * Cotangents of `inputs` from those of `outputs`: J^T c, in one pass back over the nodes between them.
 *
 * @param cotangents - one for each output, of its shape.
 * @param inputs - any nodes; each counts as a variable of its own, even where one is computed from another.
 * @returns one for each input, of its shape; zeros where no output depends on it.
 * @throws {@link ConfigError} when cotangents do not match outputs.
 */
export function vjp(outputs: readonly Node[], cotangents: readonly Node[], inputs: readonly Node[]): Node[] {
  expectMatching("cotangents of vjp", cotangents, outputs);
  const order = topologicalOrder(outputs);
  const variables = new Set(inputs);
  const moving = nodesThatMove(order, variables);
  const totals = new Map<Node, Node>();
  const accumulate = (node: Node, cotangent: Node) => {
    const total = totals.get(node);
    totals.set(node, total ? add(total, cotangent) : cotangent);
  };
  outputs.forEach((output, i) => {
    accumulate(output, cotangents[i] as Node);
  });
  for (const node of order.reverse()) {
    const cotangent = totals.get(node);
    if (!cotangent || !moving.has(node) || variables.has(node)) continue;
    const results = (node.op.vjp ? node.op.vjp(node, cotangent) : ofComposite(node, cotangent)) ?? [];
    node.inputs.forEach((input, i) => {
      const result = results[i];
      if (result && moving.has(input)) accumulate(input, result);
    });
  }
  return inputs.map((input) => totals.get(input) ?? zerosLike(input));
}

/**
 * Gradient of a scalar.
 *
 * @param scalar - a node of one element, such as a loss.
 * @returns one for each input, of its shape; zeros where the scalar does not depend on it.
 * @throws {@link ConfigError} when `scalar` has more than one element.
 */
export function gradient(scalar: Node, inputs: readonly Node[]): Node[] {
  if (sizeOf(scalar.shape) !== 1) {
    throw new ConfigError({
      subject: "gradient",
      given: scalar.shape,
      expected: "a node of one element",
      remedy: "Sum it, or take vjp with a cotangent.",
    });
  }
  return vjp([scalar], [constant(1, scalar.shape)], inputs);
}

/** The cotangents of a composite's inputs, from what it is in other ops; one for an input that it has twice. */
function ofComposite(node: Node, cotangent: Node): readonly (Node | undefined)[] {
  const expanded = node.op.expand?.(node);
  if (!expanded) return [];
  const results = vjp([expanded], [cotangent], node.inputs);
  return results.map((result, i) => (node.inputs.indexOf(node.inputs[i] as Node) === i ? result : undefined));
}

/** The variables and every node that depends on one through ops that have a reverse rule. */
function nodesThatMove(order: readonly Node[], variables: ReadonlySet<Node>): Set<Node> {
  const moving = new Set<Node>();
  for (const node of order) {
    if (variables.has(node) || ((node.op.vjp || node.op.expand) && node.inputs.some((input) => moving.has(input))))
      moving.add(node);
  }
  return moving;
}
