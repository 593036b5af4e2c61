/** The velocity field at given points and times, as a program. */
import type { Executable, NumericArray } from "../backends/backend.ts";
import type { VelocityField } from "../flow/losses/loss.ts";
import type { Network } from "../nn/network.ts";
import { state } from "../ops/sources.ts";
import { loaded } from "./loaded.ts";
import { Pace, runPaced } from "./pace.ts";
import type { StillWanted } from "./plan.ts";
import { StateStore } from "./state-store.ts";
import { toldStates } from "./told.ts";

export class VelocityProgram {
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
    { rows, network, guided }: { readonly rows: number; readonly network: Network; readonly guided: boolean },
    stillWanted: StillWanted,
  ) {
    const { dimension } = network;
    const store = new StateStore(shared.backend);
    const x = { name: "velocity.points", shape: [rows, dimension], dtype: "f32" } as const;
    const t = { name: "velocity.times", shape: [rows, 1], dtype: "f32" } as const;
    const v = { name: "velocity.values", shape: [rows, dimension], dtype: "f32" } as const;
    try {
      store.declare([x, t, ...toldStates(network, rows, guided)]);
      const graph = { name: "velocity", updates: [{ state: v, value: field(state(x), state(t)) }] };
      return new VelocityProgram(store, await loaded(shared, store, graph, stillWanted));
    } catch (error) {
      store.dispose();
      throw error;
    }
  }

  /** Velocities [S, D] at points [S, D] and times [S], which are told what `told` says. */
  async run(points: NumericArray, times: NumericArray, told: ReadonlyMap<string, NumericArray>): Promise<NumericArray> {
    for (const [name, values] of told) this.#store.write(name, values);
    this.#store.write("velocity.points", points);
    this.#store.write("velocity.times", times);
    await runPaced(this.#store.backend, this.#executable, 1, new Pace());
    return this.#store.read("velocity.values");
  }

  dispose(): void {
    this.#executable.dispose();
    this.#store.dispose();
  }
}
