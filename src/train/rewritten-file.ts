/** A file of another program as divflow writes it: a worker then reads it without code for its network. */
import type { Network } from "../nn/network.ts";
import { writeCheckpoint } from "./checkpoint.ts";
import { type ReadOptions, readCheckpoint } from "./read-checkpoint.ts";

/** Throws what {@link readCheckpoint} does. */
export async function rewrittenFile(
  given: Uint8Array,
  options: ReadOptions,
): Promise<{ readonly bytes: Uint8Array; readonly network: Network }> {
  const record = await readCheckpoint(given, options);
  return { bytes: writeCheckpoint(record), network: record.network };
}
