/** The tabs beside the page's own, in a browser: loaded when they are opened, by mouse and by keys, read and heard. */
import { randomUUID } from "node:crypto";
import { mkdir, readFile, rm } from "node:fs/promises";
import { join, relative } from "node:path";
import type { Browser, Page } from "puppeteer";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundle } from "../../.build/bundle.mjs";
import { buildDemo } from "../../.build/demo-dist.mjs";
import { cache, root } from "../../.build/files.mjs";
import { launchBrowser } from "../../.build/platforms/browser.mjs";
import { serve } from "../../.build/platforms/server.mjs";
import { skippedRuntimes } from "../../.build/runtimes.mjs";
import { faultsOf } from "./faults.ts";
import { complaintsOf } from "./use-demo.ts";

describe.skipIf(skippedRuntimes().includes("chromium"))("tabs", { timeout: 240_000 }, () => {
  const folder = join(cache, `tabs-${randomUUID()}`);
  const out = join(folder, "out");
  let browser: Browser;
  let server: Awaited<ReturnType<typeof serve>>;
  let later: readonly string[];
  const asked: string[] = [];

  beforeAll(async () => {
    await mkdir(folder, { recursive: true });
    await bundle(relative(root, join(folder, "built")));
    const places = { built: relative(root, join(folder, "built")), out: relative(root, out) };
    ({ later } = await buildDemo(places));
    server = await serve(async (path) => {
      asked.push(path.slice(1));
      return readFile(join(out, path)).catch(() => undefined);
    });
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** A page of a first visit; what it complains of fails the test. */
  async function visited(hash: string, visit: (page: Page) => Promise<void>): Promise<void> {
    const context = await browser.createBrowserContext();
    const page = await context.newPage();
    const complaints = complaintsOf(page);
    await page.setViewport({ width: 1280, height: 900 });
    await page.goto(`${server.url}${hash}`);
    await visit(page);
    expect(complaints).toEqual([]);
    await context.close();
  }

  test("are chosen by keys, loaded when first opened, and in the address", async () => {
    asked.length = 0;
    await visited("", async (page) => {
      await page.waitForSelector('body[data-state="ready"]', { timeout: 60_000 });
      await page.waitForFunction(() => document.documentElement.dataset["offline"] === "ready", { timeout: 60_000 });
      expect(asked.filter((path) => later.includes(path))).toEqual([]);
      expect(later).toContain("posterior-worker.js");
      await page.click("#guide-skip");
      await page.select("#backend", "wasm");
      await page.waitForSelector('body[data-state="ready"]', { timeout: 60_000 });
      await page.click("#start");
      await says(page, "left-note", /^step [1-9]/);

      await page.focus("#tab-points");
      await page.keyboard.press("ArrowRight");
      await state(page, "posterior", "ready");
      expect(asked).toContain("posterior-worker.js");
      expect(await page.evaluate(() => [location.hash, document.activeElement?.id])).toEqual([
        "#posterior",
        "tab-posterior",
      ]);
      await page.waitForSelector('body[data-state="ready"]', { timeout: 60_000 }); // the first tab's training has paused
      const shown = () =>
        page.$$eval('[role="tabpanel"]', (all) =>
          all.filter((one) => !(one as HTMLElement).hidden).map(({ id }) => id),
        );
      expect(await shown()).toEqual(["panel-posterior"]);
      expect(await text(page, "left-note")).toMatch(/^step [1-9]/); // and has kept what it learned

      await page.keyboard.press("Home");
      expect(await shown()).toEqual(["panel-points"]);
      expect(await page.evaluate(() => location.hash)).toBe("");
      await page.keyboard.press("End");
      await page.keyboard.press("ArrowLeft");
      await page.evaluate(() => (location.hash = "#posterior"));
      await page.waitForFunction(() => document.body.dataset["tab"] === "posterior");
      expect(await page.$$eval('[role="tab"]', (all) => all.map((one) => (one as HTMLElement).tabIndex))).toContain(-1);
    });
  });

  test("posterior: trains, follows a point that is moved, pauses out of sight", async () => {
    await visited("#posterior", async (page) => {
      await state(page, "posterior", "ready");
      expect(await text(page, "status")).not.toMatch(/link/); // a tab's name is no damaged link
      await chosen(page, { backend: "wasm", ready: "linear", simulations: "500" });
      await page.click("#posterior-start");
      await says(page, "posterior-parameters-note", /^step [1-9]\d\d/);
      await page.click("#tab-points");
      await state(page, "posterior", "ready");
      await page.click("#tab-posterior");
      await says(page, "posterior-status", /^Paused at step/);

      const before = await label(page, "posterior-parameters");
      expect(before).toMatch(
        /Posterior for an observation of 0.5 and 0.3, after [\d,]+ steps: a .*, give or take .*; b/,
      );
      await page.focus("#posterior-data");
      for (let i = 0; i < 4; i++) await page.keyboard.press("ArrowLeft");
      const [x, y] = await page.$$eval("#posterior-x, #posterior-y", (all) =>
        all.map((one) => (one as HTMLInputElement).valueAsNumber),
      );
      expect(x).toBeLessThan(0.45);
      expect(y).toBe(0.3);
      await labelled(
        page,
        "posterior-parameters",
        new RegExp(`observation of ${String(x).replace("-", "−").slice(0, 5)}`),
      );

      const canvas = await (await page.$("#posterior-data"))?.boundingBox();
      if (!canvas) throw new Error("The plane of data is not seen.");
      await page.mouse.move(canvas.x + 0.5 * canvas.width, canvas.y + 0.5 * canvas.height);
      await page.mouse.down();
      await page.mouse.move(canvas.x + canvas.width, canvas.y, { steps: 5 });
      await page.mouse.up();
      const corner = await page.$eval("#posterior-x", (one) => (one as HTMLInputElement).valueAsNumber);
      await labelled(page, "posterior-parameters", new RegExp(`observation of ${corner.toPrecision(3)}`));
      await says(page, "posterior-figures", /Effective count.*samples, weighed by exact over learned density\d/);
      await says(page, "posterior-figures", /Learned.*can be had−?-?\d/);
    });
  });

  test("posterior: a text of one's own, its faults, and what was before", async () => {
    await visited("#posterior", async (page) => {
      await state(page, "posterior", "ready");
      await chosen(page, { backend: "wasm", simulations: "500" });
      await written(page, "({ push, pull }, random) => [push + random.norm(), pull]");
      await says(page, "posterior-fault", /^Line 1, column 44: random has normal\(\) and uniform\(\), and no norm\.$/);
      expect(await page.$eval("#posterior-code", (area) => area.getAttribute("aria-invalid"))).toBe("true");
      await page.click("#posterior-use");
      await says(page, "posterior-x-name", /landed/); // the ball is still there
      await written(page, "({ push, pull }, random) => [push + random.normal(), pull]");
      await page.$eval("#posterior-from-0", (field) => ((field as HTMLInputElement).value = "90"));
      await page.click("#posterior-use");
      await says(page, "posterior-fault", /What is known of push goes from a smaller number to a larger one/);
      await page.$eval("#posterior-from-0", (field) => ((field as HTMLInputElement).value = "-2"));
      await page.click("#posterior-use");
      await says(page, "posterior-x-name", /first number/);
      await labelled(page, "posterior-parameters", /Not trained yet/);
      expect(await page.$eval("#posterior-exact-key", (key) => (key as HTMLElement).hidden)).toBe(true);
      expect(await page.$eval("#posterior-ready", (select) => (select as HTMLSelectElement).value)).toBe("own");
    });
  });

  test("trajectories: draws, is asked for an event, trains on and pauses", async () => {
    await visited("#trajectories", async (page) => {
      await state(page, "trajectories", "ready");
      await page.select("#trajectories-backend", "wasm");
      await page.select("#trajectories-steps", "5");
      await says(page, "trajectories-status", /^72 trajectories in .* 10 evaluations/);
      await labelled(page, "trajectories-drawn", /^Trajectories of the model of Lorenz, as curves of x and z\.$/);
      await says(page, "trajectories-true-note", /^24 of 600$/);
      await page.select("#trajectories-event", "last");
      await says(page, "trajectories-drawn-note", /^guided$/);
      await says(page, "trajectories-figures", /Ends above T\d+ ± \d %\d+ ± \d+ %the same, not asked for/);
      await labelled(page, "trajectories-drawn", /The event, ends above T at T = 0.4, holds in \d+ ± \d+ %/);
      const true1 = await text(page, "trajectories-true-note");
      await page.focus("#trajectories-threshold");
      await page.keyboard.press("Home");
      expect(await text(page, "trajectories-true-note")).not.toBe(true1);
      await page.click("#trajectories-start");
      await says(page, "trajectories-status", /^Training on .*: step \d/);
      await page.keyboard.press("Tab");
      await page.click("#tab-points");
      await page.click("#tab-trajectories");
      await says(page, "trajectories-status", /Trained on by \d+ steps/);
    });
  });

  test("digits: draws by class, shows the way from noise, trains on and pauses", async () => {
    await visited("#digits", async (page) => {
      await page.emulateMediaFeatures([{ name: "prefers-reduced-motion", value: "reduce" }]);
      await state(page, "digits", "ready");
      await page.select("#digits-backend", "wasm");
      await page.select("#digits-steps", "4");
      await says(page, "digits-status", /^40 pictures in .* 7 velocities each/);
      expect(await text(page, "digits-play")).toBe("Play"); // nothing moves unless it is asked to
      await page.select("#digits-label", "3");
      await labelled(
        page,
        "digits-drawn",
        /^Generated: forty times the digit 3, guidance 1.5, 4 steps, shown at t = 1\.$/,
      );
      await page.focus("#digits-time");
      await page.keyboard.press("Home");
      await labelled(page, "digits-drawn", /shown at t = 0\.$/);
      await page.focus("#digits-guidance");
      await page.keyboard.press("ArrowRight");
      await labelled(page, "digits-drawn", /guidance 2, 4 steps/);
      await page.click("#digits-start");
      await says(page, "digits-status", /^Training on .*: step \d/);
      await page.click("#tab-points");
      await page.click("#tab-digits");
      await says(page, "digits-status", /Trained on by \d+ steps/);
    });
  });

  test.each(["posterior", "trajectories", "digits"])("%s can be read", async (name) => {
    const ready = (page: Page) => state(page, name, "ready");
    expect(await faultsOf(browser, `${server.url}#${name}`, ready)).toEqual([]);
  });
});

async function state(page: Page, tab: string, wanted: string): Promise<void> {
  await page.waitForSelector(`#${tab}-lab[data-state="${wanted}"]`, { timeout: 90_000 });
}

async function chosen(page: Page, choices: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, value] of Object.entries(choices)) {
    await page.select(`#posterior-${name}`, value);
    await state(page, "posterior", "ready");
  }
}

