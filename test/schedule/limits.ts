/** Limits that the tests compile programs for. */
import type { PlanLimits } from "../../src/schedule/program.ts";

const webgpu: PlanLimits = {
  maxBufferBytes: 2 ** 28,
  maxBindingBytes: 2 ** 27,
  maxStorageBindings: 8,
  separateReadAndWrite: true,
};

const wasm = { ...webgpu, maxStorageBindings: 1000, separateReadAndWrite: false };

/**
 * By name: WebGPU's default limits; one memory for everything, as on WASM; too few bindings for long chains; backends
 * whose products take no epilogues, and which know no columns, random steps and column sums either.
 */
export const limitsByName: Readonly<Record<string, PlanLimits>> = {
  webgpu: { ...webgpu, maxEpilogueGroups: 2, optionalKernels: ["mlpFlow"] },
  wasm: { ...wasm, maxEpilogueGroups: 64 },
  "five bindings": { ...webgpu, maxStorageBindings: 5, maxEpilogueGroups: 2 },
  "no epilogues": { ...wasm, maxEpilogueGroups: 0 },
  "plain webgpu": webgpu,
  "plain wasm": wasm,
};
