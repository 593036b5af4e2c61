/** Training on this thread: one program, run again and again, and a host that looks at its metrics now and then. */
import { onDemand } from "../backends/on-demand.ts";
import { isArrayData } from "../data/array.ts";
import { ConfigError, LimitError } from "../errors.ts";
import { copiedOptions, integerOption, LAST_STEP, optionsObject, signalOption } from "../graph/options.ts";
import { type FlatVector, type ModelRecord, writeCheckpoint } from "../train/checkpoint.ts";
import { METRIC_ROWS } from "../train/step.ts";
import { isDue, standingAfter, type ValidationStanding } from "../train/validation.ts";
import type { Progress, RunOptions, StepMetrics, Trainer, TrainerOptions, ValidationMetrics } from "./api.ts";
import { badStep } from "./bad-step.ts";
import { dispose, disposed } from "./disposed.ts";
import { initialBytes } from "./initial.ts";
import { Lock } from "./lock.ts";
import { readMetrics } from "./metrics.ts";
import { LocalModel } from "./model.ts";
import type { ParametersName } from "./parameters.ts";
import type { Live, LocalRuntime } from "./runtime.ts";
import { TrainerDevice } from "./trainer-device.ts";
import { completed, type TrainerSettings, warningsOf } from "./trainer-settings.ts";
import { initialSnapshot, recordOf, type Snapshot, vectorNames } from "./trainer-state.ts";

/** Milliseconds of training between reports, when the caller does not say. */
const REPORT_MILLISECONDS = 250;

/** Steps in a report at most, whatever the caller says: these rows are the only thing here that grows with steps. */
const MOST_REPORTED = 64 * METRIC_ROWS;

/** Milliseconds between snapshots on the host, when the caller does not say. */
const SNAPSHOT_MILLISECONDS = 30_000;

/** How far to train at once, and what then was seen. */
interface Stretch {
  readonly target: number;
  readonly every: number | undefined;
  /** Of performance.now(): time for a report, where none is due by number. */
  readonly deadline: number;
  readonly signal: AbortSignal | undefined;
}
/** Filled in as it comes, so that what ends a stretch takes nothing of it along. */
interface Seen {
  rows: readonly StepMetrics[];
  validation: ValidationMetrics | undefined;
}

export class LocalTrainer implements Trainer {
  readonly model: LocalModel;
  readonly warnings: readonly string[];
  readonly #runtime: LocalRuntime;
  readonly #settings: TrainerSettings;
  readonly #lock = new Lock();
  #device: TrainerDevice | undefined;
  #snapshot: Snapshot;
  #snapshotTime = performance.now();
  #step: number;
  #standing: ValidationStanding;
  #running = false;
  #disposed = false;

