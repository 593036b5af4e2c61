/** A trainer's run on one device: its state there, and the programs that change it or look at it. */
import type { Executable } from "../backends/backend.ts";
import { onDemand } from "../backends/on-demand.ts";
import { parameterLayout } from "../nn/network.ts";
import { compile } from "../schedule/compile.ts";
import type { Program } from "../schedule/program.ts";
import type { FlatVector } from "../train/checkpoint.ts";
import { buildTrainStep, trainState } from "../train/step.ts";
import { Pace, type PacedOptions, runPaced } from "./pace.ts";
import type { Live } from "./runtime.ts";
import { StateStore } from "./state-store.ts";
import type { TrainerSettings } from "./trainer-settings.ts";
import { constantState, type Snapshot } from "./trainer-state.ts";
import type { Validator } from "./validation.ts";

interface Parts {
  readonly store: StateStore;
  readonly program: Program;
  readonly executable: Executable;
  readonly validator: Validator | undefined;
}

export class TrainerDevice {
  readonly live: Live;
  readonly #settings: TrainerSettings;
  readonly #parts: Parts;
  readonly #pace = new Pace();

  private constructor(live: Live, settings: TrainerSettings, parts: Parts) {
    this.live = live;
    this.#settings = settings;
    this.#parts = parts;
  }

  /**
   * A run at this snapshot.
   *
   * @param check - throws when it is no longer wanted; then, as at any error, nothing stays on the device.
   */
  static async build(
    live: Live,
    settings: TrainerSettings,
    { step, vectors }: Snapshot,
    check: () => void,
  ): Promise<TrainerDevice> {
    const { backend } = live;
    const { trainingData, deviations, validation, network, seed } = settings;
    const graph = buildTrainStep({ ...settings, data: trainingData, jitter: deviations });
    const program = compile(graph, backend.limits);
    const store = new StateStore(backend);
    let executable: Executable | undefined;
    let validator: Validator | undefined;
    try {
      store.declare(program.state);
      if (validation) store.declare([{ name: "best", shape: [parameterLayout(network).total], dtype: "f32" }]);
      executable = await backend.load(program, store.buffers(program.state.map(({ name }) => name)));
      check();
      for (const [name, values] of [...constantState(seed, trainingData), ...vectors]) store.write(name, values);
      if (validation) {
        const { Validator } = await onDemand(import("./validation.ts"));
        check();
        validator = await Validator.build(store, settings, validation);
        check();
      }
      const device = new TrainerDevice(live, settings, { store, program, executable, validator });
      device.setStep(step);
      return device;
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

  /** @throws when the trainer has no validation. */
  get validator(): Validator {
    const { validator } = this.#parts;
    if (!validator) throw new RangeError("this trainer validates nothing");
    return validator;
  }

  /** So many steps, or fewer where `enough` or the signal say so. Returns how many. */
  train(steps: number, options: PacedOptions): Promise<number> {
    return runPaced(this.live.backend, this.#parts.executable, steps, this.#pace, options);
  }

  /** The state is good, and that after `step` steps. */
  setStep(step: number): void {
    this.store.write(trainState.step.name, Uint32Array.of(step));
    this.store.write(trainState.ok.name, Float32Array.of(1));
  }

  /** What models use now becomes "best". */
  keepBest(): void {
    const source = this.#settings.ema ? "ema" : "parameters";
    const buffers = this.store.buffers([source, "best"]);
    const [from, to] = [source, "best"].map((name) => buffers.get(name));
    if (from && to) this.live.backend.copy(from, to);
  }

  async vectors(names: readonly string[]): Promise<Map<string, FlatVector>> {
    return (await this.store.readAll(names)) as Map<string, FlatVector>;
  }

  dispose(): void {
    const { store, executable, validator } = this.#parts;
    validator?.dispose();
    executable.dispose();
    store.dispose();
  }
}
