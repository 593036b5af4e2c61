/**
 * Fields that are a network and nothing else. A kernel that runs whole networks may take the place of these alone: a
 * field made of a network, such as one scaled or guided, looks no different from outside.
 */
import { type Network, parameterLayout, parameterViews } from "../nn/network.ts";
import { state } from "../ops/sources.ts";
import type { VelocityField } from "./losses/loss.ts";

/** The network that a field is, with its flat vector in the state of this name. */
export interface BareNetwork {
  readonly network: Network;
  readonly parameters: string;
}

/** v(x, t) of the network, its parameters read from the state of this name, tagged so. */
export function networkField(network: Network, parameters: string): VelocityField {
  const layout = parameterLayout(network);
  const views = parameterViews(state({ name: parameters, shape: [layout.total], dtype: "f32" }), layout);
  const bare: BareNetwork = { network, parameters };
  return Object.assign((...[x, t]: Parameters<VelocityField>) => network.apply(views, x, t), { bare });
}
