/** The built package as users import it: in Node, in Deno, from a plain module script, and in a bundled web app. */
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, normalize, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundle } from "../../.build/bundle.mjs";
import { cache, root } from "../../.build/files.mjs";
import { launchBrowser } from "../../.build/platforms/browser.mjs";
import { commandFor, platforms } from "../../.build/platforms/run.mjs";
import { serve, shared } from "../../.build/platforms/server.mjs";
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

/** What it gives in a worker, beside what it gives without one. */
const inWorker = `
  import { createRuntime } from "./index.js";
  const numbers = async (worker) => {
    const runtime = await createRuntime({ backend: "wasm", worker });
    const { checkerboard, condOT, createTrainer, fdm, mlp } = await import("./index.js");
    const trainer = await createTrainer(runtime, {
      network: mlp({ dimension: 2, hidden: [16, 16] }), path: condOT(), loss: fdm(), data: checkerboard(), batchSize: 32,
    });
    const losses = [];
    for await (const { loss } of trainer.run({ steps: 10, progressEvery: 1 })) losses.push(loss);
    const { values } = await trainer.model.sample({ count: 8, logDensity: true });
    return { runtime, losses, values: [...values] };
  };
  const inWorker = await numbers(true);
  const own = await numbers(false);
  const gone = await createRuntime({ backend: "wasm", worker: true });
  const waiting = gone.memory();
  gone.dispose();
  console.log(JSON.stringify({
    worker: inWorker.losses.length,
    same: JSON.stringify([inWorker.losses, inWorker.values]) === JSON.stringify([own.losses, own.values]),
    disposed: await waiting.catch((error) => error.name),
    unknown: await createRuntime({ backend: "cuda", worker: true }).catch((error) => error.name),
  }));
`;
const result = { step: 5, samples: 16, finite: true, ownThread: false };

const folder = join(cache, `package-${randomUUID()}`);
const skipped = skippedRuntimes();

