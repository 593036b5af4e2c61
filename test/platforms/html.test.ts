/**
 * Models as pages: one file each, opened from disk in Chromium without a network, which samples with the bits of the library,
 * hands its samples out, is worked by keys and read by everyone.
 */
import { randomUUID } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, HTTPRequest, Page } from "puppeteer";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundle } from "../../.build/bundle.mjs";
import { cache, root } from "../../.build/files.mjs";
import { launchBrowser } from "../../.build/platforms/browser.mjs";
import { serve } from "../../.build/platforms/server.mjs";
import { skippedRuntimes } from "../../.build/runtimes.mjs";
import type { ExportHtmlOptions } from "../../src/html/export-html.ts";
import {
  adam,
  arrayData,
  cfm,
  classes,
  condOT,
  createRuntime,
  createTrainer,
  ema,
  load,
  type Model,
  mlp,
  numbers,
  type Runtime,
  readCsv,
  readNpy,
  type TrainerOptions,
} from "../../src/index.ts";
import { crossEntropy, dirichlet, lettersData } from "../../src/letters.ts";
import { unet1d, unet2d } from "../../src/networks.ts";
import { faultsOf } from "./faults.ts";

type ExportHtml = (model: Model | Uint8Array, options?: ExportHtmlOptions) => Promise<string>;

const rows = (count: number, width: number) =>
  Float32Array.from({ length: count * width }, (_, i) => Math.sin(i) + (i % width));

/** Options of trainers of small models, by what a sample is. */
const models: Readonly<Record<string, () => Omit<TrainerOptions, "path" | "loss">>> = {
  plane: () => ({
    network: mlp({
      ...{ dimension: 2, hidden: [16], activation: "silu" },
      conditions: { species: classes(3, { drop: 0.2 }), size: numbers([2], { drop: 0.2 }) },
    }),
    data: arrayData(rows(60, 2), [60, 2], {
      ...{ standardize: true, columns: ["width", "height, in <mm>"] },
      conditions: {
        species: Array.from({ length: 60 }, (_, i) => ["setosa", "versicolor", "virginica"][i % 3] as string),
        size: Array.from({ length: 60 }, (_, i) => [i % 7, 1 + (i % 5)]),
      },
    }),
    ema: ema({ decay: 0.9 }),
  }),
  pictures: () => ({
    network: unet2d({
      ...{ sample: [8, 8, 1], channels: 8, groups: 4, multipliers: [1], residualBlocks: 1 },
      conditions: { label: classes(2, { drop: 0.2 }) },
    }),
    data: arrayData(rows(20, 64), [20, 8, 8, 1], {
      conditions: { label: Array.from({ length: 20 }, (_, i) => i % 2) },
    }),
  }),
  sequences: () => ({
    network: unet1d({ sample: [8, 2], channels: [32] }),
    data: arrayData(rows(20, 16), [20, 8, 2]),
  }),
  table: () => ({
    network: mlp({ dimension: 7, hidden: [8], activation: "silu" }),
    data: arrayData(rows(40, 7), [40, 7]),
  }),
  line: () => ({
    network: mlp({ dimension: 1, hidden: [8], activation: "silu" }),
    data: arrayData(rows(40, 1), [40, 1]),
  }),
};

