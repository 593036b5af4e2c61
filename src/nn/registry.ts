/** Networks by kind, as checkpoints name them. */
import { choiceOption } from "../graph/options.ts";
import { mlpFromConfig } from "./mlp.ts";
import type { Network } from "./network.ts";

const networks: Readonly<Record<string, (config: unknown) => Network>> = { mlp: mlpFromConfig };

export const networkKinds: readonly string[] = Object.keys(networks);

/**
 * The network of this kind and plain configuration.
 *
 * @throws {@link ConfigError} when the kind is unknown, or an option is unknown or outside its range.
 */
export function networkFromConfig(kind: string, config: unknown): Network {
  const make = networks[choiceOption("kind of network", kind, networkKinds)] as (config: unknown) => Network;
  return make(config);
}
