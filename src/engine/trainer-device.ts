/** A trainer's run on one device: its state there, and the programs that change it or look at it. */
import type { Executable } from "../backends/backend.ts";
import { onDemand } from "../backends/on-demand.ts";
import type { Loss } from "../flow/losses/loss.ts";
import { parameterLayout } from "../nn/network.ts";
import { PASSES } from "../schedule/planning.ts";
import type { Program } from "../schedule/program.ts";
import type { FlatVector } from "../train/checkpoint.ts";
import { buildTrainStep, METRIC_ROWS, trainState } from "../train/step.ts";
import { isDue, standingAfter, type ValidationMetrics, type ValidationStanding } from "../train/validation.ts";
import type { Feed } from "./feed.ts";
import { type ReadMetrics, readMetrics } from "./metrics.ts";
import { Pace, type PacedOptions, runPaced } from "./pace.ts";
import { planned, type StillWanted } from "./plan.ts";
import type { Live } from "./runtime.ts";
import { StateStore } from "./state-store.ts";
import type { TrainerSettings } from "./trainer-settings.ts";
import { constantState, type Snapshot, vectorNames } from "./trainer-state.ts";
import type { Validator } from "./validation.ts";

interface Parts {
  readonly store: StateStore;
  readonly program: Program;
  readonly executable: Executable;
  readonly validator: Validator | undefined;
  /** Of data that come as they are made. */
  readonly feed: Feed | undefined;
}

export class TrainerDevice {
  readonly live: Live;
  readonly #settings: TrainerSettings;
  readonly #parts: Parts;
  readonly #check: () => void;
  readonly #pace = new Pace();
  #step: number;
  #standing: ValidationStanding;

  private constructor(
    live: Live,
    settings: TrainerSettings,
    parts: Parts,
    { step, standing }: Snapshot,
    check: () => void,
  ) {
    this.live = live;
    this.#settings = settings;
    this.#parts = parts;
    this.#check = check;
    this.#standing = standing;
    this.#step = step;
    this.#setStep(step);
  }

  /**
   * A run at this snapshot.
   *
   * @param check - throws when it is no longer wanted, which ends its calls; when it is built, nothing stays on the
   * device, as at any error.
   * @param stillWanted - asked while planning, beside it.
   */
  static async build(
    live: Live,
    settings: TrainerSettings,
    snapshot: Snapshot,
    check: () => void,
    stillWanted: StillWanted,
  ): Promise<TrainerDevice> {
    const { backend } = live;
    const { trainingData, deviations, validation, network, seed, batchSize } = settings;
    const { phases } = settings.loss;
    const step = (loss: Loss) => buildTrainStep({ ...settings, loss, data: trainingData, jitter: deviations });
    const graph = step(phases?.first ?? settings.loss);
    const program = await planned(graph, backend.limits, stillWanted);
    const store = new StateStore(backend);
    let executable: Executable | undefined;
    let validator: Validator | undefined;
    try {
      store.declare(program.state);
      if (validation) store.declare([{ name: "best", shape: [parameterLayout(network).total], dtype: "f32" }]);
      executable = await backend.load(program, store.buffers(program.state.map(({ name }) => name)));
      if (phases) {
        const { phased } = await onDemand(import("./phased-steps.ts"));
        executable = await phased(executable, phases.every, step(phases.others), store, stillWanted);
      }
      stillWanted(PASSES, PASSES);
      for (const [name, values] of [...constantState(seed, trainingData), ...snapshot.vectors])
        store.write(name, values);
      if (validation) {
        const { Validator } = await onDemand(import("./validation.ts"));
        validator = await Validator.build(store, settings, validation, stillWanted);
        stillWanted(PASSES, PASSES);
      }
      const { stream } = trainingData;
      const feed =
        stream && new (await onDemand(import("./feed.ts"))).Feed({ ...trainingData, stream }, batchSize, snapshot.step);
      return new TrainerDevice(live, settings, { store, program, executable, validator, feed }, snapshot, check);
    } catch (error) {
      validator?.dispose();
      executable?.dispose();
      store.dispose();
      throw error;
    }
  }

  get store(): StateStore {
    return this.#parts.store;
  }

  get program(): Program {
    return this.#parts.program;
  }

  /** Of the state here, as is `standing`. */
  get step(): number {
    return this.#step;
  }

  get standing(): ValidationStanding {
    return this.#standing;
  }

  /** Whether a validation comes before the next step. */
  get isDue(): boolean {
    const { validation } = this.#settings;
    return validation !== undefined && isDue(this.#standing, this.#step, validation.every);
  }

  /** Trains to step `until` or the next validation, or less far where `enough` or the signal say so. */
  async train(until: number, options: PacedOptions): Promise<ReadMetrics> {
    const from = this.#step;
    const { feed } = this.#parts;
    const most = Math.min(METRIC_ROWS, feed?.slots ?? METRIC_ROWS);
    let stop = Math.min(until, from + most, nextMultiple(from, this.#settings.validation?.every));
    if (feed) {
      const { count, states } = await feed.fill(stop - from, options.signal);
      this.#check();
      for (const [name, values] of states) this.store.write(name, values);
      stop = from + count;
      feed.ahead();
    }
    const done = await runPaced(this.live.backend, this.#parts.executable, stop - from, this.#pace, options);
    const read = await readMetrics(this.store, from, from + done);
    this.#check();
    this.#step = from + done;
    if (read.bad) this.#setStep(read.bad.step - 1);
    feed?.used(this.#step - from);
    return read;
  }

  /** What is due. Throws the signal's reason when that is aborted. */
  async validate(signal: AbortSignal | undefined): Promise<ValidationMetrics> {
    const { validation } = this.#settings;
    const { validator } = this.#parts;
    if (!validation || !validator) throw new RangeError("this trainer validates nothing");
    const metrics = await validator.metrics(this.#step, signal);
    this.#check();
    const standing = standingAfter(this.#standing, metrics, validation);
    const best = standing.best !== this.#standing.best;
    if (best) this.#keepBest();
    this.#standing = standing;
    return { ...metrics, best };
  }

  /** The state here, on the host. */
  async snapshot(): Promise<Snapshot> {
    const [step, standing] = [this.#step, this.#standing];
    const vectors = await this.store.readAll(vectorNames(this.#settings, standing));
    return { step, standing, vectors: vectors as Map<string, FlatVector> };
  }

  /** Of a device that was lost: the next one asks for its batches anew. */
  leave(): void {
    this.#parts.feed?.close();
  }

  dispose(): void {
    const { store, executable, validator } = this.#parts;
    this.leave();
    validator?.dispose();
    executable.dispose();
    store.dispose();
  }

  /** The state is good, and that after `step` steps. */
  #setStep(step: number): void {
    this.#step = step;
    this.#parts.executable.startAt?.(step);
    this.store.write(trainState.step.name, Uint32Array.of(step));
    this.store.write(trainState.ok.name, Float32Array.of(1));
  }

  /** What models use now becomes "best". */
  #keepBest(): void {
    const source = this.#settings.ema ? "ema" : "parameters";
    const buffers = this.store.buffers([source, "best"]);
    const [from, to] = [source, "best"].map((name) => buffers.get(name));
    if (from && to) this.live.backend.copy(from, to);
  }
}

/** The first multiple of `every` after `step`; none where that is undefined. */
export function nextMultiple(step: number, every: number | undefined): number {
  return every === undefined ? Number.POSITIVE_INFINITY : (Math.floor(step / every) + 1) * every;
}
