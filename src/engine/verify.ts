/** The self test for an unknown device. What it takes is imported when a case is run: few pages ever do. */
import { UnsupportedError } from "../errors.ts";
import type { BackendName, Runtime } from "./api.ts";
import type { CaseErrors } from "./case-graph.ts";
import { LocalRuntime } from "./runtime.ts";

export type { CaseErrors } from "./case-graph.ts";

/** Largest errors of a backend that is right: f32 sums of a few hundred terms, and f64. */
export const verifyTolerances: Readonly<Record<BackendName, number>> = { webgpu: 2e-5, wasm: 2e-5, reference: 1e-9 };

/**
 * Runs one golden case on the runtime's backend.
 *
 * @param text - JSON, in the format of the case files that ship with divflow.
 * @param file - what messages call it.
 * @returns an error for each quantity: compare it with {@link verifyTolerances}.
 * @throws {@link DataError} naming the field that is missing or wrong.
 * @throws {@link UnsupportedError} when the runtime is not one that divflow made.
 */
export async function verifyCase(runtime: Runtime, text: string, file = "case"): Promise<CaseErrors> {
  const { parseGoldenCase, runGoldenCase } = await import("./run-golden-case.ts");
  const golden = parseGoldenCase(text, file);
  if (!(runtime instanceof LocalRuntime)) {
    throw new UnsupportedError({
      subject: "runtime of verifyCase",
      given: "another object",
      expected: "a runtime from createRuntime",
      remedy: "Give the runtime itself, not a copy or a wrapper of it.",
    });
  }
  return runtime.use(async ({ backend }) => runGoldenCase(backend, golden));
}
