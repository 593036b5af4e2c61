/** The runtime on this thread: one backend, what was made on it, and another backend when that one is lost. */
import type { Backend } from "../backends/backend.ts";
import { inTime, START_SECONDS } from "../backends/in-time.ts";
import { onDemand } from "../backends/on-demand.ts";
import { copiedBytes } from "../data/numbers.ts";
import { ConfigError, DeviceLostError, DivflowError, OutOfMemoryError, UnsupportedError } from "../errors.ts";
import { Failure } from "../failure.ts";
import { copiedOptions } from "../graph/options.ts";
import type { PlanLimits } from "../schedule/program.ts";
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
  TrainerOptions,
} from "./api.ts";
import { type ChosenBackend, chooseBackend, everyBackend } from "./choose-backend.ts";
import { dispose, disposed } from "./disposed.ts";
import { LocalModel } from "./model.ts";
import { reasonOf, renewed, unlessAborted } from "./renewal.ts";
import { createTrainer, type LocalTrainer } from "./trainer.ts";
import { verifyCase } from "./verify.ts";

/** A backend in use. What was built on one is of no use on the next: owners compare the object. */
export interface Live {
  readonly backend: Backend;
  /** Of the backend. */
  readonly loss: Failure;
}

/** Losses in a row, without work done in between, after which a device counts as gone for good. */
const MOST_LOSSES = 3;

/** Milliseconds that the news of a loss may come after the error it caused, of a backend that cannot be asked. */
const LOSS_NEWS = 200;

export class LocalRuntime implements Runtime {
  #chosen: ChosenBackend;
  #live: Live;
  /** Why it is of no use any more. */
  #lost: string | undefined;
  /** No other device was to be had when one was looked for last. */
  #gone = false;
  #renewing: Promise<Live> | undefined;
  #disposed = false;
  readonly #owned = new Set<Disposable>();
  /** Comes on dispose(): what a device destroyed still owes need not. */
  readonly #ended = new Failure();

  constructor(chosen: ChosenBackend) {
    this.#chosen = chosen;
    this.#live = this.#begin(chosen.backend);
  }

  get backend(): BackendName {
    return this.#live.backend.name;
  }

  get device(): string {
    return this.#live.backend.device;
  }

  get reason(): string {
    return this.#chosen.reason;
  }

