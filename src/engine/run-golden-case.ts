/** Runs a golden case as a compiled program on a backend, and says how far each quantity is off. */
import type { Backend, NumericArray } from "../backends/backend.ts";
import { compile } from "../schedule/compile.ts";
import type { CaseErrors } from "./api.ts";
import { caseErrors, caseGraph, caseInputs } from "./case-graph.ts";
import type { GoldenCase } from "./golden-case.ts";
import { StateStore } from "./state-store.ts";

export { parseGoldenCase } from "./golden-case.ts";

/** An error for each quantity. */
export async function runGoldenCase(backend: Backend, golden: GoldenCase): Promise<CaseErrors> {
  return caseErrors(golden, await statesAfter(backend, golden));
}

/** The values of the graph's states after it ran, by name. */
async function statesAfter(backend: Backend, golden: GoldenCase): Promise<Map<string, NumericArray>> {
  const { limits } = backend;
  const all = limits.halvesFrom === undefined ? limits : { ...limits, halvesFrom: 1 }; // cases are small
  const program = compile(caseGraph(golden), all);
  const store = new StateStore(backend);
  try {
    store.declare(program.state);
    const executable = await backend.load(program, store.buffers(program.state.map(({ name }) => name)));
    try {
      for (const [name, values] of caseInputs(golden)) if (store.has(name)) store.write(name, values);
      executable.run(1);
      return await store.readAll(program.graph.updates.map((update) => update.state.name));
    } finally {
      executable.dispose();
    }
  } finally {
    store.dispose();
  }
}
