/** The backend that runs programs on the CPU, in hand-written WebAssembly SIMD (wasm/), on one thread or several. */
import { ConfigError, DisposedError, DivflowError, LimitError, UnsupportedError } from "../../errors.ts";
import type { Placement, Program } from "../../schedule/program.ts";
import type { Backend, Executable, NumericArray, StateBuffer } from "../backend.ts";
import { onDemand } from "../on-demand.ts";
import { type Engine, type EngineOptions, startEngine } from "./engine.ts";
import { wasmFeatures } from "./features.ts";
import { type Allocation, MAX_BYTES, WasmMemory } from "./memory.ts";
import { inParts } from "./modules.ts";
import { placePacked, type Scratch, scratchOf } from "./scratch.ts";
import { CALL_BYTES, needsAll, type Translation, translate } from "./translate.ts";

/** Row groups of a product that wasm/linear.ts's scratch has room for. */
const MAX_GROUPS = 64;

export interface WasmOptions {
  /**
   * Fused multiply-adds by relaxed SIMD: about as fast or faster, last bits differ from plain SIMD's. Default: where
   * the platform has it.
   */
  readonly relaxed?: boolean;
  /** Threads that share the work, this one included; default 1. Results do not depend on it, bit for bit. */
  readonly threads?: number;
  /** Seconds that each of them may take to start; default {@link START_SECONDS}. */
  readonly startSeconds?: number | undefined;
  /** Has what many pages never need from the start, not from the first program on that needs it. */
  readonly all?: boolean;
}

export interface WasmBackend extends Backend {
  /** Threads in use. */
  readonly threads: number;
}

/**
 * Where threads cannot be had it takes one, and says why (`refusal`).
 *
 * @throws {@link UnsupportedError} when the platform has no WebAssembly SIMD, or not the relaxed one that was asked
 * for, or its module cannot be downloaded; OutOfMemoryError when not even scratch memory can be had.
 */
export async function createWasmBackend(options: WasmOptions = {}): Promise<WasmBackend> {
  const features = wasmFeatures();
  const relaxed = options.relaxed ?? features.relaxedSimd;
  // Firefox had SIMD before DecompressionStream, which the modules come out of.
  const simd = features.simd && typeof DecompressionStream === "function";
  if (!simd || (relaxed && !features.relaxedSimd)) {
    throw new UnsupportedError({
      subject: "WebAssembly on this platform",
      given: simd ? "SIMD, not relaxed SIMD" : "no SIMD, or no DecompressionStream",
      expected: relaxed ? "relaxed SIMD" : "both (Chromium 94, Firefox 113, Safari 16.4, Node 18 or later)",
      remedy: simd ? "Leave out `relaxed`." : "Use a later version, or WebGPU.",
    });
  }
  const build = relaxed ? "relaxed" : "plain";
  const { threads = 1, startSeconds: seconds, all = !inParts } = options;
  const alone: EngineOptions = { build, threads: 1, seconds, all };
  if (threads === 1) return created(alone);
  if (!features.threads) {
    return created(
      alone,
      "there is no SharedArrayBuffer (a page must be cross-origin isolated for that: served with " +
        "Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp)",
    );
  }
  try {
    return await created({ ...alone, threads });
  } catch (error) {
    return created(alone, error instanceof Error ? error.message : String(error));
  }
}

async function created(options: EngineOptions, refusal?: string): Promise<WasmBackend> {
  const memory = new WasmMemory(options.threads > 1);
  return new LocalWasmBackend(await startEngine(memory, options), memory, options, refusal);
}

class WasmState implements StateBuffer {
  readonly length: number;
  readonly label: string;
  /** Undefined once disposed. */
  allocation: Allocation | undefined;
  readonly #release: (state: WasmState) => void;

  constructor(label: string, length: number, allocation: Allocation, release: (state: WasmState) => void) {
    this.label = label;
    this.length = length;
    this.allocation = allocation;
    this.#release = release;
  }

  dispose(): void {
    if (this.allocation) this.#release(this);
    this.allocation = undefined;
  }
}

