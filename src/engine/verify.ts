/**
 * The self test for an unknown device: runs a golden case as a compiled program on the runtime's backend, and says how
 * far each quantity is off.
 */
import type { Backend, NumericArray } from "../backends/backend.ts";
import { compile } from "../schedule/compile.ts";
import type { BackendName, CaseErrors } from "./api.ts";
import { caseErrors, caseGraph, caseInputs } from "./case-graph.ts";
import { type GoldenCase, parseGoldenCase } from "./golden-case.ts";
import type { LocalRuntime } from "./runtime.ts";
import { StateStore } from "./state-store.ts";

/** Largest errors of a backend that is right: f32 sums of a few hundred terms, and f64. */
export const verifyTolerances: Readonly<Record<BackendName, number>> = { webgpu: 2e-5, wasm: 2e-5, reference: 1e-9 };

/** See {@link Runtime.verifyCase}. */
export async function verifyCase(runtime: LocalRuntime, text: string, file = "case"): Promise<CaseErrors> {
  const golden = parseGoldenCase(text, file);
  return runtime.use(async ({ backend }) => caseErrors(golden, await runCase(backend, golden)));
}

/** The values of the graph's states after it ran, by name. */
async function runCase(backend: Backend, golden: GoldenCase): Promise<Map<string, NumericArray>> {
  const program = compile(caseGraph(golden), backend.limits);
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
