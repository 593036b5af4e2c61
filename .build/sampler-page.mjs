/**
 * The page that src/html/export-html.ts puts a model into: one text, with the engine inside as compressed text that a worker
 * begins with, a style and a program, which the page's own policy knows by their hashes and lets nothing else run.
 */
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import { build } from "esbuild";
import { root } from "./files.mjs";

const folder = join(root, "src", "html", "page");

/** Nothing may be fetched from anywhere; blob: is for the worker, whose text is in the page. */
const policy = (/** @type {string} */ script, /** @type {string} */ style) =>
  [
    "default-src 'none'",
    `script-src ${hashOf(script)} 'wasm-unsafe-eval'`,
    `style-src ${hashOf(style)}`,
    "worker-src blob:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");

/**
 * Writes sampler-page.js.
 * @param {string} target - a folder of the checkout.
 */
export async function writeSamplerPage(target) {
  const [page, engine, script, style] = await Promise.all([
    readFile(join(folder, "page.html"), "utf8"),
    bundled("engine.ts"),
    bundled("main.ts"),
    bundled("style.css"),
  ]);
  const text = page
    .replace("{policy}", () => policy(script, style)) // functions: text may hold what replace() has a meaning for
    .replace("/* style */", () => style)
    .replace("/* script */", () => script)
    .replace("{engine}", () => deflateSync(engine, { level: 9, memLevel: 9 }).toString("base64"));
  if (!text.includes(`<script>${script}<`) || !text.includes(`<style>${style}<`))
    throw new Error("page.html has no place of its own.");
  const places = ["{title}", '"the facts"', "{model}"].map((place) => {
    const at = text.indexOf(place);
    if (at < 0) throw new Error(`page.html has no place ${place}.`);
    return { from: at, to: at + place.length };
  });
  const [title, facts, model] = /** @type {[Place, Place, Place]} */ (places);
  const pieces = {
    beforeTitle: text.slice(0, title.from),
    beforeFacts: text.slice(title.to, facts.from),
    beforeModel: text.slice(facts.to, model.from),
    end: text.slice(model.to),
  };
  const module = Object.entries(pieces).map(([name, piece]) => `${name}: ${JSON.stringify(piece)}`);
  await writeFile(join(root, target, "sampler-page.js"), `export const pieces = {\n${module.join(",\n")},\n};\n`);
}

/** @typedef {{ from: number, to: number }} Place */

/** @param {string} text */
const hashOf = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/** One of the page's files with all that it imports. @param {string} file */
async function bundled(file) {
  const { outputFiles } = await build({
    entryPoints: [join(folder, file)],
    ...{ bundle: true, write: false, minify: true, format: "iife", target: "es2022", logLevel: "error" },
    logOverride: { "empty-import-meta": "silent" }, // of what would start a worker of its own
    external: ["webgpu"],
    plugins: [withoutFiles],
  });
  const text = outputFiles[0].text.trim();
  if (/<\/(script|style)|<!--/i.test(text)) throw new Error(`${file} holds what would end its element.`); // esbuild escapes it
  return text;
}

/**
 * What this page has no use for: golden cases, the smaller builds of WebAssembly, which one with all stands for, and that of optimal
 * transport, as nothing is paired here.
 * @type {import("esbuild").Plugin}
 */
const withoutFiles = {
  name: "without-files",
  setup(context) {
    context.onResolve({ filter: /\/modules\.ts$/ }, ({ importer }) =>
      importer.includes("wasm") ? { path: join(root, "src", "backends", "wasm", "modules-whole.ts") } : undefined,
    );
    context.onLoad({ filter: /engine[/\\]cases[/\\]open-case\.ts$/ }, () => ({ contents: "export {};", loader: "ts" }));
    context.onLoad({ filter: /generated[/\\]wasm-transport\.ts$/ }, () => ({ contents: 'export const bytes = "";' }));
  },
};