describe.skipIf(skippedRuntimes().includes("chromium"))("a model as a page", () => {
  const folder = join(cache, `html-${randomUUID()}`);
  const files = new Map<string, Uint8Array>();
  let runtime: Runtime;
  let browser: Browser;
  let exportHtml: ExportHtml;

  beforeAll(async () => {
    await mkdir(folder, { recursive: true });
    await bundle(relative(root, folder));
    ({ exportHtml } = await import(/* @vite-ignore */ join(folder, "html.js")));
    runtime = await createRuntime({ backend: "wasm" });
    for (const [name, options] of Object.entries(models)) {
      const own = { path: condOT(), loss: cfm(), batchSize: 16, optimizer: adam({ learningRate: 1e-3 }) };
      const trainer = await createTrainer(runtime, { ...own, ...options() });
      for await (const _ of trainer.run({ steps: 3 }));
      files.set(name, await trainer.checkpoint());
      await writeFile(join(folder, `${name}.html`), await exportHtml(files.get(name) as Uint8Array, { title: name }));
    }
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    runtime?.dispose();
    await rm(folder, { recursive: true, force: true });
  });

  const address = (name: string) => pathToFileURL(join(folder, `${name}.html`)).href;

  /** Opens a page from disk without a network; what it asks of any is counted, and what it complains of. */
  async function opened(name: string): Promise<{ page: Page; complaints: string[] }> {
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => complaints.push(message.text()));
    page.on("request", (request: HTTPRequest) => {
      if (request.url() !== address(name) && !request.url().startsWith("blob:")) complaints.push(request.url());
    });
    await page.setOfflineMode(true);
    await page.evaluateOnNewDocument(keepBlobs);
    await page.goto(address(name));
    await ready(page);
    return { page, complaints };
  }

  /** What the library gives in a page that has it from a server. */
  async function byLibrary(name: string, options: string): Promise<number[]> {
    const server = await serve(async (path) => {
      if (path === "/index.html") return "<!doctype html><title>library</title>";
      return path === "/model" ? files.get(name) : readFile(join(folder, path)).catch(() => undefined);
    });
    const page = await browser.newPage();
    try {
      await page.goto(server.url);
      const given = await page.evaluate(`(async () => {
        const { createRuntime, load, rk4, heun, dopri5 } = await import("/min/index.js");
        const runtime = await createRuntime({ backend: "wasm" });
        const model = await load(runtime, await (await fetch("/model")).arrayBuffer());
        const { values } = await model.sample(${options});
        return Array.from(values);
      })()`);
      return given as number[];
    } finally {
      await page.close();
      await server.close();
    }
  }

  test("samples with the network off, by the library's bits, and hands them out", { timeout: 180_000 }, async () => {
    const { page, complaints } = await opened("plane");
    await page.select("[name=backend]", "wasm");
    await page.select("[name=solver]", "rk4");
    for (const [name, value] of Object.entries({ count: "33", seed: "7", steps: "5", guidance: "2.5" })) {
      await set(page, name, value);
    }
    await set(page, "told-size-0", "3.25");
    await drawn(page);
    const own = readNpy(await file(page, "npy"));
    expect(own.shape).toEqual([33, 2]);
    const size = [3.25, Number(await page.$eval("[name=told-size-1]", (input) => (input as HTMLInputElement).value))];
    const conditions = { species: Array.from({ length: 33 }, (_, i) => i % 3), size };
    const asked = `{ count: 33, seed: 7, solver: rk4({ steps: 5 }), guidance: 2.5, conditions: ${JSON.stringify(conditions)} }`;
    expect([...own.data]).toEqual(await byLibrary("plane", asked));

    const table = readCsv(await file(page, "CSV"));
    expect(table.columns).toEqual(["width", "height, in <mm>", "species"]);
    expect([...table.values]).toEqual(
      [...own.data].flatMap((value, i) => (i % 2 === 1 ? [value, conditions.species[(i - 1) / 2] as number] : [value])),
    );

    // One label for all, numbers that are not told, and another solver.
    await page.select("[name=told-species]", "1");
    await page.click("[name=tell-size]");
    await page.select("[name=solver]", "dopri5");
    await page.select("[name=tolerance]", "1e-3");
    await set(page, "guidance", "1");
    await drawn(page);
    const other = readNpy(await file(page, "npy"));
    const tolerances = "dopri5({ relativeTolerance: 1e-3, absoluteTolerance: 1e-3 })";
    const told = `{ count: 33, seed: 7, solver: ${tolerances}, conditions: { species: 1, size: null } }`;
    expect([...other.data]).toEqual(await byLibrary("plane", told));
    expect(complaints).toEqual([]);
    await page.close();
  });

  test.each([
    [
      "pictures",
      [16, 8, 8, 1],
      `heun({ steps: 20 }), conditions: { label: Array.from({ length: 16 }, (_, i) => i % 2) }`,
    ],
    ["sequences", [16, 8, 2], "dopri5()"],
    ["table", [256, 7], "dopri5()"],
    ["line", [2000, 1], "dopri5()"],
  ] as const)("shows and samples %s", { timeout: 180_000 }, async (name, shape, solver) => {
    const { page, complaints } = await opened(name);
    if (solver.startsWith("heun")) await page.select("[name=solver]", "heun");
    await page.select("[name=backend]", "wasm");
    await ready(page);
    const own = readNpy(await file(page, "npy"));
    expect(own.shape).toEqual(shape);
    expect([...own.data]).toEqual(await byLibrary(name, `{ count: ${shape[0]}, seed: 0, solver: ${solver} }`));
    const words = {
      pictures: /16 pictures of 8 × 8/,
      sequences: /16 sequences of 8/,
      table: /256 samples/,
      line: /2,000 numbers/,
    };
    expect(await page.$eval("#summary", (element) => element.textContent)).toMatch(words[name]);
    expect(await page.$$eval("#rows tbody tr", (all) => all.length)).toBe(Math.min(100, shape[0]) + 2);
    if (name !== "table") expect(await page.$eval("#picture", ink)).toBeGreaterThan(500);
    expect(complaints).toEqual([]);
    await page.close();
  });

  test("is worked by keys: a number and Enter, a button and a space", { timeout: 120_000 }, async () => {
    const { page } = await opened("table");
    await page.focus("[name=count]");
    await page.keyboard.down("Control");
    await page.keyboard.press("a");
    await page.keyboard.up("Control");
    await page.keyboard.type("9");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.getElementById("summary")?.textContent?.startsWith("9 samples"));
    await page.focus("#another");
    await page.keyboard.press("Space");
    await page.waitForFunction(() => document.querySelector<HTMLInputElement>("[name=seed]")?.value === "1");
    await ready(page);
    const reached = new Set<string>();
    await page.evaluate(() => (document.activeElement as HTMLElement).blur());
    for (let i = 0; i < 30; i++) {
      await page.keyboard.press("Tab");
      reached.add(
        await page.evaluate(() => document.activeElement?.getAttribute("name") ?? document.activeElement?.id ?? ""),
      );
    }
    for (const name of ["count", "seed", "solver", "tolerance", "backend", "rows"])
      expect([...reached]).toContain(name);
    await page.close();
  });

  test("says what is wrong in a sentence, and goes on", { timeout: 120_000 }, async () => {
    const { page } = await opened("line");
    await page.select("[name=backend]", "webgpu");
    await page.waitForFunction(() => document.body.dataset["state"] !== "sampling", { timeout: 60_000 });
    // SwiftShader, or none: both are said.
    expect(await page.$eval("form", (element) => element.textContent)).toMatch(/WebGPU/);
    await page.select("[name=backend]", "wasm");
    await ready(page);
    await set(page, "count", "0");
    await page.click("button.primary"); // the browser says what is wrong with the field
    expect(await page.$eval("[name=count]", (input) => (input as HTMLInputElement).validity.valid)).toBe(false);
    await page.close();
  });

  test.each(["plane", "table"])("people can read it: %s", { timeout: 180_000 }, async (name) => {
    expect(await faultsOf(browser, address(name), ready)).toEqual([]);
  });

  test("lets nothing in or out: its policy forbids scripts, styles and connections", async () => {
    const { page } = await opened("table");
    const allowed = await page.evaluate(async () => {
      const script = document.createElement("script");
      script.textContent = "document.body.dataset.script = 'ran'";
      document.body.append(script);
      const connected = await fetch("data:text/plain,x").then(
        () => true,
        () => false,
      );
      return { connected, script: document.body.dataset["script"] };
    });
    expect(allowed).toEqual({ connected: false, script: undefined });
    await page.close();
  });

  test("holds the parameters that are sampled with, and nothing of training", async () => {
    const given = files.get("plane") as Uint8Array;
    const text = await readFile(join(folder, "plane.html"), "utf8");
    const held = Buffer.from(/id="model">([^<]*)</.exec(text)?.[1] ?? "", "base64");
    expect(held.length).toBeLessThan(0.45 * given.length); // of average, moments, gradient's
    const [whole, alone] = [await load(runtime, given), await load(runtime, held)];
    const options = { count: 5, conditions: { species: 2, size: [1, 2] } };
    expect((await alone.sample(options)).values).toEqual((await whole.sample(options)).values);
    expect(alone.step).toBe(whole.step);
    const last = await exportHtml(given, { ema: false });
    const lastModel = await load(runtime, Buffer.from(/id="model">([^<]*)</.exec(last)?.[1] ?? "", "base64"));
    expect((await lastModel.sample(options)).values).toEqual((await whole.sample({ ...options, ema: false })).values);
  });

  test("has a title that is text", async () => {
    const text = await exportHtml(files.get("table") as Uint8Array, {
      title: "</title><script>alert(1)</script> & $& $1",
    });
    // By includes(): a failure would print the page.
    expect(text.includes("<title>&lt;/title>&lt;script>alert(1)&lt;/script> &amp; $&amp; $1</title>")).toBe(true);
    expect(text.includes('"title":"\\u003c/title>\\u003cscript>alert(1)\\u003c/script> & $& $1"')).toBe(true);
  });

  test("is refused where it could not sample, and by options that are none", async () => {
    const own = {
      path: condOT(),
      loss: cfm(),
      batchSize: 4,
      network: mlp({ dimension: 2, hidden: [4], activation: "tanh" }),
    };
    const start = arrayData(rows(8, 2), [8, 2]);
    const trainer = await createTrainer(runtime, { ...own, data: arrayData(rows(9, 2), [9, 2]), start });
    await expect(exportHtml(await trainer.checkpoint())).rejects.toMatchObject({ name: "UnsupportedError" });
    const sample: [number, number] = [2, 3];
    const letters = await createTrainer(runtime, {
      ...{ network: mlp({ sample, hidden: [4] }), path: dirichlet({ sample }), loss: crossEntropy() },
      ...{ data: lettersData([[0, 1]], { letters: 3 }), batchSize: 4 },
    });
    await expect(exportHtml(await letters.checkpoint())).rejects.toThrow(/leads from no noise, but to letters/);
    const model = files.get("table") as Uint8Array;
    await expect(exportHtml(model, { titel: "x" } as never)).rejects.toThrow(/Did you mean title/);
    await expect(exportHtml(model, { title: "" })).rejects.toMatchObject({ name: "ConfigError" });
    await expect(exportHtml(model.subarray(0, 100))).rejects.toMatchObject({ name: "CheckpointError" });
  });
});

