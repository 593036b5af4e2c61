/** ONNX Runtime Web on the workload. It runs models and trains none, so it takes part in sampling alone. */
import type { Tensor } from "onnxruntime-web";
import { eulerEvidence, solveStart } from "../euler.ts";
import { type Context, makeSession, NotOffered, type Session, solveUnits, type Task, type Work } from "../session.ts";
import { eulerSteps, makeWorkload } from "../workload.mjs";
import { eulerModel } from "./onnx-model.ts";
import { versions } from "./versions.ts";

type Runtime = typeof import("onnxruntime-web");

export async function open({ backend, threads, gpu }: Context): Promise<Session> {
  if (backend === "webgpu" && !gpu) throw new NotOffered("WebGPU is not offered by this runtime");
  const runtime = await (backend === "wasm" ? import("onnxruntime-web/wasm") : import("onnxruntime-web/webgpu"));
  runtime.env.wasm.wasmPaths = "/";
  runtime.env.wasm.numThreads = threads;
  return makeSession({
    version: versions.onnx,
    device: backend,
    ceiling: async () => null,
    build: async (task) => {
      if (task.workload !== "sample") throw new NotOffered("ONNX Runtime Web takes part in sampling alone");
      return solveWork(runtime, backend, task);
    },
    close: () => {},
  });
}

async function solveWork(runtime: Runtime, backend: "wasm" | "webgpu", { width, batch: count }: Task): Promise<Work> {
  const values = makeWorkload(width, 1, count);
  const session = await runtime.InferenceSession.create(eulerModel(values, width, count), {
    executionProviders: [backend],
    ...(backend === "webgpu" ? { preferredOutputLocation: "gpu-buffer" } : {}),
  });
  const { start } = solveStart(values);
  const solve = async (steps: number) => {
    let x: Tensor = new runtime.Tensor("float32", start, [count, 2]);
    for (let i = 0; i < steps; i++) {
      const t = new runtime.Tensor("float32", Float32Array.of(i / eulerSteps), [1, 1]);
      const { next } = await session.run({ x, t });
      x.dispose();
      x = next as Tensor;
    }
    const points = (await x.getData()).slice();
    x.dispose();
    return { points, densities: [] };
  };
  const evidence = await eulerEvidence(values, "sample", solve);
  return {
    ...solveUnits,
    evidence,
    run: async (units) => {
      await solve(units);
    },
    dispose: () => void session.release(),
  };
}
