import type { Page } from "puppeteer";
import { describe, expect, test } from "vitest";
import { skippedRuntimes } from "../../.build/runtimes.mjs";
import { complaintsOf, useDemo } from "./use-demo.ts";

describe.skipIf(skippedRuntimes().includes("chromium"))("exploring", { timeout: 180_000 }, () => {
  const demo = useDemo("explore");

  /** A page of a first visit; what it complains of fails the test. */
  async function visited(visit: (page: Page) => Promise<void>): Promise<void> {
    const context = await demo.browser.createBrowserContext();
    const page = await context.newPage();
    const complaints = complaintsOf(page);
    await page.setViewport({ width: 1280, height: 900 });
    // Still pictures, so that what is waited for does not move.
    await page.emulateMediaFeatures([{ name: "prefers-reduced-motion", value: "reduce" }]);
    await page.goto(demo.server.url);
    await visit(page);
    expect(complaints).toEqual([]);
    await context.close();
  }

  test("the tour has its numbers, and ends where training begins", async () => {
    await visited(async (page) => {
      await says(page, "guide-count", /^1 of 5$/);
      expect(await text(page, "time-play")).toBe("Play"); // who wants no motion starts it
      await page.waitForFunction(inkOf, { polling: 200 }, "right", 500);
      await page.click("#guide-next");
      await says(page, "guide-text", /Velocity error: A 0\.35, B 0\.35/);
      await page.click("#guide-next");
      await says(page, "guide-text", /A 0 %, B 4\d % \(total variation 0\.00 and 0\.4\d\)/);
      expect(await page.evaluate(() => document.activeElement?.id)).toBe("guide-title");
      await page.click("#guide-next");
      await says(page, "guide-text", /Divergence error: A 0\.00, B 0\.\d\d\. Bound .*A 0\.00, B 0\.\d\d/);
      await says(page, "left-note", /error shown 0$/);
      await page.click("#guide-next");
      await says(page, "guide-count", /^5 of 5$/);
      await says(page, "left-title", /^CFM$/);
      await page.click("#guide-next");
      expect(await page.$eval("#guide", (guide) => (guide as HTMLElement).hidden)).toBe(true);
    });
  });

  test("one's own data, undo, weights and pins", async () => {
    await visited(async (page) => {
      await small(page);
      await page.click("#step");
      await says(page, "right-note", /^step 10\b/);
      await says(page, "figures", /Negative log-likelihood, nats\d/);

      // What is no table changes nothing.
      await paste(page, "a,b\nc,d\n");
      await says(page, "status", /columns of numbers; two are needed/);
      expect(stepOf(await text(page, "left-note"))).toBe(10);
      await paste(page, Array.from({ length: 60 }, (_, i) => `${i},${(i * 7) % 31}`).join("\n"));
      await says(page, "notes", /60 rows, one in 5 held out/);
      await says(page, "left-note", /^not trained yet$/);
      expect(await page.$eval("#column-y", (select) => (select as HTMLSelectElement).value)).toBe("1");

      await page.click("#undo");
      await says(page, "left-note", /^step 10\b/);
      expect(
        await page.$eval('[name="set"][value="checkerboard"]', (radio) => (radio as HTMLInputElement).checked),
      ).toBe(true);

      // Drawn by keyboard.
      await page.$eval("#draw-details", (details) => ((details as HTMLDetailsElement).open = true));
      await page.focus("#pad");
      for (const key of ["Space", "ArrowRight", "ArrowRight", "Space", "ArrowUp", "Space", "Backspace"] as const)
        await page.keyboard.press(key);
      await page.click("#pad-use");
      await says(page, "left-note", /^not trained yet$/);
      await state(page, "ready");
      await page.click("#start");
      await says(page, "right-note", /^step \d/);

      // An image, dropped; training stops, for these are other data.
      await page.evaluate(dropDisc);
      await says(page, "left-note", /^not trained yet$/);
      expect(await page.$eval("#image-canvas", (canvas) => canvas.getAttribute("aria-label"))).toBe(
        "disc.png: 600 points where it is dark",
      );
      await state(page, "ready");
      await page.click("#start");
      await says(page, "right-note", /^step \d/);

      // Another weight on the way: what was learned stays.
      await page.focus("#right-weight");
      await page.keyboard.press("ArrowRight");
      await says(page, "right-title", /^FDM 1$/);
      const step = stepOf(await text(page, "right-note"));
      await page.waitForFunction(
        (least) =>
          Number(
            /step ([\d,]+)/.exec(document.getElementById("right-note")?.textContent ?? "")?.[1]?.replaceAll(",", ""),
          ) > least,
        { timeout: 90_000 },
        step + 5,
      );
      await page.click("#start");
      await state(page, "ready");

      await page.click("#pin");
      await says(page, "left-title", /^FDM 1, pinned$/);
      const pinned = stepOf(await text(page, "left-note"));
      await page.click("#step");
      await says(page, "right-note", new RegExp(`^step ${(pinned + 10).toLocaleString("en")}\\b`));
      expect(stepOf(await text(page, "left-note"))).toBe(pinned);
      await page.click("#unpin");
      await says(page, "left-title", /^CFM$/);
    });
  });

  test("a one-step map beside the right model, with its log-densities and how far they are off", async () => {
    await visited(async (page) => {
      await small(page);
      await page.click("#one-step");
      await says(page, "jump-note", /^Not trained yet/);
      await page.click("#step");
      await says(page, "jump-note", /^1 evaluation a sample; .* by the right model at step 10$/);
      await says(page, "meter-words", /^In 1 evaluation, .* off by \d\.\d\d nats/);
      await page.$eval('[name="jumps"][value="4"]', (radio) => (radio as HTMLInputElement).click());
      await says(page, "jump-note", /^4 evaluations/);
      await says(page, "meter-words", /^In 4 evaluations/);
      await page.waitForFunction(inkOf, { polling: 200 }, "jump-canvas", 500);
      // It learns on: the models may go on beside it, and a reset ends it.
      await page.click("#step");
      await says(page, "right-note", /^step 20\b/);
      await says(page, "jump-note", /at step 20$/);
      await page.click("#reset");
      await says(page, "jump-note", /^Not trained yet/);
    });
  });

  test("each map at any time, and a table for each curve", async () => {
    await visited(async (page) => {
      await small(page);
      await page.click("#step");
      await says(page, "figures", /Total variation, 0 to 1\d/);
      for (const map of ["divergence-error", "difference", "density-error", "density"]) {
        await page.$eval(`[name="map"][value="${map}"]`, (radio) => (radio as HTMLInputElement).click());
        await page.waitForFunction(() => !(document.getElementById("legend") as HTMLElement).hidden, {
          timeout: 60_000,
        });
        await page.$eval(
          "#time",
          (slider, t) => {
            (slider as HTMLInputElement).value = t;
            slider.dispatchEvent(new Event("input"));
          },
          map === "density" ? "0" : "0.5",
        );
      }
      // At t = 0 every flow's density is the noise's, whose largest value is 1 / (2 pi); a percent of the cells may be above the scale.
      await says(page, "legend-high", /^0\.1[0-6]\d? per area$/);
      const rows = await page.$$eval("#charts details", (all) => {
        for (const one of all) one.open = true;
        return all.length;
      });
      expect(rows).toBe(5);
      await page.waitForFunction(
        () => [...document.querySelectorAll("#charts tbody")].every((body) => body.querySelectorAll("td").length >= 2),
        { timeout: 30_000 },
      );
      const labels = await page.$$eval("canvas[role=img]:not([hidden], [hidden] *)", (all) =>
        all.map((one) => one.getAttribute("aria-label") ?? ""),
      );
      expect(labels).toHaveLength(7);
      for (const label of labels) expect(label).toMatch(/10 steps|step 10/);
    });
  });
});

