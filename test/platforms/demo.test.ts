/**
 * The demo as a visitor meets it, on WebAssembly and on WebGPU: it trains, draws, pauses, goes on and starts anew. And
 * where Chromium's GPU process dies under it, again and again: it goes on there, on WebAssembly, or keeps its models.
 */
import { randomUUID } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join, relative } from "node:path";
import type { Page } from "puppeteer";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundle } from "../../.build/bundle.mjs";
import { demoFile } from "../../.build/demo.mjs";
import { cache, root } from "../../.build/files.mjs";
import { launchBrowser } from "../../.build/platforms/browser.mjs";
import { serve } from "../../.build/platforms/server.mjs";
import { skippedRuntimes } from "../../.build/runtimes.mjs";
import { createRuntime, load } from "../../src/index.ts";
import { complaintsOf, useDemo } from "./use-demo.ts";

describe.skipIf(skippedRuntimes().includes("chromium"))("the demo", () => {
  const demo = useDemo("demo");

  test.each(["wasm", "webgpu"] as const)("on %s", { timeout: 180_000 }, async (backend) => {
    const visit = await demo.browser.createBrowserContext(); // a first one: nothing is remembered
    const page = await visit.newPage();
    const complaints = complaintsOf(page);
    await page.goto(demo.server.url);
    await page.select("#backend", backend);
    await page.select("#width", "32");
    await state(page, "ready");
    expect(await text(page, "status")).toMatch(backend === "wasm" ? /WebAssembly/ : /WebGPU/);
    await page.waitForFunction(() => !(document.getElementById("guide") as HTMLElement).hidden); // a first visit's tour

    await page.evaluate(watchAnnouncements);
    await page.click("#start");
    await page.waitForFunction(
      () => /step \d.*misplaced/.test(document.getElementById("right-note")?.textContent ?? ""),
      {
        timeout: 90_000,
      },
    );
    await announced(page, "Training."); // a fast page gets to the figures before it is said
    await page.click("#start");
    await state(page, "ready");
    const paused = await steps(page);
    expect(paused.cfm).toBeGreaterThan(0);
    expect(paused.fdm).toBe(paused.cfm);
    for (const canvas of ["left", "right", "velocity-loss", "distance"])
      expect(await ink(page, canvas)).toBeGreaterThan(500);
    expect(await page.$eval("#guide", (guide) => (guide as HTMLElement).hidden)).toBe(true);

    await announced(page, `Paused at step ${paused.cfm}.`);
    expect(await text(page, "equal-steps")).toMatch(/(ahead|no difference).*steps each/);
    expect(await text(page, "start")).toBe("Go on");
    await page.click("#start");
    await page.waitForFunction(
      (before) => document.getElementById("left-note")?.textContent !== before,
      {},
      paused.note,
    );
    await page.click("#reset");
    await page.waitForFunction(() => document.getElementById("left-note")?.textContent === "not trained yet");
    await state(page, "ready");
    expect(complaints).toEqual([]);

    const times = await page.evaluate(() => JSON.parse(document.body.dataset.announced ?? "[]") as number[]);
    expect(times.length).toBeGreaterThan(1); // training, paused: both were waited for
    const apart = times.slice(1).map((time, i) => time - (times[i] as number));
    expect(Math.min(...apart)).toBeGreaterThan(4950); // a timer's coarseness
    await visit.close();
  });
});

/** One whose GPU process may die as often as it likes; others get no WebGPU after the second time, for minutes. */
const lenient = ["--disable-gpu-process-crash-limit", "--disable-domain-blocking-for-3d-apis"];

