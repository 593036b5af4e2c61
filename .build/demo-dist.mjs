/**
 * `npm run demo:build`: demo/dist, a folder that any host serves, below any path: the page with what it uses of the built
 * package, a service worker that keeps all of it on the device, and what makes it an app.
 */
import { createHash } from "node:crypto";
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { scripts } from "./demo.mjs";
import { root } from "./files.mjs";

/** Nothing but the page's own files, whatever is in it: no other origin is ever asked. */
const policy = [
  ...["default-src 'self'", "connect-src 'self'", "script-src 'self' 'wasm-unsafe-eval'", "worker-src 'self' blob:"],
  ...["img-src 'self' data: blob:", "object-src 'none'", "base-uri 'none'", "form-action 'none'"],
].join("; ");

/** What stands in the page's head beside what is there. */
const head = `<link rel="manifest" href="manifest.webmanifest">
  <link rel="apple-touch-icon" href="icon-192.png">
  <meta name="theme-color" content="#1b66c9">
  <link rel="stylesheet" href="update.css">
  <script type="module" src="register.js"></script>
`;

/**
 * @param {{ built?: string, out?: string }} [options] - folders of the checkout: the package built in dist/; what is written,
 * demo/dist.
 * @returns {Promise<{ files: string[], later: string[], version: string }>} what is kept at the first visit, and what only
 * once it was wanted; relative to the folder.
 */
export async function buildDemo({ built = "dist", out = "demo/dist" } = {}) {
  const [demo, target] = [join(root, "demo"), join(root, out)];
  await rm(target, { recursive: true, force: true });
  await mkdir(target, { recursive: true });
  const compile = /** @type {const} */ ({ bundle: true, minify: true, target: "es2022", logLevel: "warning" });
  const entries = [...scripts, ["register.js", "offline/register.ts"]];
  const { metafile } = await build({
    ...compile,
    metafile: true,
    entryPoints: entries.map(([name, source]) => ({ in: join(demo, source), out: name.replace(/\.js$/, "") })),
    outdir: target,
    entryNames: "[name]",
    chunkNames: "parts/[name]-[hash]",
    ...{ format: "esm", splitting: true },
    external: ["webgpu"], // of Node
    plugins: [packageIn(built)],
  });
  for (const file of await staticFiles(demo)) {
    const place = join(target, relative(demo, file).replace(/^offline[/\\]/, ""));
    await mkdir(dirname(place), { recursive: true });
    await cp(file, place);
  }
  for (const name of JSON.parse(await readFile(join(demo, "cases.json"), "utf8"))) {
    const file = join("cases", `${name}.json`); // of the page's own check
    await cp(join(root, built, file), join(target, "divflow", file));
  }
  const page = await readFile(join(target, "index.html"), "utf8");
  await writeFile(join(target, "index.html"), withHead(page));
  const all = await filesIn(target);
  const version = await versionOf(target, all);
  const ofTabs = filesOfTabs(metafile, target);
  const isLater = (/** @type {string} */ file) => isLarge(file) || ofTabs.has(file);
  const [files, later] = [all.filter((file) => !isLater(file)), all.filter(isLater)];
  await build({
    ...compile,
    entryPoints: [join(demo, "offline", "service-worker.ts")],
    outfile: join(target, "service-worker.js"),
    format: "iife",
    define: { FILES: JSON.stringify(files), LATER: JSON.stringify(later), VERSION: JSON.stringify(version) },
  });
  return { files, later, version };
}

/** Half of all bytes, and few want it: the page that models are exported into, and golden cases. @param {string} file */
const isLarge = (file) => /^(parts\/sampler-page|divflow\/cases\/|style\/tabs\.css|models\/)/.test(file);

/**
 * Scripts that only the tabs beside the first one use: kept once such a tab was opened.
 * @param {import("esbuild").Metafile} metafile @param {string} target
 */
function filesOfTabs({ outputs }, target) {
  const named = new Map(
    Object.entries(outputs).map(([file, output]) => [
      relative(target, join(process.cwd(), file)).replaceAll("\\", "/"),
      output,
    ]),
  );
  const isOfTab = (/** @type {import("esbuild").Metafile["outputs"][string]} */ { entryPoint = "" }) =>
    /demo\/tabs\//.test(entryPoint);
  const first = [...named].filter(([, { entryPoint }]) =>
    /demo\/((main|worker)|offline\/register)\.ts$/.test(entryPoint ?? ""),
  );
  const reached = new Set(first.map(([file]) => file));
  for (const file of reached) {
    for (const { path } of named.get(file)?.imports ?? []) {
      const next = relative(target, join(process.cwd(), path)).replaceAll("\\", "/");
      const output = named.get(next);
      if (output && !isOfTab(output)) reached.add(next);
    }
  }
  return new Set([...named.keys()].filter((file) => !reached.has(file)));
}

/** @param {string} page */
function withHead(page) {
  const isGuarded = page.includes("Content-Security-Policy");
  const guard = isGuarded ? "" : `<meta http-equiv="Content-Security-Policy" content="${policy}">\n  `;
  // The policy before what it is about.
  const guarded = page.replace(/<meta charset="utf-8" ?\/?>/i, (found) => `${found}\n  ${guard}`);
  const whole = guarded.replace(/<\/head>/i, () => `  ${head}</head>`);
  if (!whole.includes("Content-Security-Policy") || !whole.includes("register.js")) {
    throw new Error("demo/index.html has no head that the build could add to.");
  }
  return whole;
}

/** Parts of the package of which the first visit and the tabs use different functions. */
const APART = /^\.\/(calibration|distributions|dynamics|log-densities)-[^/]*\.js$/;

/**
 * Modules are whole in one chunk for all who use them: tabs have copies of their own of what would make the first visit larger.
 * @param {string} built @returns {import("esbuild").Plugin}
 */
const packageIn = (built) => ({
  name: "built-package",
  setup(context) {
    context.onResolve({ filter: /^divflow(\/[a-z]+)?$/ }, ({ path, importer }) => {
      const [, entry = "index"] = path.split("/");
      const file = join(root, built, `${entry}.js`);
      const isOfTab = /demo[/\\]tabs[/\\]/.test(importer) && ["diagnostics", "dynamics", "posterior"].includes(entry);
      return isOfTab ? { path: file, namespace: "of-tabs", sideEffects: false } : { path: file };
    });
    context.onResolve({ filter: /^\./, namespace: "of-tabs" }, ({ path, resolveDir }) => {
      const file = join(resolveDir, path);
      return APART.test(path) ? { path: file, namespace: "of-tabs", sideEffects: false } : { path: file };
    });
    context.onLoad({ filter: /./, namespace: "of-tabs" }, async ({ path }) => {
      return { contents: await readFile(path, "utf8"), resolveDir: dirname(path) };
    });
  },
});

/** What is served as it is: all but programs and what was built before. @param {string} folder */
async function staticFiles(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && !/\.(ts|md)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !/^dist[/\\]/.test(relative(folder, file)));
}

/** All files, relative and with forward slashes. @param {string} folder */
async function filesIn(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll("\\", "/"))
    .sort();
}

/** @param {string} folder @param {readonly string[]} files */
async function versionOf(folder, files) {
  const hash = createHash("sha256");
  for (const file of files) hash.update(`${file}\0`).update(await readFile(join(folder, file)));
  return hash.digest("hex").slice(0, 16);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { files, later, version } = await buildDemo();
  console.log(
    `demo/dist: ${files.length + later.length + 1} files, version ${version}. Any host serves them, below any path.`,
  );
}
