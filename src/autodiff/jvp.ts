/**
 * Forward mode: from a graph, the graph of its directional derivatives. Each op gives its own rule, written in ops, so
 * the result can be differentiated again, by {@link vjp} or by another jvp.
 */
import { ConfigError } from "../errors.ts";
import { topologicalOrder } from "../graph/graph.ts";
import { type Node, sameShape } from "../graph/node.ts";

/**
 * Tangents of `outputs` when each of `inputs` moves along its tangent: J z, in one forward pass beside the primal.
 *
 * @param inputs - any nodes; each counts as a variable of its own, even where one is computed from another.
 * @param tangents - one for each input, of its shape.
 * @returns one for each output, of its shape; undefined where it is zero, because nothing that moves reaches it.
 * @throws {@link ConfigError} when tangents do not match inputs.
 */
export function jvp(
  outputs: readonly Node[],
  inputs: readonly Node[],
  tangents: readonly Node[],
): (Node | undefined)[] {
  return jvpProbes(outputs, inputs, [tangents])[0] as (Node | undefined)[];
}

/**
 * {@link jvp} along several directions at once: all share the primal, which is walked once.
 *
 * @param tangentsPerProbe - for each of P probes, a tangent for each input.
 * @returns for each probe, the tangent of each output.
 */
export function jvpProbes(
  outputs: readonly Node[],
  inputs: readonly Node[],
  tangentsPerProbe: readonly (readonly Node[])[],
): (Node | undefined)[][] {
  for (const tangents of tangentsPerProbe) expectMatching("tangents of jvp", tangents, inputs);
  const probes = tangentsPerProbe.map((tangents) => new Map(inputs.map((input, i) => [input, tangents[i] as Node])));
  const given = new Set(inputs);
  for (const node of topologicalOrder(outputs)) {
    if (given.has(node) || !(node.op.jvp || node.op.expand)) continue;
    for (const known of probes) {
      const tangents = node.inputs.map((input) => known.get(input));
      if (tangents.every((tangent) => tangent === undefined)) continue;
      const tangent = node.op.jvp ? node.op.jvp(node, tangents) : ofComposite(node, tangents);
      if (tangent) known.set(node, tangent);
    }
  }
  return probes.map((known) => outputs.map((output) => known.get(output)));
}

/** The tangent of a composite, from what it is in other ops. */
function ofComposite(node: Node, tangents: readonly (Node | undefined)[]): Node | undefined {
  const moving = node.inputs.filter((_, i) => tangents[i]);
  const along = tangents.filter((tangent) => tangent !== undefined);
  return jvp([node.op.expand?.(node) as Node], moving, along)[0];
}

/** Throws unless `values` are as many as `nodes` and have their shapes. */
export function expectMatching(subject: string, values: readonly Node[], nodes: readonly Node[]): void {
  if (values.length === nodes.length && nodes.every((node, i) => sameShape(node.shape, (values[i] as Node).shape))) {
    return;
  }
  throw new ConfigError({
    subject,
    given: values.map((value) => value.shape),
    expected: `shapes ${JSON.stringify(nodes.map((node) => node.shape))}`,
    remedy: "Give one for each, of its shape.",
  });
}
