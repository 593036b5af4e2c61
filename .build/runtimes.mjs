/** The runtimes that tests use, and which of them the environment asks to leave out. */

/** Names for DIVFLOW_TEST_SKIP. */
export const runtimeNames = ["node-wasm", "node-webgpu", "deno", "chromium"];

/**
 * What DIVFLOW_TEST_SKIP names, a list such as "deno,chromium".
 * @returns {string[]}
 */
export function skippedRuntimes() {
  const names = (process.env.DIVFLOW_TEST_SKIP ?? "").split(",").flatMap((name) => name.trim() || []);
  for (const name of names) {
    if (!runtimeNames.includes(name)) {
      throw new Error(`DIVFLOW_TEST_SKIP: got "${name}", expected names out of ${runtimeNames.join(", ")}.`);
    }
  }
  return runtimeNames.filter((name) => names.includes(name));
}
