/** The network that a model file names, without its weights. */
import type { Network } from "../nn/network.ts";
import { CHECKSUM, METADATA } from "./checkpoint.ts";
import { parseMetadata } from "./read-metadata.ts";
import { readSafetensors } from "./read-safetensors.ts";

/** @throws {@link CheckpointError} when the file is damaged or names no network that there is. */
export async function networkOfFile(bytes: Uint8Array, source = "model file"): Promise<Network> {
  const { metadata } = readSafetensors(bytes, source);
  return (await parseMetadata(metadata[METADATA] ?? "", metadata[CHECKSUM], source)).network;
}
