/** Files of weights alone whose network is another than a plain MLP: PyTorch's, by its names. Imported on demand. */
import { ConfigError } from "../errors.ts";
import type { Network } from "../nn/network.ts";
import { networkFromConfig } from "../nn/registry.ts";
import { inferOptions, kindOfTensors } from "./infer-kinds.ts";
import { ownTensors } from "./own-tensors.ts";
import type { StoredTensor } from "./safetensors.ts";

export interface TorchOptions {
  /** The network that the file is of; undefined: as its names and shapes tell. */
  readonly network?: Network | undefined;
  /** Options that names and shapes do not tell. */
  readonly config?: Readonly<Record<string, unknown>> | undefined;
  readonly activation?: string | undefined;
}

export interface TorchNetwork {
  readonly network: Network;
  /** What stands before the names in the file. */
  readonly prefix: string;
  /** By the network's own names. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/**
 * The network behind these tensors, and which of them are its own; undefined where names are of no kind that is known.
 *
 * @throws {@link CheckpointError} when tensors are missing, others are there, or a constant is another.
 * @throws {@link ConfigError} when something has to be said that shapes do not tell.
 */
export async function torchNetwork(
  tensors: ReadonlyMap<string, StoredTensor>,
  { network: given, config, activation }: TorchOptions,
  source: string,
): Promise<TorchNetwork | undefined> {
  const found = kindOfTensors(tensors.keys());
  const kind = given?.kind ?? found?.kind;
  if (kind === undefined) return undefined;
  if (activation !== undefined) {
    throw new ConfigError({
      subject: `activation of the network in ${source}`,
      given: activation,
      expected: `no such option: it is ${kind}`,
      remedy: "Leave it out.",
    });
  }
  if (given && config !== undefined) {
    throw new ConfigError({
      subject: `config of the network in ${source}`,
      given: "beside network",
      expected: "one of the two",
      remedy: "Leave it out: the network has its options.",
    });
  }
  const inferred = () => inferOptions(kind, tensors, found?.prefix ?? "", config ?? {}, source);
  const network = given ?? (await networkFromConfig(kind, inferred()));
  const { options, ...own } = ownTensors(tensors, network, source);
  if (Object.keys(options).length === 0) return { ...own, network };
  return { ...own, network: await networkFromConfig(network.kind, { ...network.config, ...options }) };
}
