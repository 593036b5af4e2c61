/**
 * Nothing is lost: a page that is reloaded goes on, to the same bits; tabs do not meet; what cannot be kept or gone on with is
 * said, and so is a file that cannot be opened. Files that the page gave, it takes back.
 */
import type { Page } from "puppeteer";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { demoFile } from "../../.build/demo.mjs";
import { serve } from "../../.build/platforms/server.mjs";
import { skippedRuntimes } from "../../.build/runtimes.mjs";
import { linkOf } from "../../demo/share/link.ts";
import { defaultRun, type SharedRun } from "../../demo/share/run.ts";
import { drop, files, keepFiles, press, state, torchWeights } from "./saved-files.ts";
import { complaintsOf, useDemo } from "./use-demo.ts";

const small: SharedRun = {
  ...defaultRun,
  data: { kind: "ink", title: "your drawing", points: [-1, 0.5, 1, -0.25], deviation: 0.25 },
  ...{ width: 16, layers: 1, seed: 77, backend: "wasm" },
  weights: { left: 0, right: 1 },
  sampler: { ...defaultRun.sampler, steps: 4 },
};

describe.skipIf(skippedRuntimes().includes("chromium"))("the demo keeps", { timeout: 180_000 }, () => {
  const demo = useDemo("keep");
  /** Stands before the worker's script. */
  let prelude = "";
  let server: Awaited<ReturnType<typeof serve>>;
  beforeAll(async () => {
    server = await serve(async (path) => {
      const body = await demoFile(path, demo.built);
      return path === "/worker.js" ? `${prelude}\n${new TextDecoder().decode(body as Uint8Array)}` : body;
    });
  });
  afterAll(() => server?.close());

  const link = (run: SharedRun = small) => `${server.url}${linkOf(run).hash}`;

  /** In a browser's storage of its own; what pages complain of fails the test. */
  async function visiting(visit: (open: (address: string) => Promise<Page>) => Promise<void>, script = "") {
    prelude = script;
    const context = await demo.browser.createBrowserContext();
    const complaints: string[][] = [];
    try {
      await visit(async (address) => {
        const page = await context.newPage();
        complaints.push(complaintsOf(page));
        await page.emulateMediaFeatures([{ name: "prefers-reduced-motion", value: "reduce" }]);
        await page.evaluateOnNewDocument(keepFiles);
        await page.goto(address);
        return page;
      });
      expect(complaints.flat()).toEqual([]);
    } finally {
      await context.close();
    }
  }

  async function trained(page: Page, step: number): Promise<void> {
    await state(page, "ready");
    await press(page, "step");
    await kept(page, step);
    await state(page, "ready");
  }

  test.each(["wasm", "webgpu"] as const)(
    "a run on %s: after a reload in the middle it has the same bits",
    async (backend) => {
      const run = { ...small, backend };
      const models = async (reloads: boolean) => {
        let found: Awaited<ReturnType<typeof files>> = [];
        await visiting(async (open) => {
          const page = await open(link(run));
          for (const step of [10, 20]) await trained(page, step);
          if (reloads) {
            await page.reload();
            await says(page, "notice", /^Where your last visit was: CFM at step 20, FDM 1 at step 20\./);
            await says(page, "left-note", /^step 20\b/);
          }
          await trained(page, 30);
          found = await files(page, "models", 2);
        });
        return found;
      };
      const [straight, reloaded] = [await models(false), await models(true)];
      expect(straight).toHaveLength(2);
      expect(reloaded).toEqual(straight);
    },
  );

  test("what was chosen, drawn, pinned and undone", async () => {
    await visiting(async (open) => {
      const page = await open(server.url);
      await state(page, "ready");
      await press(page, "guide-skip");
      for (const [id, value] of [
        ["backend", "wasm"],
        ["layers", "1"],
        ["width", "16"],
      ] as const)
        await page.select(`#${id}`, value);
      await trained(page, 10);
      await page.select("#width", "32");
      await says(page, "left-note", /^not trained yet$/);
      await trained(page, 10);
      await press(page, "pin");
      await says(page, "left-title", /^FDM 0\.3, pinned$/);
      await trained(page, 20);
      await page.$eval("#draw-details", (details) => ((details as HTMLDetailsElement).open = true));
      await page.focus("#pad");
      for (const key of ["Space", "ArrowRight", "ArrowRight", "Space"] as const) await page.keyboard.press(key);
      await page.$eval('[name="map"][value="difference"]', (radio) => (radio as HTMLInputElement).click());
      await page.select("#solver", "heun");
      await page.$eval("#time", (slider) => {
        (slider as HTMLInputElement).value = "0.5";
        slider.dispatchEvent(new Event("input"));
      });
      const ink = await page.$eval("#pad", (pad) => (pad as HTMLCanvasElement).width > 0);
      expect(ink).toBe(true);
      await stored(page, 0.5, 10);
      await page.reload();

      await says(
        page,
        "notice",
        /^Where your last visit was: FDM 0\.3, pinned at step 10, FDM 0\.3 at step 20\.Begin anewClose$/,
      );
      const value = (id: string) => page.$eval(`#${id}`, (control) => (control as HTMLInputElement).value);
      expect(await Promise.all(["width", "solver", "time"].map(value))).toEqual(["32", "heun", "0.5"]);
      expect(await page.$eval('[name="map"]:checked', (radio) => (radio as HTMLInputElement).value)).toBe("difference");
      await page.waitForFunction(() =>
        document.getElementById("velocity-loss")?.getAttribute("aria-label")?.includes("at step 20"),
      );
      await page.$eval("#draw-details", (details) => ((details as HTMLDetailsElement).open = true));
      await press(page, "pad-use"); // what was drawn is still there
      await says(page, "left-title", /pinned/);
      await says(page, "right-note", /^not trained yet$/);
      await state(page, "ready");
      expect(await page.$eval('[name="set"]:checked', () => true).catch(() => false)).toBe(false);
      await press(page, "undo");
      await says(page, "right-note", /^step 20\b/);
      await press(page, "unpin");
      await says(page, "left-note", /^step 10\b/);
    });
  });

  test("each tab's own; a new one has the newest that is free, and may begin anew", async () => {
    await visiting(async (open) => {
      const first = await open(link());
      await trained(first, 10);
      const second = await open(link());
      await state(second, "ready");
      expect(await text(second, "left-note")).toBe("not trained yet");
      for (const step of [10, 20]) await trained(second, step);
      await first.bringToFront();
      await first.reload();
      await says(first, "left-note", /^step 10\b/);
      await first.close();
      await second.reload();
      await says(second, "left-note", /^step 20\b/);
      await kept(second, 20);
      const beside = await open(`${server.url}style/tokens.css`);
      await second.close();
      await free(beside);

      const third = await open(server.url);
      await says(third, "left-note", /^step 20\b/);
      await says(third, "start", /^Go on$/);
      await state(third, "ready");
      await third.$$eval("#notice button", (buttons) => (buttons[0] as HTMLElement).click());
      await says(third, "left-note", /^not trained yet$/);
      await state(third, "ready");
      expect(await third.$eval("#width", (select) => (select as HTMLSelectElement).value)).toBe("64");
      expect(await text(third, "notice")).toBe("");
      await kept(third, 0);
      await press(third, "undo");
      await says(third, "left-note", /^step 20\b/);
      // A link to another run comes first: what was kept is behind Undo.
      await state(third, "ready");
      await kept(third, 20);
      await third.close();
      await free(beside);
      const linked = await open(link({ ...small, seed: 78 }));
      await state(linked, "ready");
      expect(await text(linked, "left-note")).toBe("not trained yet");
      await press(linked, "undo");
      await says(linked, "left-note", /^step 20\b/);
    });
  });

  test("training that a reload meets in the middle: it trains on", async () => {
    await visiting(async (open) => {
      const page = await open(link());
      await state(page, "ready");
      await press(page, "start");
      await page.waitForFunction(() => Number(document.body.dataset["kept"]) > 0, { timeout: 60_000 });
      const least = Number(await page.evaluate(() => document.body.dataset["kept"]));
      await page.reload();
      await state(page, "running");
      expect(await text(page, "notice")).toMatch(/and it trains on\./);
      await page.waitForFunction(
        (step) =>
          Number(
            /step ([\d,]+)/.exec(document.getElementById("right-note")?.textContent ?? "")?.[1]?.replaceAll(",", ""),
          ) > step,
        { timeout: 60_000 },
        least,
      );
    });
  });

  test.each([
    [
      "blocked",
      'indexedDB.open = () => { throw new DOMException("no", "SecurityError"); };',
      /^This browser keeps nothing of this page: it goes on, but after a reload it would not\./,
    ],
    [
      "full",
      'IDBObjectStore.prototype.put = () => { throw new DOMException("full", "QuotaExceededError"); };',
      /^This device has no room left to keep the training: it goes on/,
    ],
  ])("nothing where storage is %s, and says so; it trains", async (_, script, words) => {
    await visiting(async (open) => {
      const page = await open(link());
      await state(page, "ready");
      expect(await text(page, "notice")).toBe("");
      await press(page, "step");
      await says(page, "notice", words);
      await state(page, "ready");
      await press(page, "step");
      await says(page, "right-note", /^step 20\b/);
    }, script);
  });

  test.each<[string, "form" | "model", RegExp]>([
    [
      ...(["of an older page", "form"] as const),
      /^What this browser kept of the last visit is of another version of this page\. The page begins anew\./,
    ],
    [
      ...(["whose models are damaged", "model"] as const),
      /^The models of the last visit cannot be gone on with, and begin anew\. /,
    ],
  ])("says what is wrong with a visit %s", async (_, what, words) => {
    await visiting(async (open) => {
      const page = await open(link());
      await trained(page, 10);
      await page.evaluate(damage, what);
      await page.reload();
      await says(page, "notice", words);
      await state(page, "ready");
      expect(await text(page, "left-note")).toBe("not trained yet");
      expect(await page.$eval("#width", (select) => (select as HTMLSelectElement).value)).toBe("16");
      await press(page, "step");
      await says(page, "right-note", /^step 10\b/);
    });
  });

  test("what was trained when memory is short: smaller batches go on with it", async () => {
    // In the middle of a run, as browsers throw it where an array cannot be had.
    const script = `let isShort = false;
      let isFull = false;
      new BroadcastChannel("memory").onmessage = ({ data }) => {
        isShort = data === "short";
        isFull = data === "full";
      };
      const { grow } = WebAssembly.Memory.prototype;
      WebAssembly.Memory.prototype.grow = function (pages) {
        if (isFull) throw new RangeError("Maximum memory size exceeded");
        return grow.call(this, pages);
      };
      const now = performance.now.bind(performance);
      performance.now = () => {
        if (!isShort) return now();
        isShort = false;
        throw new RangeError("Array buffer allocation failed");
      };`;
    await visiting(async (open) => {
      const page = await open(link());
      await trained(page, 10);
      await press(page, "start");
      await state(page, "running");
      await memory(page, "short");
      await state(page, "failed");
      expect(await text(page, "status")).toMatch(/Array buffer allocation failed/);
      expect(await text(page, "notice")).toMatch(/^Memory was short\. .*Go on with batches of 256/);
      const step = stepOf(await text(page, "right-note"));
      await page.$$eval("#notice button", (buttons) => (buttons[0] as HTMLElement).click());
      await state(page, "running");
      await says(page, "right-note", /^step \d/);
      expect(stepOf(await text(page, "right-note"))).toBeGreaterThanOrEqual(step);
      await press(page, "start");
      await state(page, "ready");
      expect(batchOf(await files(page, "models", 2))).toBe(256);
      await press(page, "reset"); // begins anew with what there is room for
      await says(page, "right-note", /^not trained yet$/);
      await trained(page, 10);
      expect(batchOf(await files(page, "models", 2))).toBe(256);

      // Of a network that there is no room to make, what was before is behind Undo.
      await memory(page, "full");
      await page.select("#width", "256");
      await state(page, "failed");
      await says(page, "notice", /^Memory was short\. .*Go on with batches of 256/);
      await memory(page, "enough");
      await page.$$eval("#notice button", (buttons) => (buttons[0] as HTMLElement).click());
      await state(page, "ready");
      expect(await text(page, "right-note")).toBe("not trained yet");
      await press(page, "step");
      await says(page, "right-note", /^step 10\b/);
      await state(page, "ready");
      expect(batchOf(await files(page, "models", 2))).toBe(256);
      await press(page, "undo");
      await page.waitForFunction(() => (document.getElementById("width") as HTMLSelectElement).value === "16");
      await says(page, "right-note", /^step 10\b/);
    }, script);
  });

  test("files that come in again", async () => {
    await visiting(async (open) => {
      const page = await open(link());
      await trained(page, 10);
      const [, model] = await files(page, "models", 2);
      const [, html] = await files(page, "page", 2);
      const [settings] = await files(page, "settings", 1);
      await trained(page, 20);

      const title = /^right-fdm-1$/;
      for (const file of [model, html]) {
        await drop(page, file?.name ?? "", file?.bytes ?? "");
        await says(page, "left-title", title);
        await says(
          page,
          "notice",
          /^“right-fdm-1” stands on the left as it is, after 10 steps; what was there comes back by Unpin\./,
        );
        await says(page, "left-note", /^step 10\b/);
        await says(page, "figures", /Negative log-likelihood, nats\d/);
        expect(stepOf(await text(page, "right-note"))).toBe(20);
        if (file === html) break;
        await press(page, "unpin");
        await says(page, "left-note", /^step 20\b/);
      }
      await stored(page, 1, 10);
      await page.reload();
      await says(page, "left-title", title);
      await state(page, "ready");

      // PyTorch's weights say no activation.
      await drop(page, "weights.safetensors", torchWeights());
      await says(
        page,
        "notice",
        /^weights\.safetensors holds weights alone\. Which activation were they trained with\?/,
      );
      await page.select("#notice select", "tanh");
      await page.$$eval("#notice button", (buttons) => (buttons[0] as HTMLElement).click());
      await says(page, "left-title", /^weights$/);

      for (const [name, bytes, words] of [
        ["cut.safetensors", model?.bytes.subarray(0, 100) ?? "", /^cut\.safetensors/],
        ["a.pt", "PK\u0003\u0004", /^a\.pt is a ZIP archive.*can be opened here\.$/],
        ["s.json", '{"kind":"divflow settings","run":{}}', /^This file holds no settings of this page\.$/],
        ["big.csv", new Uint8Array(21 * 2 ** 20), /^big\.csv has 21 MB; 20 MB at most are read here\.$/],
      ] as const) {
        await drop(page, name, bytes);
        await says(page, "status", words);
        expect(stepOf(await text(page, "right-note"))).toBe(20);
        expect(await text(page, "left-title")).toBe("weights");
      }

      await page.select("#width", "32");
      await says(page, "right-note", /^not trained yet$/);
      await state(page, "ready");
      await drop(page, settings?.name ?? "", settings?.bytes ?? "");
      await page.waitForFunction(() => (document.getElementById("width") as HTMLSelectElement).value === "16");
      await state(page, "ready");
      await press(page, "undo");
      await says(page, "right-note", /^step 20\b/);
    });
  });
});

