/**
 * Brings src/generated/ up to date: only what is stale, told by the hash of its sources. When a source is broken the
 * last good output stays, and the error says what is wrong.
 */
import { pathToFileURL } from "node:url";
import { generateLayouts } from "./parameters.mjs";
import { generateShaders } from "./shaders.mjs";
import { generateWasm } from "./wasm.mjs";

/** @throws AggregateError with a message per generator that failed. */
export async function generate() {
  const results = await Promise.allSettled([generateLayouts(), generateShaders(), generateWasm()]);
  const failures = results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
  if (failures.length > 0) {
    const messages = failures.map((failure) => (failure instanceof Error ? failure.message : String(failure)));
    throw new AggregateError(failures, `src/generated/ is not up to date.\n${messages.join("\n")}`);
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await generate().catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
