/** WebKitGTK by W3C WebDriver: its driver and MiniBrowser, on a display that only exists in memory. */
import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { programNamed } from "./programs.mjs";

/** What Debian calls the packages. */
export const webkitPackages = "webkit2gtk-driver xvfb";

/** Where distributions put MiniBrowser, which is on nobody's PATH. */
const libraryFolders = ["/usr/lib", "/usr/libexec", "/usr/lib64"];

function miniBrowser() {
  const folders = libraryFolders.filter(existsSync);
  const deeper = folders.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));
  return [...folders, ...deeper]
    .flatMap((folder) => ["webkit2gtk-4.1", "webkitgtk-6.0", "webkit2gtk-4.0"].map((name) => join(folder, name)))
    .map((folder) => join(folder, "MiniBrowser"))
    .find(existsSync);
}

/**
 * @returns {Promise<import("./open.mjs").OpenBrowser | undefined>} undefined where one of the programs is missing.
 */
export async function openWebKit() {
  const programs = { driver: programNamed("WebKitWebDriver"), display: programNamed("Xvfb"), browser: miniBrowser() };
  const { driver, display, browser } = programs;
  if (!driver || !display || !browser) return undefined;

  const screen = spawn(display, ["-displayfd", "1", "-screen", "0", "1280x1024x24", "-nolisten", "tcp"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const number = await new Promise((resolve, reject) => {
    createInterface({ input: screen.stdout }).once("line", resolve);
    screen.once("error", reject).once("exit", (code) => reject(new Error(`Xvfb ended with ${code}.`)));
  });
  const port = 20_000 + (process.pid % 20_000);
  const server = spawn(driver, [`--port=${port}`], {
    // Isolated pages share memory in Safari; WebKitGTK has to be told.
    env: { ...process.env, DISPLAY: `:${number}`, JSC_useSharedArrayBuffer: "1" },
    stdio: "ignore",
  });
  const end = () => {
    server.kill();
    screen.kill();
  };
  process.once("exit", end);

  /** @param {string} method @param {string} path @param {unknown} [body] */
  async function ask(method, path, body) {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const { value } = /** @type {any} */ (await response.json());
    if (!response.ok) throw new Error(`WebDriver, ${path}: ${value.error}. ${value.message}`);
    return value;
  }

  try {
    await waitFor(() => ask("GET", "/status"));
    const { sessionId, capabilities } = await ask("POST", "/session", {
      capabilities: { alwaysMatch: { "webkitgtk:browserOptions": { binary: browser, args: ["--automation"] } } },
    });
    const session = `/session/${sessionId}`;
    return {
      version: `WebKitGTK ${capabilities.browserVersion}`,
      async open(url) {
        await ask("POST", `${session}/url`, { url });
        return {
          evaluate: (expression) =>
            ask("POST", `${session}/execute/sync`, { script: `return (${expression});`, args: [] }),
          // The one window stays; the next page takes it.
          close: () => ask("POST", `${session}/url`, { url: "about:blank" }),
        };
      },
      async close() {
        await ask("DELETE", session).catch(() => {}); // it may have crashed: its end is near in any case
        end();
      },
    };
  } catch (error) {
    end();
    throw error;
  }
}

/** @param {() => Promise<unknown>} attempt */
async function waitFor(attempt) {
  for (let tries = 0; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (tries >= 100) throw error;
      await pause(100);
    }
  }
}
