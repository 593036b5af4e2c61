/** What this device is, in words, and whether its kernels compute what they should. */
import { type Runtime, verifyCase, verifyTolerances } from "divflow";
import type { DeviceFacts } from "../messages.ts";

/** GPU limits that decide what fits. */
const shown = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
] as const;

export function factsOf(runtime: Runtime): DeviceFacts {
  const { backend, device, reason } = runtime;
  return {
    ...{ backend, device, reason },
    threads: `${navigator.hardwareConcurrency} of the machine; ${
      globalThis.crossOriginIsolated ? "this page may use more than one" : "this page may use one: it is not isolated"
    }`,
    limits: [],
  };
}

/** What the GPU's adapter allows; nothing where there is none. */
export async function limitsOf(): Promise<DeviceFacts["limits"]> {
  const adapter = await navigator.gpu?.requestAdapter().catch(() => null);
  if (!adapter) return [];
  return shown.map((name) => [name, Number(adapter.limits[name]).toLocaleString("en")] as const);
}

/** Runs golden cases on this device: a line for each, the worst error beside what is allowed. */
export async function verified(
  runtime: Runtime,
  cases: readonly { readonly name: string; readonly text: string }[],
): Promise<{ report: string; ok: boolean }> {
  const allowed = verifyTolerances[runtime.backend];
  let ok = true;
  const lines: string[] = [];
  for (const { name, text } of cases) {
    const errors = Object.entries(await verifyCase(runtime, text, name));
    const [worst, error] = errors.reduce((most, one) => (one[1] <= most[1] ? most : one), ["", 0]);
    const isRight = errors.every(([, one]) => one <= allowed);
    ok &&= isRight;
    lines.push(
      `${isRight ? "ok" : "WRONG"}  ${name}: largest error ${error.toExponential(1)} of ${allowed}, in ${worst}`,
    );
  }
  return { ok, report: [`${runtime.device}`, runtime.reason, navigator.userAgent, ...lines].join("\n") };
}
