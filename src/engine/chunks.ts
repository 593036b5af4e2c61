/** How many points go to the device at once. */
import type { Network } from "../nn/network.ts";
import { sizesPerRow } from "./network-sizes.ts";

/** Points at once at most. */
const MOST_ROWS = 4096;

/** Numbers of a value of the network at once, over points and tangents: 64 MiB, half of WebGPU's least binding limit. */
const MOST_NUMBERS = 1 << 24;

/**
 * Chunks of equal size, so that one program does them all; the last may have rows to spare.
 *
 * @param tangents - directions that derivatives are taken along, beside the value itself.
 * @param fields - evaluations of the network that one of the field is.
 */
export function chunksOf(
  count: number,
  network: Network,
  tangents: number,
  fields = 1,
): { rows: number; chunks: number } {
  const { widest } = sizesPerRow(network);
  const most = Math.max(1, Math.min(MOST_ROWS, Math.floor(MOST_NUMBERS / (fields * (1 + tangents) * widest))));
  const chunks = Math.ceil(count / most);
  return { rows: Math.ceil(count / chunks), chunks };
}
