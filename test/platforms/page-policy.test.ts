/**
 * Pages that forbid, lack or never get something: what the strictest Content-Security-Policy that works holds, and what
 * users are told where there is less. Each gets a runtime that trains, with a sentence, or an error of one sentence.
 */
import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import type { Browser } from "puppeteer";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundle } from "../../.build/bundle.mjs";
import { cache, root } from "../../.build/files.mjs";
import { launchBrowser } from "../../.build/platforms/browser.mjs";
import { serve } from "../../.build/platforms/server.mjs";
import { skippedRuntimes } from "../../.build/runtimes.mjs";

/** Trains a little by each of these options in turn; the title says on what, and why, or the error. */
const program = (runtimes: readonly string[]) => `
  import { checkerboard, condOT, createRuntime, createTrainer, fdm, mlp } from "./index.js";
  const said = [];
  for (const options of [${runtimes}]) {
    try {
      const runtime = await createRuntime(options);
      const network = mlp({ dimension: 2, hidden: [8], activation: "silu" });
      const data = checkerboard();
      const trainer = await createTrainer(runtime, { network, path: condOT(), loss: fdm(), data, batchSize: 32 });
      for await (const { step } of trainer.run({ steps: 3 })) if (step !== 3) throw new Error("step " + step);
      said.push(runtime.device + ". " + runtime.reason);
      runtime.dispose();
    } catch ({ name, message }) {
      said.push(name + ": " + message);
    }
  }
  document.title = JSON.stringify(said);
`;

