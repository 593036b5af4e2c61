/** `npm run build`: src/generated/, then dist/ with bundles and type declarations. */
import { chmod, rm } from "node:fs/promises";
import { join } from "node:path";
import { bundle } from "./bundle.mjs";
import { writeDeclarations } from "./declarations.mjs";
import { root } from "./files.mjs";
import { generate } from "./generate.mjs";

try {
  await generate();
  await rm(join(root, "dist"), { recursive: true, force: true });
  await Promise.all([bundle(), writeDeclarations()]);
  await chmod(join(root, "dist", "cli.js"), 0o755);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