/** In the page: damages what is stored of the one visit there is. */
function damage(what: "form" | "model"): Promise<void> {
  return new Promise((resolve) => {
    const request = indexedDB.open("divflow /");
    request.onsuccess = () => {
      const store = request.result.transaction("visits", "readwrite").objectStore("visits");
      store.transaction.oncomplete = () => {
        request.result.close();
        resolve();
      };
      store.openCursor().onsuccess = ({ target }) => {
        const cursor = (target as IDBRequest<IDBCursorWithValue | null>).result;
        if (!cursor) return;
        const { key, value } = cursor;
        const part = (key as string[])[1];
        if (part === "settings" && what === "form") value.form = 0;
        if (part === "now" && what === "model") value.models.entrants.left.bytes.fill(7, 20, 60);
        cursor.update(value);
        cursor.continue();
      };
    };
  });
}

/** Until a visit is stored at this time of the flow, with its left model at this step. */
async function stored(page: Page, t: number, step: number): Promise<void> {
  const isStored = (time: number, left: number) =>
    new Promise<boolean>((resolve) => {
      const request = indexedDB.open("divflow /");
      request.onsuccess = () => {
        const all = request.result.transaction("visits").objectStore("visits").getAll();
        all.onsuccess = () => {
          request.result.close();
          resolve(all.result.some((one) => one?.view?.look.t === time && one.view.shown.left.step === left));
        };
      };
    });
  await page.waitForFunction(isStored, { timeout: 30_000, polling: 200 }, t, step);
}

