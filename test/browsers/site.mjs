/** The site that browsers are shown: the conformance suite, the examples and the demo, each on the built package. */
import { readFile } from "node:fs/promises";
import { basename, join, normalize } from "node:path";
import { text } from "node:stream/consumers";
import { demoFile } from "../../.build/demo.mjs";
import { isMissing, root } from "../../.build/files.mjs";
import { serve } from "../../.build/platforms/server.mjs";

/**
 * Put into every page before its own scripts: sends home what the console would show as an error. Not all protocols
 * that browsers are driven by can be asked for that.
 */
const complaintsHome = `<script>
  {
    const send = (complaint) => fetch("/report", { method: "POST", body: JSON.stringify({ complaint: String(complaint) }) });
    addEventListener("error", ({ message, target }) => send(message ?? "not loaded: " + (target.src ?? target.href)), true);
    addEventListener("unhandledrejection", ({ reason }) => send(reason));
    addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => send(violatedDirective + " " + blockedURI));
    const { error } = console;
    console.error = (...words) => (send(words.join(" ")), error(...words));
  }
</script>`;

/** The suite, told home result by result. "#wasm" or "#webgpu" says on which backend. */
const conformancePage = `<!doctype html><meta charset="utf-8"><title>conformance</title>
<script type="module">
  const report = async (value) => {
    await fetch("/report", { method: "POST", body: JSON.stringify(value) });
  };
  try {
    const { checksFor, run } = await import("./index.js");
    const backend = location.hash.slice(1);
    const names = checksFor(backend).filter(({ aboutSuite }) => !aboutSuite).map(({ name }) => name);
    await run({ platform: "browser", backend, gpu: navigator.gpu, input: { names } }, report);
    await report({ done: true });
  } catch (error) {
    await report({ done: true, failure: String(error) });
  }
</script>`;

/** Says whether there is a WebGPU adapter, in `message`: "adapter" or what is instead. */
const adapterPage = `<!doctype html><meta charset="utf-8"><title>adapter</title>
<script type="module">
  let message = "no navigator.gpu";
  try {
    if (navigator.gpu) message = (await navigator.gpu.requestAdapter()) ? "adapter" : "navigator.gpu, but no adapter";
  } catch (error) {
    message = "navigator.gpu, but " + error;
  }
  await fetch("/report", { method: "POST", body: JSON.stringify({ message }) });
</script>`;

/** Of the example, whose end a slow browser on a loaded machine would take half an hour to reach. */
const fewerSteps = /** @type {const} */ (["steps: 2000, progressEvery: 200", "steps: 200, progressEvery: 50"]);

/**
 * @typedef {object} Report - of a page: one of its members.
 * @property {string} [complaint] - an error on the page.
 * @property {boolean} [done]
 * @property {string} [failure]
 * @property {string} [name] - a check's result, with the rest of test/conformance/check.ts's Result.
 * @property {boolean} [ok]
 * @property {string} [skipped]
 * @property {string} [message]
 */

/**
 * @param {string} checks - the folder that bundleChecks wrote.
 * @returns {Promise<{ url: string, close(): Promise<void>, listen(listener: (report: Report) => void): void }>}
 */
export async function openSite(checks) {
  /** @type {(report: Report) => void} */
  let listener = () => {};
  const server = await serve(async (path, request) => {
    if (path === "/report") {
      listener(JSON.parse(await text(request)));
      return "";
    }
    if (path === "/favicon.ico") return "";
    const file = await contents(path, checks);
    return path.endsWith(".html") && file !== undefined ? withComplaints(String(file)) : file;
  });
  return {
    ...server,
    listen(next) {
      listener = next;
    },
  };
}

/** @param {string} path @param {string} checks */
async function contents(path, checks) {
  if (path === "/conformance/index.html") return conformancePage;
  if (path === "/adapter/index.html") return adapterPage;
  if (path.startsWith("/conformance/")) return fileOf(checks, basename(path));
  if (path.startsWith("/demo/")) return demoFile(path.slice("/demo".length));
  if (path.startsWith("/divflow/")) return demoFile(path);
  if (path === "/examples/page.html") return String(await fileOf(root, path)).replace(...fewerSteps);
  if (path.startsWith("/dist/")) return fileOf(root, path);
  return undefined;
}

/** @param {string} folder @param {string} path */
async function fileOf(folder, path) {
  try {
    return await readFile(join(folder, normalize(`/${path}`)));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** @param {string} page */
function withComplaints(page) {
  return page.replace(/<meta charset="utf-8">/i, (found) => `${found}${complaintsHome}`);
}
