/** The package without a bundler: pages that import its files as they are, and scripts in Node and Deno. */
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join, normalize } from "node:path";
import { promisify } from "node:util";
import { commandFor } from "../../.build/platforms/run.mjs";
import { serve, shared } from "../../.build/platforms/server.mjs";
import { installed } from "./build.mjs";
import { html, pageProgram, scriptProgram } from "./program.mjs";

const run = promisify(execFile);
const plain = { folder: "plain", packages: {} };

/** @param {string} folder @param {string} tarball */
async function packageFolder(folder, tarball) {
  return join(await installed(folder, plain, tarball), "node_modules", "divflow");
}

/** @param {string} folder @param {string} path */
const contents = (folder, path) => readFile(join(folder, normalize(path))).catch(() => undefined);

/** @param {string} entry - of dist/. */
const plainPage = (entry) => ({
  name: `A plain page, ${entry}`,
  /** @param {string} folder @param {string} tarball */
  async open(folder, tarball) {
    const divflow = await packageFolder(folder, tarball);
    const server = await serve(async (path) => {
      if (path === "/index.html") return html("./main.js");
      if (path === "/main.js") return pageProgram(`/${entry}`);
      return contents(divflow, path);
    });
    return { ...server, version: "" };
  },
});

export const pages = [
  plainPage("dist/min/index.js"),
  plainPage("dist/index.js"),
  {
    name: "Another origin's dist/min/index.js",
    /** @param {string} folder @param {string} tarball */
    async open(folder, tarball) {
      const divflow = await packageFolder(folder, tarball);
      const other = await serve((path) => contents(divflow, path), { headers: shared });
      const server = await serve(async (path) => {
        if (path === "/index.html") return html("./main.js");
        return path === "/main.js" ? pageProgram(`${other.url}dist/min/index.js`) : undefined;
      });
      const close = async () => {
        await server.close();
        await other.close();
      };
      return { url: server.url, close, version: "" };
    },
  },
];

/** @param {string} name @param {import("../../.build/platforms/run.mjs").Platform} platform */
const script = (name, platform) => ({
  name,
  /** @param {string} folder @param {string} tarball */
  async run(folder, tarball) {
    const app = await installed(folder, plain, tarball);
    const file = join(app, "main.mjs");
    // Deno is started so that it looks for no packages: it gets the file's path, as a user of npm: would get its name.
    await writeFile(
      file,
      scriptProgram(platform === "deno-webgpu" ? "./node_modules/divflow/dist/index.js" : undefined),
    );
    const { command, parameters, environment } = await commandFor(platform);
    const env = { ...process.env, ...environment };
    try {
      const version = (await run(command, ["--version"], { env })).stdout.match(/\d+\.\d+\.\d+/)?.[0] ?? "";
      const { stdout } = await run(command, [...parameters, file], { env, cwd: app, timeout: 60_000 });
      const { step, finite, same } = JSON.parse(stdout);
      return { version, problem: step === 5 && finite && same ? undefined : stdout.trim() };
    } catch (error) {
      return { version: "", problem: (error instanceof Error ? error.message : String(error)).slice(0, 500) };
    }
  },
});

export const scripts = [script("Node", "node-wasm"), script("Deno", "deno-webgpu")];
