/**
 * `node bench/page-pictures.mjs [view ...]`: pictures of the page, docs/images/page/VIEW-WIDTH-THEME.webp, of each view and tab at 360, 1280 and
 * 2560 px, light and dark; to look at after a change. The models are trained anew in the page, for some seconds of this machine.
 */
import { randomUUID } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join, relative } from "node:path";
import { bundle } from "../.build/bundle.mjs";
import { serveDemo } from "../.build/demo.mjs";
import { cache, root } from "../.build/files.mjs";
import { launchBrowser } from "../.build/platforms/browser.mjs";

/** @import { Page } from "puppeteer" */

const widths = /** @type {const} */ ([360, 1280, 2560]);
const themes = /** @type {const} */ (["light", "dark"]);
const heights = { 360: 760, 1280: 900, 2560: 1440 };
const SETTLE_MILLISECONDS = 1500;
const TRAIN_MILLISECONDS = 25_000;
const QUALITY = 55;

/**
 * A view: how the page comes to it from the one before, and what is at the top of the picture.
 * @type {Readonly<Record<string, { hash?: string, top: string, open(page: Page): Promise<void> }>>}
 */
const views = {
  tour: {
    top: "#lab",
    async open(page) {
      await page.click("#guide-open");
      await page.click("#guide-next");
    },
  },
  densities: {
    top: "#lab",
    async open(page) {
      await page.click("#guide-skip");
      await trained(page, TRAIN_MILLISECONDS);
    },
  },
  divergence: { top: "#lab", open: (page) => look(page, "map", "divergence-error", ["paths"]) },
  fields: { top: "#lab", open: (page) => look(page, "map", "none", ["arrows", "lattice"]) },
  curves: { top: "#curves-title", open: (page) => look(page, "map", "density", []) },
  classes: {
    top: "#lab",
    async open(page) {
      await page.$eval('#sets input[value="moons"]', (input) => /** @type {HTMLInputElement} */ (input).click());
      await ready(page);
      await page.click("#by-class");
      await ready(page);
      await look(page, "map", "none", ["particles"]);
      await trained(page, TRAIN_MILLISECONDS / 2);
    },
  },
  "one-step": {
    top: "#sampling-title",
    async open(page) {
      await page.click("#one-step");
      await pause(TRAIN_MILLISECONDS);
    },
  },
  text: { top: "#text-title", open: async () => {} },
  posterior: { hash: "#posterior", top: "#tabs", open: (page) => begun(page, "posterior") },
  trajectories: { hash: "#trajectories", top: "#tabs", open: (page) => begun(page, "trajectories") },
  digits: { hash: "#digits", top: "#tabs", open: (page) => begun(page, "digits") },
};

/** @param {number} milliseconds */
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** @param {Page} page */
async function ready(page) {
  await page.waitForSelector('body[data-state="ready"]', { timeout: 60_000 });
}

/** @param {Page} page @param {number} milliseconds */
async function trained(page, milliseconds) {
  await page.click("#start");
  await pause(milliseconds);
  await page.click("#start");
  await pause(SETTLE_MILLISECONDS);
}

/**
 * Chooses a map and what lies on top of it.
 * @param {Page} page @param {string} name @param {string} value @param {readonly string[]} overlays
 */
async function look(page, name, value, overlays) {
  await page.click(`input[name="${name}"][value="${value}"]`);
  for (const box of await page.$$("#overlays input")) {
    const { value: id, checked } = await box.evaluate(({ value, checked }) => ({ value, checked }));
    if (overlays.includes(id) !== checked) await box.click();
  }
}

/** A tab's first figures. @param {Page} page @param {string} tab */
async function begun(page, tab) {
  await page.waitForSelector(`#${tab}-lab[data-state="ready"]`, { timeout: 60_000 });
  const start = await page.$(`#panel-${tab} button.primary`);
  await start?.click();
  await pause(TRAIN_MILLISECONDS);
}

const wanted = process.argv.slice(2);
const folder = join(cache, `pictures-${randomUUID()}`);
const pictures = join(root, "docs", "images", "page");
await mkdir(pictures, { recursive: true });
await mkdir(folder, { recursive: true });
await bundle(relative(root, folder));
const server = await serveDemo({ built: relative(root, folder) });
const browser = await launchBrowser();
try {
  const page = await browser.newPage();
  /** @type {string | undefined} */
  let hash;
  for (const [name, { hash: own = "", top, open }] of Object.entries(views)) {
    if (own !== "" && wanted.length > 0 && !wanted.includes(name)) continue;
    await page.setViewport({ width: 1280, height: heights[1280] });
    if (own !== hash) await page.goto(`${server.url}${own}`);
    if (own === "" && hash === undefined) await ready(page);
    hash = own;
    await open(page);
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    for (const width of widths) {
      await page.setViewport({ width, height: heights[width] });
      for (const theme of themes) {
        await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: theme }]);
        await page.$eval(top, (element) => element.scrollIntoView());
        await pause(SETTLE_MILLISECONDS);
        const path = /** @type {`${string}.webp`} */ (join(pictures, `${name}-${width}-${theme}.webp`));
        await page.screenshot({ path, type: "webp", quality: QUALITY });
        console.log(relative(root, path));
      }
    }
  }
} finally {
  await browser.close();
  await server.close();
  await rm(folder, { recursive: true, force: true });
}
