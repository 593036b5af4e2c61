// The JavaScript of docs/diagnostics.md: as it stands there, one snippet after the other, in a program of its own.
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { cache, root } from "../../.build/files.mjs";
import * as diagnostics from "../../src/diagnostics.ts";

const page = () => readFile(join(root, "docs/diagnostics.md"), "utf8");

test("its snippets run, and print what it says", { timeout: 120_000 }, async () => {
  const snippets = [...(await page()).matchAll(/^```js\n([\s\S]*?)^```/gm)].map(([, code]) => code ?? "");
  expect(snippets).toHaveLength(3);
  const folder = join(cache, `diagnostics-${randomUUID()}`);
  await mkdir(folder, { recursive: true });
  try {
    const asserted = `
      console.log(JSON.stringify({ distance, floor, pValue, energy: energy.pValue, accuracy, standardError, error: sliced.standardError,
        sliced: sliced.distance, ends: [...rank.chiSquare.counts], within: [rank.isWithin, curve.isWithin],
        halves: intervalCoverage(truths, draws)[0].coverage[0], best: Math.sqrt(cost / 300), plan: plan.cost, columns: new Set(pairs.columns).size }));`;
    await build({
      stdin: { contents: `${snippets.join("\n")}\n${asserted}`, resolveDir: root },
      alias: { "divflow/diagnostics": join(root, "src", "diagnostics.ts") },
      ...{ bundle: true, format: "esm", platform: "node", outfile: join(folder, "page.mjs"), logLevel: "warning" },
    });
    const { stdout } = await promisify(execFile)(process.execPath, ["page.mjs"], { cwd: folder, timeout: 100_000 });
    const found = JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
    expect(found.distance).toBeGreaterThan(1.5 * found.floor);
    expect(found.best).toBeCloseTo(found.floor, 12);
    expect(Math.abs(found.sliced - 0.3 / Math.SQRT2)).toBeLessThan(0.06 + 4 * found.error);
    expect(Math.max(found.pValue, found.energy)).toBeLessThan(0.02);
    expect(found.accuracy).toBeGreaterThan(0.5 + 2 * found.standardError);
    expect(Math.min(found.ends[0], found.ends.at(-1))).toBeGreaterThan(
      1.5 * found.ends[Math.floor(found.ends.length / 2)],
    );
    expect(found.within).toEqual([false, false]);
    expect(found.halves).toBeLessThan(0.4);
    expect(found.plan).toBeGreaterThan(found.floor ** 2);
    expect(found.columns).toBe(300);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("it names every function of the entry", async () => {
  const text = await page();
  const functions = Object.keys(diagnostics).filter((name) => name !== "squaredDistances");
  expect(functions.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
});
