/**
 * What users hold: Runtime, Trainer and Model. Only these three own device memory; each has `dispose()`, safe to call
 * twice, and works with `using`.
 */
import type { TuningStore } from "../backends/webgpu/tuning-store.ts";
import type { DataSource } from "../data/source.ts";
import type { Coupling } from "../flow/couplings/coupling.ts";
import type { PathScheduler } from "../flow/paths/path.ts";
import type { Network } from "../nn/network.ts";
import type { ValidationCriterion, ValidationMetrics } from "../train/validation.ts";
import type { EvaluateLossesOptions, LossMeans, Model } from "./model-api.ts";
import type { GPUDeviceSource, GPUSource } from "./platform-types.ts";
import type { Trainer, TrainerOptions } from "./trainer-api.ts";

export type * from "./model-api.ts";
export type * from "./trainer-api.ts";
export type { ValidationCriterion, ValidationMetrics };

/** What computes: a GPU by WebGPU, the CPU by WebAssembly, or the f64 reference in JavaScript, slow and exact. */
export type BackendName = "webgpu" | "wasm" | "reference";

/** Options of {@link createRuntime}. */
export interface RuntimeOptions {
  /** "auto" (default): WebGPU on a real GPU, else WebAssembly; `runtime.reason` says which and why. */
  readonly backend?: "auto" | BackendName;
  /** Where WebGPU comes from when there is no `navigator.gpu`, such as `create([])` of the npm package `webgpu`. */
  readonly gpu?: GPUSource;
  /** A device to use; the runtime does not destroy it, and cannot replace it when it is lost. */
  readonly device?: GPUDeviceSource;
  /** WebAssembly with relaxed SIMD; default: where the platform has it. */
  readonly relaxedSimd?: boolean;
  /**
   * Whether the engine runs in a worker of its own, so that the page stays smooth; or the address of the worker's module
   * (the one file dist/worker.js), where a bundler leaves it out. Default: in a page a worker, unless `gpu`, `device` or
   * a store for `tune` is given. Where it cannot be started, by default or at the address, the engine runs on this
   * thread, and `runtime.reason` and the console say so; with `true` that is an UnsupportedError. In a worker of yours, in
   * Node and in Deno: this thread; with `true` Node and Deno start a worker thread too. Results do not depend on it, bit
   * for bit.
   */
  readonly worker?: boolean | string | URL;
  /**
   * Threads of WebAssembly that share the work, the calling one included; an integer from 1 to 64, default 1. Results
   * do not depend on it, bit for bit. A page has threads only when it is cross-origin isolated; where there are none,
   * one is taken and `runtime.reason` says why. `runtime.device` says how many there are.
   */
  readonly threads?: number;
  /**
   * "f16", with backend "webgpu" only: training steps hold their large matrices, layers' inputs, products and cotangents,
   * in 2 bytes a number. A third of a step's temporary memory and of its traffic goes; all arithmetic stays f32, and so do
   * parameters, sums, losses and all of sampling. Gradients of the golden cases are off by up to 2e-3 of their largest
   * number, in f32 by 2e-6. Numbers beyond 65504 make a step a bad one, which training refuses, so data should be of
   * size 1, or standardised. Default "f32". See docs/storage.md.
   */
  readonly storage?: "f32" | "f16";
  /**
   * Whether WebGPU's products run by the kernels that prove the fastest on this device. They are tried while a program
   * is loaded, which may take 0.3 s longer beside compiling, once per device and class of products, and kept: by pages in IndexedDB,
   * by Node and Deno in divflow/tuning.json in the user's folder for caches; or in a store of your own, which cannot be
   * sent to a worker. No result depends on it, bit for bit. Default: unless the device runs on the CPU.
   */
  readonly tune?: boolean | TuningStore;
  /**
   * Seconds that each part of the start may take: a worker's module, a GPU's adapter, its device, a thread of
   * WebAssembly. What has not come by then is done without, as what is not there, and `runtime.reason` says so. Files
   * imported on demand have these seconds too, but never less than 30. In (0, 3600]; default 30.
   */
  readonly startSeconds?: number;
  /**
   * "wasm": when a GPU is lost and no other is to be had within `startSeconds`, the runtime goes on with WebAssembly, from
   * where trainers are, with other bits from there on; `backend` and `reason` then say so. Default: that is a
   * {@link DeviceLostError}. On a page the engine is then that of dist/worker.js, which lies beside divflow's own file or
   * where `worker` says.
   */
  readonly fallback?: "wasm";
}

