/**
 * What users hold: Runtime, Trainer and Model. Only these three own device memory; each has `dispose()`, safe to call
 * twice, and works with `using`.
 */
import type { TuningStore } from "../backends/webgpu/tuning-store.ts";
import type { Numbers } from "../data/numbers.ts";
import type { DataSource } from "../data/source.ts";
import type { Loss } from "../flow/losses/loss.ts";
import type { PathScheduler } from "../flow/paths/path.ts";
import type { Solver } from "../flow/solvers/solver.ts";
import type { Network } from "../nn/network.ts";
import type { Optimizer } from "../train/adam.ts";
import type { Ema } from "../train/ema.ts";
import type { MetricName } from "../train/step.ts";
import type { ValidationCriterion, ValidationMetrics } from "../train/validation.ts";
import type { GPUDeviceSource, GPUSource } from "./platform-types.ts";

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
   * Runs one golden case on this very device: the self test for an unknown one.
   * With f16 storage, matrices of every size are held so.
   *
   * @param text - JSON, in the format of the case files that ship with divflow.
   * @param file - what messages call it.
   * @returns an error for each quantity: compare it with {@link verifyTolerances}, of the backend or of f16.
   * @throws {@link DataError} naming the field that is missing or wrong.
   */
  verifyCase(text: string, file?: string): Promise<CaseErrors>;
  dispose(): void;
}

/**
 * By quantity: the largest |difference| divided by the largest |expected| (by 1 where all are 0); of quantities with a
 * tensor for each layer, the worst layer's. NaN where a value is NaN.
 */
export type CaseErrors = Readonly<Record<string, number>>;

/** What is trained, on what, and how: options of {@link createTrainer}. */
export interface TrainerOptions {
  /** Its dimension is the data's. */
  readonly network: Network;
  readonly path: PathScheduler;
  readonly loss: Loss;
  /** Default: adam(). */
  readonly optimizer?: Optimizer;
  readonly data: DataSource;
  /** Default 512. */
  readonly batchSize?: number;
  /** Of the initial parameters and of everything drawn in training; an integer from 0 to 2^53 - 1. Default 0. */
  readonly seed?: number;
  /** Also keep an average of the parameters; models then use it unless told otherwise. */
  readonly ema?: Ema;
  /** Longer gradients are scaled down to this global norm. */
  readonly maximumGradientNorm?: number;
  /**
   * What is never trained on and judged now and then while training: of {@link arrayData} a share of the rows in (0, 1),
   * a number of rows, or row numbers, drawn by `seed` as {@link splitRows} does, the standardisation being fitted on the
   * others; or a source of its own. The model then keeps its best parameters, `best`. Default: nothing.
   */
  readonly validation?: number | readonly number[] | DataSource;
  /** Steps between validations, the bits of training being the same for all; default 100. */
  readonly validateEvery?: number;
  /** Whether a run ends when validations get no better; default false. */
  readonly earlyStopping?: boolean | EarlyStopping;
  /**
   * Standard deviation of Gaussian noise upon the rows of {@link arrayData}, anew each time a row is drawn and in
   * standardised units (also where the data are not standardised): against overfitting where rows are few. "auto": by
   * the number of rows and dimensions, as docs/data.md says. Default 0. Rows held out get none.
   */
  readonly jitter?: number | "auto";
  /**
   * Where the parameters begin: at those of a model of the same network, or of a model's or trainer's file; the best
   * ones where it has them, else the average, unless `best` or `ema` say otherwise. Default: drawn by `seed`.
   */
  readonly initial?: Model | Uint8Array | ArrayBuffer | InitialParameters;
  /**
   * Steps between copies of the state on the host in the middle of a run, from which it goes on when the device is lost.
   * Default: 30 s. There is one at the end of a run too, and when the model is used.
   */
  readonly snapshotEvery?: number;
  /** Gives up drawing parameters and planning: the call then throws its reason. */
  readonly signal?: AbortSignal | undefined;
  /** Called now and then while the step is planned, which takes long for deep networks: passes done, and of how many. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

export interface EarlyStopping {
  /** Validations in a row without a better one, after which a run ends; default 20. Infinity: it goes on. */
  readonly patience?: number;
  /** What is better; default "negativeLogLikelihood" of up to 64 rows, else "velocityLoss". docs/data.md says why. */
  readonly by?: ValidationCriterion;
}

