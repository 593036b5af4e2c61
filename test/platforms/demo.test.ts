/** The demo as a visitor meets it, on WebAssembly and on WebGPU: it trains, draws, pauses, goes on and starts anew. */
import { randomUUID } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join, relative } from "node:path";
import type { Browser, Page } from "puppeteer";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundle } from "../../.build/bundle.mjs";
import { serveDemo } from "../../.build/demo.mjs";
import { cache, root } from "../../.build/files.mjs";
import { launchBrowser } from "../../.build/platforms/browser.mjs";
import { skippedRuntimes } from "../../.build/runtimes.mjs";

describe.skipIf(skippedRuntimes().includes("chromium"))("the demo", () => {
  const built = join(cache, `demo-${randomUUID()}`);
  let server: Awaited<ReturnType<typeof serveDemo>>;
  let browser: Browser;

  beforeAll(async () => {
    await mkdir(built, { recursive: true });
    await bundle(relative(root, built));
    server = await serveDemo({ built: relative(root, built) });
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    await rm(built, { recursive: true, force: true });
  });

  test.each(["wasm", "webgpu"] as const)("on %s", { timeout: 180_000 }, async (backend) => {
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") complaints.push(message.text());
    });
    await page.goto(server.url);
    await page.select("#backend", backend);
    await page.select("#width", "32");
    await state(page, "ready");
    expect(await text(page, "status")).toMatch(backend === "wasm" ? /WebAssembly/ : /WebGPU/);
    expect(await ink(page, "truth")).toBeGreaterThan(1000);

    await page.evaluate(watchAnnouncements);
    await page.click("#start");
    await page.waitForFunction(() => /step \d.*outside/.test(document.getElementById("fdm-note")?.textContent ?? ""), {
      timeout: 90_000,
    });
    await announced(page, "Training."); // a fast page gets to the figures before it is said
    await page.click("#start");
    await state(page, "ready");
    const paused = await steps(page);
    expect(paused.cfm).toBeGreaterThan(0);
    expect(paused.fdm).toBe(paused.cfm);
    for (const canvas of ["cfm", "fdm", "velocity-loss", "outside"])
      expect(await ink(page, canvas)).toBeGreaterThan(500);

    await announced(page, `Paused at step ${paused.cfm}.`);
    expect(await text(page, "equal-steps")).toMatch(/(ahead|no difference).*steps each/);
    expect(await text(page, "start")).toBe("Go on");
    await page.click("#start");
    await page.waitForFunction(
      (before) => document.getElementById("cfm-note")?.textContent !== before,
      {},
      paused.note,
    );
    await page.click("#reset");
    await page.waitForFunction(() => document.getElementById("cfm-note")?.textContent === "not trained yet");
    await state(page, "ready");
    expect(complaints).toEqual([]);

    const times = await page.evaluate(() => JSON.parse(document.body.dataset.announced ?? "[]") as number[]);
    expect(times.length).toBeGreaterThan(1); // training, paused: both were waited for
    const apart = times.slice(1).map((time, i) => time - (times[i] as number));
    expect(Math.min(...apart)).toBeGreaterThan(950); // a timer's coarseness
    await page.close();
  });
});

/** In the page: when screen readers are told something, in milliseconds. */
function watchAnnouncements(): void {
  const times: number[] = [];
  const region = document.querySelector('[role="status"]') as Element;
  new MutationObserver(() => {
    times.push(performance.now());
    document.body.dataset.announced = JSON.stringify(times);
  }).observe(region, { childList: true, characterData: true, subtree: true });
}

async function state(page: Page, wanted: string): Promise<void> {
  await page.waitForFunction((name) => document.body.dataset.state === name, { timeout: 90_000 }, wanted);
}

/** Screen readers are told the state, within a second and a little. */
async function announced(page: Page, words: string): Promise<void> {
  await page.waitForFunction(
    (wanted) => document.querySelector('[role="status"]')?.textContent?.startsWith(wanted),
    { timeout: 30_000 },
    words,
  );
}

async function text(page: Page, id: string): Promise<string> {
  return page.$eval(`#${id}`, (element) => element.textContent ?? "");
}

async function steps(page: Page): Promise<{ cfm: number; fdm: number; note: string }> {
  const note = await text(page, "cfm-note");
  const stepOf = (words: string) => Number(/step ([\d,]+)/.exec(words)?.[1]?.replaceAll(",", ""));
  return { cfm: stepOf(note), fdm: stepOf(await text(page, "fdm-note")), note };
}

/** Pixels of a canvas that are not transparent. */
async function ink(page: Page, id: string): Promise<number> {
  return page.$eval(`#${id}`, (element) => {
    const canvas = element as HTMLCanvasElement;
    const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let i = 3; i < data.length; i += 4) if (data[i] > 0) count++;
    return count;
  });
}
