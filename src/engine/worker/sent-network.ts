/** The network of a file that a worker has no code for: the page makes it, and sends it along. */
import { onDemand } from "../../backends/on-demand.ts";
import { GRAPH, isRecord } from "../../graph/options.ts";
import { headerOf } from "./own-file.ts";

/**
 * The options of `load` or `resume`, with the network that the file names where a worker cannot make it, unless it is
 * among them. At once where there is nothing to do: messages keep their order.
 *
 * @throws {@link CheckpointError} when the file is damaged.
 */
export function withNetworkOf<Options extends object>(bytes: Uint8Array, options: Options): Options | Promise<Options> {
  const kind = kindIn(bytes);
  if (!isRecord(options) || "network" in options || kind === undefined || kind === "mlp" || kind === GRAPH) {
    return options;
  }
  return withNetwork(bytes, options);
}

async function withNetwork<Options extends object>(bytes: Uint8Array, options: Options): Promise<Options> {
  const { source } = options as { readonly source?: string };
  const { networkOfFile } = await onDemand(import("../../train/network-of-file.ts"));
  return { ...options, network: await networkOfFile(bytes, source) };
}

/** What a model file says of its network's kind; undefined where it says nothing, or is none. */
function kindIn(bytes: Uint8Array): string | undefined {
  try {
    const { __metadata__: metadata } = headerOf(bytes) as { readonly __metadata__: { readonly divflow: string } };
    const { kind } = JSON.parse(metadata.divflow).network;
    return typeof kind === "string" ? kind : undefined;
  } catch {
    return undefined; // whoever reads the file says what is wrong
  }
}