async function ready(page: Page): Promise<void> {
  await page.waitForFunction(() => document.body.dataset["state"] === "ready", { timeout: 60_000 });
}

async function drawn(page: Page): Promise<void> {
  await page.click("button.primary");
  await ready(page);
}

/** Sets a control's value as a person would, so that the page hears of it. */
async function set(page: Page, name: string, value: string): Promise<void> {
  await page.$eval(
    `[name="${name}"]`,
    (element, text) => {
      (element as HTMLInputElement).value = text;
      element.dispatchEvent(new Event("input", { bubbles: true }));
    },
    value,
  );
}

/** In the page: keeps what it hands out. */
function keepBlobs(): void {
  const made = URL.createObjectURL.bind(URL);
  URL.createObjectURL = (blob: Blob) => {
    (globalThis as { lastBlob?: Blob }).lastBlob = blob;
    return made(blob);
  };
}

/** The file that a button gives. */
async function file(page: Page, words: string): Promise<Uint8Array> {
  await page.click(`button[aria-label$="${words}"]`);
  const bytes = await page.evaluate(async () => {
    const { lastBlob } = globalThis as { lastBlob?: Blob };
    return [...new Uint8Array((await lastBlob?.arrayBuffer()) ?? new ArrayBuffer(0))];
  });
  return Uint8Array.from(bytes);
}

/** Pixels that are not transparent. */
function ink(element: Element): number {
  const canvas = element as HTMLCanvasElement;
  const data = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
  let count = 0;
  for (let i = 3; i < data.length; i += 4) if ((data[i] as number) > 0) count++;
  return count;
}
