/** divflow itself, below and at its public API, as the bench's sessions call it. */
import type { Backend } from "../../src/backends/backend.ts";
import { createWasmBackend } from "../../src/backends/wasm/backend.ts";
import { wasmFeatures } from "../../src/backends/wasm/features.ts";
import { createWebGPUBackend } from "../../src/backends/webgpu/backend.ts";
import { LocalRuntime } from "../../src/engine/runtime.ts";
import { VERSION } from "../../src/version.ts";
import { type Context, makeSession, NotOffered, type Session } from "../session.ts";
import { type FullStep, firstStep, fullStepWork } from "./full-step.ts";
import { matmulWork } from "./matmul.ts";
import { networkWork } from "./network.ts";
import { type ProfileOptions, profileStep, type StepProfile } from "./profile.ts";
import { solveWork } from "./solve.ts";
import { trainingWork } from "./training.ts";
import { wasmCeiling } from "./wasm-ceiling.ts";
import { webgpuCeiling } from "./webgpu-ceiling.ts";

export interface OwnSession extends Session {
  /** Milliseconds of each kernel call of a training step. */
  profile(options: ProfileOptions): Promise<StepProfile>;
  /** Milliseconds from `createTrainer` to the end of the first step, whose program nothing has loaded before. */
  firstStep(loss: FullStep, width: number): Promise<number>;
}

/** @throws {@link NotOffered} where this platform, or this version of divflow, lacks what is asked for. */
export async function open(context: Context): Promise<OwnSession> {
  const { gpu } = context;
  const backend = await (context.backend === "wasm" ? openWasm(context) : openWebGPU(gpu));
  const runtime = new LocalRuntime({ backend, reason: "The bench asked for it." });
  const ceiling =
    context.backend === "wasm"
      ? () => wasmCeiling({ threads: context.threads, relaxed: context.relaxed === true })
      : () => webgpuCeiling(gpu as GPU);
  let rate: number | undefined; // GFLOP/s
  const session = makeSession({
    version: VERSION,
    device: backend.device,
    ceiling: async () => {
      const measured = await ceiling();
      rate = Math.max(rate ?? 0, measured ?? 0) || undefined;
      return measured;
    },
    build: async (task) => {
      switch (task.workload) {
        case "cfm":
        case "fdm":
          return task.network === undefined
            ? trainingWork(backend, task.workload, task)
            : networkWork(backend, task, rate);
        case "cfm-full":
        case "fdm-full":
        case "fraction-full":
          return fullStepWork(runtime, task.workload, task);
        case "sample":
        case "logdensity":
          return solveWork(runtime, task);
        case "matmul":
          return matmulWork(backend, task);
      }
    },
    close: () => runtime.dispose(),
  });
  return {
    ...session,
    profile: (options) => profileStep(backend, options),
    firstStep: (loss, width) => firstStep(runtime, loss, width),
  };
}

async function openWasm({ threads, relaxed }: Context): Promise<Backend> {
  const features = wasmFeatures();
  if (relaxed && !features.relaxedSimd) throw new NotOffered("relaxed SIMD is not offered by this runtime");
  if (threads > 1 && !features.threads) throw new NotOffered("threads are not offered by this runtime");
  const options = { relaxed: relaxed ?? features.relaxedSimd, threads };
  const backend = await createWasmBackend(options);
  if (threads > 1 && /\bone thread\b/.test(backend.device)) {
    const reason = "refusal" in backend ? String(backend.refusal) : "not in this version of divflow";
    backend.dispose();
    throw new NotOffered(`threads are not offered: ${reason}`);
  }
  return backend;
}

async function openWebGPU(gpu: GPU | undefined): Promise<Backend> {
  if (!gpu || !(await gpu.requestAdapter())) throw new NotOffered("WebGPU is not offered by this runtime");
  return createWebGPUBackend({ gpu });
}
