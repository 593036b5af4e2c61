/** Opens browsers: each by the protocol it speaks, all by the same few calls. */
import puppeteer from "puppeteer";
import { launchBrowser } from "../../.build/platforms/browser.mjs";
import { softwareAdapter, softwareAdapterExists } from "../../.build/platforms/software-adapter.mjs";
import { programNamed } from "./programs.mjs";
import { openWebKit, webkitPackages } from "./webkit.mjs";

/**
 * @typedef {object} OpenPage
 * @property {(expression: string) => Promise<any>} evaluate - the JSON value of an expression in the page.
 * @property {() => Promise<unknown>} close
 */

/**
 * @typedef {object} OpenBrowser
 * @property {string} version - name and version, for the table.
 * @property {(url: string) => Promise<OpenPage>} open - once the page has loaded.
 * @property {() => Promise<unknown>} close
 */

/**
 * @typedef {object} KnownBrowser
 * @property {() => Promise<OpenBrowser | undefined>} open - undefined where it is not installed.
 * @property {string} packages - what to install, in Debian's words.
 */

/** @type {Record<string, KnownBrowser>} */
export const browsers = {
  firefox: { open: openFirefox, packages: "firefox-esr" },
  webkit: { open: openWebKit, packages: webkitPackages },
  chromium: { open: async () => byPuppeteer(await launchBrowser()), packages: "chromium" },
};

async function openFirefox() {
  const executablePath = process.env.FIREFOX_PATH ?? programNamed("firefox-esr", "firefox");
  if (!executablePath) return undefined;
  const vulkan = softwareAdapterExists ? (await softwareAdapter()).vulkan : {};
  return byPuppeteer(
    await puppeteer.launch({
      browser: "firefox",
      executablePath,
      headless: true,
      timeout: 120_000,
      protocolTimeout: 600_000,
      env: { ...process.env, ...vulkan },
      // Where WebGPU is not on from the start, it is asked for; a driver that is only software is let in.
      extraPrefsFirefox: { "dom.webgpu.enabled": true, "gfx.webgpu.ignore-blocklist": true },
    }),
  );
}

/**
 * @param {import("puppeteer").Browser} browser
 * @returns {Promise<OpenBrowser>}
 */
async function byPuppeteer(browser) {
  return {
    version: (await browser.version()).replace("/", " "),
    async open(url) {
      const page = await browser.newPage();
      await page.goto(url);
      return { evaluate: (expression) => page.evaluate(expression), close: () => page.close() };
    },
    close: () => browser.close(),
  };
}
