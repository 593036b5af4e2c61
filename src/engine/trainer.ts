/** Training on this thread: one program, run again and again, and a host that looks at its metrics now and then. */
import type { Executable } from "../backends/backend.ts";
import { ConfigError, NumericError } from "../errors.ts";
import { copiedOptions, integerOption, optionsObject, signalOption } from "../graph/options.ts";
import { compile } from "../schedule/compile.ts";
import type { Program } from "../schedule/program.ts";
import { type FlatVector, type ModelRecord, writeCheckpoint } from "../train/checkpoint.ts";
import { buildTrainStep, METRIC_ROWS, trainState } from "../train/step.ts";
import type { Progress, RunOptions, StepMetrics, Trainer, TrainerOptions } from "./api.ts";
import { dispose, disposed } from "./disposed.ts";
import { Lock } from "./lock.ts";
import { readMetrics } from "./metrics.ts";
import { LocalModel } from "./model.ts";
import { Pace, runPaced } from "./pace.ts";
import type { Live, LocalRuntime } from "./runtime.ts";
import { StateStore } from "./state-store.ts";
import { completed, type TrainerSettings } from "./trainer-settings.ts";
import { constantState, initialSnapshot, type Snapshot, vectorNames } from "./trainer-state.ts";

/** Milliseconds of training between reports, when the caller does not say. */
const REPORT_MILLISECONDS = 250;

/** Milliseconds between snapshots on the host, when the caller does not say. */
const SNAPSHOT_MILLISECONDS = 30_000;

/** What is on the device. */
interface Built {
  readonly live: Live;
  readonly store: StateStore;
  readonly program: Program;
  readonly executable: Executable;
  readonly pace: Pace;
}

export class LocalTrainer implements Trainer {
  readonly model: LocalModel;
  readonly #runtime: LocalRuntime;
  readonly #settings: TrainerSettings;
  readonly #lock = new Lock();
  #built: Built | undefined;
  #snapshot: Snapshot;
  #snapshotTime = performance.now();
  #step: number;
  #running = false;
  #disposed = false;

