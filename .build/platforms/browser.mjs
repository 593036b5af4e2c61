/** Finds and starts a Chromium whose WebGPU works without a display and, unless asked otherwise, without a GPU. */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import puppeteer from "puppeteer";
import { softwareAdapter, softwareAdapterExists } from "./software-adapter.mjs";

/**
 * The browser to use, in this order: PUPPETEER_EXECUTABLE_PATH, an installed Chrome or Chromium, one that Puppeteer
 * has downloaded, the one from npm.
 * @returns {Promise<{ path: string, environment: Record<string, string> }>}
 */
export async function findBrowser() {
  const named = process.env.PUPPETEER_EXECUTABLE_PATH;
  if (named) {
    if (!existsSync(named)) throw new Error(`PUPPETEER_EXECUTABLE_PATH: got "${named}", expected a browser's path.`);
    return { path: named, environment: {} };
  }
  const path = installed() ?? downloaded();
  if (path) return { path, environment: {} };
  if (softwareAdapterExists) {
    const { browser, libraries } = await softwareAdapter();
    return { path: browser, environment: libraries };
  }
  throw new Error("No Chrome or Chromium was found. Install one, or set PUPPETEER_EXECUTABLE_PATH to its path.");
}

function installed() {
  const names = ["google-chrome-stable", "google-chrome", "chromium", "chromium-browser"];
  const folders = (process.env.PATH ?? "").split(delimiter);
  const usual = [
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    ...[process.env.PROGRAMFILES, process.env.LOCALAPPDATA].flatMap((folder) =>
      folder ? join(folder, "Google", "Chrome", "Application", "chrome.exe") : [],
    ),
  ];
  return [...names.flatMap((name) => folders.map((folder) => join(folder, name))), ...usual].find(existsSync);
}

function downloaded() {
  try {
    const path = puppeteer.executablePath();
    return existsSync(path) ? path : undefined;
  } catch {
    return undefined; // Puppeteer throws when it has downloaded none
  }
}

/**
 * Starts the browser with a profile of its own, which goes when it is closed.
 * @param {object} [options]
 * @param {boolean} [options.hardware] - take the machine's GPU instead of SwiftShader.
 * @param {readonly string[]} [options.flags] - of Chromium, beside those below.
 * @param {number} [options.seconds] - the longest that one call into a page may take; default 300.
 */
export async function launchBrowser({ hardware = false, flags = [], seconds = 300 } = {}) {
  const { path, environment } = await findBrowser();
  return puppeteer.launch({
    executablePath: path,
    headless: path.endsWith("chrome-headless-shell") || environment.FONTCONFIG_FILE ? "shell" : true,
    env: { ...process.env, ...environment },
    pipe: true,
    timeout: 60_000,
    protocolTimeout: seconds * 1000,
    args: [
      "--no-sandbox", // it cannot be set up as root or in most containers; pages come from this checkout only
      "--disable-dev-shm-usage",
      "--enable-unsafe-webgpu",
      "--enable-features=Vulkan",
      ...(hardware ? [] : ["--use-webgpu-adapter=swiftshader"]),
      ...flags,
    ],
  });
}
