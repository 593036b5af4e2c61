/** Finds a WebGPU device and says which it is. */
import { UnsupportedError } from "../../errors.ts";
import { START_SECONDS } from "../in-time.ts";
import { answered, describe, findAdapter } from "./adapter.ts";
import type { DeviceTraits } from "./linear-choice.ts";
import { isSoftware } from "./software-adapter.ts";
import type { TuningStore } from "./tuning-store.ts";

export interface WebGPUOptions {
  /** Where to look for an adapter; default `navigator.gpu`. */
  readonly gpu?: GPU;
  /** An adapter that has given no device yet. */
  readonly adapter?: GPUAdapter;
  /** A device to use as it is. It stays its owner's: `dispose` frees only what divflow made on it. */
  readonly device?: GPUDevice;
  /**
   * Whether small networks run whole, many steps to a kernel call. Default: unless the device runs on the CPU, where
   * call by call is faster.
   */
  readonly wholeNetworks?: boolean;
  /** "f16": training steps hold their large matrices in f16. Default "f32". */
  readonly storage?: "f32" | "f16" | undefined;
  /**
   * Whether products are tuned: see {@link RuntimeOptions.tune}; or where their kernels are kept, instead of the
   * platform's place. Default: unless the device runs on the CPU.
   */
  readonly tune?: boolean | TuningStore | undefined;
  /** Seconds that an adapter, and then a device, may take to come; default {@link START_SECONDS}. */
  readonly startSeconds?: number | undefined;
}

export interface FoundDevice {
  readonly device: GPUDevice;
  /** The device in words, such as "SwiftShader Device (Subzero), google swiftshader". */
  readonly description: string;
  /** Whether divflow asked for it and so destroys it. */
  readonly owned: boolean;
}

/**
 * The limits that let programs be larger or fuse more. The others stay at the defaults that every device keeps, so
 * that a program that runs here runs everywhere. Storage buffers are 8 by default; chains seldom need more.
 */
export const raisedLimits = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
] as const;

/** What storage in f16 needs. */
const HALVES = "shader-f16";

/** Features that kernels and profiles use where a device has them; unless asked for, nothing needs them. */
const usedFeatures: readonly GPUFeatureName[] = [HALVES, "subgroups", "timestamp-query"];

/**
 * @throws {@link UnsupportedError} when there is no WebGPU, no adapter, or the adapter gives no device, within the time
 * for each; and for storage in f16 when its shaders know none.
 */
export async function findDevice({
  gpu,
  adapter,
  device,
  storage,
  startSeconds = START_SECONDS,
}: WebGPUOptions): Promise<FoundDevice> {
  const found = device ?? adapter ?? (await findAdapter(gpu, startSeconds));
  const description = describe("info" in found ? found.info : found.adapterInfo);
  const subject = `WebGPU (${description})`;
  if (storage === "f16" && !found.features.has(HALVES)) {
    throw new UnsupportedError({
      subject,
      given: `no ${HALVES}`,
      expected: 'this feature, for storage "f16"',
      remedy: "Leave out `storage`; a device handed in needs it among its requiredFeatures.",
    });
  }
  if (!("requestDevice" in found)) return { device: found, description, owned: false };
  const requiredFeatures = usedFeatures.filter((name) => found.features.has(name));
  const requiredLimits = Object.fromEntries(raisedLimits.map((name) => [name, found.limits[name]]));
  const requested = (async () => found.requestDevice({ label: "divflow", requiredFeatures, requiredLimits }))();
  try {
    return { device: await answered(subject, "requestDevice", startSeconds, requested), description, owned: true };
  } catch (error) {
    requested.then(
      (late) => late.destroy(),
      () => {},
    );
    throw error;
  }
}

/** What kernels are chosen by. */
export function traitsOf({ features, adapterInfo }: GPUDevice, description: string): DeviceTraits {
  const { subgroupMinSize, subgroupMaxSize } = adapterInfo ?? {};
  const subgroups = features.has("subgroups");
  const subgroupSize = subgroups && subgroupMinSize === subgroupMaxSize ? subgroupMinSize : undefined;
  return { software: isSoftware(description), subgroups, subgroupSize };
}
