/** An app for each bundler, as its own documentation begins: no setting is there for divflow. */
import { html, pageProgram } from "./program.mjs";

/**
 * @typedef {object} App
 * @property {string} name - in the table.
 * @property {string} tool - the package whose version the table shows.
 * @property {string} folder - apps of the same folder share its packages.
 * @property {Record<string, string>} packages - by name, their versions.
 * @property {Record<string, string>} files - by path, their text.
 * @property {string[]} [build] - the command that builds it, of node_modules/.bin.
 * @property {string} [built] - the folder to serve, when built.
 * @property {string[]} [copied] - files of divflow's dist/ that its user copies beside the bundle.
 * @property {string[]} [server] - or the command that serves it, to which the port is added.
 */

const main = pageProgram();

/** @param {number} version @param {"build" | "dev"} how @returns {App} */
const vite = (version, how) => ({
  name: `Vite ${version}, ${how === "build" ? "build" : "dev server"}`,
  tool: "vite",
  folder: `vite${version}`,
  packages: { vite: `^${version}` },
  files: { "index.html": html("/main.js"), "main.js": main },
  ...(how === "build"
    ? { build: ["vite", "build"], built: "dist" }
    : { server: ["vite", "--host", "127.0.0.1", "--strictPort", "--port"] }),
});

/** @param {"webpack" | "turbopack"} bundler @returns {App} */
const next = (bundler) => ({
  name: `Next, ${bundler === "webpack" ? "webpack" : "Turbopack"}`,
  tool: "next",
  folder: "next",
  packages: { next: "latest", react: "latest", "react-dom": "latest" },
  files: {
    "app/layout.js": "export default function Layout({ children }) { return <html><body>{children}</body></html>; }\n",
    "app/page.js":
      'import "./main.js";\nimport Client from "./client.js";\nexport default function Page() { return <Client />; }\n',
    "app/client.js":
      '"use client";\nimport { useEffect } from "react";\nimport { main } from "./main.js";\nexport default function Client() { useEffect(() => { globalThis.main ??= main; }, []); return <p>divflow</p>; }\n',
    "app/main.js": main,
  },
  build: ["next", "build", `--${bundler}`],
  server: ["next", "start", "--hostname", "127.0.0.1", "--port"],
});

/** @type {readonly App[]} */
export const apps = [
  vite(5, "dev"),
  vite(5, "build"),
  vite(6, "dev"),
  vite(6, "build"),
  vite(7, "dev"),
  vite(7, "build"),
  vite(8, "dev"),
  vite(8, "build"),
  {
    name: "webpack 5",
    tool: "webpack",
    folder: "webpack",
    packages: { webpack: "^5", "webpack-cli": "^6" },
    files: { "index.html": html("/main.js"), "src/index.js": main },
    build: ["webpack", "--mode", "production"],
    built: "dist",
  },
  next("webpack"),
  next("turbopack"),
  {
    name: "Parcel 2",
    tool: "parcel",
    folder: "parcel",
    packages: { parcel: "^2" },
    files: { "index.html": html("main.js"), "main.js": main },
    build: ["parcel", "build", "index.html", "--no-cache"],
    built: "dist",
  },
  {
    name: "esbuild, one file",
    tool: "esbuild",
    folder: "esbuild",
    packages: { esbuild: "latest" },
    files: { "main.js": main },
    build: ["esbuild", "main.js", "--bundle", "--minify", "--format=esm", "--outdir=one"],
    built: "one",
  },
  {
    name: "esbuild, workers copied",
    tool: "esbuild",
    folder: "esbuild",
    packages: { esbuild: "latest" },
    files: { "main.js": main },
    build: ["esbuild", "main.js", "--bundle", "--minify", "--format=esm", "--outdir=copied"],
    built: "copied",
    copied: ["worker-webgpu.js", "worker-wasm.js"],
  },
  {
    name: "esbuild, chunks",
    tool: "esbuild",
    folder: "esbuild",
    packages: { esbuild: "latest" },
    files: { "main.js": main },
    build: ["esbuild", "main.js", "--bundle", "--minify", "--format=esm", "--splitting", "--outdir=chunks"],
    built: "chunks",
  },
  {
    name: "Rollup 4",
    tool: "rollup",
    folder: "rollup",
    packages: { rollup: "^4", "@rollup/plugin-node-resolve": "^16" },
    files: { "main.js": main },
    build: ["rollup", "main.js", "--plugin", "node-resolve", "--format", "es", "--dir", "built"],
    built: "built",
  },
];