/** What the page's worker finds of memory from now on. */
async function memory(page: Page, data: "short" | "full" | "enough"): Promise<void> {
  await page.evaluate((words) => new BroadcastChannel("memory").postMessage(words), data);
}

/** The batches that both trainers' files say; NaN where they differ. */
function batchOf(models: Awaited<ReturnType<typeof files>>): number {
  const [left, right] = models.map(({ bytes }) =>
    Number(/\\"batchSize\\":(\d+)/.exec(new TextDecoder("latin1").decode(bytes.subarray(8, 8192)))?.[1]),
  );
  return left !== undefined && left === right ? left : Number.NaN;
}

/** Until no tab of the page is left; beside it one that is of the same origin. */
async function free(beside: Page): Promise<void> {
  const isFree = async () => (await navigator.locks.query()).held?.length === 0;
  await beside.waitForFunction(isFree, { timeout: 30_000, polling: 100 });
}

/** Until both models at this step would be there after a reload. */
async function kept(page: Page, step: number): Promise<void> {
  await page.waitForFunction((wanted) => document.body.dataset["kept"] === wanted, { timeout: 60_000 }, String(step));
}

async function says(page: Page, id: string, words: RegExp): Promise<void> {
  const holds = (name: string, source: string) =>
    new RegExp(source).test(document.getElementById(name)?.textContent ?? "");
  await page.waitForFunction(holds, { timeout: 60_000 }, id, words.source).catch(async (error) => {
    throw new Error(`#${id} says "${await text(page, id)}", not ${words}`, { cause: error });
  });
}

const text = (page: Page, id: string) => page.$eval(`#${id}`, (element) => element.textContent ?? "");

const stepOf = (note: string) => Number(/step ([\d,]+)/.exec(note)?.[1]?.replaceAll(",", ""));