beforeAll(async () => {
  await mkdir(folder, { recursive: true });
  await bundle(relative(root, folder));
  const { type, sideEffects } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const ours = sideEffects.map((path: string) => path.replace("./dist/", "./"));
  await writeFile(join(folder, "package.json"), JSON.stringify({ type, sideEffects: ours }));
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

for (const platform of ["node-wasm", "deno-webgpu"] as const) {
  const { runtime } = platforms[platform];
  test.skipIf(skipped.includes(runtime))(`${runtime}: a worker that is asked for gives the same bits`, async () => {
    const { command, parameters, environment } = await commandFor(platform);
    await writeFile(join(folder, "worker-user.js"), inWorker);
    // Neither run is disposed of in the end: an engine that has nothing to do keeps no program alive.
    const { stdout } = await promisify(execFile)(command, [...parameters, join(folder, "worker-user.js")], {
      env: { ...process.env, ...environment },
      timeout: 60_000,
    });
    expect(JSON.parse(stdout)).toEqual({ worker: 10, same: true, disposed: "DisposedError", unknown: "ConfigError" });
  });
}

test.each(["", "min"])("what is built in dist/%s holds each module once", async (part) => {
  const files = await readdir(join(folder, part));
  const maps = files.filter((file) => file.endsWith(".js.map") && !/^(cli|worker.*)\.js/.test(file));
  const sources = await Promise.all(
    maps.map(async (file) => JSON.parse(await readFile(join(folder, part, file), "utf8")).sources as string[]),
  );
  const modules = sources.flat().map((source) => source.replace(/^(\.\.\/)+/, ""));
  expect(modules.length).toBeGreaterThan(100);
  expect(modules.filter((module, i) => modules.indexOf(module) !== i)).toEqual([]);
});

/** What src/min.ts leaves out though src/data.ts has it not: the compiler says so at once. */
type Missing = Exclude<
  keyof typeof import("../../src/index.ts"),
  keyof typeof import("../../src/min.ts") | keyof typeof import("../../src/data.ts")
>;

test("dist/min/ offers what dist/ does, files of points apart", async () => {
  const nothingIsMissing: [Missing] extends [never] ? true : Missing = true;
  expect(nothingIsMissing).toBe(true);
  const names = async (path: string) => Object.keys(await import(/* @vite-ignore */ join(folder, path)));
  const entries = [
    "index",
    "data",
    "networks",
    "flows",
    "diagnostics",
    "dynamics",
    "likelihoods",
    "letters",
    "posterior",
    "html",
  ];
  const namesIn = (at: string) => Promise.all(entries.map((name) => names(`${at}${name}.js`)));
  const [[index, data, networks, ...others], [page, ...pages]] = await Promise.all([namesIn(""), namesIn("min/")]);
  expect(pages.map((one) => one.sort())).toEqual([data, networks, ...others].map((one) => one.sort()));
  for (const one of others) expect(index.filter((name) => one.includes(name))).toEqual([]);
  expect([...new Set([...page, ...index.filter((name) => data.includes(name))])].sort()).toEqual(index.sort());
  expect(index.filter((name) => networks.includes(name)).sort()).toEqual(["classes", "mlp", "numbers"]);
  expect(page.filter((name) => data.includes(name) && !name.endsWith("Error"))).toEqual([]);
});

test("a page that trains an MLP loads what the limit of its size counts, and nothing else", async () => {
  const loaded = join(root, "test", "platforms", "page-files.mjs");
  const index = pathToFileURL(join(folder, "min", "index.js")).href;
  const { stderr } = await promisify(execFile)(process.execPath, [loaded, index], { timeout: 60_000 });
  const nameOf = (file: string) => file.replace(/-[\w-]{8}(?=\.js$)/, "").replace("plain", "relaxed"); // either build
  const files = stderr.split("\n").filter((line) => line.endsWith(".js"));
  const limits: { name: string; path: string[] }[] = JSON.parse(await readFile(join(root, ".size-limit.json"), "utf8"));
  const counted = limits
    .find(({ name }) => name === "the same on WASM")!
    .path.flatMap((path) => {
      const [, names = ""] = /^dist\/min\/\{([^}]+)\}/.exec(path) ?? [];
      return names.split(",").map((name) => `${name}.js`);
    })
    .filter((name) => name !== "worker-wasm.js"); // Node has no worker that it is not asked for
  const ofNode = ["write-file.js"];
  expect([...new Set(files.map(nameOf))].filter((name) => !ofNode.includes(name)).sort()).toEqual(counted.sort());
});

test.each(["worker.js", "worker-webgpu.js", "worker-wasm.js"])(
  "%s is one file and starts none of its kind",
  async (name) => {
    const text = await readFile(join(folder, name), "utf8");
    expect(text).not.toMatch(/\bimport\b\s*[\w({"'.*]/);
  },
);

test("what Node runs is readable: no line of code is long", async () => {
  const files = (await readdir(folder)).filter((file) => /^(?!worker|cli).*\.js$/.test(file));
  const lines = await Promise.all(files.map(async (file) => (await readFile(join(folder, file), "utf8")).split("\n")));
  // A shader and the WebAssembly are one string on one line, names that cross between files one list.
  const long = lines
    .flat()
    .filter((line) => line.length > 500 && !/^\s*([\w" -]*(= \{ ["\w-]+)?[:=] ?["'`]|(im|ex)port )/.test(line));
  expect(long.map((line) => line.slice(0, 100))).toEqual([]);
});

describe("a bundler leaves out what an app does not use", () => {
  /** Bytes, gzipped, of what esbuild makes of a program, but for what is imported on demand. */
  async function size(contents: string, splitting: boolean): Promise<number> {
    const { outputFiles, metafile } = await build({
      stdin: { contents, resolveDir: folder },
      alias: {
        divflow: join(folder, "index.js"),
        "divflow/data": join(folder, "data.js"),
        "divflow/networks": join(folder, "networks.js"),
        "divflow/diagnostics": join(folder, "diagnostics.js"),
        "divflow/flows": join(folder, "flows.js"),
        "divflow/dynamics": join(folder, "dynamics.js"),
        "divflow/likelihoods": join(folder, "likelihoods.js"),
        "divflow/letters": join(folder, "letters.js"),
        "divflow/posterior": join(folder, "posterior.js"),
      },
      ...{ bundle: true, minify: true, splitting, format: "esm", metafile: true, write: false, outdir: "out" },
    });
    const outputs = Object.entries(metafile.outputs);
    const entry = outputs.find(([, { entryPoint }]) => entryPoint === "<stdin>")![0];
    const wanted = new Set([entry]);
    for (const path of wanted) {
      for (const { kind, path: next } of metafile.outputs[path].imports)
        if (kind === "import-statement") wanted.add(next);
    }
    return outputFiles
      .filter(({ path }) => wanted.has(relative(process.cwd(), path)))
      .reduce((sum, { contents: bytes }) => sum + gzipSync(bytes, { level: 9 }).length, 0);
  }

  test.each([
    // With chunks esbuild keeps what modules that it leaves out would import on demand.
    { what: "readCsv", program: 'export { readCsv } from "divflow";', chunks: false, kilobytes: 8 },
    {
      what: "readCsv of divflow/data",
      program: 'export { readCsv } from "divflow/data";',
      chunks: false,
      kilobytes: 8,
    },
    {
      what: "assignment of divflow/diagnostics",
      program: 'export { assignment } from "divflow/diagnostics";',
      chunks: false,
      kilobytes: 10, // 3 of them its vectors, with those of plans
    },
    { what: "the page's part of an app that trains", program, chunks: true, kilobytes: 45.8 },
    {
      what: "a network and its layers",
      program: 'export { unet1d } from "divflow/networks";',
      // esbuild keeps a page's side of the worker with it, whose classes have computed names; other bundlers do not.
      chunks: true,
      kilobytes: 75.9,
    },
  ])("$what", async ({ program: contents, chunks, kilobytes }) => {
    const bytes = await size(contents, chunks);
    expect(bytes / 1000).toBeGreaterThan(kilobytes / 3);
    expect(bytes / 1000).toBeLessThan(kilobytes);
  });
});

describe.skipIf(skipped.includes("chromium"))("a page", () => {
  test.each([
    // The library finds its worker beside itself, or where the page says, or does without and says so.
    { kind: "a plain module script", script: "user.js", workers: 1 },
    { kind: "a plain module script, minified", script: "min-user.js", workers: 1 },
    { kind: "a module of another origin", script: "other-origin.js", workers: 1 },
    { kind: "an app bundled by esbuild, with the worker's address", script: "app.js", workers: 1 },
    { kind: "an app bundled by esbuild, without its worker", script: "alone.js", workers: 0 },
    { kind: "an app bundled by esbuild in chunks, without it", script: "chunks.js", workers: 0 },
  ])("$kind", async ({ script, workers }) => {
    const served = join(folder, script.slice(0, -3));
    await mkdir(served, { recursive: true });
    const requests: string[] = [];
    const other = await serve((path) => contents(folder, path), { headers: shared });
    const bundled = ["app.js", "alone.js", "chunks.js"].includes(script);
    if (bundled) await bundleApp(served, script);
    else await writeFile(join(served, script), program.replace('"divflow"', JSON.stringify(addressFor(script, other))));
    const places = bundled && script !== "app.js" ? [served] : [served, folder];
    const server = await serve(async (path) => {
      requests.push(path);
      if (path === "/index.html") {
        return `<!doctype html><script type="module">
          import { main } from "./${script}";
          Promise.all([main(), main()]).then(([text]) => { document.title = text; }, (error) => { document.title = String(error); });
        </script>`;
      }
      for (const place of places) {
        const file = await contents(place, path);
        if (file) return file;
      }
      return undefined;
    });
    const browser = await launchBrowser();
    try {
      const page = await browser.newPage();
      const warnings: string[] = [];
      page.on("console", (message) => {
        if (message.type() === "warn") warnings.push(message.text());
      });
      let loaded = 0;
      page.on("workercreated", () => loaded++);
      page.on("response", (response) => {
        if (/\/worker.*\.js$/.test(response.url()) && !response.ok()) loaded--;
      });
      await page.goto(server.url);
      await page.waitForFunction(() => document.title !== "", { timeout: 60_000 });
      expect(await page.title()).toBe(JSON.stringify({ ...result, ownThread: workers === 0 }));
      expect(loaded).toBe(2 * workers);
      expect(requests.filter((path) => /webgpu|reference|load|open-case|run-programs|sent/.test(path))).toEqual([]);
      if (script.startsWith("min-"))
        expect(
          requests.filter((path) =>
            /networks|diagnostics|transport|dynamics|likelihoods|letters|posterior|more-/.test(path),
          ),
        ).toEqual([]);
      if (script === "user.js") expect(requests.filter((path) => /engine|wasm-/.test(path))).toEqual([]);
      expect(warnings).toHaveLength(workers === 0 ? 1 : 0);
      if (workers === 0) expect(warnings[0]).toMatch(/divflow.*could not be loaded.*dist\/worker\.js/s);
    } finally {
      await browser.close();
      await server.close();
      await other.close();
    }
  });

  const addressFor = (script: string, other: { readonly url: string }) =>
    script === "user.js" ? "/index.js" : `${script === "min-user.js" ? "/" : other.url}min/index.js`;

  const contents = (place: string, path: string) => readFile(join(place, normalize(path))).catch(() => undefined);

  async function bundleApp(outdir: string, script: string): Promise<void> {
    const worker = 'backend: "wasm", worker: "./worker.js"';
    const text = script === "app.js" ? program.replace('backend: "wasm"', worker) : program;
    await build({
      stdin: { contents: text, resolveDir: folder },
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
