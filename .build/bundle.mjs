/** What dist/ is made of: the core for any runtime, the CLI for Node. */
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { root } from "./files.mjs";

/** Optional in Node: the WebGPU implementation that a user may install beside divflow. Never part of a bundle. */
const external = ["webgpu"];

/** @type {import("esbuild").BuildOptions} */
const common = {
  absWorkingDir: root,
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  sourcemap: true,
  sourcesContent: true,
  external,
  legalComments: "none",
  logLevel: "warning",
};

/**
 * Imports of src/index.ts become imports of ./index.js, so that the core is loaded once and stands in dist/ once.
 * @type {import("esbuild").Plugin}
 */
const coreBeside = {
  name: "core-beside",
  setup(context) {
    context.onResolve({ filter: /\/index\.ts$/ }, ({ path, resolveDir }) =>
      join(resolveDir, path) === join(root, "src", "index.ts") ? { path: "./index.js", external: true } : undefined,
    );
  },
};

/**
 * Writes index.js, cli.js, cases/ (the golden cases of `divflow verify`) and bench/ (what `divflow bench` runs, with an
 * own copy of the core, as it measures below the public API) into a folder of the checkout.
 */
export async function bundle(folder = "dist") {
  const core = build({
    ...common,
    entryPoints: ["src/index.ts"],
    outfile: join(folder, "index.js"),
    platform: "browser",
  });
  const cli = build({
    ...common,
    entryPoints: ["src/cli/main.ts"],
    outfile: join(folder, "cli.js"),
    platform: "node",
    target: "node20.19",
    plugins: [coreBeside],
    banner: {
      // cli-progress is CommonJS: bundled into a module it still asks for Node's own modules with require.
      js: `#!/usr/bin/env node\nimport{createRequire as createRequireForBundle}from"node:module";const require=createRequireForBundle(import.meta.url);`,
    },
  });
  const cases = cp(join(root, "test", "fixtures"), join(root, folder, "cases"), { recursive: true });
  const bench = build({
    ...common,
    entryPoints: { own: "bench/own.mjs", child: "bench/child.mjs", divflow: "bench/divflow/open.ts" },
    outdir: join(folder, "bench"),
    external: [...external, "node:*"],
    sourcemap: false,
  });
  await Promise.all([core, cli, cases, bench]);
}
