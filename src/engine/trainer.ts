/** Training on this thread: one program, run again and again, and a host that looks at its metrics now and then. */
import { onDemand } from "../backends/on-demand.ts";
import { isArrayData } from "../data/array.ts";
import type { DataSource } from "../data/source.ts";
import { ConfigError, DeviceLostError, LimitError } from "../errors.ts";
import { copiedOptions, integerOption, LAST_STEP, optionsObject, signalOption } from "../graph/options.ts";
import { drawingParameters } from "../nn/initialize.ts";
import { type FlatVector, writeCheckpoint } from "../train/checkpoint.ts";
import { METRIC_ROWS } from "../train/step.ts";
import { conditionFacts, sampleShape } from "../train/told.ts";
import { inTurns } from "../turns.ts";
import type { Progress, RunOptions, StepMetrics, Trainer, TrainerOptions, ValidationMetrics } from "./api.ts";
import { badStep } from "./bad-step.ts";
import { dispose, disposed } from "./disposed.ts";
import type { Validating } from "./held-out.ts";
import { type InitialBytes, initialBytes } from "./initial.ts";
import { type Change, KeptState } from "./kept-state.ts";
import { LocalModel } from "./model.ts";
import type { Pairing } from "./pairing.ts";
import type { ParametersName } from "./parameters.ts";
import type { LocalRuntime } from "./runtime.ts";
import { tellingOf } from "./told.ts";
import { nextMultiple } from "./trainer-device.ts";
import {
  completed,
  expectTrainingFits,
  type Planning,
  planningOptions,
  type TrainerSettings,
  unjudged,
  warningsOf,
} from "./trainer-settings.ts";
import { initialSnapshot, type Snapshot } from "./trainer-state.ts";

/** Milliseconds of training between reports, when the caller does not say. */
const REPORT_MILLISECONDS = 250;

/** Steps in a report at most, whatever the caller says: these rows are the only thing here that grows with steps. */
const MOST_REPORTED = 64 * METRIC_ROWS;

/** How far to train at once, and what then was seen. */
interface Stretch {
  readonly target: number;
  readonly every: number | undefined;
  /** Of performance.now(): time for a report, where none is due by number. */
  readonly deadline: number;
  readonly signal: AbortSignal | undefined;
}
/** Filled in as it comes, so that what ends a stretch takes nothing of it along. */
interface Seen extends Change {
  rows: readonly StepMetrics[];
  bad?: StepMetrics | undefined;
  validation?: ValidationMetrics;
}

export class LocalTrainer implements Trainer {
  readonly model: LocalModel;
  #warnings: readonly string[];
  readonly #runtime: LocalRuntime;
  readonly #settings: TrainerSettings;
  readonly #state: KeptState;
  #running = false;
  #disposed = false;

