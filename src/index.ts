/** The public API. Everything divflow offers is exported here, by name. */
import { onDemand } from "./backends/on-demand.ts";
import type {
  CaseErrors,
  EvaluateLossesOptions,
  LoadOptions,
  LossMeans,
  Model,
  ResumeOptions,
  Runtime,
  RuntimeOptions,
  Trainer,
  TrainerOptions,
} from "./engine/api.ts";
import { createAnyRuntime } from "./engine/worker/start.ts";
import { partOption } from "./graph/options.ts";
import type { ExportOnnxOptions } from "./onnx/export-onnx.ts";

/**
 * A runtime: a backend, and what is made on it. In a page it runs in a worker of its own; the API is the same.
 *
 * @throws {@link UnsupportedError} when the backend asked for is not to be had here.
 * @example
 * const runtime = await createRuntime({ backend: "auto" });
 * console.log(runtime.reason); // which backend was taken, and why
 */
export async function createRuntime(options: RuntimeOptions = {}): Promise<Runtime> {
  return createAnyRuntime(options);
}

/** A trainer at step 0: {@link Runtime.createTrainer}. */
export async function createTrainer(runtime: Runtime, options: TrainerOptions): Promise<Trainer> {
  return made(runtime).createTrainer(options);
}

/** The model in the bytes of a safetensors file: {@link Runtime.loadModel}. */
export async function load(
  runtime: Runtime,
  bytes: Uint8Array | ArrayBuffer,
  options: LoadOptions = {},
): Promise<Model> {
  return made(runtime).loadModel(bytes, options);
}

/** A trainer that goes on, bit for bit, where a file's left off: {@link Runtime.resumeTrainer}. */
export async function resume(
  runtime: Runtime,
  bytes: Uint8Array | ArrayBuffer,
  options: ResumeOptions = {},
): Promise<Trainer> {
  return made(runtime).resumeTrainer(bytes, options);
}

/** Mean losses of a model over fresh batches: {@link Runtime.evaluateLosses}. */
export async function evaluateLosses(
  runtime: Runtime,
  model: Model,
  options: EvaluateLossesOptions,
): Promise<LossMeans> {
  return made(runtime).evaluateLosses(model, options);
}

/**
 * The velocity field of a model as an ONNX file: operators of the standard set 17, any number of rows. Inputs are `x`
 * [batch, ...sample] in data units, `t` [batch] and the conditions by name, labels as int64; outputs are `velocity` [batch,
 * ...sample], as {@link Model.velocity} gives it, and `noise`: `x`, read as N(0, 1), where sampling starts at t = 0.
 *
 * What writes it is imported on demand, and needs no runtime: the bytes of a model file will do.
 *
 * @param model - a model, or the bytes of a safetensors file.
 * @throws {@link UnsupportedError} when the network has an op that ONNX has not; it is named.
 * @throws {@link LimitError} when the file were 2 GiB or more.
 * @throws {@link CheckpointError} or {@link ConfigError} as {@link load} does, or when the data's units are none of f32's.
 */
export async function exportOnnx(
  model: Model | Uint8Array | ArrayBuffer,
  options: ExportOnnxOptions = {},
): Promise<Uint8Array> {
  return (await onDemand(import("./onnx/export-onnx.ts"))).exportOnnx(model, options);
}

/** The errors of a golden case on this very device: {@link Runtime.verifyCase}. */
export async function verifyCase(runtime: Runtime, text: string, file?: string): Promise<CaseErrors> {
  return made(runtime).verifyCase(text, file);
}

/** A runtime, or a sentence for whoever has swapped arguments or left out an await. */
function made(runtime: Runtime): Runtime {
  return partOption("runtime", runtime, "createTrainer", "await createRuntime()");
}

