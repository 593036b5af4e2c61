/**
 * Fields that are a network and nothing else. A kernel that runs whole networks may take the place of these alone: a
 * field made of a network, such as one scaled or guided, looks no different from outside.
 */
import type { Node } from "../graph/node.ts";
import { type Conditions, type Network, parameterLayout, parameterViews } from "../nn/network.ts";
import { state } from "../ops/sources.ts";
import type { VelocityField } from "./losses/loss.ts";

/** The network that a field is, with its flat vector in the state of this name. */
export interface BareNetwork {
  readonly network: Network;
  readonly parameters: string;
}

/**
 * v(x, t) of the network, its parameters read from the state of this name, tagged so where it is told nothing else.
 *
 * @param conditions - what each of the rows is told.
 */
export function networkField(network: Network, parameters: string, conditions?: Conditions): VelocityField {
  const layout = parameterLayout(network);
  const views = parameterViews(state({ name: parameters, shape: [layout.total], dtype: "f32" }), layout);
  const field = fieldOf(network, views, conditions);
  return conditions ? field : Object.assign(field, { bare: { network, parameters } });
}

/** What the score of a field's network says of the noise; undefined where it has none. */
export function expectedNoise({ made }: VelocityField): ((x: Node, t: Node) => Node) | undefined {
  const { network, parameters, conditions } = made ?? {};
  return network?.score && parameters && ((x, t) => network.score?.(parameters, x, t, conditions) as Node);
}

/** The same with these parameters, by name. */
export function fieldOf(
  network: Network,
  parameters: ReadonlyMap<string, Node>,
  conditions?: Conditions,
): VelocityField {
  const apply = (...[x, t]: Parameters<VelocityField>) => network.apply(parameters, x, t, conditions);
  const field = Object.assign(apply, { made: { network, parameters, conditions } });
  if (!conditions) return field;
  const rows: VelocityField["rows"] = (change) =>
    fieldOf(network, parameters, new Map([...conditions].map(([name, value]) => [name, change(value)])));
  return Object.assign(field, { rows });
}
