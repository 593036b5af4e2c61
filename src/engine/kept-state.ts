/**
 * A trainer's state: on the device in use, and on the host as of the last snapshot. What a lost device takes along is
 * the steps since; they are done again, bit for bit, before anything else is.
 */
import { DeviceLostError } from "../errors.ts";
import type { ModelRecord } from "../train/checkpoint.ts";
import { isDue, type ValidationStanding } from "../train/validation.ts";
import { Lock } from "./lock.ts";
import type { Live, LocalRuntime } from "./runtime.ts";
import type { StateStore } from "./state-store.ts";
import { TrainerDevice } from "./trainer-device.ts";
import type { Planning, TrainerSettings } from "./trainer-settings.ts";
import { isAt, recordOf, type Snapshot } from "./trainer-state.ts";

/** Milliseconds between snapshots, when the caller does not say. */
const SNAPSHOT_MILLISECONDS = 30_000;

/** Where a trainer stands after a call, as far as that changed it. */
export interface Change {
  step?: number;
  standing?: ValidationStanding;
  snapshot?: Snapshot;
}

export class KeptState {
  /** Held during every call. */
  readonly lock = new Lock();
  readonly #runtime: LocalRuntime;
  readonly #settings: TrainerSettings;
  readonly #check: () => void;
  /** What was built last; it may have gone with its device. */
  #device: TrainerDevice | undefined;
  /** What it was built for last: a late one for another is dropped. */
  #wanted: Live | undefined;
  #snapshot: Snapshot;
  #snapshotTime = performance.now();
  #step: number;
  #standing: ValidationStanding;

  /** @param check - throws when the trainer is no longer used. */
  constructor(runtime: LocalRuntime, settings: TrainerSettings, start: Snapshot, check: () => void) {
    this.#runtime = runtime;
    this.#settings = settings;
    this.#check = check;
    this.#snapshot = start;
    this.#step = start.step;
    this.#standing = start.standing;
  }

  get step(): number {
    return this.#step;
  }

  get standing(): ValidationStanding {
    return this.#standing;
  }

  /**
   * Does device work under the lock, on a device that is where the trainer is. After a loss it is done again.
   *
   * @param onProgress - told of planning.
   * @param change - filled in on the way; the trainer then stands there, also when the work fails.
   */
  async use<Result>(
    work: (device: TrainerDevice) => Promise<Result>,
    signal?: AbortSignal,
    change: Change = {},
    onProgress?: Planning["onProgress"],
  ): Promise<Result> {
    this.#check();
    try {
      return await this.lock.run(async () => {
        try {
          return await this.#runtime.use(async (live) => work(await this.#ready(live, signal, onProgress)), signal);
        } finally {
          this.#step = change.step ?? this.#step;
          this.#standing = change.standing ?? this.#standing;
          if (change.snapshot) this.#keep(change.snapshot);
        }
      });
    } finally {
      this.#check(); // what goes wrong after dispose() is its doing
    }
  }

  /** The state on this device, for a model: the host has it too, so that a loss costs no step. Called within the lock. */
  async on(live: Live, signal: AbortSignal | undefined): Promise<StateStore> {
    const device = await this.#ready(live, signal);
    await this.#validateDue(device, signal);
    if (!this.#isKept) this.#keep(await device.snapshot());
    return device.store;
  }

  /** Whether a snapshot is due. */
  isTime({ step }: TrainerDevice): boolean {
    const { snapshotEvery } = this.#settings;
    return snapshotEvery === undefined
      ? performance.now() - this.#snapshotTime >= SNAPSHOT_MILLISECONDS
      : step - this.#snapshot.step >= snapshotEvery;
  }

  /** Brings the state to the host, where it is not there. */
  async keep(signal?: AbortSignal): Promise<void> {
    if (this.#isKept) return;
    const change: Change = {};
    await this.use(
      async (device) => {
        change.snapshot = await device.snapshot();
      },
      signal,
      change,
    );
  }

  /**
   * The state for a file. Without a device it is that of the last snapshot, and there the trainer then is. Called within
   * the lock.
   */
  async record(): Promise<ModelRecord> {
    const { validation } = this.#settings;
    if (!this.#isKept || (validation && isDue(this.#standing, this.#step, validation.every))) {
      try {
        const snapshot = await this.#runtime.use(async (live) => {
          const device = await this.#ready(live);
          await this.#validateDue(device, undefined);
          return device.snapshot();
        });
        this.#keep(snapshot);
      } catch (error) {
        if (!(error instanceof DeviceLostError)) throw error;
        this.#step = this.#snapshot.step;
        this.#standing = this.#snapshot.standing;
        this.#device = undefined; // one that still is there is further
      }
    }
    return recordOf(this.#settings, this.#snapshot, this.#runtime.backend);
  }

  dispose(): void {
    this.#device?.dispose();
    this.#device = undefined;
  }

  /** Whether the host has the state. */
  get #isKept(): boolean {
    return isAt(this.#snapshot, this.#step, this.#standing);
  }

  /** One of another moment comes late, from a device that was lost. */
  #keep(snapshot: Snapshot): void {
    if (!isAt(snapshot, this.#step, this.#standing)) return;
    this.#snapshot = snapshot;
    this.#snapshotTime = performance.now();
  }

  /**
   * A run that ended between a step and its validation left that due. What looks at the state finds what a run that went on
   * would have: the best parameters are of the same step. One that fails stays due; the state is what counts.
   */
  async #validateDue(device: TrainerDevice, signal: AbortSignal | undefined): Promise<void> {
    if (!device.isDue || device.step === 0) return; // before the first step a run makes it, and tells it
    try {
      await device.validate(signal);
      this.#standing = device.standing;
    } catch {
      signal?.throwIfAborted();
    }
  }

  /** Everything on this device, at the trainer's step. */
  async #ready(live: Live, signal?: AbortSignal, onProgress?: Planning["onProgress"]): Promise<TrainerDevice> {
    this.#check();
    if (this.#device?.live !== live) {
      this.#device?.leave();
      this.#device = undefined;
      this.#wanted = live;
      const check = () => {
        this.#check();
        if (this.#wanted !== live) throw new RangeError("lost while it was built");
      };
      this.#device = await TrainerDevice.build(live, this.#settings, this.#snapshot, check, (done, passes) => {
        onProgress?.(done, passes);
        check();
        signal?.throwIfAborted();
      });
    }
    const device = this.#device;
    while (device.step < this.#step || device.standing.validated < this.#standing.validated) {
      signal?.throwIfAborted();
      if (device.isDue) await device.validate(signal);
      else if ((await device.train(this.#step, { signal })).bad) throw notAgain(device.step + 1);
    }
    return device;
  }
}

/** A device on which steps are not what they were. */
function notAgain(step: number): DeviceLostError {
  return new DeviceLostError({
    subject: "the state on the lost device",
    given: `step ${step}, which is not finite on the next one`,
    expected: "a device that makes it again",
    remedy: "checkpoint() gives the last snapshot.",
  });
}
