/** The built package as users import it: in Node, in Deno, from a plain module script, and in a bundled web app. */
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundle } from "../../.build/bundle.mjs";
import { cache, root } from "../../.build/files.mjs";
import { launchBrowser } from "../../.build/platforms/browser.mjs";
import { commandFor, platforms } from "../../.build/platforms/run.mjs";
import { serve } from "../../.build/platforms/server.mjs";
import { skippedRuntimes } from "../../.build/runtimes.mjs";

/** A user's whole program. */
const program = `
  import { adam, checkerboard, condOT, createRuntime, createTrainer, fdm, mlp } from "divflow";
  export async function main() {
    const runtime = await createRuntime({ backend: "wasm" });
    const trainer = await createTrainer(runtime, {
      network: mlp({ dimension: 2, hidden: [16, 16], activation: "silu" }),
      path: condOT(), loss: fdm({ divergence: 0.1 }), optimizer: adam({ learningRate: 1e-3 }),
      data: checkerboard(), batchSize: 32, seed: 1,
    });
    let step = 0;
    for await (const progress of trainer.run({ steps: 5 })) step = progress.step;
    const { values } = await trainer.model.sample({ count: 8 });
    runtime.dispose();
    const ownThread = runtime.reason.includes("page's own thread");
    return JSON.stringify({ step, samples: values.length, finite: values.every(Number.isFinite), ownThread });
  }
`;
const result = { step: 5, samples: 16, finite: true, ownThread: false };

const folder = join(cache, `package-${randomUUID()}`);
const skipped = skippedRuntimes();

beforeAll(async () => {
  await mkdir(folder, { recursive: true });
  await bundle(relative(root, folder));
  await writeFile(join(folder, "package.json"), '{ "type": "module" }');
  const direct = program.replace('"divflow"', '"./index.js"');
  await writeFile(join(folder, "user.js"), direct);
  await writeFile(join(folder, "print.js"), 'import { main } from "./user.js"; console.log(await main());');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

for (const platform of ["node-wasm", "deno-webgpu"] as const) {
  const { runtime } = platforms[platform];
  test.skipIf(skipped.includes(runtime))(`${runtime} imports the built file`, async () => {
    const { command, parameters, environment } = await commandFor(platform);
    const { stdout } = await promisify(execFile)(command, [...parameters, join(folder, "print.js")], {
      env: { ...process.env, ...environment },
      timeout: 60_000,
    });
    expect(JSON.parse(stdout)).toEqual(result);
  });
}

test("what is built holds each module once", async () => {
  const files = await readdir(folder, { recursive: true });
  const maps = files.filter((file) => file.endsWith(".js.map") && file !== "cli.js.map");
  const sources = await Promise.all(
    maps.map(async (file) => JSON.parse(await readFile(join(folder, file), "utf8")).sources as string[]),
  );
  const modules = sources.flat().map((source) => source.replace(/^(\.\.\/)+/, ""));
  expect(modules.length).toBeGreaterThan(100);
  expect(modules.filter((module, i) => modules.indexOf(module) !== i)).toEqual([]);
});

describe.skipIf(skipped.includes("chromium"))("a page", () => {
  test.each([
    // The library finds its worker beside itself, or where the page says, or does without and says so.
    { kind: "a plain module script", script: "user.js", workers: 1, ownThread: false },
    { kind: "an app bundled by esbuild, with the worker's address", script: "app.js", workers: 1, ownThread: false },
    { kind: "an app bundled by esbuild, without its worker", script: "alone.js", workers: 0, ownThread: true },
    { kind: "an app bundled by esbuild in chunks, without it", script: "chunks.js", workers: 0, ownThread: true },
  ])("$kind", async ({ script, workers, ownThread }) => {
    const served = join(folder, script.slice(0, -3));
    await mkdir(served, { recursive: true });
    if (script !== "user.js") await bundleApp(served, script);
    const places = script === "user.js" ? [folder] : script === "app.js" ? [served, folder] : [served];
    const requests: string[] = [];
    const server = await serve(async (path) => {
      requests.push(path);
      if (path === "/index.html") {
        return `<!doctype html><script type="module">
          import { main } from "./${script}";
          main().then((text) => { document.title = text; }, (error) => { document.title = String(error); });
        </script>`;
      }
      for (const place of places) {
        const file = await readFile(join(place, basename(path))).catch(() => undefined);
        if (file) return file;
      }
      return undefined;
    });
    const browser = await launchBrowser();
    try {
      const page = await browser.newPage();
      let loaded = 0;
      page.on("workercreated", () => loaded++);
      page.on("response", (response) => {
        if (response.url().endsWith("/worker.js") && !response.ok()) loaded--;
      });
      await page.goto(server.url);
      await page.waitForFunction(() => document.title !== "", { timeout: 60_000 });
      expect(await page.title()).toBe(JSON.stringify({ ...result, ownThread }));
      expect(loaded).toBe(workers);
      expect(requests.filter((path) => /webgpu|reference|load|golden-case/.test(path))).toEqual([]);
    } finally {
      await browser.close();
      await server.close();
    }
  });

  async function bundleApp(outdir: string, script: string): Promise<void> {
    const worker = 'backend: "wasm", worker: "./worker.js"';
    const contents = script === "app.js" ? program.replace('backend: "wasm"', worker) : program;
    await build({
      stdin: { contents, resolveDir: folder },
      alias: { divflow: join(folder, "index.js") },
      outdir,
      entryNames: script.slice(0, -3),
      bundle: true,
      splitting: script === "chunks.js",
      minify: true,
      format: "esm",
      logLevel: "silent",
    });
  }
});