/** In the page: whether so many pixels of a canvas are not transparent. */
function inkOf(id: string, least: number): boolean {
  const canvas = document.getElementById(id) as HTMLCanvasElement;
  const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width || 1, canvas.height || 1);
  return data.reduce((count, value, i) => count + (i % 4 === 3 && value > 0 ? 1 : 0), 0) > least;
}

/** In the page: drops a picture of a black disc that nothing is around. */
async function dropDisc(): Promise<void> {
  const canvas = new OffscreenCanvas(300, 200);
  const context = canvas.getContext("2d")!;
  context.arc(150, 100, 80, 0, 2 * Math.PI);
  context.fill();
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([await canvas.convertToBlob()], "disc.png", { type: "image/png" }));
  dispatchEvent(new DragEvent("drop", { dataTransfer }));
}

/** Small networks on WebAssembly, without the tour. */
async function small(page: Page): Promise<void> {
  await state(page, "ready");
  await page.click("#guide-skip");
  await page.select("#backend", "wasm");
  await page.select("#layers", "1");
  await page.select("#width", "16");
  await state(page, "ready");
}

async function paste(page: Page, rows: string): Promise<void> {
  await page.$eval("#table-details", (details) => ((details as HTMLDetailsElement).open = true));
  await page.$eval("#table", (area, value) => ((area as HTMLTextAreaElement).value = value), rows);
  await page.click("#table-use");
}

async function says(page: Page, id: string, words: RegExp): Promise<void> {
  const holds = (name: string, source: string) =>
    new RegExp(source).test(document.getElementById(name)?.textContent ?? "");
  await page.waitForFunction(holds, { timeout: 90_000 }, id, words.source).catch(async (error) => {
    throw new Error(`#${id} says "${await text(page, id)}", not ${words}`, { cause: error });
  });
}

async function state(page: Page, wanted: string): Promise<void> {
  await page.waitForFunction((name) => document.body.dataset.state === name, { timeout: 90_000 }, wanted);
}

async function text(page: Page, id: string): Promise<string> {
  return page.$eval(`#${id}`, (element) => element.textContent ?? "");
}

const stepOf = (note: string) => Number(/step ([\d,]+)/.exec(note)?.[1]?.replaceAll(",", ""));
