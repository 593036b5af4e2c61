/** Pages under a Content-Security-Policy: what the strictest that works holds, and what users are told under a stricter one. */
import { randomUUID } from "node:crypto";
import { mkdir, readFile, rm } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import type { Browser } from "puppeteer";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundle } from "../../.build/bundle.mjs";
import { cache, root } from "../../.build/files.mjs";
import { launchBrowser } from "../../.build/platforms/browser.mjs";
import { serve } from "../../.build/platforms/server.mjs";
import { skippedRuntimes } from "../../.build/runtimes.mjs";

/** Trains a little; the title says on what, and why, or the error. */
const user = `
  import { checkerboard, condOT, createRuntime, createTrainer, fdm, mlp } from "./index.js";
  try {
    const runtime = await createRuntime({ backend: "wasm", threads: 2 });
    const network = mlp({ dimension: 2, hidden: [8], activation: "silu" });
    const data = checkerboard();
    const trainer = await createTrainer(runtime, { network, path: condOT(), loss: fdm(), data, batchSize: 32 });
    for await (const { step } of trainer.run({ steps: 3 })) if (step !== 3) throw new Error("step " + step);
    document.title = runtime.device + ". " + runtime.reason;
    runtime.dispose();
  } catch ({ name, message }) {
    document.title = name + ": " + message;
  }
`;

const isolation = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};
/** As docs/platforms.md has it. */
const strictest = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:";

describe.skipIf(skippedRuntimes().includes("chromium"))("a page", () => {
  const folder = join(cache, `policy-${randomUUID()}`);
  let browser: Browser;

  beforeAll(async () => {
    await mkdir(folder, { recursive: true });
    await bundle(relative(root, folder));
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** What the user's program says on a page served with these headers, worker and all, but not with files named so. */
  async function said(headers: Record<string, string>, missing = /^$/): Promise<string> {
    const server = await serve(
      async (path) => {
        if (path === "/index.html") return '<!doctype html><script type="module" src="user.js"></script>';
        if (path === "/user.js") return user;
        const name = basename(path);
        return missing.test(name) ? undefined : readFile(join(folder, name)).catch(() => undefined);
      },
      { headers },
    );
    const page = await browser.newPage();
    try {
      await page.goto(server.url);
      await page.waitForFunction("document.title !== ''", { timeout: 60_000 });
      return await page.title();
    } finally {
      await page.close();
      await server.close();
    }
  }

  test("has WebAssembly, threads and the worker under the strictest policy", async () => {
    const words = await said({ ...isolation, "Content-Security-Policy": strictest });
    expect(words).toMatch(/^WebAssembly, .* 2 threads\. WebAssembly, as asked\.$/);
  });

  test("without 'wasm-unsafe-eval' is told of it", async () => {
    const policy = strictest.replace(" 'wasm-unsafe-eval'", "");
    const words = await said({ ...isolation, "Content-Security-Policy": policy });
    expect(words).toMatch(/^UnsupportedError: .*Content-Security-Policy.*'wasm-unsafe-eval' in its script-src/);
  });

  test("without blob: in worker-src has one thread, and is told of it", async () => {
    const words = await said({ ...isolation, "Content-Security-Policy": strictest.replace(" blob:", "") });
    expect(words).toMatch(/^WebAssembly, .* one thread\. .*One thread, because .*blob: in its worker-src/);
  });

  test("without workers has the engine on its own thread, and is told of it", async () => {
    const policy = strictest.replace(/worker-src.*/, "worker-src 'none'");
    const words = await said({ ...isolation, "Content-Security-Policy": policy });
    expect(words).toMatch(/^WebAssembly, .* one thread\. .*page's own thread: .*worker-src/);
  });

  test("that lacks what divflow imports on demand is told of it", async () => {
    const policy = { "Content-Security-Policy": "worker-src 'none'" };
    const words = await said({ ...isolation, ...policy }, /^wasm-/);
    expect(words).toMatch(/^UnsupportedError: .*imported on demand.*Serve all of dist/);
  });

  test("that is not cross-origin isolated has one thread, and is told the headers", async () => {
    const words = await said({});
    expect(words).toMatch(/One thread, because .*Cross-Origin-Opener-Policy.*Cross-Origin-Embedder-Policy/);
  });
});