class LocalWasmBackend implements WasmBackend {
  readonly name = "wasm";
  readonly device: string;
  readonly threads: number;
  readonly refusal?: string;
  readonly limits = {
    maxBufferBytes: MAX_BYTES,
    maxTotalBytes: MAX_BYTES,
    maxBindingBytes: MAX_BYTES,
    maxStorageBindings: Number.MAX_SAFE_INTEGER,
    maxEpilogueGroups: MAX_GROUPS,
    separateReadAndWrite: false,
    optionalKernels: ["attention", "attentionReverse"],
  };
  readonly lost = new Promise<string>(() => {});
  readonly #memory: WasmMemory;
  readonly #live = new Set<Allocation>();
  readonly #options: EngineOptions;
  #engine: Engine;
  #hasAll: boolean;
  /** The engine that has all on its way. */
  #widening: Promise<void> | undefined;
  #disposed = false;

  constructor(engine: Engine, memory: WasmMemory, options: EngineOptions, refusal?: string) {
    const { build, threads, all } = options;
    this.threads = threads;
    this.device = `WebAssembly, ${build} SIMD, ${threads === 1 ? "one thread" : `${threads} threads`}`;
    if (refusal) this.refusal = refusal;
    this.#memory = memory;
    this.#options = options;
    this.#engine = engine;
    this.#hasAll = all;
    this.#live.add(engine.control);
  }

