/** A backend that runs graphs, for checks that need nothing else. */
import type { Backend, NumericArray } from "../../src/backends/backend.ts";
import { StateStore } from "../../src/engine/state-store.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { compile } from "../../src/schedule/compile.ts";
import type { Machine } from "./flow-checks.ts";

/** Compiles graphs, and keeps all state by name on the device. */
export class DeviceMachine implements Machine {
  readonly #backend: Backend;
  readonly #store: StateStore;

  constructor(backend: Backend) {
    this.#backend = backend;
    this.#store = new StateStore(backend);
  }

  async run(graph: Graph, state: ReadonlyMap<string, NumericArray>, times = 1): Promise<Map<string, NumericArray>> {
    this.#store.dispose(); // the run before may have had other shapes
    const program = compile(graph, this.#backend.limits);
    const names = program.state.map(({ name }) => name);
    this.#store.declare(program.state);
    for (const name of names) {
      const values = state.get(name);
      if (values) this.#store.write(name, values);
    }
    const executable = await this.#backend.load(program, this.#store.buffers(names));
    try {
      executable.run(times);
      return await this.#store.readAll(names);
    } finally {
      executable.dispose();
    }
  }
}
