/** Makes an app in a folder of its own, builds it and serves it. */
import { execFile, spawn } from "node:child_process";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname, join, normalize } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import { serve } from "../../.build/platforms/server.mjs";
import { html } from "./program.mjs";

const run = promisify(execFile);

/** @typedef {{ url: string, version: string, close(): Promise<void> }} OpenApp */

/**
 * @param {string} parent
 * @param {import("./apps.mjs").App} app
 * @param {string} tarball
 * @returns {Promise<OpenApp>}
 */
export async function builtApp(parent, app, tarball) {
  const folder = await installed(parent, app, tarball);
  for (const [path, text] of Object.entries(app.files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  if (app.build) await command(folder, app.build);
  for (const file of app.copied ?? []) {
    await copyFile(join(folder, "node_modules", "divflow", "dist", file), join(folder, app.built ?? ".", file));
  }
  const version = await versionOf(folder, app.tool);
  if (app.server) return { ...(await started(folder, app.server)), version };
  const { url, close } = await serve(async (path) => {
    const file = await readFile(join(folder, app.built ?? ".", normalize(path))).catch(() => undefined);
    return file ?? (path === "/index.html" ? html("./main.js") : undefined);
  });
  return { url, close, version };
}

/**
 * The app's folder, with its packages and divflow's tarball.
 * @param {string} parent
 * @param {{ folder: string, packages: Record<string, string> }} app
 * @param {string} tarball
 */
export async function installed(parent, { folder: name, packages }, tarball) {
  const folder = join(parent, name);
  await mkdir(folder, { recursive: true });
  const dependencies = { ...packages, divflow: `file:${tarball}` };
  await writeFile(
    join(folder, "package.json"),
    JSON.stringify({ name: `app-${name}`, private: true, type: "module", dependencies }, null, 2),
  );
  // A tarball of the same name is taken as known: what of it is installed must go.
  await run("npm", ["uninstall", "divflow", "--no-save", "--no-audit", "--no-fund"], { cwd: folder }).catch(() => {});
  const options = ["--no-audit", "--no-fund", "--no-package-lock", "--prefer-offline"];
  await run("npm", ["install", ...options], { cwd: folder, timeout: 500_000 });
  return folder;
}

/** @param {string} folder @param {string} name @returns {Promise<string>} */
async function versionOf(folder, name) {
  return JSON.parse(await readFile(join(folder, "node_modules", name, "package.json"), "utf8")).version;
}

const environment = { ...process.env, NEXT_TELEMETRY_DISABLED: "1", PARCEL_WORKERS: "1", NO_COLOR: "1", CI: "1" };

/** @param {string} folder @param {string[]} command */
async function command(folder, [name, ...parameters]) {
  try {
    await run(join(folder, "node_modules", ".bin", name), parameters, {
      cwd: folder,
      env: environment,
      timeout: 300_000,
      killSignal: "SIGKILL",
    });
  } catch (error) {
    const { stdout = "", stderr = "", killed = false } = /** @type {any} */ (error);
    const end = killed ? "not done after 300 s" : "failed";
    throw new Error(`${name} ${end}: ${`${stderr}\n${stdout}`.trim().slice(0, 1500)}`, { cause: error });
  }
}

/** Starts a server, in a group of its own, with which it is ended. @param {string} folder @param {string[]} command */
async function started(folder, [name, ...parameters]) {
  const port = await freePort();
  const child = spawn(join(folder, "node_modules", ".bin", name), [...parameters, String(port)], {
    cwd: folder,
    env: environment,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (output += text));
  const url = `http://127.0.0.1:${port}/`;
  const close = async () => {
    if (child.pid && child.exitCode === null) process.kill(-child.pid, "SIGKILL");
  };
  for (let tries = 0; tries < 120; tries++) {
    if (child.exitCode !== null) throw new Error(`${name} ended: ${output.slice(-1500)}`);
    if (
      await fetch(url).then(
        (response) => response.ok,
        () => false,
      )
    )
      return { url, close };
    await wait(500);
  }
  await close();
  throw new Error(`${name} did not answer: ${output.slice(-1500)}`);
}

/** @returns {Promise<number>} */
async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  await new Promise((resolve) => server.close(resolve));
  return port;
}
