/**
 * Runs a module on a platform: Node, Deno or Chromium, on WebGPU or WASM. The module is one ESM file that exports
 *
 *     run(context: { platform, backend, gpu?, input }, report: (value) => void): Promise<void>
 *
 * and `report` hands JSON values to the caller as they come. Used by test/platforms and by the benchmarks.
 *
 * With DIVFLOW_ADAPTER=hardware the machine's own GPU is taken instead of the software adapter.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";
import { cache } from "../files.mjs";
import { launchBrowser } from "./browser.mjs";
import { serve } from "./server.mjs";
import { softwareAdapter, softwareAdapterExists } from "./software-adapter.mjs";

/** The places where everything must work, with the runtime's name in DIVFLOW_TEST_SKIP. */
export const platforms = /** @type {const} */ ({
  "node-wasm": { runtime: "node-wasm", backend: "wasm" },
  "node-webgpu": { runtime: "node-webgpu", backend: "webgpu" },
  "deno-webgpu": { runtime: "deno", backend: "webgpu" },
  "chromium-webgpu": { runtime: "chromium", backend: "webgpu" },
  "chromium-wasm": { runtime: "chromium", backend: "wasm" },
});

/** @typedef {keyof typeof platforms} Platform */

const hardware = process.env.DIVFLOW_ADAPTER === "hardware";

/**
 * @typedef {object} RunOptions
 * @property {Platform} platform
 * @property {string} file - the module's path. A page can fetch what lies beside it.
 * @property {unknown} [input] - JSON for the module, as `context.input`.
 * @property {number} seconds - the run is stopped, and fails, after so long.
 * @property {(value: any) => void} report - called with each value the module reports.
 * @property {AbortSignal} [signal] - stops the run, which then rejects.
 */

/**
 * Resolves when the module has finished. Rejects when the platform cannot be had, with the reason; when the module
 * throws; when the process or page dies or takes too long. Nothing it started is left when it settles.
 * @param {RunOptions} options
 * @returns {Promise<void>}
 */
export async function runModule(options) {
  const context = { platform: options.platform, backend: platforms[options.platform].backend, input: options.input };
  const limit = AbortSignal.timeout(options.seconds * 1000);
  const signal = options.signal ? AbortSignal.any([options.signal, limit]) : limit;
  try {
    if (platforms[options.platform].runtime === "chromium") await runInPage(options, context, signal);
    else await runInProcess(options, context, signal);
  } catch (error) {
    if (limit.aborted) throw new Error(`${options.platform}: not done after ${options.seconds} s.`, { cause: error });
    throw error;
  }
}

/**
 * @param {RunOptions} options
 * @param {object} context
 * @param {AbortSignal} signal
 */
async function runInProcess({ platform, file, report }, context, signal) {
  const { command, parameters, environment } = await commandFor(platform);
  const host = fileURLToPath(new URL("./host.mjs", import.meta.url));
  const child = spawn(command, [...parameters, host, pathToFileURL(file).href, JSON.stringify(context)], {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
    signal,
    killSignal: "SIGKILL",
  });
  let done = false;
  let output = ""; // what else is printed, for the message should the process die
  const keep = (/** @type {string} */ text) => {
    output = (output + text).slice(-4000);
  };
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (!line.startsWith("\u001e")) return keep(line === "" ? "" : `${line}\n`);
    const message = JSON.parse(line.slice(1));
    if (message.done) done = true;
    else report(message.value);
  });
  child.stderr.setEncoding("utf8").on("data", keep);
  const end = await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, killedBy) => resolve(killedBy ?? code));
  });
  if (!done || end !== 0) throw new Error(`${platform}: the process ended with ${end}.\n${output.trim()}`);
}

/**
 * The program and environment in which a module meets the platform.
 * @param {Platform} platform
 * @returns {Promise<{ command: string, parameters: string[], environment: Record<string, string> }>}
 */
export async function commandFor(platform) {
  if (platform === "node-wasm") return { command: process.execPath, parameters: [], environment: {} };
  const vulkan = softwareAdapterExists && !hardware ? (await softwareAdapter()).vulkan : {};
  if (platform === "node-webgpu") return { command: process.execPath, parameters: [], environment: vulkan };
  return {
    command: await findDeno(),
    parameters: ["run", "--allow-all", "--no-config", "--no-lock", "--no-remote", "--no-npm", "--unstable-webgpu"],
    environment: { ...vulkan, DENO_DIR: join(cache, "deno"), DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" },
  };
}

/** Deno's program inside its npm package, which leaves it to an install script, often not run, to make it usable. */
async function findDeno() {
  const libc = process.platform === "linux" ? "-glibc" : "";
  const name = `@deno/${process.platform}-${process.arch}${libc}`;
  try {
    const folder = dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
    const path = join(folder, process.platform === "win32" ? "deno.exe" : "deno");
    await chmod(path, 0o755);
    return path;
  } catch (error) {
    throw new Error(`Deno was not found in node_modules/${name}: install with optional dependencies.`, {
      cause: error,
    });
  }
}

/**
 * @param {RunOptions} options
 * @param {object} context
 * @param {AbortSignal} signal
 */
async function runInPage({ platform, file, seconds, report }, context, signal) {
  const folder = dirname(file);
  const server = await serve(async (path) => {
    if (path === "/index.html") return "<!doctype html><title>divflow</title>";
    const name = basename(path); // flat: nothing outside the folder can be named
    return existsSync(join(folder, name)) ? readFile(join(folder, name)) : undefined;
  });
  const browser = await launchBrowser({ hardware, seconds: seconds + 10 }).catch(async (error) => {
    await server.close();
    throw new Error(`${platform}: the browser did not start. ${error.message}`, { cause: error });
  });
  try {
    const page = await browser.newPage();
    const ended = new Promise((_, reject) => {
      page.once("error", (error) => reject(new Error(`${platform}: the page crashed. ${error.message}`)));
      browser.once("disconnected", () => reject(new Error(`${platform}: the browser ended.`)));
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      if (signal.aborted) reject(signal.reason);
    });
    await page.exposeFunction("divflowReport", report);
    await Promise.race([
      ended,
      // As text: Vitest would rewrite the import inside a function.
      page.goto(server.url).then(() =>
        page.evaluate(`import(${JSON.stringify(`/${basename(file)}`)}).then(({ run }) => {
          const context = ${JSON.stringify(context)};
          return run({ ...context, gpu: context.backend === "webgpu" ? navigator.gpu : undefined }, divflowReport);
        })`),
      ),
    ]);
  } finally {
    await browser.close();
    await server.close();
  }
}
