/** A visit to an app's page: what it did, where its engine was, what it downloaded. */
import { gzipSync } from "node:zlib";

/**
 * @typedef {object} Visit
 * @property {string} [error]
 * @property {string} [backend]
 * @property {boolean} [worker] - whether the engine was in one.
 * @property {number} bytes - of scripts, gzipped.
 * @property {string[]} warnings - divflow's own.
 */

/**
 * @param {import("puppeteer").Browser} browser
 * @param {string} url
 * @param {number} [seconds]
 * @returns {Promise<Visit>}
 */
export async function visit(browser, url, seconds = 90) {
  const page = await browser.newPage();
  /** @type {Map<string, Promise<number>>} */
  const scripts = new Map();
  /** @type {string[]} */
  const warnings = [];
  /** @type {string[]} */
  const errors = [];
  page.on("console", (message) => {
    if (message.type() === "warn" && message.text().includes("divflow")) warnings.push(message.text());
  });
  page.on("pageerror", (error) => errors.push(String(error)));
  // Of a worker's requests Chromium tells the first alone; the others are files that the page has too, but for chunks.
  page.on("response", (response) => {
    if (!response.ok() || !/javascript/.test(response.headers()["content-type"] ?? "")) return;
    scripts.set(
      response.url(),
      response.buffer().then(
        (body) => gzipSync(body, { level: 9 }).length,
        () => 0,
      ),
    );
  });
  try {
    await page.goto(url, { timeout: seconds * 1000 });
    await page.waitForFunction(() => document.title.startsWith("{"), { timeout: seconds * 1000 });
    const result = JSON.parse(await page.title());
    const worker = page.workers().length > 0;
    const bytes = (await Promise.all(scripts.values())).reduce((sum, size) => sum + size, 0);
    return { ...problemOf(result, worker), backend: result.backend, worker, bytes, warnings };
  } catch (error) {
    const reason = [error instanceof Error ? error.message : error, ...errors].join("; ");
    return { error: reason, bytes: 0, warnings };
  } finally {
    await page.close();
  }
}

/** @param {{ error?: string, step: number, samples: number, finite: boolean, reason: string }} result @param {boolean} worker */
function problemOf({ error, step, samples, finite, reason }, worker) {
  if (error) return { error };
  if (step !== 5 || samples !== 16 || !finite) return { error: `step ${step}, ${samples} numbers, finite: ${finite}` };
  const says = !reason.includes("own thread");
  return says === worker ? {} : { error: `${worker ? "a worker" : "no worker"}, but runtime.reason says: ${reason}` };
}
