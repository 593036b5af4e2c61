/** What to try where memory is short: smaller batches, from where the models are. */
import { DivflowError } from "divflow";

const SMALLEST = 32;

/** A batch to try after this error; undefined where it is of another kind, or batches are as small as they get. */
export function smallerBatch(error: unknown, batchSize: number): number | undefined {
  const smaller = Math.floor(batchSize / 2);
  return isShortage(error) && smaller >= SMALLEST ? smaller : undefined;
}

/** Also what browsers themselves throw where an array or a memory cannot be had. */
function isShortage(error: unknown): boolean {
  if (error instanceof DivflowError) return error.code === "out-of-memory" || error.code === "limit";
  return error instanceof RangeError && /alloc|memory|length/i.test(error.message);
}
