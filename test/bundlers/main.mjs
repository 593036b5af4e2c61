/**
 * `npm run test:bundlers`: the packed tarball in an app of each bundler, without any setting, in Chromium; as a plain
 * page, from another origin, in Node and in Deno. Prints the table of docs/bundlers.md. Takes about ten minutes and the
 * npm registry: names of apps as arguments, such as "vite" or "next", leave the others out.
 *
 * DIVFLOW_BUNDLERS_FOLDER keeps the apps, with the packages they have installed, in a folder; else they go.
 */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { root } from "../../.build/files.mjs";
import { launchBrowser } from "../../.build/platforms/browser.mjs";
import { apps } from "./apps.mjs";
import { builtApp } from "./build.mjs";
import { pages, scripts } from "./unbundled.mjs";
import { visit } from "./visit.mjs";

const run = promisify(execFile);
const kept = process.env.DIVFLOW_BUNDLERS_FOLDER;
const folder = kept ? resolve(kept) : await mkdtemp(join(tmpdir(), "divflow-bundlers-"));
const wanted = process.argv.slice(2).map((name) => name.toLowerCase());
/** @param {{ name: string }} app */
const isWanted = ({ name }) => wanted.length === 0 || wanted.some((part) => name.toLowerCase().includes(part));

/** @typedef {{ name: string, version: string, cells: string[], failed: boolean }} Row */
/** @type {Row[]} */
const rows = [];

try {
  await mkdir(folder, { recursive: true });
  const tarball = await pack();
  const browser = await launchBrowser();
  try {
    for (const app of apps.filter(isWanted)) await add(app.name, () => builtApp(folder, app, tarball), browser);
    for (const page of pages.filter(isWanted)) await add(page.name, () => page.open(folder, tarball), browser);
  } finally {
    await browser.close();
  }
  for (const script of scripts.filter(isWanted)) {
    const { version, problem } = await script.run(folder, tarball);
    keep({ name: script.name, version, cells: [problem ?? "worker, if asked for", "", "", ""], failed: !!problem });
  }
} finally {
  if (!kept) await rm(folder, { recursive: true, force: true });
}
console.log(`\n${table(rows)}`);
const failed = rows.filter((row) => row.failed).length;
console.log(`\n${rows.length - failed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;

/** The package as npm would publish it, from dist/ as it is. */
async function pack() {
  const { stdout } = await run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], {
    cwd: root,
    timeout: 120_000,
  });
  return join(folder, JSON.parse(stdout)[0].filename);
}

/**
 * Opens an app and visits it twice: as it is, where a software adapter makes it take WebAssembly, and on WebGPU.
 * @param {string} name
 * @param {() => Promise<import("./build.mjs").OpenApp>} open
 * @param {import("puppeteer").Browser} browser
 */
async function add(name, open, browser) {
  let app;
  try {
    app = await open();
  } catch (error) {
    return keep({ name, version: "", cells: [said(error), "", "", ""], failed: true });
  }
  try {
    const wasm = await visit(browser, app.url);
    const webgpu = await visit(browser, `${app.url}?backend=webgpu`);
    const visits = [wasm, webgpu];
    const silent = visits.some(({ worker, warnings, error }) => !error && warnings.length !== (worker ? 0 : 1));
    const failed = silent || visits.some(({ error }) => error !== undefined);
    const cells = [...visits.map(placeOf), ...visits.map(({ bytes }) => `${(bytes / 1000).toFixed(1)} kB`)];
    for (const { warnings } of visits) for (const warning of warnings) console.log(`  console: ${warning}`);
    if (silent) console.log("  A missing worker must be said on the console once, and only then.");
    keep({ name, version: app.version, cells, failed });
  } finally {
    await app.close();
  }
}

/** @param {import("./visit.mjs").Visit} visit */
function placeOf({ error, worker }) {
  return error?.slice(0, 300) ?? (worker ? "worker" : "page's thread, and said so");
}

/** @param {Row} row */
function keep(row) {
  rows.push(row);
  console.log(`${row.failed ? "FAILED" : "ok    "} ${row.name} ${row.version}: ${row.cells.join(" | ")}`);
}

/** @param {unknown} error */
function said(error) {
  return (error instanceof Error ? error.message : String(error)).slice(0, 2000);
}

/** @param {Row[]} rows */
function table(rows) {
  const heading = ["", "version", "engine, WebAssembly", "engine, WebGPU", "scripts, WebAssembly", "scripts, WebGPU"];
  const lines = [heading, ["---", "---", "---", "---", "--:", "--:"]];
  for (const { name, version, cells } of rows) lines.push([name, version, ...cells.map((cell) => cell.split("\n")[0])]);
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