const isolation = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};
const wasm = `{ backend: "wasm", threads: 2 }`;
const tuned = `{ backend: "webgpu", worker: false, tune: true }`;
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

  interface Circumstances {
    readonly headers?: Record<string, string>;
    /** Of each runtime. */
    readonly options?: readonly string[];
    /** What the page runs before all else. */
    readonly before?: string;
    /** Files that there are, or that are others: by name a text, null for none, or the promise of one. */
    readonly files?: Readonly<Record<string, string | null | Promise<string>>>;
  }

  /** What a user's program says of each runtime on such a page. */
  async function allSaid({ headers = isolation, options = [wasm], before = "", files = {} }: Circumstances) {
    const page = '<!doctype html><script src="before.js"></script><script type="module" src="user.js"></script>';
    const own = { "index.html": page, "before.js": before, "user.js": program(options), ...files };
    const server = await serve(
      async (path) => {
        const name = basename(path);
        const text = await own[name as keyof typeof own];
        return text === null ? undefined : (text ?? readFile(join(folder, name)).catch(() => undefined));
      },
      { headers },
    );
    const tab = await browser.newPage();
    try {
      await tab.goto(server.url);
      await tab.waitForFunction("document.title !== ''", { timeout: 60_000 });
      return JSON.parse(await tab.title()) as string[];
    } finally {
      await tab.close();
      await server.close();
    }
  }

  async function said(circumstances: Circumstances): Promise<string> {
    return (await allSaid(circumstances))[0] as string;
  }

  const under = (policy: string) => ({ ...isolation, "Content-Security-Policy": policy });

  test("has WebAssembly, threads and the worker under the strictest policy", async () => {
    expect(await said({ headers: under(strictest) })).toMatch(/^WebAssembly, .* 2 threads\. WebAssembly, as asked\.$/);
  });

  test("without 'wasm-unsafe-eval' is told of it, and has WebGPU, on a software adapter too, unless it wants the other", async () => {
    const [asked, auto, own, alone] = await allSaid({
      headers: under(strictest.replace(" 'wasm-unsafe-eval'", "")),
      options: [wasm, "{}", "{ worker: false }", `{ gpu: { requestAdapter: async () => null } }`],
    });
    expect(asked).toMatch(/^UnsupportedError: .*Content-Security-Policy.*'wasm-unsafe-eval' in its script-src/);
    for (const words of [auto, own]) {
      expect(words).toMatch(/swiftshader.* WebGPU, on .*as WebAssembly is not to be had.*'wasm-unsafe-eval'/);
      expect(words).not.toMatch(/own thread/);
    }
    expect(alone).toMatch(/^UnsupportedError: .*nor is there WebGPU: no adapter.*'wasm-unsafe-eval'/);
  });

  test("without blob: in worker-src has one thread, and is told of it", async () => {
    const words = await said({ headers: under(strictest.replace(" blob:", "")) });
    expect(words).toMatch(/^WebAssembly, .* one thread\. .*One thread, because .*blob: in its worker-src/);
  });

  test("without workers has the engine on its own thread, and is told of it", async () => {
    const words = await said({ headers: under(strictest.replace(/worker-src.*/, "worker-src 'none'")) });
    expect(words).toMatch(
      /^WebAssembly, .* one thread\. .*One thread, because .*blob: in its worker-src.*page's own thread: .*worker-src/,
    );
  });

  test("that lacks what divflow imports on demand is told of it", async () => {
    const backend = (await readdir(folder)).filter((name) => name.startsWith("wasm-"));
    const words = await said({
      headers: { "Content-Security-Policy": "worker-src 'none'" },
      files: Object.fromEntries(backend.map((name) => [name, null])),
    });
    expect(words).toMatch(/^UnsupportedError: .*imported on demand.*Serve all of dist/);
  });

  test("that is not cross-origin isolated has one thread, and is told the headers", async () => {
    const words = await said({ headers: {} });
    expect(words).toMatch(/One thread, because .*Cross-Origin-Opener-Policy.*Cross-Origin-Embedder-Policy/);
  });

  test("whose worker's address holds none has the engine on its own thread, and is told why", async () => {
    const files = {
      "missing.js": null,
      "page.html": "<!doctype html>Not found",
      "mute.js": "export {};",
      "other.js": "postMessage({ kind: 'ready' });",
      "broken.js": "throw new Error('no engine here');",
      "silent.js": new Promise<string>(() => {}),
    };
    const [missing, html, mute, other, broken, silent] = await allSaid({
      options: Object.keys(files).map((file) => `{ backend: "wasm", worker: "/${file}", startSeconds: 2 }`),
      files,
    });
    for (const words of [missing, html]) expect(words).toMatch(/page's own thread: its module could not be loaded/);
    for (const words of [mute, silent]) expect(words).toMatch(/page's own thread: its module has not answered in 2 s/);
    expect(other).toMatch(/page's own thread: its module is not divflow's/);
    expect(broken).toMatch(/page's own thread: .*no engine here/);
  });

  test("whose server does not answer for its worker has the engine on its own thread", async () => {
    const words = await said({
      options: [`{ backend: "wasm", startSeconds: 2 }`],
      files: { "worker-wasm.js": new Promise<string>(() => {}) },
    });
    expect(words).toMatch(/^WebAssembly, .* page's own thread: its module has not answered in 2 s/);
  });

  test("whose requestAdapter never answers has WebAssembly, in a worker, and is told why", async () => {
    const silence = "navigator.gpu.requestAdapter = () => new Promise(() => {});";
    const [here, asked] = await allSaid({
      options: ["{ startSeconds: 2 }", `{ backend: "webgpu", worker: false, startSeconds: 2 }`],
      before: silence,
    });
    expect(here).toMatch(/^WebAssembly, .*no answer to requestAdapter in 2 s\.$/);
    expect(asked).toMatch(/^UnsupportedError: .*no answer to requestAdapter in 2 s/);
    const there = await said({
      options: ["{ startSeconds: 2 }"],
      before: `navigator.gpu.requestAdapter = async () => ({ info: { description: "A GPU of the page alone" } });`,
      files: { "worker-webgpu.js": `${silence}${await readFile(join(folder, "worker-webgpu.js"), "utf8")}` },
    });
    expect(there).toMatch(/^WebAssembly, .*no answer to requestAdapter in 2 s\.$/);
  });

  test.each([
    ["SharedArrayBuffer", `{ backend: "wasm", threads: 2, worker: false }`, /One thread, because .*SharedArrayBuffer/],
    [
      "Worker",
      wasm,
      /One thread, because this platform has no workers\..*page's own thread: this platform has no workers/,
    ],
    ["indexedDB", tuned, /tried anew in each runtime, as there is no place to keep what was found: no IndexedDB\./],
    ["localStorage", wasm, /2 threads\. WebAssembly, as asked\.$/],
    ["caches", wasm, /2 threads\. WebAssembly, as asked\.$/],
  ])("without %s has a runtime, and is told what it is without", async (name, options, words) => {
    // Not there; and there, but refusing whoever looks.
    const gone = `Object.defineProperty(globalThis, "${name}", { value: undefined });`;
    const refused = `{ get() { throw new DOMException("The operation is insecure.", "SecurityError"); } }`;
    expect(await said({ before: gone, options: [options] })).toMatch(words);
    if (!/^[a-z]/.test(name)) return;
    const barred = await said({
      before: `Object.defineProperty(globalThis, "${name}", ${refused});`,
      options: [options],
    });
    expect(barred).toMatch(name === "indexedDB" ? /no place to keep what was found: The operation is insecure/ : words);
  });

  test("of no origin, where all storage and workers refuse, has a runtime, and is told so", async () => {
    const headers = { "Content-Security-Policy": "sandbox allow-scripts", "Access-Control-Allow-Origin": "*" };
    const [auto, onGPU] = await allSaid({ headers, options: ["{ threads: 2 }", tuned] });
    expect(auto).toMatch(/^WebAssembly, .*one thread.*One thread, because .*page's own thread: /);
    expect(onGPU).toMatch(
      /swiftshader.*tried anew in each runtime, as there is no place to keep what was found: .*Indexed Database.*[^.]\.$/i,
    );
  });
});
