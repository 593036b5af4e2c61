/** Limits that the tests compile programs for. */
import { leastLimits, planLimitsOf } from "../../src/backends/webgpu/plan-limits.ts";
import type { PlanLimits } from "../../src/schedule/program.ts";

const webgpu = planLimitsOf(leastLimits, { wholeNetworks: true });

const wasm: PlanLimits = {
  maxBufferBytes: 2 ** 28,
  maxBindingBytes: 2 ** 27,
  maxStorageBindings: 1000,
  maxEpilogueGroups: 64,
  separateReadAndWrite: false,
  optionalKernels: ["attention", "attentionReverse"],
};

/**
 * By name: WebGPU's default limits; one memory for everything, as on WASM; too few bindings for long chains; products
 * without epilogues, by either's rules.
 */
export const limitsByName: Readonly<Record<string, PlanLimits>> = {
  webgpu,
  wasm,
  "five bindings": { ...webgpu, maxStorageBindings: 5, optionalKernels: [] },
  "no epilogues": { ...wasm, maxEpilogueGroups: 0 },
  "no epilogues, webgpu": { ...webgpu, maxEpilogueGroups: 0, optionalKernels: [] },
};
