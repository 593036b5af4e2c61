/** What a model's field is at given points and times, as a program: its velocity, or numbers that follow from it. */
import type { Executable, NumericArray } from "../backends/backend.ts";
import type { StateDeclaration } from "../graph/graph.ts";
import type { Node } from "../graph/node.ts";
import type { Network } from "../nn/network.ts";
import { state } from "../ops/sources.ts";
import { loaded } from "./loaded.ts";
import { Pace, runPaced } from "./pace.ts";
import type { StillWanted } from "./plan.ts";
import { StateStore } from "./state-store.ts";
import { toldStates } from "./told.ts";

interface FieldSettings {
  readonly rows: number;
  readonly network: Network;
  readonly guided: boolean;
  /** Numbers of a row that `value` gives. */
  readonly width: number;
  /** [rows, width], of points [rows, D] and times [rows, 1]. */
  value(x: Node, t: Node): Node;
  /** What `value` reads beside parameters and what the network is told. */
  readonly states?: readonly StateDeclaration[];
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
    { rows, network, guided, width, value, states = [] }: FieldSettings,
    stillWanted: StillWanted,
  ) {
    const store = new StateStore(shared.backend);
    const x = { name: "field.points", shape: [rows, network.dimension], dtype: "f32" } as const;
    const t = { name: "field.times", shape: [rows, 1], dtype: "f32" } as const;
    const values = { name: "field.values", shape: [rows, width], dtype: "f32" } as const;
    try {
      store.declare([x, t, ...states, ...toldStates(network, rows, guided)]);
      const graph = { name: "field", updates: [{ state: values, value: value(state(x), state(t)) }] };
      return new FieldProgram(store, await loaded(shared, store, graph, stillWanted));
    } catch (error) {
      store.dispose();
      throw error;
    }
  }

  /** The values [S, width] at points [S, D] and times [S]; `given` has the states beside these, by name. */
  async run(
    points: NumericArray,
    times: NumericArray,
    given: ReadonlyMap<string, NumericArray>,
  ): Promise<NumericArray> {
    for (const [name, values] of given) this.#store.write(name, values);
    this.#store.write("field.points", points);
    this.#store.write("field.times", times);
    await runPaced(this.#store.backend, this.#executable, 1, new Pace());
    return this.#store.read("field.values");
  }

  dispose(): void {
    this.#executable.dispose();
    this.#store.dispose();
  }
}
