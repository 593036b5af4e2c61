/**
 * The interface of a backend: buffers for state, and programs run on them. `engine/` owns what these hand out;
 * nothing above it sees them.
 */
import type { PlanLimits, Program } from "../schedule/program.ts";

export type NumericArray = Float32Array | Float64Array | Uint32Array;

/** Memory for one state. WebGPU and WASM hold 4 bytes an element, the reference f64. */
export interface StateBuffer {
  readonly length: number;
  /** Frees it; a second call does nothing. */
  dispose(): void;
}

/** A program with its arenas allocated and its state bound: running it allocates and uploads nothing. */
export interface Executable {
  /** Runs the program `times` times, in order, as one submission. Returns once submitted (WASM: once done). */
  run(times: number): void;
  /**
   * Where `run` computes on this thread: a run in parts, between which other tasks may have their turn. Parts 0 to
   * `count` - 1, in order and each once, are a run.
   */
  readonly parts?: { readonly count: number; run(part: number): void };
  /**
   * Runs each kernel call `times` times (default 1) before the next, and gives by call the milliseconds of all of these
   * on the device; where that can be told.
   */
  profile?(times?: number): Promise<number[]>;
  /** Of what differs between runs, such as every second: the next run is that of this number. */
  startAt?(run: number): void;
  dispose(): void;
}

export interface Backend {
  readonly name: "webgpu" | "wasm" | "reference";
  /** The device in words, such as "SwiftShader (WebGPU, Vulkan)" or "WebAssembly, relaxed SIMD". */
  readonly device: string;
  readonly limits: PlanLimits;
  /** Why something that was asked for is done without: threads of WASM, a place for what WebGPU's tuning finds. */
  readonly refusal?: string | undefined;

  /** A zeroed buffer. Throws OutOfMemoryError or LimitError. */
  createState(label: string, length: number): StateBuffer;

  /** Copies `values` to `offset` on, in elements; Float64Array is rounded to f32 where the backend holds f32. */
  write(buffer: StateBuffer, offset: number, values: NumericArray): void;

  /**
   * A copy of `length` elements, once all submitted work is done: Float32Array or Uint32Array by `dtype`, from the
   * reference backend Float64Array.
   */
  read(buffer: StateBuffer, offset: number, length: number, dtype: "f32" | "u32"): Promise<NumericArray>;

  /** Copies all of `source` to `target` on the device. */
  copy(source: StateBuffer, target: StateBuffer): void;

  /** Allocates arenas, compiles kernels and binds `state`, which has a buffer for every name in `program.state`. */
  load(program: Program, state: ReadonlyMap<string, StateBuffer>): Promise<Executable>;

  /** Resolves when all submitted work is done. */
  finished(): Promise<void>;

  /** Rejects never; resolves with the reason when the device is lost. WASM and reference: never resolves. */
  readonly lost: Promise<string>;

  /** Whether the device still does its work; of one that can be lost. Takes seconds where nothing answers. */
  answers?(): Promise<boolean>;

  /** Live buffers and their bytes, arenas included: a test holds them constant over a training run. */
  memory(): { readonly buffers: number; readonly bytes: number };

  /** Frees everything; a second call does nothing. */
  dispose(): void;
}
