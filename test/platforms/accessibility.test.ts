/** Reports and the demo by axe-core, and on a phone's width: in light and dark, nothing is cut off. */
import { randomUUID } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "puppeteer";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundle } from "../../.build/bundle.mjs";
import { serveDemo } from "../../.build/demo.mjs";
import { cache, root } from "../../.build/files.mjs";
import { launchBrowser } from "../../.build/platforms/browser.mjs";
import { skippedRuntimes } from "../../.build/runtimes.mjs";
import { tiny, useCli } from "../cli/run.ts";
import { faultsOf } from "./faults.ts";
import { drop, torchWeights } from "./saved-files.ts";

/** 40 rows of `width` columns with long names; the second column is far from 0, the last one constant. */
function rowsOf(width: number): string {
  const names = Array.from({ length: width }, (_, i) => `a_rather_long_name_of_column_${i + 1}`);
  const rows = Array.from({ length: 40 }, (_, row) =>
    names.map((_, i) => {
      const value = Math.sin(1 + row * (i + 1)) * 3;
      if (i === 1) return 1e6 + 1e-3 * value;
      return i > 1 && i === width - 1 ? 7 : value;
    }),
  );
  return [names, ...rows].map((row) => `${row.join(",")}\n`).join("");
}

describe.skipIf(skippedRuntimes().includes("chromium"))("people can read", () => {
  const cli = useCli();
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  const faults = (url: string, ready?: (page: Page) => Promise<unknown>) => faultsOf(browser, url, ready);

  test.each([
    ["a data set by name", "checkerboard", undefined],
    ["rows of one column", "one.csv", 1],
    ["rows of two columns", "two.csv", 2],
    ["rows of ten columns", "ten.csv", 10],
  ])("the report on %s", { timeout: 180_000 }, async (_, data, width) => {
    if (width !== undefined) await writeFile(cli.path(data), rowsOf(width));
    const out = `of-${data}`;
    const compared = await cli.run(["compare", data, ...tiny, "--steps", "20", "--points", "64", "--out", out]);
    expect(compared.errors).not.toMatch(/divflow:/);
    expect(await faults(pathToFileURL(cli.path(out, "report.html")).href)).toEqual([]);
  });

  test.each([
    ["of two losses and one seed", "cfm,fdm", "1"],
    ["of many losses and two seeds", "cfm,fdm,exact,quarter,residual,probes,gaussian", "2"],
  ])("the report on an experiment, %s", { timeout: 180_000 }, async (_, losses, seeds) => {
    const settings = "steps=20,width=8,layers=2,batch=16,points=64,grid=8,solver=4,validations=2";
    const out = `experiment-${seeds}`;
    const given = ["--set", settings, "--losses", losses, "--seeds", seeds, "--backend", "wasm", "--out", out];
    const ended = await cli.run(["experiment", "checkerboard", ...given]);
    expect(ended.code, ended.errors).toBe(0);
    expect(await faults(pathToFileURL(cli.path(out, "report.html")).href)).toEqual([]);
  });

  test("the report on an experiment, with films", { timeout: 180_000 }, async () => {
    const settings = [
      "side=16,given=3,predicted=4,films=24,heldOut=4,coderChannels=8,coderSteps=10,width=8,heads=2,middle=0",
      "steps=10,batch=8,average=5,warmUp=3,solver=1,likelihoods=3,probes=1,components=3",
    ].join(",");
    const given = ["--set", settings, "--backend", "wasm", "--out", "films"];
    const ended = await cli.run(["experiment", "moving-digits", ...given]);
    expect(ended.code, ended.errors).toBe(0);
    expect(await faults(pathToFileURL(cli.path("films", "report.html")).href)).toEqual([]);
  });

  test("the demo", { timeout: 180_000 }, async () => {
    const built = join(cache, `accessible-${randomUUID()}`);
    await mkdir(built, { recursive: true });
    await bundle(relative(root, built));
    const server = await serveDemo({ built: relative(root, built) });
    try {
      const ready = async (page: Page) => {
        await page.waitForSelector('body[data-state="ready"]', { timeout: 60_000 });
        // All that is shown only where it is wanted.
        for (const one of ["#one-step", "#by-class", '[value="eight-gaussians"]'])
          await page.$eval(one, (input) => (input as HTMLInputElement).click());
        await page.waitForSelector("#classes:not([hidden])", { timeout: 60_000 });
        await drop(page, "weights.safetensors", torchWeights()); // the bar that asks for more has all there is in one
        await page.waitForSelector("#notice select", { timeout: 60_000 });
      };
      expect(await faults(server.url, ready)).toEqual([]);
    } finally {
      await server.close();
      await rm(built, { recursive: true, force: true });
    }
  });
});