describe.skipIf(skippedRuntimes().includes("chromium"))("the demo, whose GPU process dies", () => {
  const built = join(cache, `demo-losses-${randomUUID()}`);
  beforeAll(async () => {
    await mkdir(built, { recursive: true });
    await bundle(relative(root, built));
  });
  afterAll(() => rm(built, { recursive: true, force: true }));

  /** Trains in a browser of its own; `kill` ends the GPU process once both models have gone on since the last time. */
  async function trained(
    { flags = [], policy, backend }: { flags?: readonly string[]; policy?: string; backend: "auto" | "webgpu" },
    visit: (page: Page, kill: () => Promise<void>) => Promise<void>,
  ): Promise<void> {
    const browser = await launchBrowser({ flags });
    const headers = policy ? { headers: { "Content-Security-Policy": policy } } : {};
    const server = await serve((path) => demoFile(path, relative(root, built)), headers);
    try {
      const page = await browser.newPage();
      const complaints: string[] = [];
      page.on("pageerror", (error) => complaints.push(String(error)));
      await page.goto(server.url);
      await page.select("#width", "32");
      await page.select("#backend", backend);
      await state(page, "ready");
      await page.click("#start");
      const session = await browser.target().createCDPSession();
      await visit(page, async () => {
        await goesOn(page);
        await session.send("Browser.crashGpuProcess" as "Browser.crash");
      });
      expect(complaints).toEqual([]);
    } finally {
      await browser.close();
      await server.close();
    }
  }

  test("goes on, as often as the browser gives it another GPU", { timeout: 180_000 }, async () => {
    await trained({ flags: lenient, backend: "webgpu" }, async (page, kill) => {
      for (let losses = 0; losses < 5; losses++) await kill();
      await goesOn(page);
      expect(await text(page, "status")).toMatch(/^WebGPU/);
      await page.click("#start");
      await state(page, "ready");
      const { cfm, fdm } = await steps(page);
      expect(fdm).toBe(cfm);
    });
  });

  test("goes on by WebAssembly when there is none, and says so", { timeout: 180_000 }, async () => {
    await trained({ backend: "webgpu" }, async (page, kill) => {
      const moved = () => text(page, "status").then((words) => words.startsWith("WebAssembly"));
      for (let losses = 0; losses < 4 && !(await moved()); losses++) await kill();
      await page.waitForFunction(() => document.getElementById("status")?.textContent?.startsWith("WebAssembly"), {
        timeout: 60_000,
      });
      expect(await text(page, "status")).toMatch(/^WebAssembly on the CPU, as the GPU was lost: /);
      await goesOn(page);
    });
  });

  test("keeps its models where there is neither, and says so", { timeout: 180_000 }, async () => {
    const policy = "default-src 'self'; script-src 'self'; connect-src blob:; worker-src 'self'";
    await trained({ policy, backend: "auto" }, async (page, kill) => {
      const failed = () => page.evaluate(() => document.body.dataset.state === "failed");
      for (let losses = 0; losses < 4 && !(await failed()); losses++)
        await Promise.race([kill(), state(page, "failed")]);
      await state(page, "failed");
      expect(await text(page, "status")).toMatch(/a loss, and then no adapter/);
      expect(await text(page, "kept")).toMatch(/^Kept as they were.*CFM at step \d.*FDM 0.3 at step \d/);
      const kept = await page.$$eval("#kept a", (links) =>
        Promise.all(
          links.map(async (link) => {
            const { download, href } = link as HTMLAnchorElement;
            return { download, bytes: Array.from(new Uint8Array(await (await fetch(href)).arrayBuffer())) };
          }),
        ),
      );
      using runtime = await createRuntime({ backend: "reference" });
      const stepOf = async (i: number) => (await load(runtime, Uint8Array.from(kept[i]!.bytes))).step;
      const words = await text(page, "kept");
      expect(words).toContain(`CFM at step ${(await stepOf(0)).toLocaleString("en")}`);
      expect(words).toContain(`FDM 0.3 at step ${(await stepOf(1)).toLocaleString("en")}`);
      await page.select("#backend", "wasm");
      await page.waitForFunction(() => (document.getElementById("kept") as HTMLElement).hidden);
    });
  });
});

/** Waits until both models have more steps than now. */
async function goesOn(page: Page): Promise<void> {
  for (const note of ["left-note", "right-note"]) {
    const before = await text(page, note);
    await page.waitForFunction(
      (id, words) => {
        const now = document.getElementById(id)?.textContent ?? "";
        const step = (note: string) => Number(/step ([\d,]+)/.exec(note)?.[1]?.replaceAll(",", "") ?? 0);
        return step(now) > step(words);
      },
      { timeout: 90_000 },
      note,
      before,
    );
  }
}

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
  const note = await text(page, "left-note");
  const stepOf = (words: string) => Number(/step ([\d,]+)/.exec(words)?.[1]?.replaceAll(",", ""));
  return { cfm: stepOf(note), fdm: stepOf(await text(page, "right-note")), note };
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