  constructor(runtime: LocalRuntime, settings: TrainerSettings, start: Snapshot) {
    this.#runtime = runtime;
    this.#settings = settings;
    const kept = new KeptState(runtime, settings, start, this.#check);
    this.#state = kept;
    this.#warnings = [...warningsOf(settings), ...(settings.paired?.warnings ?? [])];
    const { network, path, data, trainingData, ema } = settings;
    this.model = new LocalModel(runtime, {
      network,
      path,
      standardization: trainingData.standardization,
      columns: data.columns,
      shape: sampleShape(network, data),
      facts: conditionFacts(trainingData) ?? {},
      starting: settings.paired?.starting,
      telling: settings.telling,
      kept: () => new Set<ParametersName>([...(ema ? ["ema" as const] : []), ...(this.best ? ["best" as const] : [])]),
      lock: kept.lock,
      store: (live, signal) => kept.on(live, signal),
      record: async () => ({ ...(await kept.record()), training: undefined }),
      step: () => this.best?.step ?? this.step,
      dispose: () => {},
    });
    runtime.own(this);
  }

  get warnings(): readonly string[] {
    return this.#warnings;
  }

  get step(): number {
    return this.#state.step;
  }

  get best(): ValidationMetrics | undefined {
    return this.#state.standing.best;
  }

  get stopped(): boolean {
    return this.#state.standing.stopped;
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
  async prepared({ signal, onProgress }: Planning): Promise<this> {
    try {
      await this.#state.use(async () => {}, signal, {}, onProgress);
      this.#warnings = [...this.#warnings, ...unjudged(this.#settings, await this.#runtime.limits())];
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
    const target = this.step + options.steps;
    if (target > LAST_STEP) {
      throw new LimitError({
        subject: "steps of run",
        given: `${options.steps} after ${this.step}`,
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
    let seen = this.step;
    let { validated } = this.#state.standing;
    let deadline = started + REPORT_MILLISECONDS;
    let steps: StepMetrics[] = [];
    let validations: ValidationMetrics[] = [];
    let failure: unknown;
    try {
      while (seen < target && !this.stopped) {
        signal?.throwIfAborted();
        const found: Seen = { rows: [] };
        let end: { readonly reason: unknown } | undefined;
        try {
          await this.#advance({ target, every, deadline, signal }, found);
          if (found.bad) end = { reason: badStep(found.bad, this.#settings) };
          else if (signal?.aborted) end = signal;
        } catch (reason) {
          end = { reason };
        }
        const { rows, validation } = found;
        // For want of a device a file may have been written of the last snapshot: steps since then come again.
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
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      // However a run ends, its state comes to the host. What ended it is the error to tell.
      if (!this.#disposed && !(failure instanceof DeviceLostError)) {
        await this.#state.keep(signal).catch((error) => {
          if (failure === undefined) throw error;
        });
      }
      this.#running = false;
    }
  }

  async checkpoint(): Promise<Uint8Array> {
    this.#check();
    try {
      return writeCheckpoint(await this.#state.lock.run(() => this.#state.record()));
    } finally {
      this.#check();
    }
  }

  async describe(): Promise<string> {
    const { describeProgram } = await onDemand(import("../schedule/describe.ts"));
    return this.#state.use(async ({ program }) => describeProgram(program));
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.model.dispose();
    this.#state.dispose();
    this.#runtime.release(this);
  }

  [dispose](): void {
    this.dispose();
  }

  readonly #check = (): void => {
    if (this.#disposed) throw disposed("the trainer");
  };

  /** Trains up to the next report or validation, and makes that. What is new is put into `seen`. */
  #advance({ target, every, deadline, signal }: Stretch, seen: Seen): Promise<void> {
    // A step at least: the time may be over before the first, by a wait for the lock, a validation or a new device.
    const enough = (done: number) => every === undefined && done > 0 && performance.now() >= deadline;
    return this.#state.use(
      async (device) => {
        if (!device.isDue) {
          const until = Math.min(target, nextMultiple(device.step, every));
          const { rows, bad } = await device.train(until, { signal, enough });
          const { step, standing } = device;
          const good = rows.filter((row) => row.step <= step);
          Object.assign(seen, { rows: good, bad, step, standing, validation: undefined, snapshot: undefined });
        }
        if (device.isDue && !seen.bad && !signal?.aborted) {
          const validation = await device.validate(signal);
          Object.assign(seen, { validation, standing: device.standing });
        }
        if (this.#state.isTime(device)) seen.snapshot = await device.snapshot();
      },
      signal,
      seen,
    );
  }
}

/**
 * A trainer at step 0.
 *
 * @throws {@link ConfigError} when options are out of range or do not fit each other.
 */
export async function createTrainer(runtime: LocalRuntime, options: TrainerOptions): Promise<LocalTrainer> {
  const { network, data, validation, start, coupling } = Object(options) as TrainerOptions;
  const parts = [network, data, validation as DataSource | undefined];
  const isPlain = [validation, start, coupling].every((option) => option === undefined);
  if (isPlain && !parts.some((part) => part?.conditions)) {
    return made(runtime, completed(options), planningOptions(options), initialOf(options));
  }
  const given = heldOptions(options); // now: callers may change theirs while code for it comes
  const initial = initialOf(options);
  initial?.bytes.catch(() => {}); // who waits for it says so
  const telling = await tellingOf(...parts);
  const validating = await validatingOf(validation);
  const pairing = await pairingOf(start, coupling);
  return made(runtime, completed(given, { telling, validating, pairing }), planningOptions(given), initial);
}

/** Makes settings of validation's options, where there are some. */
export async function validatingOf(validation: unknown): Promise<Validating | undefined> {
  if (validation === undefined) return undefined;
  return (await onDemand(import("./held-out.ts"))).validationSettings;
}

/** Makes settings of a start or a coupling, where there is one. */
export async function pairingOf(...parts: readonly unknown[]): Promise<Pairing | undefined> {
  if (parts.every((part) => part === undefined)) return undefined;
  return (await onDemand(import("./pairing.ts"))).pairing;
}

const initialOf = ({ initial }: TrainerOptions) => (initial === undefined ? undefined : initialBytes(initial));

function heldOptions(options: TrainerOptions): TrainerOptions {
  const { ema, earlyStopping, validation } = options;
  return {
    ...options,
    ...(ema ? { ema: { ...ema } } : {}),
    ...(typeof earlyStopping === "object" ? { earlyStopping: { ...earlyStopping } } : {}),
    ...(isList(validation) ? { validation: Array.from(validation) } : {}),
  };
}

const isList = (given: unknown): given is ArrayLike<number> => Array.isArray(given) || ArrayBuffer.isView(given);

async function made(
  runtime: LocalRuntime,
  settings: TrainerSettings,
  planning: Planning,
  initial: InitialBytes | undefined,
): Promise<LocalTrainer> {
  expectTrainingFits(settings, await runtime.limits()); // before parameters are drawn
  const { network, seed } = settings;
  let parameters: FlatVector;
  if (initial) {
    const bytes = await initial.bytes;
    const { initialVector } = await onDemand(import("./warm-start.ts"));
    parameters = await initialVector(bytes, settings, initial.choice);
  } else {
    parameters = await inTurns(drawingParameters(network, seed), () => {
      runtime.check();
      planning.signal?.throwIfAborted();
    });
  }
  const start = initialSnapshot(settings, parameters, initial !== undefined);
  return new LocalTrainer(runtime, settings, start).prepared(planning);
}
