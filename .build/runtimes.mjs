/** The runtimes that tests use, and which of them the environment asks to leave out. */

/** Names for DIVFLOW_TEST_SKIP. */
export const runtimeNames = ["node-wasm", "node-webgpu", "deno", "chromium"];

/** The names in DIVFLOW_TEST_SKIP, a list such as "deno,chromium", as they stand there. */
export function askedToSkip() {
  return (process.env.DIVFLOW_TEST_SKIP ?? "").split(",").flatMap((name) => name.trim() || []);
}

/**
 * The runtimes that DIVFLOW_TEST_SKIP names.
 * @throws Error when it names something else.
 */
export function skippedRuntimes() {
  const names = askedToSkip();
  const unknown = names.find((name) => !runtimeNames.includes(name));
  if (unknown !== undefined) {
    throw new Error(`DIVFLOW_TEST_SKIP: got "${unknown}", expected names out of ${runtimeNames.join(", ")}.`);
  }
  return names;
}
