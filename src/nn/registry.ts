/** Networks by kind, as checkpoints and command lines name them. */
import { onDemand } from "../backends/on-demand.ts";
import { UnsupportedError } from "../errors.ts";
import { choiceOption, GRAPH } from "../graph/options.ts";
import { mlpFromConfig } from "./mlp.ts";
import type { Network } from "./network.ts";

/** Kinds whose code is imported when one is wanted: those of networks.ts, in its order. */
const apart = ["residualMlp", "unet1d", "cnn", "transformer", "unet2d", "sit"];

export const networkKinds: readonly string[] = ["mlp", ...apart];

/**
 * The network of this kind and plain configuration: what `config` of a network says.
 *
 * @throws {@link ConfigError} when the kind is unknown, or an option is unknown or outside its range.
 * @throws {@link CheckpointError} when the kind is "graph" and the graph is damaged.
 * @throws {@link UnsupportedError} when its code cannot be had here.
 * @example
 * const network = await networkFromConfig("unet2d", { sample: [28, 28, 1], channels: 32, multipliers: [1, 2, 2] });
 */
export async function networkFromConfig(kind: string, config: unknown): Promise<Network> {
  if (kind === GRAPH) return (await onDemand(import("./graph.ts"))).graphNetwork(config);
  if (choiceOption("kind of network", kind, networkKinds) === "mlp") return mlpFromConfig(config);
  const { networks } = await onDemand(import("./networks.ts"));
  const make = networks[kind] as ((config: unknown) => Network) | undefined;
  if (make) return make(config);
  throw new UnsupportedError({
    subject: "network in a worker",
    given: kind,
    expected: "mlp, or a network that the page sends along",
    remedy: "Load it with divflow's createRuntime, or without a worker.",
  });
}
