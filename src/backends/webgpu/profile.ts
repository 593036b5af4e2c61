/** Time of each kernel call on the device, by timestamp queries. */
import type { Buffers } from "./buffers.ts";
import { usage } from "./flags.ts";
import type { Health } from "./health.ts";

const BYTES_PER_TIMESTAMP = 8;

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
  const count = 2 * calls;
  const querySet = device.createQuerySet({ label: "time of calls", type: "timestamp", count });
  const bytes = count * BYTES_PER_TIMESTAMP;
  const times = buffers.create("time of calls", bytes, usage.queryResolve | usage.copySource);
  try {
    const encoder = device.createCommandEncoder({ label: "time of calls" });
    for (let call = 0; call < calls; call++) {
      const pass = encoder.beginComputePass({
        timestampWrites: { querySet, beginningOfPassWriteIndex: 2 * call, endOfPassWriteIndex: 2 * call + 1 },
      });
      encodeCall(pass, call);
      pass.end();
    }
    encoder.resolveQuerySet(querySet, 0, count, times, 0);
    device.queue.submit([encoder.finish()]);
    const nanoseconds = new BigInt64Array(await buffers.read(times, 0, bytes));
    await health.settled();
    return Array.from({ length: calls }, (_, call) => {
      const elapsed = (nanoseconds[2 * call + 1] as bigint) - (nanoseconds[2 * call] as bigint);
      return Math.max(Number(elapsed), 0) / 1e6; // clocks that are set anew give negative times
    });
  } finally {
    querySet.destroy();
    buffers.destroy(times);
  }
}