  createState(label: string, length: number): StateBuffer {
    this.#checkAlive();
    return new WasmState(label, length, this.#allocate(`state "${label}"`, length * 4), ({ allocation }) => {
      this.#release(allocation as Allocation);
    });
  }

  write(buffer: StateBuffer, offset: number, values: NumericArray): void {
    const address = this.#addressOf(buffer, offset, values.length);
    if (values instanceof Uint32Array) this.#memory.words(address, values.length).set(values);
    else this.#memory.floats(address, values.length).set(values);
  }

  async read(buffer: StateBuffer, offset: number, length: number, dtype: "f32" | "u32"): Promise<NumericArray> {
    const address = this.#addressOf(buffer, offset, length);
    return dtype === "u32" ? this.#memory.words(address, length).slice() : this.#memory.floats(address, length).slice();
  }

  copy(source: StateBuffer, target: StateBuffer): void {
    const from = this.#addressOf(source, 0, source.length);
    const to = this.#addressOf(target, 0, source.length);
    this.#memory.words(to, source.length).set(this.#memory.words(from, source.length));
  }

  async load(planned: Program, state: ReadonlyMap<string, StateBuffer>): Promise<Executable> {
    // Of networks alone: all kernels, and the form that their programs have here.
    const network = needsAll(planned) ? await onDemand(import("./network-calls.ts")) : undefined;
    this.#checkAlive();
    if (network && !this.#hasAll) await this.#widen();
    const program = network?.networkCalls(planned) ?? planned;
    const held: Allocation[] = [];
    const hold = (subject: string, bytes: number) => {
      held.push(this.#allocate(`${subject} of program "${program.name}"`, bytes));
      return held.at(-1) as Allocation;
    };
    const release = () => {
      for (const allocation of held.splice(0)) this.#release(allocation);
    };
    try {
      const bound = new Map(program.state.map(({ name }) => [name, boundState(program, name, state)]));
      const arenas = program.arenas.map((length) => hold("temporaries", length * 4));
      const constants = hold("constants", program.constants.length * 4);
      this.#memory.words(constants.address, program.constants.length).set(program.constants);
      const baseOf = ({ region }: Placement): number => {
        switch (region.kind) {
          case "arena":
            return (arenas[region.index] as Allocation).address;
          case "state":
            return this.#addressOf(bound.get(region.name) as WasmState, 0, 0);
          case "constants":
            return constants.address;
        }
      };
      const addressOf = (placement: Placement) => baseOf(placement) + placement.offset * 4;
      const translation = translate(program, this.#memory, addressOf);
      this.#live.add(translation.allocation);
      held.push(translation.allocation);
      placePacked(
        program,
        translation,
        this.#engine.kernels,
        this.#memory,
        (bytes) => hold("packed weights", bytes).address,
      );
      const scratchAt = (bytes: number) => hold("scratch", bytes).address;
      network?.placeSums(program, translation, this.#engine.kernels, this.#memory, addressOf, scratchAt);
      const scratch = scratchOf(translation, this.#engine.kernels, this.threads, scratchAt);
      const check = () => {
        this.#checkAlive();
        if (held.length === 0) throw disposed(`program "${program.name}"`);
        for (const buffer of bound.values()) if (!buffer.allocation) throw disposed(`state "${buffer.label}"`);
      };
      return {
        run: (times) => {
          check();
          this.#run(translation, scratch, times);
        },
        parts: {
          count: translation.count,
          run: (part) => {
            check();
            this.#run({ calls: translation.calls + part * CALL_BYTES, count: 1 }, scratch, 1);
          },
        },
        dispose: release,
      };
    } catch (error) {
      release();
      throw error;
    }
  }

  #run(
    { calls, count }: Pick<Translation, "calls" | "count">,
    { address, shared, perThread, slots }: Scratch,
    times: number,
  ): void {
    const { kernels, control, team } = this.#engine;
    const mayWait = Number(team?.mayWait ?? false);
    const meeting = control.address;
    const { threads } = this;
    const failed = kernels.run(calls, count, times, meeting, threads, mayWait, address, shared, perThread, slots);
    if (failed) throw new Error("A worker of the WASM backend has failed: what was being computed is lost.");
  }

  /** The module with all kernels, and threads that have it, take the place of those at hand: what is loaded runs on. */
  async #widen(): Promise<void> {
    this.#widening ??= startEngine(this.#memory, { ...this.#options, all: true }).then((engine) => {
      const { control, team } = this.#engine;
      team?.dispose();
      this.#live.delete(control); // not released: its threads may still read it, until they are gone
      this.#live.add(engine.control);
      this.#engine = engine;
      this.#hasAll = true;
      if (this.#disposed) this.dispose();
    });
    try {
      await this.#widening;
    } catch (error) {
      this.#widening = undefined; // a program that needs it may ask again
      throw error instanceof DivflowError ? error : threadsFailed(error);
    }
    this.#checkAlive();
  }

  finished(): Promise<void> {
    return Promise.resolve();
  }

  memory(): { buffers: number; bytes: number } {
    let bytes = 0;
    for (const allocation of this.#live) bytes += allocation.bytes;
    return { buffers: this.#live.size, bytes };
  }

  /** All allocations go; the memory itself goes with the last reference to this backend. */
  dispose(): void {
    this.#disposed = true;
    this.#engine.team?.dispose();
    for (const allocation of [...this.#live]) this.#release(allocation);
  }

  #allocate(subject: string, bytes: number): Allocation {
    if (bytes > MAX_BYTES) {
      throw new LimitError({
        subject,
        given: bytes,
        expected: `at most ${MAX_BYTES} bytes, all that WebAssembly addresses reach`,
        remedy: "Use a smaller batch, network or data set.",
      });
    }
    const allocation = this.#memory.allocate(subject, bytes);
    this.#live.add(allocation);
    return allocation;
  }

  /** Does nothing where the backend's `dispose` has released it already. */
  #release(allocation: Allocation): void {
    if (this.#live.delete(allocation)) this.#memory.release(allocation);
  }

  /** The byte address of an element, once `length` elements from it on are known to be the buffer's. */
  #addressOf(buffer: StateBuffer, offset: number, length: number): number {
    this.#checkAlive();
    const { allocation, label } = buffer as WasmState;
    if (!allocation) throw disposed(`state "${label}"`);
    if (offset < 0 || offset + length > buffer.length) {
      throw new LimitError({
        subject: `elements of state "${label}"`,
        given: `${offset} to ${offset + length}`,
        expected: `a range within its ${buffer.length}`,
        remedy: "Read or write less.",
      });
    }
    return allocation.address + offset * 4;
  }

  #checkAlive(): void {
    if (this.#disposed) throw disposed("WASM backend");
  }
}

function boundState(program: Program, name: string, state: ReadonlyMap<string, StateBuffer>): WasmState {
  const buffer = state.get(name);
  if (buffer instanceof WasmState) return buffer;
  throw new ConfigError({
    subject: `state "${name}" of program "${program.name}"`,
    given: buffer ? "a buffer of another backend" : "no buffer",
    expected: "a buffer made by this backend",
    remedy: "Create one with createState and hand it to load.",
  });
}

function threadsFailed(cause: unknown): UnsupportedError {
  return new UnsupportedError(
    {
      subject: "threads of WebAssembly with the kernels of this network",
      given: cause instanceof Error ? cause.message : String(cause),
      expected: "as many as had started before",
      remedy: "Try again, or create the runtime with one thread.",
    },
    { cause },
  );
}

function disposed(subject: string): DisposedError {
  return new DisposedError({
    subject,
    given: "use after dispose()",
    expected: "use before",
    remedy: "Create another one.",
  });
}
