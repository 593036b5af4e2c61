/**
 * The mathematics of flows on the device: golden cases, the exact field's residual, Stein's identity, CFM's bits, the
 * solvers' orders. What runs graphs is a parameter, so that test/flow/ can hold the same checks to the f64 reference.
 */
import type { Backend, NumericArray } from "../../src/backends/backend.ts";
import { chooseBackend, everyBackend } from "../../src/engine/choose-backend.ts";
import { createLocalRuntime } from "../../src/engine/runtime.ts";
import { StateStore } from "../../src/engine/state-store.ts";
import { verifyCase, verifyTolerances } from "../../src/engine/verify.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { compile } from "../../src/schedule/compile.ts";
import condOtSilu from "../fixtures/cond-ot-silu.json" with { type: "json" };
import cosineSoftplus from "../fixtures/cosine-softplus.json" with { type: "json" };
import linearVpTanh from "../fixtures/linear-vp-tanh.json" with { type: "json" };
import poly3Silu from "../fixtures/poly3-silu.json" with { type: "json" };
import veSin from "../fixtures/ve-sin.json" with { type: "json" };
import vpGelu from "../fixtures/vp-gelu.json" with { type: "json" };
import { assert } from "./assert.ts";
import type { Check, Context } from "./check.ts";
import { flowChecks, type Machine } from "./flow-checks.ts";

const goldenCases = [condOtSilu, cosineSoftplus, linearVpTanh, poly3Silu, veSin, vpGelu];

export const checks: Check[] = [
  ...goldenCases.map((golden) => ({
    name: `golden case ${golden.name}`,
    async run({ backend, gpu }: Context) {
      using runtime = await createLocalRuntime({ backend, ...(gpu && { gpu }) });
      const errors = await verifyCase(runtime, JSON.stringify(golden), golden.name);
      const off = Object.entries(errors).filter(([, error]) => !(error <= verifyTolerances[backend]));
      assert(off.length === 0, `Off by more than ${verifyTolerances[backend]}: ${JSON.stringify(off)}.`);
    },
  })),
  ...flowChecks.map(({ name, run }) => ({
    name,
    async run({ backend, gpu }: Context) {
      const chosen = await chooseBackend({ backend, ...(gpu && { gpu }) }, { modules: everyBackend });
      const machine = new DeviceMachine(chosen.backend);
      try {
        await run(machine);
      } finally {
        chosen.backend.dispose();
      }
    },
  })),
];

/** Compiles graphs, and keeps all state by name on the device. */
class DeviceMachine implements Machine {
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