/** Live buffers on the device and their bytes. */
export interface DeviceMemory {
  readonly buffers: number;
  readonly bytes: number;
}

/** A backend and everything made on it. Disposing it disposes its trainers and models. */
export interface Runtime extends Disposable {
  readonly backend: BackendName;
  /** The device in words; another one after a loss. */
  readonly device: string;
  /** Which backend was taken and why, in a sentence. */
  readonly reason: string;
  memory(): Promise<DeviceMemory>;
  /**
   * A trainer at step 0.
   *
   * @throws {@link ConfigError} when options are unknown, out of range or do not fit each other.
   * @throws {@link LimitError}, {@link OutOfMemoryError} when the device has no room for it.
   */
  createTrainer(options: TrainerOptions): Promise<Trainer>;
  /**
   * The model in the bytes of a safetensors file: divflow's own, a model's or a trainer's, or PyTorch's.
   *
   * @throws {@link CheckpointError} when the file is damaged or does not fit the network it names.
   * @throws {@link ConfigError} when a file of weights alone comes without the activation.
   */
  loadModel(bytes: Uint8Array | ArrayBuffer, options?: LoadOptions): Promise<Model>;
  /**
   * A trainer that goes on where the one whose file this is left off: bit for bit on the same backend.
   *
   * @throws {@link CheckpointError} when the file is damaged, or holds a model alone.
   * @throws {@link ConfigError} when the file does not hold its data and none or other data are given.
   */
  resumeTrainer(bytes: Uint8Array | ArrayBuffer, options?: ResumeOptions): Promise<Trainer>;
  /**
   * Mean losses of a model over fresh batches, without training: equal data, loss and seed give two models the same
   * batches, whatever they were trained with.
   *
   * @throws {@link ConfigError} when an option is out of range, or the model is of another runtime.
   */
  evaluateLosses(model: Model, options: EvaluateLossesOptions): Promise<LossMeans>;
  /**
   * Runs one golden case on this very device, of a loss, an op or a network: the self test for an unknown one.
   * With f16 storage, matrices of every size are held so.
   *
   * @param text - JSON, in the format of the case files that ship with divflow.
   * @param file - what messages call it.
   * @returns an error for each quantity: compare it with {@link verifyTolerances}, of the backend or of f16.
   * @throws {@link DataError} naming the field that is missing or wrong.
   * @throws {@link UnsupportedError} when this version does not know the kind of case, the op or the network.
   */
  verifyCase(text: string, file?: string): Promise<CaseErrors>;
  dispose(): void;
}

/**
 * By quantity: the largest |difference| divided by the largest |expected| (by 1 where all are 0); by the scale that the
 * file gives, where it has one); of an MLP's quantities with a tensor for each layer, the worst layer's. NaN where a value is NaN.
 */
export type CaseErrors = Readonly<Record<string, number>>;

/** Options of {@link load}. */
export interface LoadOptions {
  /** The activation of an MLP in a file without divflow's metadata, such as PyTorch's: weights do not tell. */
  readonly activation?: string;
  /** The network of such a file; left out: as its names and shapes tell. What divflow's files name otherwise is refused. */
  readonly network?: Network;
  /** Of such a file: options of its network that names and shapes do not tell, such as `{ sample: [28, 28, 1], heads: 4 }`. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** The path such weights were trained on; default condOT(). */
  readonly path?: PathScheduler;
  /** The file's name, for messages. */
  readonly source?: string;
}

/** Options of {@link resume}. */
export interface ResumeOptions {
  /** The data, where the file cannot hold it: a user's own points. */
  readonly data?: DataSource;
  /** The data for validation, where they are a source of their own that the file cannot hold. */
  readonly validation?: DataSource;
  /** What paths begin at, where the file cannot hold it: a user's own points. */
  readonly start?: DataSource;
  /** The coupling, where it is a user's own, or has points of their own. */
  readonly coupling?: Coupling;
  /** The network that the file is of, where it is at hand: another one is refused. */
  readonly network?: Network;
  /** The file's name, for messages. */
  readonly source?: string;
  /** Gives up planning: the call then throws its reason. */
  readonly signal?: AbortSignal | undefined;
  /** Called now and then while the step is planned, which takes long for deep networks: passes done, and of how many. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}
