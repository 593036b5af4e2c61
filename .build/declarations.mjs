/**
 * dist/types/: what TypeScript says of the package's entries, a file for each, with no type that users cannot reach. So
 * nothing in it needs @webgpu/types or a lib that users may not have, but for what `using` takes, which is named.
 */
import { join } from "node:path";
import { rolldown } from "rolldown";
import { dts } from "rolldown-plugin-dts";
import { entries, min } from "./bundle.mjs";
import { root } from "./files.mjs";

/** By name in dist/types/. */
const files = { ...entries, min, worker: "src/engine/worker/entry.ts" };

/** For Disposable and Symbol.dispose, which `lib: ["es2022"]` has not. */
const banner = '/// <reference lib="esnext.disposable" />';

/** @param {string} folder - relative to the root. */
export async function writeDeclarations(folder = "dist/types") {
  const built = await rolldown({
    cwd: root,
    input: files,
    plugins: [dts({ emitDtsOnly: true, tsconfig: "tsconfig.build.json" })],
    checks: { pluginTimings: false },
  });
  try {
    await built.write({ dir: join(root, folder), format: "esm", postBanner: banner });
  } finally {
    await built.close();
  }
}
