/**
 * demo/dist as a host serves it that sets no headers, below a path: kept at the first visit, it opens, trains and samples with
 * the host gone, isolated, and asks no other origin for anything; a new version waits until the visitor says so.
 */
import { randomUUID } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { build } from "esbuild";
import type { Browser, Page } from "puppeteer";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundle } from "../../.build/bundle.mjs";
import { buildDemo } from "../../.build/demo-dist.mjs";
import { cache, root } from "../../.build/files.mjs";
import { launchBrowser } from "../../.build/platforms/browser.mjs";
import { serve } from "../../.build/platforms/server.mjs";
import { skippedRuntimes } from "../../.build/runtimes.mjs";

const PATH = "/some/where/";

describe.skipIf(skippedRuntimes().includes("chromium"))("the demo's folder", () => {
  const folder = join(cache, `offline-${randomUUID()}`);
  const out = join(folder, "out");
  let files: readonly string[];
  let later: readonly string[];
  let browser: Browser;

  beforeAll(async () => {
    await mkdir(folder, { recursive: true });
    await bundle(relative(root, join(folder, "built")));
    const options = { built: relative(root, join(folder, "built")), out: relative(root, out) };
    ({ files, later } = await buildDemo(options));
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** Serves it without a header, and counts what is asked. */
  async function hosted() {
    const asked: string[] = [];
    const server = await serve(
      async (path) => {
        asked.push(path);
        if (!path.startsWith(PATH)) return undefined;
        return readFile(join(out, path.slice(PATH.length))).catch(() => undefined);
      },
      { headers: {} },
    );
    return { ...server, address: `${server.url.slice(0, -1)}${PATH}`, asked };
  }

  /** A page whose requests to other origins, and complaints, are counted. */
  async function visited(address: string): Promise<{ page: Page; complaints: string[] }> {
    const context = await browser.createBrowserContext(); // with storage of its own
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") complaints.push(message.text());
    });
    page.on("request", (request) => {
      const { origin, protocol } = new URL(request.url());
      if (!["data:", "blob:"].includes(protocol) && origin !== new URL(address).origin) complaints.push(request.url());
    });
    await page.goto(address);
    return { page, complaints };
  }

  const kept = (page: Page) =>
    page.waitForFunction(() => document.documentElement.dataset["offline"] === "ready", { timeout: 60_000 });

  test("opens, trains and samples with the host gone", { timeout: 240_000 }, async () => {
    const host = await hosted();
    const { page, complaints } = await visited(host.address);
    await state(page, "ready");
    await kept(page);
    for (const file of files) expect(host.asked).toContain(`${PATH}${file}`);
    for (const file of later) expect(host.asked).not.toContain(`${PATH}${file}`);
    // What is kept later is, once it was wanted.
    await page.evaluate(async (all) => {
      for (const file of all) await (await fetch(new URL(file, document.baseURI))).text();
    }, later);
    expect(host.asked.filter((path) => !path.startsWith(PATH) && path !== "/favicon.ico")).toEqual([]);
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(false); // not yet: the host sets no headers
    await host.close();

    await page.reload();
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
    expect(later.length).toBeGreaterThan(1);
    for (const file of later) {
      const isKept = (one: string) => fetch(new URL(one, document.baseURI)).then(({ ok }) => ok);
      expect(await page.evaluate(isKept, file), file).toBe(true);
    }
    await state(page, "ready");
    await page.select("#backend", "wasm");
    await page.select("#width", "32");
    await state(page, "ready");
    await page.click("#start");
    await page.waitForFunction(
      () =>
        [...document.querySelectorAll("[id$='-note']")].filter((one) => /step [1-9]/.test(one.textContent ?? ""))
          .length >= 2,
      { timeout: 90_000 },
    );
    await page.click("#start");
    await state(page, "ready");
    // What asked the host for anything would have failed, and complained.
    expect(complaints).toEqual([]);
    // A link to the page with something behind it is the page.
    await page.goto(`${host.address}?from=chat#1.x`);
    await state(page, "ready");
    await page.browserContext().close();
  });

  test("takes a new version when the visitor says so, and not before", { timeout: 180_000 }, async () => {
    const host = await hosted();
    const { page } = await visited(host.address);
    await kept(page);
    const worker = join(out, "service-worker.js");
    const [before, index] = [await readFile(worker, "utf8"), await readFile(join(out, "index.html"), "utf8")];
    try {
      await writeFile(join(out, "index.html"), index.replace("</body>", '<p id="newer">newer</p></body>'));
      await writeFile(worker, before.replace(/"([0-9a-f]{16})"/, '"0000000000000000"'));
      const bar = () => page.evaluate(() => document.querySelector(".update")?.textContent ?? "");
      expect(await bar()).toBe("");
      await page.evaluate(async () => {
        (globalThis as { stays?: boolean }).stays = true;
        await (await navigator.serviceWorker.getRegistration())?.update();
      });
      await page.waitForSelector(".update", { timeout: 60_000 });
      expect(await bar()).toMatch(/new version/);
      const still = () => page.evaluate(() => (globalThis as { stays?: boolean }).stays === true);
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect(await still()).toBe(true);
      await Promise.all([
        page.waitForNavigation({ timeout: 60_000 }),
        page.$$eval(".update button", (all) => (all[0] as HTMLElement).click()),
      ]);
      expect(await still()).toBe(false);
      await page.waitForSelector("#newer", { timeout: 30_000 });
      const caches = await page.evaluate(async () => (await globalThis.caches.keys()).length);
      expect(caches).toBe(1);
    } finally {
      await writeFile(worker, before);
      await writeFile(join(out, "index.html"), index);
      await host.close();
      await page.browserContext().close();
    }
  });

  test("says by its policy that it asks nobody else, and names no address of its own", async () => {
    const page = await readFile(join(out, "index.html"), "utf8");
    expect(page).toMatch(/http-equiv="Content-Security-Policy" content="default-src 'self'; connect-src 'self';/);
    expect(page.indexOf("Content-Security-Policy")).toBeLessThan(page.indexOf("<script"));
    for (const [, address = ""] of page.matchAll(/(?:src|href)="([^"]*)"/g))
      expect(address).not.toMatch(/^(\/|https?:)/);
    const manifest = JSON.parse(await readFile(join(out, "manifest.webmanifest"), "utf8"));
    for (const { src } of manifest.icons) expect(files).toContain(src);
    expect(manifest.start_url).toBe("./");
    expect(files.filter((file) => /\.(ts|md)$/.test(file))).toEqual([]);
  });

  test("pictures of a canvas, as PNG and for a GIF, are on a ground", async () => {
    const { outputFiles } = await build({
      entryPoints: [join(root, "demo", "share", "files.ts")],
      ...{ bundle: true, write: false, format: "iife", globalName: "files" },
      alias: { "divflow/data": join(folder, "built", "data.js") },
    });
    const page = await browser.newPage();
    await page.addScriptTag({ content: outputFiles[0]?.text ?? "" });
    const found = await page.evaluate(async () => {
      const { files } = globalThis as unknown as { files: typeof import("../../demo/share/files.ts") };
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [960, 100];
      const context = canvas.getContext("2d") as CanvasRenderingContext2D;
      context.fillStyle = "#ff0000";
      context.fillRect(0, 0, 480, 100);
      const frame = files.frameOf(canvas, "#00ff00");
      const { bytes, type } = await files.pngFile(canvas, "#00ff00");
      const picture = await createImageBitmap(new Blob([bytes], { type }));
      const copy = document.createElement("canvas");
      [copy.width, copy.height] = [picture.width, picture.height];
      const back = copy.getContext("2d") as CanvasRenderingContext2D;
      back.drawImage(picture, 0, 0);
      const at = (x: number) => [...back.getImageData(x, 50, 1, 1).data];
      const pixel = (x: number) => Array.from({ length: 4 }, (_, k) => frame.data[4 * (25 * frame.width + x) + k]);
      return {
        size: [picture.width, picture.height],
        colours: [at(10), at(900)],
        frame: [frame.width, frame.height],
        pixels: [pixel(5), pixel(470)],
      };
    });
    const colours = [
      [255, 0, 0, 255],
      [0, 255, 0, 255],
    ];
    expect(found).toEqual({ size: [960, 100], colours, frame: [480, 50], pixels: colours });
    await page.close();
  });
});

async function state(page: Page, wanted: string): Promise<void> {
  await page.waitForFunction((name) => document.body.dataset["state"] === name, { timeout: 90_000 }, wanted);
}
