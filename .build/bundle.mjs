/**
 * What dist/ is made of: index.js, worker.js, which a page runs the engine in, their chunks, and the CLI for Node.
 *
 * By Rolldown rather than by esbuild, with which tests and demo are bundled: what a page downloads is smaller by 5 %,
 * and comes in fewer chunks, for Rolldown can put all that index.js needs at once into one.
 */
import { cp } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { build } from "esbuild";
import { rolldown } from "rolldown";
import { root } from "./files.mjs";

/** Optional in Node: the WebGPU implementation that a user may install beside divflow. Never part of a bundle. */
const optional = "webgpu";

/**
 * Writes index.js and worker.js with their chunks beside them, cli.js, cases/ (the golden cases of `divflow verify`) and
 * bench/ (what `divflow bench` runs) into a folder of the checkout. The core finds worker.js by its own address.
 */
export async function bundle(folder = "dist") {
  const cases = cp(join(root, "test", "fixtures"), join(root, folder, "cases"), { recursive: true });
  await Promise.all([writeCore(folder), writeCommand(folder), writeBench(folder), cases]);
}

/** What users and pages load, by name in dist/. */
const entries = { index: "src/index.ts", worker: "src/engine/worker/entry.ts" };

/** @param {string} folder */
function writeCore(folder) {
  return write(
    {
      input: entries,
      platform: "browser",
      transform: { target: "es2022" },
      external: [optional],
    },
    {
      dir: folder,
      chunkFileNames: ({ name, facadeModuleId }) => `${nameOfLazy(facadeModuleId) ?? name}-[hash].js`,
      codeSplitting: {
        groups: [
          { name: "wasm-modules", test: /\/src\/generated\/wasm\.ts$/ }, // base64 and code compress badly as one
          { name: "core", test: belongsToCore }, // with all that it imports at once
          { name: "load", test: /\/src\/engine\/(load|resume)\.ts$/ }, // both read model files
        ],
      },
    },
  );
}

/**
 * The API, and what the backends share, of which one is always wanted. Not other entries: what they do when they are
 * loaded must not be done by who loads the core.
 * @param {string} module
 */
function belongsToCore(module) {
  const path = relative(root, module).replaceAll("\\", "/");
  return path === entries.index || path.startsWith("src/kernels/");
}

/**
 * The name of a chunk that begins with a module imported on demand: the module's, a backend's by its folder.
 * @param {string | null} module
 */
function nameOfLazy(module) {
  if (!module) return undefined;
  const name = basename(module, ".ts");
  return name === "backend" ? basename(dirname(module)) : name;
}

/** @param {string} folder */
function writeCommand(folder) {
  return write(
    {
      input: { cli: "src/cli/main.ts" },
      platform: "node",
      transform: { target: "node20.19" },
      external: [optional],
      plugins: [coreBeside],
    },
    { dir: folder, banner: "#!/usr/bin/env node", codeSplitting: false },
  );
}

/**
 * With an own copy of the core: it measures below the public API. Each of its processes loads one file.
 * @param {string} folder
 */
async function writeBench(folder) {
  await build({
    absWorkingDir: root,
    entryPoints: { own: "bench/own.mjs", child: "bench/child.mjs", divflow: "bench/divflow/open.ts" },
    outdir: join(folder, "bench"),
    bundle: true,
    format: "esm",
    target: "es2022",
    minify: true,
    external: [optional, "node:*"],
    legalComments: "none",
    logLevel: "warning",
  });
}

/**
 * Imports of src/index.ts become imports of ./index.js, so that the core is loaded once and stands in dist/ once.
 * @type {import("rolldown").Plugin}
 */
const coreBeside = {
  name: "core-beside",
  resolveId(source, importer) {
    const isCore = importer && join(dirname(importer), source) === join(root, "src", "index.ts");
    return isCore ? { id: "./index.js", external: true } : undefined;
  },
};

/**
 * @param {import("rolldown").InputOptions} input
 * @param {import("rolldown").OutputOptions} output - `dir` is relative to the root.
 */
async function write(input, { dir = "dist", ...output }) {
  const built = await rolldown({ cwd: root, ...input });
  try {
    await built.write({
      ...output,
      dir: join(root, dir),
      format: "esm",
      minify: true,
      sourcemap: true,
      comments: false,
    });
  } finally {
    await built.close();
  }
}
