/** Bundles test/conformance/, or another module for run.mjs, for a platform, as a user's page has it. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { root } from "../files.mjs";

/**
 * Writes the module and, beside it, the engine's workers.
 * @param {string} folder - made where it is missing.
 * @param {string} [entry] - the module, by default the suite.
 * @returns {Promise<string>} its path, for runModule.
 */
export async function bundleChecks(folder, entry = join(root, "test", "conformance", "index.ts")) {
  const workers = join(root, "src", "engine", "worker");
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "package.json"), '{ "type": "module" }');
  await build({
    entryPoints: {
      index: entry,
      "worker-webgpu": join(workers, "entry-webgpu.ts"),
      "worker-wasm": join(workers, "entry-wasm.ts"),
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
