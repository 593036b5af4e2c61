/** Files of weights alone whose network a worker has no code for: the page reads them, and sends a file of divflow's. */
import { onDemand } from "../../backends/on-demand.ts";
import { isRecord } from "../../graph/options.ts";
import type { Network } from "../../nn/network.ts";
import { isLayers } from "../../train/layer-names.ts";

/** What is said of such a file. */
interface Said {
  readonly network?: Network;
  readonly config?: Readonly<Record<string, unknown>>;
}

/**
 * Such a file as divflow writes it, and its network; undefined for other files, at once: messages keep their order.
 *
 * @throws {@link CheckpointError} when the file is not of its network; {@link ConfigError} when more has to be said.
 */
export function ownFile(
  bytes: Uint8Array,
  options: Said,
): Promise<{ readonly bytes: Uint8Array; readonly network: Network }> | undefined {
  const names = namesIn(bytes);
  if (!names || (isLayers(names) && !options.network?.conditions)) return undefined;
  return rewritten(bytes, options);
}

async function rewritten(bytes: Uint8Array, options: Said) {
  const { rewrittenFile } = await onDemand(import("../../train/rewritten-file.ts"));
  return rewrittenFile(bytes, options);
}

/** Names of tensors in a file that says nothing of divflow; undefined for others, and what is no file. */
function namesIn(bytes: Uint8Array): string[] | undefined {
  try {
    const { __metadata__: metadata, ...tensors } = headerOf(bytes);
    return isRecord(metadata) && "divflow" in metadata ? undefined : Object.keys(tensors);
  } catch {
    return undefined; // whoever reads the file says what is wrong
  }
}

/** The JSON that a safetensors file begins with, unchecked. Throws where there is none. */
export function headerOf(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  return JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
}
