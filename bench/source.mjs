/** Parts of src/ for benchmarks that look inside: bundled as one module, imported, and gone from the disk again. */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";

export const root = join(import.meta.dirname, "..");

/**
 * @param {string} entry - exports of src/, as the text of a module in the repository's root.
 * @returns {Promise<any>}
 */
export async function fromSource(entry) {
  const folder = join(root, "node_modules", ".cache", `divflow-bench-${process.pid}`);
  const file = join(folder, "source.mjs");
  try {
    await mkdir(folder, { recursive: true });
    const result = await build({
      stdin: { contents: entry, resolveDir: root, loader: "ts" },
      bundle: true,
      format: "esm",
      target: "es2022",
      write: false,
      logLevel: "warning",
    });
    await writeFile(file, result.outputFiles[0]?.text ?? "");
    return await import(`${pathToFileURL(file).href}#${encodeURIComponent(entry)}`); // else the first entry is found again
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
