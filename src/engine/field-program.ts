/** A model's velocity and its divergence at given points and times, as a program. */
import type { Executable, NumericArray } from "../backends/backend.ts";
import { chunkState, type DivergenceOptions, seedState } from "../flow/likelihood.ts";
import { withMeanDivergence } from "../flow/log-density-field.ts";
import type { VelocityField } from "../flow/losses/loss.ts";
import type { Network } from "../nn/network.ts";
import { concat } from "../ops/shape.ts";
import { state } from "../ops/sources.ts";
import { seedOf } from "../ops/threefry.ts";
import { loaded } from "./loaded.ts";
import { Pace, runPaced } from "./pace.ts";
import type { StillWanted } from "./plan.ts";
import { StateStore } from "./state-store.ts";
import { toldStates } from "./told.ts";

interface FieldSettings {
  readonly rows: number;
  readonly network: Network;
  readonly guided: boolean;
  readonly divergence: Required<DivergenceOptions>;
}

export class FieldProgram {
  readonly #store: StateStore;
  readonly #executable: Executable;

  private constructor(store: StateStore, executable: Executable) {
    this.#store = store;
    this.#executable = executable;
  }

  /** @param shared - holds the parameters that the field reads. */
  static async build(
    shared: StateStore,
    field: VelocityField,
    { rows, network, guided, divergence: options }: FieldSettings,
    stillWanted: StillWanted,
  ): Promise<FieldProgram> {
    const { dimension } = network;
    const store = new StateStore(shared.backend);
    const x = { name: "field.points", shape: [rows, dimension], dtype: "f32" } as const;
    const t = { name: "field.times", shape: [rows, 1], dtype: "f32" } as const;
    const values = { name: "field.values", shape: [rows, dimension + 1], dtype: "f32" } as const;
    try {
      store.declare([x, t, values, seedState, chunkState, ...toldStates(network, rows, guided)]);
      const { velocity, divergence } = withMeanDivergence(field, state(x), state(t), options);
      const graph = { name: "field", updates: [{ state: values, value: concat([velocity, divergence], 1) }] };
      return new FieldProgram(store, await loaded(shared, store, graph, stillWanted));
    } catch (error) {
      store.dispose();
      throw error;
    }
  }

  /** Velocity and divergence, side by side [S, D + 1], at points [S, D] and times [S]. */
  async run(
    points: NumericArray,
    times: NumericArray,
    {
      seed,
      chunk,
      told,
    }: { readonly seed: number; readonly chunk: number; readonly told: ReadonlyMap<string, NumericArray> },
  ): Promise<NumericArray> {
    const store = this.#store;
    for (const [name, values] of told) store.write(name, values);
    store.write("field.points", points);
    store.write("field.times", times);
    store.write(seedState.name, Uint32Array.from(seedOf(seed)));
    store.write(chunkState.name, Uint32Array.of(chunk));
    await runPaced(store.backend, this.#executable, 1, new Pace());
    return store.read("field.values");
  }

  dispose(): void {
    this.#executable.dispose();
    this.#store.dispose();
  }
}
