/** Time of each kernel call on the device, by timestamp queries. */
import type { Buffers } from "./buffers.ts";
import { usage } from "./flags.ts";
import type { Health } from "./health.ts";

const BYTES_PER_TIMESTAMP = 8;

/** Calls that one set of queries is enough for: WebGPU allows 4096 queries, and a call takes two. */
const CALLS_OF_SET = 2048;

/**
 * Runs each call in a pass of its own, in order, between two timestamps, which devices may round (browsers do, to
 * 0.1 ms).
 *
 * @param encodeCall - records the dispatches of a call.
 * @returns milliseconds by call.
 */
export async function timeCalls(
  { device, buffers, health }: { readonly device: GPUDevice; readonly buffers: Buffers; readonly health: Health },
  calls: number,
  encodeCall: (pass: GPUComputePassEncoder, call: number) => void,
): Promise<number[]> {
  if (calls === 0) return [];
  const bytes = 2 * calls * BYTES_PER_TIMESTAMP;
  const times = buffers.create("time of calls", bytes, usage.queryResolve | usage.copySource);
  const querySets: GPUQuerySet[] = [];
  try {
    for (let first = 0; first < calls; first += CALLS_OF_SET) {
      const last = Math.min(calls, first + CALLS_OF_SET);
      const count = 2 * (last - first);
      const querySet = device.createQuerySet({ type: "timestamp", count });
      querySets.push(querySet);
      const encoder = device.createCommandEncoder();
      for (let call = first; call < last; call++) {
        const begin = 2 * (call - first);
        const pass = encoder.beginComputePass({
          timestampWrites: { querySet, beginningOfPassWriteIndex: begin, endOfPassWriteIndex: begin + 1 },
        });
        encodeCall(pass, call);
        pass.end();
      }
      encoder.resolveQuerySet(querySet, 0, count, times, 2 * first * BYTES_PER_TIMESTAMP);
      device.queue.submit([encoder.finish()]);
    }
    const nanoseconds = new BigInt64Array(await buffers.read(times, 0, bytes));
    await health.settled();
    return Array.from({ length: calls }, (_, call) => {
      const elapsed = (nanoseconds[2 * call + 1] as bigint) - (nanoseconds[2 * call] as bigint);
      return Math.max(Number(elapsed), 0) / 1e6; // clocks that are set anew give negative times
    });
  } finally {
    for (const querySet of querySets) querySet.destroy();
    buffers.destroy(times);
  }
}