export interface InitialParameters {
  readonly from: Model | Uint8Array | ArrayBuffer;
  /** Whether to begin at its best parameters. Default: where it has them, and `ema` is left out. */
  readonly best?: boolean;
  /** Whether to begin at its average. Default: where it has one. */
  readonly ema?: boolean;
}

/** The metrics of one training step. */
export type StepMetrics = { readonly step: number } & Readonly<Record<MetricName, number>>;

/** Where a run stands after `step` steps, counted from the first ever; metrics are those of the last step. */
export interface Progress extends StepMetrics {
  /** Every step since the last report, in order, this one included. */
  readonly steps: readonly StepMetrics[];
  /** Since `run` was called. */
  readonly seconds: number;
  /** The last of the validations since the last report. Left out: there was none. */
  readonly validation?: ValidationMetrics;
  /** All of them, in order. */
  readonly validations?: readonly ValidationMetrics[];
  /** Whether early stopping ends the run here. */
  readonly stopped?: boolean;
}

/** Options of {@link Trainer.run}. */
export interface RunOptions {
  /** How many more steps, whatever the trainer's `step` is. */
  readonly steps: number;
  readonly signal?: AbortSignal;
  /**
   * Report at each multiple of so many steps, and at the end; after 65,536 in any case, since a report lists its steps.
   * Default: a few times a second.
   */
  readonly progressEvery?: number;
}

/** A training run: its state lies on the device, a step is one program. Disposing it disposes its model. */
export interface Trainer extends Disposable {
  /** Steps done, also before a resume. */
  readonly step: number;
  /**
   * The model being trained; it uses this trainer's parameters as they are when it is asked, the best ones where there
   * was a validation.
   */
  readonly model: Model;
  /** The best validation so far; the model's parameters of that step are kept. */
  readonly best: ValidationMetrics | undefined;
  /** Whether early stopping has ended training: a run then does nothing more. */
  readonly stopped: boolean;
  /** Numbers of the rows of {@link arrayData} trained on, ascending; undefined for other data. */
  readonly trainingRows: Uint32Array | undefined;
  /** Numbers of the rows held out, ascending; undefined where none are. */
  readonly heldOutRows: Uint32Array | undefined;
  /** What speaks against these options, a sentence each, such as fewer rows than parameters. */
  readonly warnings: readonly string[];
  /**
   * Trains, step after step on the device, and reports now and then. How a run is cut into calls, submissions or
   * reports does not change a bit of the result, nor does validating. Leaving the loop stops the run at the step
   * reported last; early stopping ends it for good. Whatever else ends it, a last report with the steps that none has
   * told comes before the error.
   *
   * @throws the signal's reason, within one submission of its abort; the trainer can go on.
   * @throws {@link NumericError} naming the first step whose loss, gradient or new parameters were not finite; the state
   * before it stays.
   * @throws {@link LimitError} before any work, when the trainer would pass step 2^32 - 1.
   * @throws {@link DeviceLostError} when the device is lost and no other can be had.
   */
  run(options: RunOptions): AsyncGenerator<Progress, void, undefined>;
  /**
   * The whole state as bytes of a safetensors file: {@link resume} goes on from it, bit for bit. Where a GPU is lost in the
   * middle of a run and no other is to be had, it is the last snapshot, and `step` is then that one's.
   */
  checkpoint(): Promise<Uint8Array>;
  /** What a step does: the kernel calls of its program, as text. */
  describe(): Promise<string>;
  dispose(): void;
}

