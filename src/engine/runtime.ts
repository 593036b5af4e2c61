/** The runtime on this thread: one backend, what was made on it, and another backend when that one is lost. */
import type { Backend } from "../backends/backend.ts";
import { onDemand } from "../backends/on-demand.ts";
import { copiedBytes } from "../data/numbers.ts";
import { ConfigError, DeviceLostError } from "../errors.ts";
import { Failure } from "../failure.ts";
import { copiedOptions } from "../graph/options.ts";
import type {
  BackendName,
  CaseErrors,
  DeviceMemory,
  EvaluateLossesOptions,
  LoadOptions,
  LossMeans,
  Model,
  ResumeOptions,
  Runtime,
  RuntimeOptions,
  Trainer,
  TrainerOptions,
} from "./api.ts";
import { type ChosenBackend, chooseBackend, everyBackend } from "./choose-backend.ts";
import { dispose, disposed } from "./disposed.ts";
import { LocalModel } from "./model.ts";
import { createTrainer } from "./trainer.ts";
import { verifyCase } from "./verify.ts";

/** A backend in use. What was built on one is of no use on the next: owners compare the object. */
export interface Live {
  readonly backend: Backend;
  /** Of the backend. */
  readonly loss: Failure;
}

/** Losses in a row, without work done in between, after which a device counts as gone for good. */
const MOST_LOSSES = 3;

/** Milliseconds that the news of a loss may come after the error it caused. */
const LOSS_NEWS = 200;

export class LocalRuntime implements Runtime {
  readonly backend: BackendName;
  readonly device: string;
  readonly reason: string;
  readonly #renew: (() => Promise<Backend>) | undefined;
  #live: Live | undefined;
  #lost = false;
  #renewing: Promise<Live> | undefined;
  #disposed = false;
  readonly #owned = new Set<Disposable>();
  /** Comes on dispose(): what a device destroyed still owes need not. */
  readonly #ended = new Failure();

  constructor({ backend, reason, renew }: ChosenBackend) {
    this.backend = backend.name;
    this.device = backend.device;
    this.reason = reason;
    this.#renew = renew;
    this.#live = this.#begin(backend);
  }

  /**
   * Does device work. When the device is lost on the way, does it again on a new one: `work` must then build what it
   * needs anew, from what the host has.
   */
  async use<Result>(work: (live: Live) => Promise<Result>): Promise<Result> {
    for (let losses = 0; ; losses++) {
      const live = await this.#current();
      try {
        return await this.#ended.race(live.loss.race(work(live)));
      } catch (error) {
        this.#check();
        if (!(await this.#isLost(live, error))) throw error;
        if (losses + 1 >= MOST_LOSSES || !this.#renew) {
          throw new DeviceLostError(
            {
              subject: "the device",
              given: error instanceof Error ? error.message : String(error),
              expected: "a device that stays",
              remedy: this.#renew
                ? "It was lost again and again: do less at a time, or use the WebAssembly backend."
                : "A device that was handed in cannot be replaced: make another runtime and resume from a checkpoint.",
            },
            { cause: error },
          );
        }
      }
    }
  }

  /** `owned` is disposed of with the runtime, unless it is released before. */
  own(owned: Disposable): void {
    this.#check();
    this.#owned.add(owned);
  }

  release(owned: Disposable): void {
    this.#owned.delete(owned);
  }

  async memory(): Promise<DeviceMemory> {
    const { buffers, bytes } = (await this.#current()).backend.memory();
    return { buffers, bytes };
  }

  async createTrainer(options: TrainerOptions): Promise<Trainer> {
    this.#check();
    return createTrainer(this, options);
  }

  async loadModel(bytes: Uint8Array | ArrayBuffer, options: LoadOptions = {}): Promise<Model> {
    this.#check();
    const given = [copiedBytes("bytes of load", bytes), copiedOptions(options)] as const;
    const { loadModel } = await onDemand(import("./load.ts"));
    return loadModel(this, ...given);
  }

  async resumeTrainer(bytes: Uint8Array | ArrayBuffer, options: ResumeOptions = {}): Promise<Trainer> {
    this.#check();
    const given = [copiedBytes("bytes of resume", bytes), copiedOptions(options)] as const;
    const { resumeTrainer } = await onDemand(import("./resume.ts"));
    return resumeTrainer(this, ...given);
  }

  async evaluateLosses(model: Model, options: EvaluateLossesOptions): Promise<LossMeans> {
    this.#check();
    if (model instanceof LocalModel && model.runtime === this) return model.evaluateLosses(options);
    throw new ConfigError({
      subject: "model of evaluateLosses",
      given: model instanceof LocalModel ? "a model of another runtime" : model,
      expected: "a model made on this runtime",
      remedy: "Evaluate it on the runtime it was made on, or save it and load it here.",
    });
  }

  async verifyCase(text: string, file?: string): Promise<CaseErrors> {
    this.#check();
    return verifyCase(this, text, file);
  }

  dispose(): void {
    if (this.#disposed) return;
    for (const owned of [...this.#owned]) owned[dispose]();
    this.#disposed = true;
    this.#ended.fail(disposed("the runtime"));
    this.#live?.backend.dispose();
    this.#live = undefined;
  }

  [dispose](): void {
    this.dispose();
  }

  #check(): void {
    if (this.#disposed) throw disposed("the runtime");
  }

  #begin(backend: Backend): Live {
    const live: Live = { backend, loss: new Failure() };
    backend.lost.then((reason) => {
      if (this.#live === live) this.#lost = true;
      live.loss.fail(
        new DeviceLostError({
          subject: "the device",
          given: reason || "lost",
          expected: "a device that stays",
          remedy: "Resume from a checkpoint.",
        }),
      );
    });
    this.#lost = false;
    return live;
  }

  async #current(): Promise<Live> {
    this.#check();
    if (this.#live && !this.#lost) return this.#live;
    if (this.#renewing) return this.#renewing;
    const renew = this.#renew;
    if (!renew) return this.#live as Live; // its use fails with the loss
    this.#live?.backend.dispose();
    this.#renewing = renew().then((backend) => {
      if (this.#disposed) backend.dispose();
      this.#live = this.#begin(backend);
      return this.#live;
    });
    try {
      return await this.#renewing;
    } finally {
      this.#renewing = undefined;
    }
  }

  /** Whether an error came of a lost device. */
  async #isLost(live: Live, error: unknown): Promise<boolean> {
    if (live !== this.#live || this.#lost) return true;
    if (!(error instanceof DeviceLostError) && (error as { code?: string }).code !== undefined) return false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const news = new Promise<boolean>((resolve) => {
      timer = setTimeout(resolve, LOSS_NEWS, false);
    });
    try {
      return await live.loss.race(news).catch(() => true);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** A runtime on this thread. `remark` is added to its reason; `noGPU`: why there is none, where that is known. */
export async function createLocalRuntime(
  options: RuntimeOptions,
  remark?: string,
  noGPU?: string,
): Promise<LocalRuntime> {
  const chosen = await chooseBackend(options, { modules: everyBackend, noGPU });
  return new LocalRuntime(remark ? { ...chosen, reason: `${chosen.reason} ${remark}` } : chosen);
}
