/**
 * What dist/ is made of: index.js and its chunks, readable, for bundlers, Node and Deno; data.js, the readers of
 * files alone; networks.js, networks and their layers; flows.js, solvers beside the usual ones and flow maps; diagnostics.js, measures of samples; dynamics.js, trajectories as data; likelihoods.js, what log-densities are worth; posterior.js, simulation-based inference; letters.js, flows on the simplex; html.js, models as pages, with sampler-page.js; the files of its workers, each whole; min/, the same minified, for pages that load it as it is; and the
 * CLI for Node.
 *
 * By Rolldown rather than by esbuild, with which tests and demo are bundled: what a page downloads is smaller by 5 %,
 * and comes in fewer chunks, for Rolldown can put all that index.js needs at once into one.
 */
import { cp, readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { build } from "esbuild";
import { rolldown } from "rolldown";
import { root } from "./files.mjs";
import { takeOwnNames } from "./own-names.mjs";
import { writeSamplerPage } from "./sampler-page.mjs";

/** Optional in Node: the WebGPU implementation that a user may install beside divflow. Never part of a bundle. */
const optional = "webgpu";

/**
 * Writes all that into a folder of the checkout, with cases/ (the golden cases of `divflow verify`) and bench/ (what
 * `divflow bench` runs). The core finds the files of workers by its own address.
 */
export async function bundle(folder = "dist") {
  const cases = cp(join(root, "test", "fixtures"), join(root, folder, "cases"), { recursive: true });
  await Promise.all([
    writeCore(folder, { input: entries }),
    writeCore(`${folder}/min`, { input: { ...entries, index: min, ...workers, worker }, minify: true }),
    ...Object.entries(workers).map(([name, input]) => writeWorker(folder, name, input)),
    writeWorker(folder, "worker", worker, "export {};"), // an entry of the package, so a module
    writeCommand(folder),
    writeBench(folder),
    writeSamplerPage(folder),
    cases,
  ]);
}

/** What users load, by name in dist/. */
export const entries = {
  index: "src/index.ts",
  data: "src/data.ts",
  networks: "src/networks.ts",
  diagnostics: "src/diagnostics.ts",
  flows: "src/flows.ts",
  dynamics: "src/dynamics.ts",
  likelihoods: "src/likelihoods.ts",
  letters: "src/letters.ts",
  posterior: "src/posterior.ts",
  html: "src/html.ts",
};

/** What stands for index.js in dist/min/. */
export const min = "src/min.ts";

/** What a page's worker runs, by the name that src/engine/worker/start.ts has for it. */
const workers = {
  "worker-webgpu": "src/engine/worker/entry-webgpu.ts",
  "worker-wasm": "src/engine/worker/entry-wasm.ts",
};

/** The same with every backend. */
const worker = "src/engine/worker/entry.ts";

/** For what runs on any platform. */
const core = {
  platform: /** @type {const} */ ("browser"),
  transform: { target: "es2022" },
  external: [optional],
};

/** What reads and writes files of points, and nothing else needs. */
const filesOfPoints = new RegExp(
  String.raw`\/src\/data\/(${[
    ...["csv", "lines", "fields", "layout", "utf8", "growing-values", "choose-columns", "column-notes", "write-csv"],
    ...["npy", "python-literal", "npz", "unzip", "crc32", "write-npz", "write-zip", "read-points", "match-columns"],
    "fasta",
  ].join("|")})\.ts$`,
);

/** What readers of files, or measures of samples, have in common with the core. */
const base =
  /\/src\/(errors|closest|turns|graph\/(options|node)|data\/(numbers|points?)|ops\/(streams|threefry|normal))\.ts$/;

/** Optimal transport: of its entry, and of the golden cases that are about it. */
const transport = /\/src\/transport\//;

/** Trajectories as data: of their entry, and of the golden cases that are about them. */
const dynamics = /\/src\/(dynamics|data\/dynamics\/[\w-]+)\.ts$/;

/** Letters: of their entry, and of the golden cases that are about them. */
const letters =
  /\/src\/(letters|data\/letters|flow\/(simplex\/[\w-]+|losses\/cross-entropy)|engine\/sample-letters)\.ts$/;

/** Gradients, intervals and modes of log-densities, and ranks of posteriors: what two entries share. */
const logDensities = /\/src\/likelihoods\/(asking|mode|parts)\.ts$/;
const distributions = /\/src\/diagnostics\/(distributions|student)\.ts$/;
const calibration = /\/src\/diagnostics\/calibration\.ts$/;

/** Networks beside the MLP: pages load them with the entry, or when a file names one. */
const networks = new RegExp(
  String.raw`\/src\/(networks|nn\/(${[
    ...["networks", "cnn", "residual-mlp", "sit", "sit-config", "transformer", "unet1d", "unet2d", "unet2d-config"],
    ...["initial", "layers", "network-options", "resample-layers", "time-layers", "told-layers"],
  ].join("|")}))\.ts$`,
);

/** Couplings, solvers, paths and losses beside the usual ones: pages load them with the entry, or when one is asked of an engine. */
const flows = new RegExp(
  String.raw`\/src\/(train\/more-parts|flow\/(${[
    ...["solvers/(more|adaptive-heun|tsit5|sde|diffusion|flow-map|times|on-grid)", "flow-map", "log-determinant"],
    ...[
      "paths/(ve-sde|with-output|brownian-bridge|affine)",
      "losses/(weighted|multiplied|score-matching|hutch-plus-plus)",
    ],
    ...["conversions", "hutch-plus-plus", String.raw`couplings/[\w-]+`],
  ].join("|")})|transport\/(draw-pairs|random-sequence))\.ts$`,
);

/** What makes and trains flow maps, with graphs: apart from the others, which engines import. */
const flowMaps =
  /\/src\/(nn\/(flow-map|with-score)|flow\/losses\/mean-flow|flow\/consistency|train\/frozen-field)\.ts$/;

/** Graphs that are plain data: pages load them for networks beside the MLP, and for files of a user's own. */
const graphs = /\/src\/(trace\/|ops\/table|nn\/(graph|traced))/;

/** A user's own parts: apart from networks, since they need more of the core. */
const ownParts = /\/src\/(nn\/define-|data\/(graph-data|define-data)|flow\/\w+\/(graph|define)-|train\/graphs)/;

/**
 * Readable: a page's own part is the core, and the engine another chunk, imported where there is no worker to hold it.
 * Minified: one chunk for both, since page and worker, which share it, download it once and less than they would two.
 * @param {string} folder
 * @param {{ input: Record<string, string>, minify?: boolean }} options
 */
async function writeCore(folder, { input, minify = false }) {
  const page = minify ? String.raw`\/src\/min` : String.raw`\/src\/index`; // a group is what it names, with all that this imports at once
  const engine = String.raw`\/src\/(engine\/(runtime|worker\/(serve|port))|kernels\/(?!optional|mlp-flow)[\w-]+)`;
  const parts = { core: minify ? `${page}|${engine}` : page, engine };
  /** @param {keyof typeof parts} name */
  const group = (name) => ({ name, test: new RegExp(`(${parts[name]})\\.ts$`) });
  const output = await write(
    { ...core, input, checks: { ineffectiveDynamicImport: !minify }, plugins: [samplerPageAt(minify ? ".." : ".")] },
    {
      dir: folder,
      minify,
      chunkFileNames: ({ name, facadeModuleId }) => `${nameOfLazy(facadeModuleId) ?? name}-[hash].js`,
      codeSplitting: {
        groups: [
          // Apart, for who reads files alone or trains alone; so what both import is a chunk where pages load both.
          ...(minify ? [{ name: "base", test: base }] : []),
          { name: "readers", test: filesOfPoints },
          group("core"),
          // Ops that networks have, and engines: a page whose engine is elsewhere needs them for its networks.
          ...(minify ? [] : [{ name: "ops", test: /\/src\/ops\// }]),
          { name: "graphs", test: graphs },
          { name: "own-parts", test: ownParts },
          { name: "networks", test: networks },
          { name: "transport", test: transport }, // after what it shares with the core: a group is all that it imports
          { name: "flows", test: flows },
          { name: "distributions", test: distributions }, // before both that use them
          { name: "calibration", test: calibration },
          { name: "log-densities", test: logDensities },
          { name: "dynamics", test: dynamics },
          { name: "letters", test: letters },
          { name: "flow-maps", test: flowMaps },
          ...(minify ? [] : [group("engine")]),
          { name: "webgpu", test: /\/src\/backends\/webgpu\/backend\.ts$/ }, // with all that its parts on demand share with it
          // What reads a file's header: a page does for its worker, without the engine.
          { name: "header", test: /\/src\/train\/(network-of-file|read-\w+)\.ts$/ },
          { name: "load", test: /\/src\/engine\/(load|resume)\.ts$/ }, // both read model files
          { name: "validation", test: /\/src\/engine\/(validation|evaluate-losses|held-out)\.ts$/ }, // the one makes use of the other
          // What computes it and what plans it are wanted at once.
          { name: "whole-network", test: /\/src\/(engine\/whole-network|backends\/webgpu\/whole-network-form)\.ts$/ },
        ],
      },
    },
  );
  if (minify) await takeOwnNames(join(root, folder), output);
}

/**
 * The page that models are put into is a file of its own, in dist/ alone.
 * @param {string} folder
 * @returns {import("rolldown").Plugin}
 */
const samplerPageAt = (folder) => ({
  name: "sampler-page-at",
  resolveId: (source) =>
    source === "./sampler-page.js" ? { id: `${folder}/sampler-page.js`, external: true } : undefined,
});

/**
 * One file, and nothing to fetch: bundlers take it along as it is, and so may users. So it is minified.
 * @param {string} folder
 * @param {string} name
 * @param {string} input
 * @param {string} [footer]
 */
function writeWorker(folder, name, input, footer) {
  const plugins = [
    withoutCases,
    withoutNetworks,
    wholeModules,
    ...(name === "worker-wasm" ? [withoutWholeNetworks] : []),
    atOnce,
  ];
  return write(
    { ...core, input: { [name]: input }, plugins, checks: { bundlerTimings: false } },
    { dir: folder, minify: true, codeSplitting: false, footer },
  );
}

/**
 * In a file that is whole, what others import on demand is there at once. Rolldown would make it on demand there too, in
 * wrappers around it and around all that it imports.
 * @type {import("rolldown").Plugin}
 */
const atOnce = {
  name: "at-once",
  async load(id) {
    if (!id.startsWith(join(root, "src"))) return undefined;
    const code = await readFile(id, "utf8");
    /** @type {string[]} */
    const imports = [];
    const changed = code.replace(/(?<!typeof )\bimport\(("[^"]+")\)/g, (_, path) => {
      imports.push(`import * as onDemand${imports.length} from ${path};`); // on one line: those below keep their numbers
      return `Promise.resolve(onDemand${imports.length - 1})`;
    });
    return { code: `${imports.join("")}${changed}`, moduleType: "ts" };
  },
};

/**
 * WebAssembly has no kernel of whole networks, so that nothing there imports what plans them.
 * @type {import("rolldown").Plugin}
 */
const withoutWholeNetworks = {
  name: "without-whole-networks",
  load: (id) => (id === join(root, "src", "engine", "whole-network.ts") ? "export {};" : undefined),
};

/**
 * What is whole has both builds of WebAssembly with all kernels: together they are smaller than in parts.
 * @type {import("rolldown").Plugin}
 */
const wholeModules = {
  name: "whole-modules",
  resolveId: (source) =>
    source === "./modules.ts" ? join(root, "src", "backends", "wasm", "modules-whole.ts") : undefined,
};

/**
 * Golden cases are read by the page, and their graphs sent: its worker needs no network for them.
 * @type {import("rolldown").Plugin}
 */
const withoutCases = {
  name: "without-cases",
  load: (id) => (id === join(root, "src", "engine", "cases", "open-case.ts") ? "export {};" : undefined),
};

/**
 * Networks beside the MLP come to a worker as graphs: it has no code for them.
 * @type {import("rolldown").Plugin}
 */
const withoutNetworks = {
  name: "without-networks",
  load(id) {
    if (id === join(root, "src", "nn", "networks.ts")) return "export const networks = {};";
    // PyTorch's files of them are read by the page too, and come as divflow's own.
    return id === join(root, "src", "train", "read-torch.ts") ? "export const torchNetwork = () => {};" : undefined;
  },
};

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
    { dir: folder, minify: false, banner: "#!/usr/bin/env node", codeSplitting: false },
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
 * Imports of src/index.ts become imports of ./index.js, and so those of other entries: the core is loaded once, stands
 * in dist/ once, and its ops are the same ones everywhere.
 * @type {import("rolldown").Plugin}
 */
const coreBeside = {
  name: "core-beside",
  resolveId(source, importer) {
    const path = importer && join(dirname(importer), source);
    const name = Object.keys(entries).find((one) => path === join(root, "src", `${one}.ts`));
    return name ? { id: `./${name}.js`, external: true } : undefined;
  },
};

/**
 * @param {import("rolldown").InputOptions} input
 * @param {import("rolldown").OutputOptions} output - `dir` is relative to the root.
 */
async function write(input, { dir = "dist", ...output }) {
  const built = await rolldown({ cwd: root, ...input });
  try {
    const { output: files } = await built.write({
      ...output,
      dir: join(root, dir),
      format: "esm",
      sourcemap: true,
      comments: output.minify ? false : { legal: false },
    });
    return files;
  } finally {
    await built.close();
  }
}
