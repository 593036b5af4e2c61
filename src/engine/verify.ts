/** The self test for an unknown device. What it takes is imported when a case is run: few pages ever do. */

import { onDemand } from "../backends/on-demand.ts";
import type { BackendName, CaseErrors } from "./api.ts";
import type { LocalRuntime } from "./runtime.ts";

/** Largest errors of a backend that is right: f32 sums of a few hundred terms, f64; a few roundings to f16 (2^-11 each). */
export const verifyTolerances: Readonly<Record<BackendName | "f16", number>> = {
  ...{ webgpu: 2e-5, wasm: 2e-5, reference: 1e-9 },
  f16: 2 ** -8,
};

/** See {@link Runtime.verifyCase}. */
export async function verifyCase(runtime: LocalRuntime, text: string, file = "case"): Promise<CaseErrors> {
  const { parseGoldenCase, runGoldenCase } = await onDemand(import("./run-golden-case.ts"));
  const golden = parseGoldenCase(text, file);
  return runtime.use(async ({ backend }) => runGoldenCase(backend, golden));
}