  /**
   * Does device work. When the device is lost on the way, does it again on a new one: `work` must then build what it
   * needs anew, from what the host has.
   *
   * @param signal - ends the wait for another device.
   */
  async use<Result>(work: (live: Live) => Promise<Result>, signal?: AbortSignal): Promise<Result> {
    for (let losses = 1; ; losses++) {
      const live = await this.#current(signal);
      try {
        return await this.#ended.race(live.loss.race(work(live)));
      } catch (error) {
        this.check();
        if (signal?.aborted && error === signal.reason) throw error;
        if (!(await this.#isLost(live, error))) throw error;
        const { renew, fallback } = this.#chosen;
        if (renew && losses < MOST_LOSSES) continue;
        if (!fallback) throw lost(reasonOf(error), renew !== undefined);
        this.#chosen = { ...this.#chosen, renew: undefined };
      }
    }
  }

  /** `owned` is disposed of with the runtime, unless it is released before. */
  own(owned: Disposable): void {
    this.check();
    this.#owned.add(owned);
  }

  release(owned: Disposable): void {
    this.#owned.delete(owned);
  }

  async memory(): Promise<DeviceMemory> {
    const { buffers, bytes } = (await this.#current()).backend.memory();
    return { buffers, bytes };
  }

  /** What programs may use. */
  async limits(): Promise<PlanLimits> {
    return (await this.#current()).backend.limits;
  }

  async createTrainer(options: TrainerOptions): Promise<LocalTrainer> {
    this.check();
    return createTrainer(this, options);
  }

  async loadModel(bytes: Uint8Array | ArrayBuffer, options: LoadOptions = {}): Promise<LocalModel> {
    this.check();
    const given = [copiedBytes("bytes of load", bytes), copiedOptions(options)] as const;
    const { loadModel } = await onDemand(import("./load.ts"));
    return loadModel(this, ...given);
  }

  async resumeTrainer(bytes: Uint8Array | ArrayBuffer, options: ResumeOptions = {}): Promise<LocalTrainer> {
    this.check();
    const given = [copiedBytes("bytes of resume", bytes), copiedOptions(options)] as const;
    const { resumeTrainer } = await onDemand(import("./resume.ts"));
    return resumeTrainer(this, ...given);
  }

  async evaluateLosses(model: Model, options: EvaluateLossesOptions): Promise<LossMeans> {
    this.check();
    if (model instanceof LocalModel && model.runtime === this) return model.evaluateLosses(options);
    throw new ConfigError({
      subject: "model of evaluateLosses",
      given: model instanceof LocalModel ? "a model of another runtime" : model,
      expected: "a model made on this runtime",
      remedy: "Evaluate it on the runtime it was made on, or save it and load it here.",
    });
  }

  async verifyCase(text: string, file?: string): Promise<CaseErrors> {
    this.check();
    return verifyCase(this, text, file);
  }

  dispose(): void {
    if (this.#disposed) return;
    for (const owned of [...this.#owned]) owned[dispose]();
    this.#disposed = true;
    this.#ended.fail(disposed("the runtime"));
    this.#live.backend.dispose();
  }

  [dispose](): void {
    this.dispose();
  }

  /** @throws {@link DisposedError} after dispose(). */
  check(): void {
    if (this.#disposed) throw disposed("the runtime");
  }

  #begin(backend: Backend): Live {
    const live: Live = { backend, loss: new Failure() };
    backend.lost.then((reason) => {
      if (this.#live === live) this.#lost = reason || "lost";
      live.loss.fail(
        new DeviceLostError({
          subject: "the device",
          given: reason || "lost",
          expected: "a device that stays",
          remedy: "Resume from a checkpoint.",
        }),
      );
    });
    this.#lost = undefined;
    return live;
  }

  async #current(signal?: AbortSignal): Promise<Live> {
    this.check();
    const { renew, fallback } = this.#chosen;
    // One that cannot be replaced is used as it is: its use fails with the loss.
    if (this.#lost === undefined || !(renew || fallback)) return this.#live;
    this.#renewing ??= this.#renewed().finally(() => {
      this.#renewing = undefined;
    });
    return unlessAborted(this.#ended.race(this.#renewing), signal);
  }

  /** Another backend in the place of the lost one. */
  async #renewed(): Promise<Live> {
    this.#live.backend.dispose();
    const { renew, renewSeconds = START_SECONDS, fallback } = this.#chosen;
    let backend: Backend | undefined;
    let failure: unknown = lost(this.#lost, renew !== undefined);
    try {
      const seconds = this.#gone ? 0 : renewSeconds; // once is enough, where they were waited for in vain
      backend = renew && (await renewed(renew, seconds, () => !this.#disposed));
    } catch (error) {
      failure = error;
    }
    this.#gone = !backend;
    if (!backend && fallback && !this.#disposed) {
      this.#chosen = (await fallback(reasonOf(failure)).catch(() => undefined)) ?? this.#chosen;
      backend = this.#chosen.backend === this.#live.backend ? undefined : this.#chosen.backend;
    }
    if (!backend) throw failure;
    if (this.#disposed) backend.dispose();
    else this.#live = this.#begin(backend);
    return this.#live;
  }

  /** Whether an error came of a lost device. */
  async #isLost(live: Live, error: unknown): Promise<boolean> {
    if (live !== this.#live || this.#lost !== undefined) return true;
    if (!(error instanceof DeviceLostError)) {
      // What these say of a shader or of memory may come before the news of the loss that is behind it. No other error
      // of ours comes of a loss; one of the platform's may, whatever its name and code.
      const isOurs = error instanceof DivflowError;
      if (isOurs && !(error instanceof UnsupportedError || error instanceof OutOfMemoryError)) return false;
      const answered =
        live.backend.answers?.() ?? inTime(performance.now() + LOSS_NEWS, new Promise(() => {})).then(() => true);
      if (await live.loss.race(answered).catch(() => false)) return false;
    }
    if (live === this.#live) this.#lost ??= reasonOf(error);
    return true;
  }
}

/** @param again - whether others were there in its place. */
function lost(given: string | undefined, again: boolean): DeviceLostError {
  return new DeviceLostError({
    subject: "the device",
    given,
    expected: "a device that stays",
    remedy: again
      ? "It was lost again and again: do less at a time, or use the WebAssembly backend."
      : "A device that was handed in cannot be replaced: make another runtime and resume from a checkpoint.",
  });
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