  constructor(runtime: LocalRuntime, settings: TrainerSettings, start: Snapshot) {
    this.#runtime = runtime;
    this.#settings = settings;
    this.#snapshot = start;
    this.#step = start.step;
    const { network, path, data, ema } = settings;
    this.model = new LocalModel(runtime, {
      network,
      path,
      standardization: data.standardization,
      averaged: ema !== undefined,
      lock: this.#lock,
      store: async (live) => (await this.#ready(live)).store,
      record: async () => ({ ...(await this.#record()), training: undefined }),
      step: () => this.#step,
      dispose: () => {},
    });
    runtime.own(this);
  }

  get step(): number {
    return this.#step;
  }

  /** This trainer, built on the device: what does not fit is found out before the first step. */
  async prepared(): Promise<this> {
    try {
      await this.#runtime.use((live) => this.#ready(live));
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
    const { progressEvery } = options;
    const signal = signalOption(options.signal);
    integerOption("steps of run", options.steps, 0);
    if (progressEvery !== undefined) integerOption("progressEvery of run", progressEvery);
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
    const target = this.#step + options.steps;
    let seen = this.#step;
    let steps: StepMetrics[] = [];
    try {
      while (seen < target) {
        signal?.throwIfAborted();
        const rows = await this.#lock.run(() => this.#advance(target, progressEvery, signal));
        signal?.throwIfAborted();
        // After a lost device steps come again that were seen before.
        steps.push(...rows.filter(({ step }) => step > seen));
        const last = steps.at(-1);
        if (!last) continue;
        seen = last.step;
        if (seen < target && progressEvery !== undefined && seen % progressEvery !== 0) continue;
        yield { ...last, steps, seconds: (performance.now() - started) / 1000 };
        steps = [];
      }
    } finally {
      this.#running = false;
    }
  }

  async checkpoint(): Promise<Uint8Array> {
    return writeCheckpoint(await this.#lock.run(() => this.#record()));
  }

  async describe(): Promise<string> {
    this.#check();
    return (await this.#runtime.use((live) => this.#ready(live))).program.describe();
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.model.dispose();
    this.#release();
    this.#runtime.release(this);
  }

  [dispose](): void {
    this.dispose();
  }

  #check(): void {
    if (this.#disposed) throw disposed("the trainer");
  }

  #release(): void {
    this.#built?.executable.dispose();
    this.#built?.store.dispose();
    this.#built = undefined;
  }

  /** Everything on this device; after a loss built anew from the last snapshot. */
  async #ready(live: Live): Promise<Built> {
    this.#check();
    if (this.#built?.live === live) return this.#built;
    this.#built = undefined; // it went with its device
    const { backend } = live;
    const program = compile(buildTrainStep(this.#settings), backend.limits);
    const store = new StateStore(backend);
    let executable: Executable;
    try {
      store.declare(program.state);
      executable = await backend.load(program, store.buffers(program.state.map(({ name }) => name)));
    } catch (error) {
      store.dispose();
      throw error;
    }
    const { step, vectors } = this.#snapshot;
    for (const [name, values] of [...constantState(this.#settings.seed, this.#settings.data), ...vectors]) {
      store.write(name, values);
    }
    store.write(trainState.step.name, Uint32Array.of(step));
    store.write(trainState.ok.name, Float32Array.of(1));
    this.#step = step;
    this.#built = { live, store, program, executable, pace: new Pace() };
    return this.#built;
  }

  /** Trains up to the next report. Returns the metrics of the steps done. */
  #advance(target: number, every: number | undefined, signal: AbortSignal | undefined): Promise<StepMetrics[]> {
    return this.#runtime.use(async (live) => {
      const { store, executable, pace } = await this.#ready(live);
      const from = this.#step;
      const stop = Math.min(
        target,
        from + METRIC_ROWS,
        every === undefined ? Number.POSITIVE_INFINITY : (Math.floor(from / every) + 1) * every,
      );
      const deadline = performance.now() + REPORT_MILLISECONDS;
      const enough = every === undefined ? () => performance.now() >= deadline : () => false;
      const done = await runPaced(live.backend, executable, stop - from, pace, { signal, enough });
      const rows = await readMetrics(store, from, from + done);
      this.#check();
      const bad = rows.find((row) => watched.some((name) => !Number.isFinite(row[name])));
      if (bad) {
        this.#step = bad.step - 1;
        store.write(trainState.step.name, Uint32Array.of(this.#step));
        store.write(trainState.ok.name, Float32Array.of(1));
        throw notFinite(bad);
      }
      this.#step = from + done;
      await this.#keepSnapshot(store);
      return rows;
    });
  }

  async #keepSnapshot(store: StateStore): Promise<void> {
    const { snapshotEvery } = this.#settings;
    const due =
      snapshotEvery === undefined
        ? performance.now() - this.#snapshotTime >= SNAPSHOT_MILLISECONDS
        : this.#step - this.#snapshot.step >= snapshotEvery;
    if (due) await this.#takeSnapshot(store);
  }

  async #takeSnapshot(store: StateStore): Promise<Snapshot> {
    const { optimizer, ema } = this.#settings;
    const step = this.#step;
    const vectors = await store.readAll(vectorNames(optimizer, ema));
    this.#snapshot = { step, vectors: vectors as Map<string, FlatVector> };
    this.#snapshotTime = performance.now();
    return this.#snapshot;
  }

  /** The state as it is now, for a file. Called within the lock. */
  async #record(): Promise<ModelRecord> {
    this.#check();
    const { network, path, data, loss, optimizer, batchSize, seed, ema, maximumGradientNorm } = this.#settings;
    const { step, vectors } = await this.#runtime.use(async (live) =>
      this.#takeSnapshot((await this.#ready(live)).store),
    );
    return {
      network,
      path,
      standardization: data.standardization,
      step,
      backend: this.#runtime.backend,
      parameters: vectors.get("parameters") as FlatVector,
      average: vectors.get("ema"),
      training: {
        loss,
        optimizer,
        data,
        batchSize,
        seed,
        ema,
        maximumGradientNorm,
        moments: new Map(optimizer.moments.map((name) => [name, vectors.get(name) as FlatVector])),
      },
    };
  }
}

/** Metrics that a step guards itself by: see train/step.ts. */
const watched = ["loss", "gradientNorm", "learningRate"] as const;

function notFinite(row: StepMetrics): NumericError {
  const name = watched.find((metric) => !Number.isFinite(row[metric])) ?? "loss";
  return new NumericError({
    subject: `${name} of training step ${row.step}`,
    given: String(row[name]),
    expected: "a finite number",
    remedy: "The state before this step is kept: save it. Then lower the learning rate, or give maximumGradientNorm.",
  });
}

/**
 * A trainer at step 0.
 *
 * @throws {@link ConfigError} when options are out of range or do not fit each other.
 */
export async function createTrainer(runtime: LocalRuntime, options: TrainerOptions): Promise<LocalTrainer> {
  const settings = completed(options);
  const start = initialSnapshot(settings.network, settings.optimizer, settings.ema, settings.seed);
  return new LocalTrainer(runtime, settings, start).prepared();
}