/** Options of every solve of a model's flow. */
export interface SolveOptions {
  /** Default: dopri5(). */
  readonly solver?: Solver;
  /** Of noise and probes; an integer from 0 to 2^53 - 1. Default 0. */
  readonly seed?: number;
  readonly signal?: AbortSignal;
  /** Use the best parameters of a run with validation. Default: where the model has them, and `ema` is left out. */
  readonly best?: boolean;
  /** Use the averaged parameters, or with false the last ones. Default: where the model has them. */
  readonly ema?: boolean;
  /**
   * Called now and then with the points solved so far and of how many: with 0 when the program is planned and the work
   * begins, at the end with all. Points half the way count half. An error that it throws ends the call.
   */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Options of {@link Model.velocity}. */
export interface VelocityOptions {
  readonly signal?: AbortSignal;
  /** Use the best parameters of a run with validation. Default: where the model has them, and `ema` is left out. */
  readonly best?: boolean;
  /** Use the averaged parameters, or with false the last ones. Default: where the model has them. */
  readonly ema?: boolean;
}

/** Options of {@link evaluateLosses}. */
export interface EvaluateLossesOptions {
  readonly data: DataSource;
  readonly loss: Loss;
  /** Default: the model's own. */
  readonly path?: PathScheduler;
  /** Default 512. */
  readonly batchSize?: number;
  /** Default 20. */
  readonly batches?: number;
  /** Of the batches; an integer from 0 to 2^53 - 1. Default 0. */
  readonly seed?: number;
  readonly signal?: AbortSignal;
  /** Use the best parameters of a run with validation. Default: where the model has them, and `ema` is left out. */
  readonly best?: boolean;
  /** Use the averaged parameters, or with false the last ones. Default: where the model has them. */
  readonly ema?: boolean;
}

/** Means over batches; the divergence loss of a loss without one is 0. */
export type LossMeans = Readonly<Record<"loss" | "velocityLoss" | "divergenceLoss", number>>;

/** How the divergence of the velocity is taken, whose integral is the change of the log-density. */
export interface DivergenceOptions {
  /** "exact" (default): D jvps an evaluation; "hutchinson": `probes` of them, with a standard error. */
  readonly divergence?: "exact" | "hutchinson";
  /** Rademacher probes, 1 to 256, fixed during a solve; with 1 the standard error is NaN. Default 8. */
  readonly probes?: number;
}

/** Options of {@link Model.sample}. */
export interface SampleOptions extends SolveOptions {
  /** How many; left out where `noise` is given. */
  readonly count?: number;
  /**
   * Noise to start from, the points at t = 0 in model units, row-major [count, D] or rows of D, instead of N(0, s^2 I)
   * drawn by the seed (s: the path's `priorDeviation`): such as {@link Model.encode} gives.
   */
  readonly noise?: Numbers;
  /** Also compute the log-density of each sample while sampling. */
  readonly logDensity?: boolean | DivergenceOptions;
  /** Also give the samples on their way, at these times: ascending, in [0, 1]. */
  readonly times?: Numbers;
}

/** Options of {@link Model.encode}. */
export interface EncodeOptions extends SolveOptions {
  /** Also compute the log-density of each point on the way. */
  readonly logDensity?: boolean | DivergenceOptions;
}

/** What {@link Model.encode} gives. */
export interface Encoding {
  /** The noise of each point, row-major [count, dimension], in model units: `sample({ noise: values })` leads back. */
  readonly values: Float32Array;
  readonly count: number;
  readonly dimension: number;
  readonly logDensity?: LogDensity;
  readonly seconds: number;
}

/** Options of {@link Model.logDensity}. */
export interface LogDensityOptions extends SolveOptions, DivergenceOptions {}

/** Log-densities of points under a model, with their errors. */
export interface LogDensity {
  /** In nats and data units, per point: [count]. */
  readonly values: Float64Array;
  /** Of each value, over the probes; zeros when exact. */
  readonly standardError: Float64Array;
}

/** What {@link Model.sample} gives. */
export interface Samples {
  /**
   * Row-major [count, dimension], in data units: f64 where the model has a standardisation, whose mean may be so large
   * beside its deviation that f32 would leave no digit; else f32.
   */
  readonly values: Float32Array | Float64Array;
  readonly count: number;
  readonly dimension: number;
  readonly logDensity?: LogDensity;
  /** `values` row-major [times, count, dimension], in data units; f64 where those of the samples are. */
  readonly trajectory?: { readonly times: readonly number[]; readonly values: Float32Array | Float64Array };
  readonly seconds: number;
}

/** A velocity field with its path and units: it samples and judges. It holds device memory until it is disposed of. */
export interface Model extends Disposable {
  /** Numbers per sample, D. */
  readonly dimension: number;
  /** Training steps behind the parameters that it uses by default. */
  readonly step: number;
  /** Names of the coordinates, where the data had some. */
  readonly columns: readonly string[] | undefined;
  /**
   * Draws samples by solving the flow from noise at t = 0 to t = 1. Equal options and seeds give equal bits on one
   * backend.
   *
   * @throws {@link StiffnessError} when an adaptive solver meets its smallest step.
   * @throws {@link NumericError} when a sample is not finite.
   * @throws the signal's reason, within one submission of its abort.
   */
  sample(options: SampleOptions): Promise<Samples>;
  /**
   * Log-density of points under the model, by solving the flow backwards from t = 1 to 0.
   *
   * `"exact"` costs D jvps an evaluation, `"hutchinson"` costs `probes` and has a standard error. Equal seeds give
   * equal bits on one backend.
   *
   * @param points - row-major [count, D] or rows of D, in data units (standardisation and its Jacobian are accounted
   * for). Copied before the call returns.
   * @throws {@link DataError} when something is no number, the length is no multiple of D or a value is not finite.
   * @throws {@link StiffnessError} when an adaptive solver meets its smallest step.
   * @throws {@link NumericError} when a log-density is not finite.
   * @example
   * const { values } = await model.logDensity(new Float32Array([0.1, -0.4]), { divergence: "exact" });
   * const bitsPerDimension = -values[0] / (2 * Math.LN2); // D = 2
   */
  logDensity(points: Numbers, options?: LogDensityOptions): Promise<LogDensity>;
  /**
   * The noise that each point comes from, by solving the flow backwards from t = 1 to 0: distributed as the path's prior
   * where points are as the model's samples are. {@link Model.sample} leads from it back to the points, within the
   * solver's tolerance.
   *
   * @param points - row-major [count, D] or rows of D, in data units. Copied before the call returns.
   * @throws {@link DataError} when something is no number, the length is no multiple of D or a value is not finite.
   * @throws {@link StiffnessError} when an adaptive solver meets its smallest step.
   * @throws {@link NumericError} when a result is not finite.
   * @example
   * const from = await model.encode([[0, 0]]), to = await model.encode([[1, 2]]);
   * const between = from.values.map((value, i) => (value + to.values[i]) / Math.SQRT2); // of unit variance again
   * const { values } = await model.sample({ noise: between });
   */
  encode(points: Numbers, options?: EncodeOptions): Promise<Encoding>;
  /**
   * Velocities dx/dt [count, D] at points [count, D] and times [count] in [0, 1], all in data units; f64 where the model
   * has a standardisation. Points and times are copied before the call returns.
   *
   * @throws {@link DataError} when lengths do not fit, a value is not finite or a time is outside [0, 1].
   */
  velocity(points: Numbers, times: Numbers, options?: VelocityOptions): Promise<Float32Array | Float64Array>;
  /** Weights and what is needed to use them, as bytes of a safetensors file. */
  checkpoint(): Promise<Uint8Array>;
  dispose(): void;
}

/** Options of {@link load}. */
export interface LoadOptions {
  /** The network of a file without divflow's metadata, such as PyTorch's; only its activation cannot be inferred. */
  readonly activation?: string;
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
  /** The file's name, for messages. */
  readonly source?: string;
  /** Gives up planning: the call then throws its reason. */
  readonly signal?: AbortSignal | undefined;
  /** Called now and then while the step is planned, which takes long for deep networks: passes done, and of how many. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}