async function written(page: Page, code: string): Promise<void> {
  const write = (area: Element, value: string) => {
    (area as HTMLTextAreaElement).value = value;
    area.dispatchEvent(new Event("input"));
  };
  await page.$eval("#posterior-code", write, code);
}

async function text(page: Page, id: string): Promise<string> {
  return page.$eval(`#${id}`, (element) => element.textContent ?? "");
}

async function label(page: Page, id: string): Promise<string> {
  return page.$eval(`#${id}`, (element) => element.getAttribute("aria-label") ?? "");
}

async function says(page: Page, id: string, words: RegExp): Promise<void> {
  const holds = (name: string, source: string) =>
    new RegExp(source).test(document.getElementById(name)?.textContent ?? "");
  await page.waitForFunction(holds, { timeout: 90_000 }, id, words.source).catch(async (error) => {
    throw new Error(`#${id} says "${await text(page, id)}", not ${words}`, { cause: error });
  });
}

async function labelled(page: Page, id: string, words: RegExp): Promise<void> {
  const holds = (name: string, source: string) =>
    new RegExp(source).test(document.getElementById(name)?.getAttribute("aria-label") ?? "");
  await page.waitForFunction(holds, { timeout: 90_000 }, id, words.source).catch(async (error) => {
    throw new Error(`#${id} is labelled "${await label(page, id)}", not ${words}`, { cause: error });
  });
}
