/** What a program planned for a WebGPU device may use. */
import type { PlanLimits } from "../../schedule/program.ts";
import { largestBuffer } from "./buffers.ts";
import type { raisedLimits, WebGPUOptions } from "./device.ts";

/** Elements of the smallest matrix that f16 storage is for: a smaller one is not worth what rounding costs. */
const HALVES_FROM = 16384;

type DeviceLimits = Pick<GPUSupportedLimits, (typeof raisedLimits)[number]>;

/** What every WebGPU device allows. */
export const leastLimits: DeviceLimits = {
  maxBufferSize: 2 ** 28,
  maxStorageBufferBindingSize: 2 ** 27,
  maxStorageBuffersPerShaderStage: 8,
};

export interface PlanChoices {
  /** Whether networks that are small enough run whole. */
  readonly wholeNetworks: boolean;
  readonly storage?: WebGPUOptions["storage"];
}

export function planLimitsOf(limits: DeviceLimits, { wholeNetworks, storage }: PlanChoices): PlanLimits {
  return {
    maxBufferBytes: largestBuffer(limits),
    maxBindingBytes: limits.maxStorageBufferBindingSize,
    maxStorageBindings: limits.maxStorageBuffersPerShaderStage,
    maxEpilogueGroups: 2,
    optionalKernels: ["attention", "attentionReverse", ...(wholeNetworks ? ["mlpFlow"] : [])],
    separateReadAndWrite: true,
    ...(storage === "f16" && { halvesFrom: HALVES_FROM }),
  };
}
