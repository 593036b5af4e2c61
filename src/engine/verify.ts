/** The self test for an unknown device. What it takes is imported when a case is run: few pages ever do. */

import { onDemand } from "../backends/on-demand.ts";
import type { BackendName, CaseErrors } from "./api.ts";
import type { CaseValues } from "./cases/case.ts";
import type { SentPrograms } from "./cases/sent.ts";
import type { LocalRuntime } from "./runtime.ts";

/**
 * Largest errors of a backend that is right: f64 against numbers of 12 digits; f32 sums of a few hundred terms, through
 * whole networks to second order; a few roundings to f16 (2^-11 each).
 * What the host computes itself, such as an assignment, is f64 beside any of them.
 */
export const verifyTolerances: Readonly<Record<BackendName | "f16", number>> = {
  ...{ webgpu: 5e-5, wasm: 5e-5, reference: 1e-8 },
  f16: 2 ** -8,
};

/** See {@link Runtime.verifyCase}. */
export async function verifyCase(runtime: LocalRuntime, text: string, file = "case"): Promise<CaseErrors> {
  const { openCase } = await onDemand(import("./cases/open-case.ts"));
  const golden = openCase(text, file);
  const { runPrograms } = await onDemand(import("./cases/run-programs.ts"));
  return golden.errors(await runtime.use(({ backend }) => runPrograms(backend, golden)));
}

/** What the programs of a case write that a page sent. */
export async function runCase(runtime: LocalRuntime, sent: SentPrograms): Promise<CaseValues> {
  const { runSentPrograms } = await onDemand(import("./cases/run-programs.ts"));
  return runtime.use(({ backend }) => runSentPrograms(backend, sent));
}