  constructor(runtime: LocalRuntime, settings: TrainerSettings, start: Snapshot) {
    this.#runtime = runtime;
    this.#settings = settings;
    this.#snapshot = start;
    this.#step = start.step;
    this.#standing = start.standing;
    this.warnings = warningsOf(settings);
    const { network, path, data, trainingData, ema } = settings;
    this.model = new LocalModel(runtime, {
      network,
      path,
      standardization: trainingData.standardization,
      columns: data.columns,
      kept: () => new Set<ParametersName>([...(ema ? ["ema" as const] : []), ...(this.best ? ["best" as const] : [])]),
      lock: this.#lock,
      store: async (live) => (await this.#ready(live)).store,
      record: async () => ({ ...(await this.#runtime.use((live) => this.#record(live))), training: undefined }),
      step: () => this.best?.step ?? this.#step,
      dispose: () => {},
    });
    runtime.own(this);
  }

  get step(): number {
    return this.#step;
  }

  get best(): ValidationMetrics | undefined {
    return this.#standing.best;
  }

  get stopped(): boolean {
    return this.#standing.stopped;
  }

  get trainingRows(): Uint32Array | undefined {
    const { data, validation } = this.#settings;
    if (validation?.rows) return validation.rows.training.slice();
    return isArrayData(data) ? Uint32Array.from({ length: data.count }, (_, row) => row) : undefined;
  }

  get heldOutRows(): Uint32Array | undefined {
    return this.#settings.validation?.rows?.heldOut.slice();
  }

  /** This trainer, built on the device: what does not fit is found out before the first step. */
  async prepared(): Promise<this> {
    try {
      await this.#work(async () => {});
      return this;
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  run(options: RunOptions): AsyncGenerator<Progress, void, undefined> {
    return this.#run(copiedOptions(options)); // now: the generator's body waits for its first step
  }

  async *#run(options: RunOptions): AsyncGenerator<Progress, void, undefined> {
    this.#check();
    optionsObject("options of run", options, ["steps", "signal", "progressEvery"]);
    const { progressEvery: every } = options;
    const signal = signalOption(options.signal);
    integerOption("steps of run", options.steps, 0);
    if (every !== undefined) integerOption("progressEvery of run", every);
    const target = this.#step + options.steps;
    if (target > LAST_STEP) {
      throw new LimitError({
        subject: "steps of run",
        given: `${options.steps} after ${this.#step}`,
        expected: `at most ${LAST_STEP} in all: random numbers of later steps would begin again`,
        remedy: "Begin a new run from the model, with another seed: createTrainer({ initial, seed }).",
      });
    }
    if (this.#running) {
      throw new ConfigError({
        subject: "run",
        given: "a second run of one trainer",
        expected: "one at a time",
        remedy: "Let the first run end, or abort it.",
      });
    }
    this.#running = true;
    const started = performance.now();
    let seen = this.#step;
    let { validated } = this.#standing;
    let deadline = started + REPORT_MILLISECONDS;
    let steps: StepMetrics[] = [];
    let validations: ValidationMetrics[] = [];
    try {
      while (seen < target && !this.stopped) {
        signal?.throwIfAborted();
        const found: Seen = { rows: [], validation: undefined };
        let end: { readonly reason: unknown } | undefined;
        try {
          await this.#advance({ target, every, deadline, signal }, found);
          if (signal?.aborted) end = signal;
        } catch (reason) {
          end = { reason };
        }
        const { rows, validation } = found;
        // After a lost device steps and validations come again that were seen before.
        steps.push(...rows.filter(({ step }) => step > seen));
        if (validation && validation.step > validated) {
          validations.push(validation);
          validated = validation.step;
        }
        const last = steps.at(-1);
        if (!last) {
          if (end) throw end.reason;
          continue;
        }
        seen = last.step;
        const isFull = steps.length + METRIC_ROWS > MOST_REPORTED;
        const isTime = isFull || (every === undefined ? performance.now() >= deadline : seen % every === 0);
        if (seen < target && !this.stopped && !isTime && !end) continue;
        // Whatever ends the run, its last steps are told first.
        yield {
          ...{ ...last, steps, seconds: (performance.now() - started) / 1000 },
          ...(validations.length > 0 ? { validation: validations.at(-1) as ValidationMetrics, validations } : {}),
          ...(this.stopped ? { stopped: true } : {}),
        };
        if (end) throw end.reason;
        deadline = performance.now() + REPORT_MILLISECONDS;
        steps = [];
        validations = [];
      }
    } finally {
      this.#running = false;
    }
  }

  async checkpoint(): Promise<Uint8Array> {
    return writeCheckpoint(await this.#work(({ live }) => this.#record(live)));
  }

  async describe(): Promise<string> {
    return this.#work(async ({ program }) => program.describe());
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.model.dispose();
    this.#device?.dispose();
    this.#device = undefined;
    this.#runtime.release(this);
  }

  [dispose](): void {
    this.dispose();
  }

  readonly #check = (): void => {
    if (this.#disposed) throw disposed("the trainer");
  };

  /** Does device work under the lock. What goes wrong after `dispose()` is its doing. */
  async #work<Result>(work: (device: TrainerDevice) => Promise<Result>): Promise<Result> {
    this.#check();
    try {
      return await this.#lock.run(() => this.#runtime.use(async (live) => work(await this.#ready(live))));
    } finally {
      this.#check();
    }
  }

  /** Everything on this device; after a loss built anew from the last snapshot. Called within the lock. */
  async #ready(live: Live): Promise<TrainerDevice> {
    this.#check();
    if (this.#device?.live === live) return this.#device;
    this.#device = undefined; // it went with its device
    const { step, standing } = this.#snapshot;
    this.#device = await TrainerDevice.build(live, this.#settings, this.#snapshot, this.#check);
    this.#step = step;
    this.#standing = standing;
    return this.#device;
  }

  /** Trains up to the next report or validation, and makes that. What is new is put into `seen`. */
  #advance({ target, every, deadline, signal }: Stretch, seen: Seen): Promise<void> {
    return this.#work(async (device) => {
      const { validation } = this.#settings;
      const isDueNow = () => validation && isDue(this.#standing, this.#step, validation.every);
      if (!isDueNow()) {
        const from = this.#step;
        const next = (multiple: number | undefined) =>
          multiple === undefined ? Number.POSITIVE_INFINITY : (Math.floor(from / multiple) + 1) * multiple;
        const stop = Math.min(target, from + METRIC_ROWS, next(every), next(validation?.every));
        // A step at least: the time may be over before the first, by a wait for the lock, a validation or a new device.
        const enough = (done: number) => every === undefined && done > 0 && performance.now() >= deadline;
        const done = await device.train(stop - from, { signal, enough });
        const read = await readMetrics(device.store, from, from + done);
        this.#check();
        if (read.bad) {
          this.#step = read.bad.step - 1;
          device.setStep(this.#step);
          seen.rows = read.rows.slice(0, this.#step - from);
          throw badStep(read.bad, this.#settings);
        }
        this.#step = from + done;
        seen.rows = read.rows;
      }
      if (isDueNow() && !signal?.aborted) seen.validation = await this.#validate(device, signal);
      await this.#keepSnapshot(device);
    });
  }

  async #validate(device: TrainerDevice, signal: AbortSignal | undefined): Promise<ValidationMetrics | undefined> {
    const { validation } = this.#settings;
    if (!validation) return undefined;
    const metrics = await device.validator.metrics(this.#step, signal);
    this.#check();
    const standing = standingAfter(this.#standing, metrics, validation);
    const best = standing.best !== this.#standing.best;
    if (best) device.keepBest();
    this.#standing = standing;
    return { ...metrics, best };
  }

  async #keepSnapshot(device: TrainerDevice): Promise<void> {
    const { snapshotEvery } = this.#settings;
    const due =
      snapshotEvery === undefined
        ? performance.now() - this.#snapshotTime >= SNAPSHOT_MILLISECONDS
        : this.#step - this.#snapshot.step >= snapshotEvery;
    if (due) await this.#takeSnapshot(device);
  }

  async #takeSnapshot(device: TrainerDevice): Promise<Snapshot> {
    const [step, standing] = [this.#step, this.#standing];
    const vectors = await device.vectors(vectorNames(this.#settings, standing));
    this.#snapshot = { step, vectors, standing };
    this.#snapshotTime = performance.now();
    return this.#snapshot;
  }

  /** The state as it is now, for a file. Called within the lock. */
  async #record(live: Live): Promise<ModelRecord> {
    return recordOf(this.#settings, await this.#takeSnapshot(await this.#ready(live)), this.#runtime.backend);
  }
}

/**
 * A trainer at step 0.
 *
 * @throws {@link ConfigError} when options are out of range or do not fit each other.
 */
export async function createTrainer(runtime: LocalRuntime, options: TrainerOptions): Promise<LocalTrainer> {
  const settings = completed(options);
  const initial = options.initial === undefined ? undefined : initialBytes(options.initial);
  let parameters: FlatVector | undefined;
  if (initial) {
    const bytes = await initial.bytes;
    const { initialVector } = await onDemand(import("./warm-start.ts"));
    parameters = initialVector(bytes, settings.network, initial.choice);
  }
  return new LocalTrainer(runtime, settings, initialSnapshot(settings, parameters)).prepared();
}
