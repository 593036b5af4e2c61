/** `npm run build`: src/generated/, then dist/ with bundles and type declarations. */
import { execFile } from "node:child_process";
import { chmod, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { bundle } from "./bundle.mjs";
import { root } from "./files.mjs";
import { generate } from "./generate.mjs";

try {
  await generate();
  await rm(join(root, "dist"), { recursive: true, force: true });
  await Promise.all([bundle(), declarations()]);
  await chmod(join(root, "dist", "cli.js"), 0o755);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

/** dist/types/: what TypeScript says of src/, file by file. */
async function declarations() {
  const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
  try {
    await promisify(execFile)(process.execPath, [compiler, "-p", "tsconfig.build.json"], {
      cwd: root,
      timeout: 300_000,
    });
  } catch (error) {
    const messages = error instanceof Error && "stdout" in error ? String(error.stdout) : "";
    throw new Error(`Type declarations could not be written.\n${messages || error}`, { cause: error });
  }
}
