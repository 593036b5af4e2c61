/** The sessions' modules, bundled, and how each is opened from a checkout. */
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { root } from "../.build/files.mjs";
import { commandFor } from "../.build/platforms/run.mjs";
import { openPage } from "./page.mjs";
import { openProcess } from "./process.mjs";
import { pythonWithTorch } from "./python.mjs";
import { relaxedFlags } from "./relaxed-flags.mjs";

/** @import { Contender } from "./rows.mjs" */

const folder = join(root, "bench");
/** Where the peers are installed: in a folder of their own, so that for other files of bench/ `divflow` is the package around it. */
const peersFolder = join(folder, "peers");
/**
 * Sources, the folders of what else they fetch in a page, and the cores to show an implementation that takes its
 * number of threads from them: jax-js a worker for each, TF.js for half of them.
 * @type {Readonly<Record<string, { source: string, assets: readonly string[], coresFor?: (threads: number) => number }>>}
 */
const implementations = {
  divflow: { source: "divflow/open.ts", assets: [] },
  "jax-js": { source: "peers/jax.ts", assets: [], coresFor: (threads) => threads },
  tfjs: {
    source: "peers/tfjs.ts",
    assets: ["@tensorflow/tfjs-backend-wasm/dist"],
    coresFor: (threads) => 2 * threads,
  },
  "onnxruntime-web": { source: "peers/onnx.ts", assets: ["onnxruntime-web/dist"] },
};
const OPEN_SECONDS = 120;

/** @param {string} name */
function implementation(name) {
  const found = implementations[name];
  if (!found) throw new Error(`There is no session for "${name}".`);
  return found;
}

/** @param {string} name - of a peer */
async function versionOf(name) {
  const file = join(peersFolder, "node_modules", name, "package.json");
  return /** @type {string} */ (JSON.parse(await readFile(file, "utf8")).version);
}

/**
 * Bundles the sessions of some implementations into a folder.
 * @param {readonly string[]} names
 * @param {string} target
 */
export async function bundleSessions(names, target) {
  await mkdir(target, { recursive: true });
  const peers = names.some((name) => name !== "divflow");
  const versions = peers && {
    jax: await versionOf("@jax-js/jax"),
    tfjs: await versionOf("@tensorflow/tfjs-core"),
    onnx: await versionOf("onnxruntime-web"),
  };
  await build({
    entryPoints: Object.fromEntries(names.map((name) => [name, join(folder, implementation(name).source)])),
    outdir: target,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    format: "esm",
    target: "es2022",
    conditions: ["onnxruntime-web-use-extern-wasm"], // its .wasm and workers beside it, not in the bundle
    external: ["webgpu", "node:*"],
    define: { PEER_VERSIONS: JSON.stringify(versions ?? {}) },
    logLevel: "error",
  });
}

/** What opens contenders' sessions, once they are bundled. @param {string} target */
export function opener(target) {
  return (/** @type {Contender} */ { implementation: name, runtime, backend, threads, relaxed }) => {
    if (runtime === "python") return openTorch(threads);
    const module = join(target, `${name}.mjs`);
    const context = { backend, threads, relaxed };
    if (runtime === "chromium") {
      const { assets, coresFor } = implementation(name);
      const folders = assets.map((asset) => join(peersFolder, "node_modules", asset));
      const cores = backend === "wasm" ? coresFor?.(threads) : undefined;
      return openPage({ module, folders, context, cores, seconds: OPEN_SECONDS });
    }
    return openInProcess(runtime, module, context);
  };
}

/** @param {number} threads */
async function openTorch(threads) {
  return openProcess({
    command: (await pythonWithTorch()) ?? "python3",
    parameters: [],
    script: join(folder, "peers", "torch_networks.py"),
    module: "torch",
    context: { threads },
    seconds: OPEN_SECONDS,
  });
}

/** @param {"node" | "deno"} runtime @param {string} module @param {{ backend: string, relaxed: boolean | null }} context */
async function openInProcess(runtime, module, context) {
  const platform = runtime === "deno" ? "deno-webgpu" : context.backend === "webgpu" ? "node-webgpu" : "node-wasm";
  const { command, parameters, environment } = await commandFor(platform);
  return openProcess({
    command,
    parameters: [...parameters, ...(runtime === "node" && context.relaxed ? relaxedFlags() : [])],
    environment,
    script: join(folder, "child.mjs"),
    module: pathToFileURL(module).href,
    context,
    seconds: OPEN_SECONDS,
  });
}

/** Whether the peers are installed. */
export function peersInstalled() {
  const require = createRequire(join(peersFolder, "package.json"));
  try {
    require.resolve("@jax-js/jax");
    return true;
  } catch {
    return false;
  }
}