export { type WasmFeatures, wasmFeatures } from "./backends/wasm/features.ts";
export type { TuningStore } from "./backends/webgpu/tuning-store.ts";
export { type ArrayData, type ArrayDataOptions, arrayData } from "./data/array.ts";
export { checkerboard } from "./data/checkerboard.ts";
export { type CsvOptions, type CsvTable, readCsv } from "./data/csv.ts";
export { eightGaussians } from "./data/eight-gaussians.ts";
export { gaussianMixture } from "./data/gaussian-mixture.ts";
export { moons } from "./data/moons.ts";
export { type NpyArray, readNpy, writeNpy } from "./data/npy.ts";
export type { ConditionValues, NestedNumbers, Numbers } from "./data/numbers.ts";
export { pinwheel } from "./data/pinwheel.ts";
export type { Points } from "./data/points.ts";
export { readPoints } from "./data/read-points.ts";
export { dataFrom, dataNames } from "./data/registry.ts";
export { rings } from "./data/rings.ts";
export { sampleData } from "./data/sample.ts";
export type { DataCondition, DataContext, DataSource, DataStream, Drawn, StreamStart } from "./data/source.ts";
export { spirals } from "./data/spirals.ts";
export { type RowSplit, splitRows } from "./data/split.ts";
export type { Standardization, StandardizationMode } from "./data/standardize.ts";
export {
  type RowStream,
  type StreamDataOptions,
  type StreamedRows,
  streamData,
} from "./data/stream.ts";
export type * from "./engine/api.ts";
export type { GPUDeviceSource, GPUSource } from "./engine/platform-types.ts";
export { save } from "./engine/save.ts";
export { verifyTolerances } from "./engine/verify.ts";
export {
  CheckpointError,
  ConfigError,
  DataError,
  DeviceLostError,
  DisposedError,
  DivflowError,
  type ErrorCode,
  type ErrorFacts,
  LimitError,
  NumericError,
  OutOfMemoryError,
  rebuildError,
  StiffnessError,
  UnsupportedError,
} from "./errors.ts";
export { cfm } from "./flow/losses/cfm.ts";
export { type FDMOptions, fdm } from "./flow/losses/fdm.ts";
export type { Loss, LossContext, LossTerms, ProbeKind, VelocityField } from "./flow/losses/loss.ts";
export { paper2d } from "./flow/losses/paper-2d.ts";
export { lossFrom, lossNames } from "./flow/losses/registry.ts";
export { condOT } from "./flow/paths/cond-ot.ts";
export { cosine } from "./flow/paths/cosine.ts";
export { linearVP } from "./flow/paths/linear-vp.ts";
export type { PathScheduler, PathValues } from "./flow/paths/path.ts";
export { polynomial } from "./flow/paths/polynomial.ts";
export { pathFrom, pathNames } from "./flow/paths/registry.ts";
export { ve } from "./flow/paths/ve.ts";
export { vp } from "./flow/paths/vp.ts";
export { type Dopri5Options, dopri5 } from "./flow/solvers/dopri5.ts";
export { euler } from "./flow/solvers/euler.ts";
export type { FixedStepOptions } from "./flow/solvers/fixed-step.ts";
export { heun } from "./flow/solvers/heun.ts";
export { midpoint } from "./flow/solvers/midpoint.ts";
export { solverFrom, solverNames } from "./flow/solvers/registry.ts";
export { rk4 } from "./flow/solvers/rk4.ts";
export type { Solver } from "./flow/solvers/solver.ts";
export type { DType, Node, Shape } from "./graph/node.ts";
export type { NamedOptions } from "./graph/options.ts";
// Other networks are in src/networks.ts alone: some bundlers would take them along for an app that has none.
export { type ConditionOptions, classes, numbers } from "./nn/conditions.ts";
export { type MLPConfig, mlp } from "./nn/mlp.ts";
export type { ConditionDeclaration, ConditionDeclarations, Network, ParameterDeclaration } from "./nn/network.ts";
export { networkFromConfig, networkKinds } from "./nn/registry.ts";
export type { ExportOnnxOptions } from "./onnx/export-onnx.ts";
export { type ActivationKind, activationKinds } from "./ops/activation.ts";
export { type AdamOptions, type AdamWOptions, adam, adamW, type Optimizer } from "./train/adam.ts";
export { type Ema, ema } from "./train/ema.ts";
export { cosineDecay, exponential, product, type Rate, staircase, warmUp } from "./train/rates.ts";
export { type MetricName, metricNames } from "./train/step.ts";
export { VERSION } from "./version.ts";
