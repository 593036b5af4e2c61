/** Before any test: src/generated/ is brought up to date, so that `vitest run one.test.ts` works in a fresh clone. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { root } from "./files.mjs";
import { skippedRuntimes } from "./runtimes.mjs";

export default async function setup() {
  skippedRuntimes(); // a name that is none fails here, once
  try {
    // In a process of its own: Vitest loads this file with its module runner, which lacks import.meta.resolve.
    await promisify(execFile)(process.execPath, [join(root, ".build", "generate.mjs")], { timeout: 300_000 });
  } catch (error) {
    // Tests of other parts can still tell something, against the last good output; in CI nothing stale may pass.
    if (process.env.CI) throw error;
    const message = error instanceof Error && "stderr" in error ? String(error.stderr) : String(error);
    console.error(`\n${message.trim()}\nTests use the last good output, if any.\n`);
  }
}
