import type { Page } from "puppeteer";
import { describe, expect, test } from "vitest";
import { skippedRuntimes } from "../../.build/runtimes.mjs";
import { linkOf, runOf } from "../../demo/share/link.ts";
import { defaultRun, type SharedRun } from "../../demo/share/run.ts";
import { readNpz } from "../../src/data.ts";
import { createRuntime, load } from "../../src/index.ts";
import { files, keepFiles, press, state } from "./saved-files.ts";
import { useDemo } from "./use-demo.ts";

const small: SharedRun = {
  ...defaultRun,
  data: { kind: "ink", title: "your drawing", points: [-1, 0.5, 1, -0.25], deviation: 0.25 },
  ...{ width: 16, layers: 2, seed: 77, backend: "wasm" },
  weights: { left: 0.03, right: 1 },
  sampler: { solver: "heun", steps: 4, tolerance: 1e-4 },
  view: { t: 0.37, map: "difference", overlays: ["data", "arrows"], axis: "seconds" },
};

describe.skipIf(skippedRuntimes().includes("chromium"))("a visitor", () => {
  const demo = useDemo("take");

  async function visited(hash: string): Promise<{ page: Page; complaints: string[] }> {
    const page = await demo.browser.newPage();
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(String(error)));
    await page.evaluateOnNewDocument(keepFiles);
    await page.goto(`${demo.server.url}${hash}`);
    await state(page, "ready");
    return { page, complaints };
  }

  test("brings a link, whose run the page has, and takes the same link", async () => {
    const { page, complaints } = await visited(linkOf(small).hash);
    const value = (id: string) => page.$eval(`#${id}`, (control) => (control as HTMLInputElement).value);
    expect(await Promise.all(["width", "layers", "seed", "backend", "solver", "solver-steps"].map(value))).toEqual([
      ...["16", "2", "77", "wasm", "heun", "4"],
    ]);
    expect(await page.$eval("#left-title, #left-weight-value", (one) => one.textContent)).toMatch(/0\.03/);
    await page.evaluate(() => history.replaceState(null, "", "#"));
    await press(page, "take-link");
    await page.waitForFunction(() => location.hash.length > 1);
    expect(runOf(await page.evaluate(() => location.hash)).run).toEqual(small);
    expect(await text(page)).toMatch(/^The link is/);
    expect(complaints).toEqual([]);
    await page.close();
  });

  test("brings a link of models by class, which samples the class that it says as strongly", async () => {
    const { view, ...rest } = small;
    const data = { kind: "named", name: "moons" } as const;
    const run: SharedRun = { ...rest, data, byClass: true, sampler: { ...small.sampler, label: 1, guidance: 2.5 } };
    const { page, complaints } = await visited(linkOf(run).hash);
    await press(page, "step");
    await page.waitForFunction(
      () => /^FDM 0\.03: \d+\.\d % of .*class/.test(document.getElementById("class-words")?.textContent ?? ""),
      { timeout: 60_000 },
    );
    const isChosen = await page.$eval('[name="class"][value="1"]', (radio) => (radio as HTMLInputElement).checked);
    expect([isChosen, await page.$eval("#guidance-value", (one) => one.textContent)]).toEqual([true, "2.5"]);
    await press(page, "take-link");
    await page.waitForFunction((hash) => location.hash !== hash, {}, linkOf(run).hash);
    const usual = { t: 1, map: "density", overlays: ["particles"], axis: "step" };
    expect(runOf(await page.evaluate(() => location.hash)).run).toEqual({ ...run, view: usual });
    expect(complaints).toEqual([]);
    await page.close();
  });

  test.each([
    ["damaged", `${linkOf(small).hash.slice(0, -4)}`, /damaged or cut short.*usual settings/],
    ["of what no control offers", linkOf({ ...small, width: 48 }).hash, /layers 48 wide.*does not offer/],
  ])("brings a link that is %s, and is told", async (_, hash, words) => {
    const { page } = await visited(hash);
    await page.waitForFunction(
      (part) => document.getElementById("status")?.textContent?.includes(part),
      {},
      "This link",
    );
    expect(await page.$eval("#status", (one) => one.textContent)).toMatch(words);
    expect(await page.$eval("#width", (one) => (one as HTMLInputElement).value)).toBe("64");
    await page.close();
  });

  test("takes models, pages, samples, pictures, the program and the settings", { timeout: 180_000 }, async () => {
    const { page, complaints } = await visited(linkOf(small).hash);
    await press(page, "take-models");
    await page.waitForFunction(() => /train a little/.test(document.getElementById("take-status")?.textContent ?? ""));
    await press(page, "step");
    await page.waitForFunction(() => /step 10/.test(document.getElementById("right-note")?.textContent ?? ""));
    await state(page, "ready");

    const [left, right] = await files(page, "models", 2);
    expect([left?.name, right?.name]).toEqual(["left-fdm-0.03.safetensors", "right-fdm-1.safetensors"]);
    using runtime = await createRuntime({ backend: "wasm" });
    for (const file of [left, right]) expect((await load(runtime, file?.bytes as Uint8Array)).step).toBe(10);

    const pages = await files(page, "page", 2);
    expect(pages.map(({ name }) => name)).toEqual(["left-fdm-0.03.html", "right-fdm-1.html"]);
    expect(new TextDecoder().decode(pages[1]?.bytes)).toMatch(/^<!doctype html>[\s\S]*<title>FDM 1, 10 steps<\/title>/);

    const [samples] = await files(page, "samples", 1);
    const arrays = await readNpz(samples?.bytes as Uint8Array);
    expect([...arrays.keys()]).toEqual(["left", "right"]);
    expect(arrays.get("left")?.shape[1]).toBe(2);

    const [picture] = await files(page, "picture", 1);
    expect([...(picture?.bytes.subarray(1, 4) ?? [])]).toEqual([...new TextEncoder().encode("PNG")]);
    const [film] = await files(page, "film", 1);
    expect(new TextDecoder().decode(film?.bytes.subarray(0, 6))).toBe("GIF89a");
    const shown = [...(film?.bytes ?? [])].filter(
      (byte, i, all) => byte === 0x21 && all[i + 1] === 0xf9 && all[i + 2] === 4,
    );
    expect(shown.length).toBeGreaterThanOrEqual(31);

    const [settings] = await files(page, "settings", 1);
    expect(JSON.parse(new TextDecoder().decode(settings?.bytes)).run).toMatchObject({
      seed: 77,
      weights: small.weights,
    });
    await page.evaluate(() => {
      navigator.clipboard.writeText = () => Promise.reject(new Error("no"));
    });
    const [program] = await files(page, "code", 1);
    expect(program?.name).toBe("run.ts");
    expect(new TextDecoder().decode(program?.bytes)).toMatch(
      /hidden: \[16,16\].*\n[\s\S]*trainer\.run\(\{ steps: 1000,/,
    );
    expect(complaints).toEqual([]);
    await page.close();
  });
});

const text = (page: Page) => page.$eval("#take-status", (one) => one.textContent ?? "");
