/**
 * A step's profile as text.
 * @import { ProfileOptions, StepProfile } from "./divflow/profile.ts"
 */

/** @param {number} ms @param {number} flops @param {number} bytes */
function columns(ms, flops, bytes) {
  const rate = (/** @type {number} */ amount) => (amount / ms / 1e6).toFixed(1);
  return `${ms.toFixed(4).padStart(8)} ${rate(flops).padStart(8)} ${rate(bytes).padStart(6)}`;
}

/**
 * @param {ProfileOptions} options
 * @param {StepProfile} profile
 * @param {{ brief: boolean }} form - brief: without the single calls
 */
export function profileTable(
  { loss, layers, width, batch, activation },
  { device, calls, step, host, finite },
  { brief },
) {
  /** @type {Map<string, { ms: number; flops: number; bytes: number; calls: number }>} */
  const byKernel = new Map();
  for (const { kernel, milliseconds, flops, bytes } of calls) {
    const total = byKernel.get(kernel) ?? { ms: 0, flops: 0, bytes: 0, calls: 0 };
    byKernel.set(kernel, {
      ms: total.ms + milliseconds,
      flops: total.flops + flops,
      bytes: total.bytes + bytes,
      calls: total.calls + 1,
    });
  }
  const sum = calls.reduce((total, { milliseconds }) => total + milliseconds, 0);
  const products = (byKernel.get("linear")?.ms ?? 0) + (byKernel.get("convolve")?.ms ?? 0) || Number.NaN;
  const size = `${layers} x ${width}, batch ${batch}`;
  const single = calls.map(
    ({ kernel, label, size: shape, milliseconds, flops, bytes }) =>
      `${columns(milliseconds, flops, bytes)}  ${kernel} ${shape}  ${label.slice(0, 90)}`,
  );
  return [
    ...(brief ? [] : ["      ms  GFLOP/s   GB/s  call", ...single]),
    "      ms  GFLOP/s   GB/s  by kernel",
    ...[...byKernel].map(
      ([kernel, total]) => `${columns(total.ms, total.flops, total.bytes)}  ${kernel}, ${total.calls} calls`,
    ),
    `${loss} step, ${size}, ${activation}, ${device}: ${step.median.toFixed(3)} ms (best ${step.best.toFixed(3)}), ` +
      `call by call ${sum.toFixed(3)} ms, ${(step.median / products).toFixed(2)} times its products; ` +
      `${host === undefined ? "" : `recorded and submitted in ${host.toFixed(3)} ms; `}` +
      `loss ${finite ? "finite" : "NOT FINITE"}`,
  ];
}
