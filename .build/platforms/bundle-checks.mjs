/** Bundles test/conformance/ for a platform. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { root } from "../files.mjs";

/**
 * Writes the suite and, beside it, the engine's worker, as a user's page has them.
 * @param {string} folder - made where it is missing.
 * @returns {Promise<string>} the suite's path, for runModule.
 */
export async function bundleChecks(folder) {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "package.json"), '{ "type": "module" }');
  await build({
    entryPoints: {
      index: join(root, "test", "conformance", "index.ts"),
      worker: join(root, "src", "engine", "worker", "entry.ts"),
    },
    outdir: folder,
    bundle: true,
    format: "esm",
    target: "es2022",
    external: ["webgpu", "node:*"],
    sourcemap: "inline",
    logLevel: "silent",
  });
  return join(folder, "index.js");
}
