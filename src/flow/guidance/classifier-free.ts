/**
 * Classifier-free guidance: of a network that knows a field with and without what it is told, v_1 and v_0,
 *   v = v_0 + w (v_1 - v_0),   div v = div v_0 + w (div v_1 - div v_0).
 * w = 0 is the field without, 1 the one with; above 1 samples are more of what is told, and less alike. The density that
 * such a field carries is its own: for w other than 0 and 1 it is no p(x | c)^w, also where the network is exact.
 *
 * @see Ho and Salimans, Classifier-Free Diffusion Guidance (2022), whose weight is w - 1.
 */
import { type Node, type Shape, sizeOf } from "../../graph/node.ts";
import { type ConditionDeclarations, type Conditions, type Network, toldName } from "../../nn/network.ts";
import { add, multiply, subtract } from "../../ops/arithmetic.ts";
import { broadcast, concat, slice } from "../../ops/shape.ts";
import { constant, table } from "../../ops/sources.ts";
import type { VelocityField } from "../losses/loss.ts";
import { fieldOf } from "../network-field.ts";

/**
 * The guided field. Both fields are one pass over twice the rows, so it costs two evaluations.
 *
 * @param parameters - the network's, by name.
 * @param conditions - what each of the B rows is told; those that the network can do without are what guides.
 * @param strength - w of each row [B, 1].
 */
export function guidedField(
  network: Network,
  parameters: ReadonlyMap<string, Node>,
  conditions: Conditions,
  strength: Node,
): VelocityField {
  const without = untold(network.conditions, conditions);
  const pairs = new Map(
    [...conditions].map(([name, value]) => [name, concat([value, without.get(name) ?? value], 0)] as const),
  );
  const both = fieldOf(network, parameters, pairs);
  const guided = (x: Node, t: Node) => {
    const rows = x.shape[0] as number;
    const v = both(concat([x, x], 0), concat([t, t], 0));
    return combined(slice(v, 0, rows, 2 * rows), slice(v, 0, 0, rows), strength);
  };
  const rows: VelocityField["rows"] = (change) => {
    const changed = new Map([...conditions].map(([name, value]) => [name, change(value)]));
    return guidedField(network, parameters, changed, change(strength));
  };
  return Object.assign(guided, { rows });
}

/** v_0 + w (v_1 - v_0). */
export function combined(without: Node, told: Node, strength: Node): Node {
  return add(without, multiply(strength, subtract(told, without)));
}

/** What a row finds that is not told a condition, of all that may not be. */
function untold(declarations: ConditionDeclarations = {}, conditions: Conditions): Map<string, Node> {
  const values = new Map<string, Node>();
  for (const [name, { classes, drop }] of Object.entries(declarations)) {
    if (drop === undefined) continue;
    const { shape } = conditions.get(name) as Node;
    values.set(name, classes === undefined ? constant(0, shape) : everywhere(classes, shape));
    if (classes === undefined) values.set(toldName(name), constant(0, [shape[0] as number, 1]));
  }
  return values;
}

function everywhere(label: number, shape: Shape): Node {
  return broadcast(table([label], [1], "u32"), [sizeOf(shape)]);
}
