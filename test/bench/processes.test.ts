// Sessions in processes of their own, with a session that does nothing; and the modules that the package ships.

import { randomUUID } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundle } from "../../.build/bundle.mjs";
import { cache, root } from "../../.build/files.mjs";
import { ceilingModule } from "../../bench/divflow/wasm-ceiling.ts";
import { openProcess } from "../../bench/process.mjs";
import { relaxedFlags } from "../../bench/relaxed-flags.mjs";

const folder = join(cache, `bench-${randomUUID()}`);
beforeAll(() => mkdir(folder, { recursive: true }));
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Opens a session of this source. */
async function session(source: string, { context = {}, parameters = [] as string[] } = {}) {
  const file = join(folder, `${randomUUID()}.mjs`);
  await writeFile(file, source);
  return openProcess({
    command: process.execPath,
    parameters,
    script: join(root, "bench", "child.mjs"),
    module: pathToFileURL(file).href,
    context,
    seconds: 20,
  });
}

/** Whether there is such a process that does something: one that waits to be collected does not. */
function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const status = `/proc/${pid}/status`;
  return !existsSync(status) || !/^State:\s+Z/m.test(readFileSync(status, "utf8"));
}

const echo = `export const open = async (context) => ({
  version: "1", device: context.backend,
  add: async (a, b) => a + b,
  refuse: async () => { throw Object.assign(new Error("not here"), { name: "NotOffered" }); },
  hang: () => new Promise(() => setTimeout(() => {}, 1e6)),
  crash: async () => process.exit(3),
  start: async () => {
    const { spawn } = await import("node:child_process");
    return spawn(process.execPath, ["-e", "setTimeout(() => {}, 1e6)"], { stdio: "inherit" }).pid;
  },
  close() {},
});`;

describe("a session in a process", () => {
  test("says what it is, answers calls, passes on errors with their names, and ends", async () => {
    const remote = await session(`console.log("noise on standard output"); ${echo}`, { context: { backend: "wasm" } });
    expect(remote.about).toEqual({ version: "1", device: "wasm", runtime: `Node ${process.versions.node}` });
    expect(await remote.call("add", [2, 3], 10)).toBe(5);
    await expect(remote.call("refuse", [], 10)).rejects.toMatchObject({ name: "NotOffered", message: "not here" });
    expect(await remote.call("add", [1, 1], 10)).toBe(2);
    await remote.close();
    expect(remote.alive()).toBe(false);
  });

  test("that hangs is ended at its limit", async () => {
    const remote = await session(echo);
    await expect(remote.call("hang", [], 0.3)).rejects.toThrow("not done after 0.3 s");
    expect(remote.alive()).toBe(false); // at once
    await remote.close();
    expect(remote.alive()).toBe(false);
    await expect(remote.call("add", [1, 1], 10)).rejects.toThrow("has ended");
  });

  test("takes what it started with it, hung or crashed", async () => {
    for (const [method, reason] of [
      ["hang", "not done"],
      ["crash", "ended with 3"],
    ] as const) {
      const remote = await session(echo);
      const started: number = await remote.call("start", [], 10);
      expect(runs(started)).toBe(true);
      await expect(remote.call(method, [], 0.5)).rejects.toThrow(reason);
      await remote.close();
      await expect.poll(() => runs(started)).toBe(false);
    }
  });

  test("that dies says how", async () => {
    const remote = await session(echo);
    await expect(remote.call("crash", [], 10)).rejects.toThrow("the process ended with 3");
    await remote.close();
  });

  test("that cannot be opened says why", async () => {
    const closed = `export const open = async () => { throw Object.assign(new Error("no such"), { name: "NotOffered" }); };`;
    await expect(session(closed)).rejects.toMatchObject({ name: "NotOffered", message: "no such" });
  });

  test("has the flags for relaxed SIMD, where they are needed", async () => {
    const bytes = JSON.stringify([...ceilingModule(true)]);
    const source = `export const open = async () => ({
      version: "", device: String(WebAssembly.validate(Uint8Array.from(${bytes}))), close() {} });`;
    const remote = await session(source, { parameters: relaxedFlags() });
    expect(remote.about.device).toBe("true");
    await remote.close();
  });
});

describe("the loop in registers", () => {
  test("adds up what it says", async () => {
    const { instance } = await WebAssembly.instantiate(ceilingModule(false));
    const run = instance.exports["run"] as (turns: number) => number;
    // Eight sums, eight rounds a turn, each adding 0.5 x 0.5.
    expect(run(1)).toBe(8 * 8 * 0.25);
    expect(run(3)).toBe(3 * 8 * 8 * 0.25);
  });
});

test("the package holds divflow's own bench, and nothing of the peers", async () => {
  await bundle(relative(root, folder));
  const files = await readdir(join(folder, "bench"));
  expect(files.sort()).toEqual(["child.js", "divflow.js", "own.js"]);
  for (const file of files) {
    const text = await readFile(join(folder, "bench", file), "utf8");
    expect(/jax-js|tensorflow|onnxruntime/.exec(text)?.[0], file).toBeUndefined();
  }
  const { dependencies, devDependencies } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  // ONNX Runtime is there for the tests of exported models, not for who installs the package.
  expect(Object.keys(dependencies ?? {}).join()).not.toMatch(/jax|tensorflow|onnx/);
  expect(Object.keys(devDependencies).join()).not.toMatch(/jax|tensorflow/);
});
