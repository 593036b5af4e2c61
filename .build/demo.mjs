/**
 * `npm run demo`: serves demo/ on the built package, as a user's page would use it. main.ts and worker.ts are bundled
 * anew for each visit; their imports of "divflow" load dist/ as it is.
 */
import { readFile } from "node:fs/promises";
import { join, normalize } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { isNoFile, root } from "./files.mjs";
import { serve } from "./platforms/server.mjs";

/**
 * Starts the server.
 * @param {{ port?: number, built?: string }} [options] - default: any free port; the package built in dist/.
 */
export function serveDemo({ port, built = "dist" } = {}) {
  return serve((path) => demoFile(path, built), { port });
}

/**
 * What the demo's pages ask for by a path; undefined where there is none.
 * @param {string} path - "/index.html" and what lies beside it, "/divflow/" and what is built.
 * @param {string} [built]
 */
export async function demoFile(path, built = "dist") {
  const source = scripts.get(path.slice(1));
  if (source) return script(source);
  if (path.startsWith("/divflow/")) return contents(built, path.slice("/divflow".length));
  return contents("demo", path);
}

/** @param {string} folder @param {string} path */
async function contents(folder, path) {
  try {
    return await readFile(join(root, folder, normalize(`/${path}`)));
  } catch (error) {
    if (isNoFile(error)) return undefined;
    throw error;
  }
}

/** Scripts that pages load, each with all that it imports of demo/: by their names beside the page, where their sources lie. */
export const scripts = new Map([
  ["main.js", "main.ts"],
  ["worker.js", "worker.ts"],
  ["posterior-worker.js", "tabs/posterior/worker.ts"],
  ["trajectories-worker.js", "tabs/trajectories/worker.ts"],
  ["digits-worker.js", "tabs/digits/worker.ts"],
]);

/** @param {string} path - of its source in demo/. */
async function script(path) {
  const { outputFiles } = await build({
    entryPoints: [join(root, "demo", path)],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
    sourcemap: "inline",
    plugins: [
      {
        name: "built-package",
        setup(context) {
          // From the page's own folder, wherever that lies.
          context.onResolve({ filter: /^divflow(\/[a-z]+)?$/ }, ({ path }) => {
            const [, entry = "index"] = path.split("/");
            return { path: `./divflow/${entry}.js`, external: true };
          });
        },
      },
    ],
    logLevel: "silent",
  });
  return outputFiles[0].contents;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const wanted = Number(process.env.PORT ?? 8080);
  const { url } = await serveDemo({ port: wanted }).catch((error) => {
    if (error.code !== "EADDRINUSE") throw error;
    console.error(`Port ${wanted} is taken; another one will do. PORT chooses one.`);
    return serveDemo();
  });
  console.log(`The demo is at ${url}. Ctrl-C ends it.`);
}
